/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Restoring a table from a copy (share.h). A restore reads only the entries that have changed since
 * (history.h), or all entries if the copy is not exact.
 *
 * It follows the three steps of change.h: entries that differ are unlinked, then flushed, then
 * replaced by those of the copy. The live table may lack tables that the copy has, if another copy
 * was restored in between. Frames for these tables are taken before the first change. Until they
 * are used they form a list: each frame begins with the address of the one taken before it.
 */
#include "mm/npt/change.h"
#include "mm/npt/history.h"
#include "mm/npt/share.h"

struct restorer {
	struct mm_npt *npt;
	struct mm_npt *copy;
	uint64_t from, end;        /* positions; of an exact copy */
	bool changed;              /* a present entry was unlinked: a flush is due */
	struct mm_gpa_range block; /* the range of the copy's leaf that is being restored... */
	mm_hpa_t block_hpa;        /* ...and the block that it maps */
	unsigned unseen;           /* how many tables, one in another, are being filled unlinked */
	uint64_t spares;
	mm_hpa_t spare;        /* the spare table taken last; valid if spares is not 0 */
	int64_t frames, pages; /* what put_back_page() adds to the counts */
	struct mm_npt_batch batch;
};

/* --- spare tables --- */

static enum mm_error take_spares(struct restorer *r, uint64_t n)
{
	for (; n != 0; n--) {
		mm_hpa_t frame;
		enum mm_error err = mm_npt_take(r->npt, 0, 1, &frame);

		if (err != MM_OK)
			return err;
		*(mm_hpa_t *)mm_hal_to_virt(&r->npt->hal, frame) = r->spare;
		r->spare = frame;
		r->spares++;
	}
	return MM_OK;
}

static mm_hpa_t use_spare(struct restorer *r)
{
	mm_hpa_t frame = r->spare;

	MM_ASSERT(r->spares != 0);
	r->spare = *(mm_hpa_t *)mm_hal_to_virt(&r->npt->hal, frame);
	r->spares--;
	return frame;
}

static void give_spares(struct restorer *r)
{
	while (r->spares != 0) {
		mm_hpa_t frame = use_spare(r);

		mm_npt_give(r->npt, 0, 1, &frame);
	}
}

/* How many tables the copy has at and below this entry that the live table lacks. */
static uint64_t missing_tables(const struct mm_npt *npt, uint64_t live, uint64_t copy,
                               unsigned level)
{
	const struct mm_npt_format *f = npt->format;

	if (!mm_npt_is_table(f, copy, level))
		return 0;

	bool both = mm_npt_is_table(f, live, level);
	const _Atomic uint64_t *there = both ? mm_npt_child(npt, live) : NULL;
	const _Atomic uint64_t *wanted = mm_npt_child(npt, copy);
	uint64_t missing = both ? 0 : 1;

	for (unsigned i = 0; level > 1 && i < 1U << MM_NPT_INDEX_BITS; i++)
		missing += missing_tables(npt, there ? mm_npt_load(&there[i]) : 0,
		                          mm_npt_load(&wanted[i]), level - 1);
	return missing;
}

/* --- one entry of the live table and the same of the copy --- */

/* Do the two entries map different things? False where both point to tables: then the entries of
 * these tables have to be compared. */
static bool differs(const struct mm_npt *npt, uint64_t live, uint64_t copy, unsigned level)
{
	const struct mm_npt_format *f = npt->format;

	if (copy == 0)
		return live != 0;
	if (mm_npt_is_table(f, copy, level))
		return !mm_npt_is_table(f, live, level);
	return !mm_npt_is_leaf(f, live, level) || !mm_npt_same_pa(f, live, copy);
}

/* Step 1: entries that differ are unlinked. By one store, since their pages go away (change.h). */
static void unlink_differing(struct restorer *r, struct mm_npt_pair pair)
{
	struct mm_npt *npt = r->npt;
	const struct mm_npt_format *f = npt->format;
	uint64_t value = mm_npt_load(pair.live);
	uint64_t wanted = mm_npt_load(pair.copy);
	bool table = mm_npt_is_table(f, value, pair.level);

	if (!mm_npt_present(f, value))
		return;
	if (differs(npt, value, wanted, pair.level)) {
		mm_npt_store(pair.live,
		             mm_npt_mark(f, value, table ? MM_NPT_UNLINKED : MM_NPT_PARKED));
		r->changed = true;
	} else if (table) {
		struct mm_npt_pair below = {mm_npt_child(npt, value), mm_npt_child(npt, wanted),
		                            pair.level - 1};

		for (unsigned i = 0; i < 1U << MM_NPT_INDEX_BITS; i++, below.live++, below.copy++)
			unlink_differing(r, below);
	}
}

/* The same for entries of level 0. */
static MM_ALWAYS_INLINE void unlink_page(struct restorer *r, _Atomic uint64_t *live,
                                         const _Atomic uint64_t *copy)
{
	const struct mm_npt_format *f = r->npt->format;
	uint64_t value = mm_npt_load(live);

	if (mm_npt_present(f, value) && differs(r->npt, value, mm_npt_load(copy), 0)) {
		mm_npt_store(live, mm_npt_mark(f, value, MM_NPT_PARKED));
		r->changed = true;
	}
}

/* Does the leaf that is being restored map gpa to this frame? Then the frame must not be freed. */
static bool comes_back(const struct restorer *r, mm_gpa_t gpa, mm_hpa_t pa)
{
	return mm_gpa_range_contains(r->block, gpa) &&
	       pa.raw - r->block_hpa.raw == mm_gpa_diff(gpa, r->block.start);
}

/* Releases all that an unlinked entry of the live table maps, and its tables. */
static void release_live(struct restorer *r, uint64_t value, mm_gpa_t gpa, unsigned level)
{
	struct mm_npt *npt = r->npt;
	const struct mm_npt_format *f = npt->format;
	struct mm_npt_counts *counts = &npt->counts;
	mm_hpa_t pa = mm_npt_decode_pa(f, value);

	if (mm_npt_is_leaf(f, value, level)) {
		mm_npt_count(&counts->leaves[level], -1);
		if ((value & f->owned) != 0 && !comes_back(r, gpa, pa))
			mm_npt_count(&counts->frames,
			             -mm_npt_free_unheld(npt, &r->batch, npt, gpa, pa, level));
		return;
	}

	const _Atomic uint64_t *table = mm_npt_table_at(npt, pa);

	for (unsigned i = 0; i < mm_npt_entries(npt, level - 1); i++) {
		uint64_t entry = mm_npt_load(&table[i]);

		if (entry != 0)
			release_live(r, entry, mm_gpa_plus(gpa, i * MM_LEVEL_SIZE(level - 1)),
			             level - 1);
	}
	mm_npt_batch_put(npt, &r->batch, pa);
	mm_npt_count(&counts->tables, -1);
}

static void put_back(struct restorer *r, struct mm_npt_pair pair, mm_gpa_t gpa);

static void put_back_table(struct restorer *r, _Atomic uint64_t *live, _Atomic uint64_t *copy,
                           mm_gpa_t gpa, unsigned level)
{
	struct mm_npt_pair pair = {live, copy, level};

	for (unsigned i = 0; i < mm_npt_entries(r->npt, level); i++, pair.live++, pair.copy++)
		put_back(r, pair, mm_gpa_plus(gpa, i * MM_LEVEL_SIZE(level)));
}

/* The entry of the live table for this entry of the copy: a leaf as it is, or a new table that maps
 * the same. */
static uint64_t live_form(struct restorer *r, uint64_t wanted, mm_gpa_t gpa, unsigned level)
{
	struct mm_npt *npt = r->npt;

	if (wanted == 0)
		return 0;
	if (!mm_npt_is_table(npt->format, wanted, level)) {
		mm_npt_count(&npt->counts.leaves[level], 1);
		return wanted;
	}

	mm_hpa_t table = use_spare(r);

	mm_npt_clear_table(npt, table, 0);
	mm_npt_count(&npt->counts.tables, 1);
	r->unseen++;
	put_back_table(r, mm_npt_table_at(npt, table), mm_npt_child(npt, wanted), gpa, level - 1);
	r->unseen--;
	return mm_npt_table_entry(npt->format, table);
}

/* Step 3: an entry that differs is released, and replaced by that of the copy. */
static void put_back(struct restorer *r, struct mm_npt_pair pair, mm_gpa_t gpa)
{
	struct mm_npt *npt = r->npt;
	uint64_t value = mm_npt_load(pair.live);
	uint64_t wanted = mm_npt_load(pair.copy);

	npt->history.compared++;
	if (differs(npt, value, wanted, pair.level)) {
		bool leaf = mm_npt_is_leaf(npt->format, wanted, pair.level);

		r->block = mm_gpa_range(gpa, leaf ? MM_LEVEL_SIZE(pair.level) : 0);
		r->block_hpa = mm_npt_decode_pa(npt->format, wanted);
		if (value != 0)
			release_live(r, value, gpa, pair.level);
		mm_npt_link(pair.live, live_form(r, wanted, gpa, pair.level));
		/* For the other copies. If a new table was filled, only the entry that points to it
		 * is recorded. */
		if (npt->copies->next_copy && r->unseen == 0)
			mm_npt_history_record(npt, &npt->counts, gpa, pair.level);
	} else if (mm_npt_is_table(npt->format, wanted, pair.level)) {
		put_back_table(r, mm_npt_child(npt, value), mm_npt_child(npt, wanted), gpa,
		               pair.level - 1);
	}
}

/* The same for entries of level 0. If they differ, the copy does not hold the live frame. */
static MM_ALWAYS_INLINE void put_back_page(struct restorer *r, _Atomic uint64_t *live,
                                           const _Atomic uint64_t *copy, mm_gpa_t gpa)
{
	struct mm_npt *npt = r->npt;
	const struct mm_npt_format *f = npt->format;
	uint64_t value = mm_npt_load(live);
	uint64_t wanted = mm_npt_load(copy);
	bool alone = !npt->copies->next_copy;

	npt->history.compared++;
	if (!differs(npt, value, wanted, 0))
		return;
	if ((value & f->owned) != 0 && alone) {
		mm_npt_batch_put(npt, &r->batch, mm_npt_decode_pa(f, value));
		r->frames--;
	} else if ((value & f->owned) != 0) {
		r->frames -=
			mm_npt_free_unheld(npt, &r->batch, npt, gpa, mm_npt_decode_pa(f, value), 0);
	}
	r->pages += (wanted != 0) - (value != 0);
	mm_npt_link(live, wanted);
	if (!alone)
		mm_npt_history_record(npt, &npt->counts, gpa, 0);
}

/* --- over the entries that have changed, or over all --- */

enum pass {
	COUNT,
	UNLINK,
	PUT_BACK
};

static void at_entry(struct restorer *r, enum pass pass, struct mm_npt_pair pair, mm_gpa_t gpa,
                     uint64_t *missing)
{
	if (pass == COUNT)
		*missing += missing_tables(r->npt, mm_npt_load(pair.live), mm_npt_load(pair.copy),
		                           pair.level);
	else if (pass == UNLINK)
		unlink_differing(r, pair);
	else
		put_back(r, pair, mm_npt_leaf_range(gpa, pair.level).start);
}

/* The same for an entry of level 0: nearly all changes are of this kind. */
static MM_ALWAYS_INLINE void at_page(struct restorer *r, enum pass pass, struct mm_npt_pair tables,
                                     mm_gpa_t gpa)
{
	unsigned i = mm_npt_index_below(gpa, 0);

	if (pass == UNLINK)
		unlink_page(r, &tables.live[i], &tables.copy[i]);
	else if (pass == PUT_BACK)
		put_back_page(r, &tables.live[i], &tables.copy[i], gpa);
}

/* The tables of level 1 that map the GiB of the last change, in both. NULL: not looked up. */
struct near_pair {
	uint64_t gib;
	_Atomic uint64_t *live, *copy;
};

static MM_ALWAYS_INLINE _Atomic uint64_t *direct_child(const struct mm_npt *npt, uint64_t entry)
{
	return (void *)(uintptr_t)(mm_npt_pa_as(npt->format, entry, true) + npt->direct_offset);
}

/* The pair of pages for gpa, by way of the tables of its GiB. False: one of the two tables has no
 * table for it. */
static MM_ALWAYS_INLINE bool pages_near(const struct restorer *r, struct near_pair *near,
                                        mm_gpa_t gpa, struct mm_npt_pair *out)
{
	const struct mm_npt *npt = r->npt;
	const struct mm_npt_format *f = npt->format;
	uint64_t gib = gpa.raw >> MM_LEVEL_SHIFT(2);
	unsigned i = mm_npt_index(npt, gpa.raw, 1);
	uint64_t live, copy;

	if (!near->live || near->gib != gib) {
		struct mm_npt_pair top = mm_npt_pair_at(npt, r->copy, gpa, 1);

		if (top.level != 1)
			return false;
		*near = (struct near_pair){gib, top.live - i, top.copy - i};
	}
	live = mm_npt_load(&near->live[i]);
	copy = mm_npt_load(&near->copy[i]);
	if (!mm_npt_points_to_table(f, live) || !mm_npt_points_to_table(f, copy))
		return false;
	i = mm_npt_index_below(gpa, 0);
	if (npt->direct)
		*out = (struct mm_npt_pair){&direct_child(npt, live)[i],
		                            &direct_child(npt, copy)[i], 0};
	else
		*out = (struct mm_npt_pair){&mm_npt_child(npt, live)[i],
		                            &mm_npt_child(npt, copy)[i], 0};
	return true;
}

/* Returns the number of missing tables, or more: an entry that was recorded twice is counted twice.
 * Consecutive pages are found in the same pair of tables, as long as no entry above level 0
 * changes. `pass` is a constant. */
static MM_ALWAYS_INLINE uint64_t over_changes(struct restorer *r, enum pass pass)
{
	const _Atomic uint64_t *frame = NULL;
	struct mm_npt_pair tables = {NULL, NULL, 0};
	struct near_pair near = {0};
	mm_gpa_t last = mm_gpa_at(0);
	uint64_t missing = 0;

	for (uint64_t at = r->from; at < r->end; at++) {
		if (!frame || at % MM_NPT_HISTORY_PER == 0)
			frame = mm_npt_history_frame(r->npt, at);

		struct mm_npt_change change = mm_npt_history_at(frame, at);
		bool same = (change.gpa.raw ^ last.raw) < MM_LEVEL_SIZE(1);

		if (change.level != 0 || !same || !tables.live) {
			struct mm_npt_pair pair;
			unsigned i = mm_npt_index_below(change.gpa, 0);

			tables.live = NULL;
			last = change.gpa;
			if (change.level != 0 || !pages_near(r, &near, change.gpa, &pair))
				pair = mm_npt_pair_at(r->npt, r->copy, change.gpa, change.level);
			if (pair.level != 0) {
				near.live = NULL;
				at_entry(r, pass, pair, change.gpa, &missing);
				continue;
			}
			tables = (struct mm_npt_pair){pair.live - i, pair.copy - i, 0};
		}
		at_page(r, pass, tables, change.gpa);
	}
	return missing;
}

static uint64_t over_all(struct restorer *r, enum pass pass)
{
	unsigned level = mm_npt_root_level(r->npt);
	struct mm_npt_pair pair = {r->npt->root_table, r->copy->root_table, level};
	uint64_t missing = 0;

	for (unsigned i = 0; i < mm_npt_entries(r->npt, level); i++, pair.live++, pair.copy++)
		at_entry(r, pass, pair, mm_gpa_at(i * MM_LEVEL_SIZE(level)), &missing);
	return missing;
}

static uint64_t over(struct restorer *r, enum pass pass)
{
	if (!r->copy->exact)
		return over_all(r, pass);
	switch (pass) {
	case COUNT:
		return over_changes(r, COUNT);
	case UNLINK:
		return over_changes(r, UNLINK);
	default:
		return over_changes(r, PUT_BACK);
	}
}

/* over_changes() may count too many. If so many cannot be taken, the exact number is counted. */
static enum mm_error reserve(struct restorer *r)
{
	enum mm_error err;

	if (!r->copy->lacking)
		return MM_OK;
	err = take_spares(r, over(r, COUNT));

	if (err == MM_OK || !r->copy->exact)
		return err;
	give_spares(r);
	return take_spares(r, over_all(r, COUNT));
}

enum mm_error mm_npt_restore(struct mm_npt *npt, struct mm_npt *copy)
{
	struct mm_gpa_range all =
		mm_gpa_range(mm_gpa_at(0), UINT64_C(1) << mm_npt_gpa_bits(&npt->config));
	struct restorer r;
	enum mm_error err;

	mm_npt_history_settle(npt);
	r.npt = npt;
	r.copy = copy;
	r.from = copy->position;
	r.end = mm_npt_history_end(npt);
	r.changed = false;
	r.frames = r.pages = 0;
	r.spares = r.unseen = 0;
	r.batch.next = r.batch.end = 0;
	err = reserve(&r);
	if (err == MM_OK) {
		(void)over(&r, UNLINK);
		if (r.changed)
			mm_npt_flush(npt, &npt->counts, all, 0, true);
		(void)over(&r, PUT_BACK);
		mm_npt_publish(npt);
		mm_npt_batch_drain(npt, &r.batch);
		mm_npt_count(&npt->counts.frames, r.frames);
		mm_npt_count(&npt->counts.leaves[0], r.pages);
		mm_npt_history_settle(npt);
		mm_npt_lose_tables(npt);
		copy->lacking = false;
		copy->exact = true;
		copy->position = mm_npt_history_end(npt);
		mm_npt_history_trim(npt);
	}
	give_spares(&r);
	return err;
}
