/*
 * Going back to a copy (share.h). Only entries that have changed since are looked at, by the
 * history of the live table (history.h), or all entries if the copy is not exact.
 *
 * It takes three passes over them, as every change that takes something away (change.h): what
 * differs is cut, then flushed, then what the copy has is put in its place. Before the first
 * change, all tables are taken that the live table lacks, which it does if another copy has been
 * restored in between: each points to the last by its first bytes.
 */
#include "mm/npt/change.h"
#include "mm/npt/history.h"
#include "mm/npt/share.h"

struct restorer {
	struct npt *npt;
	struct npt *copy;
	uint64_t from, end;     /* positions; of an exact copy */
	bool changed;           /* something present has gone: a flush is due */
	struct gpa_range block; /* what a large leaf of the copy covers that comes back... */
	hpa_t block_hpa;        /* ...and where it leads */
	unsigned unlinked;      /* tables that are being filled, and that no walker sees */
	uint64_t spares;
	hpa_t spare;           /* the last one taken, if there are any */
	int64_t frames, pages; /* what put_back_page() adds to the counts */
	struct npt_batch batch;
};

/* --- tables in reserve --- */

static enum mm_error take_spares(struct restorer *r, uint64_t n)
{
	for (; n != 0; n--) {
		hpa_t frame;
		enum mm_error err = npt_take(r->npt, 0, 1, &frame);

		if (err != MM_OK)
			return err;
		*(hpa_t *)hal_to_virt(&r->npt->hal, frame) = r->spare;
		r->spare = frame;
		r->spares++;
	}
	return MM_OK;
}

static hpa_t use_spare(struct restorer *r)
{
	hpa_t frame = r->spare;

	MM_ASSERT(r->spares != 0);
	r->spare = *(hpa_t *)hal_to_virt(&r->npt->hal, frame);
	r->spares--;
	return frame;
}

static void give_spares(struct restorer *r)
{
	while (r->spares != 0) {
		hpa_t frame = use_spare(r);

		npt_give(r->npt, 0, 1, &frame);
	}
}

/* Tables that the copy has from this entry down and the live table has not. */
static uint64_t missing_tables(const struct npt *npt, uint64_t live, uint64_t copy, unsigned level)
{
	const struct npt_format *f = npt->format;

	if (!npt_is_table(f, copy, level))
		return 0;

	bool both = npt_is_table(f, live, level);
	const _Atomic uint64_t *there = both ? npt_child(npt, live) : NULL;
	const _Atomic uint64_t *wanted = npt_child(npt, copy);
	uint64_t missing = both ? 0 : 1;

	for (unsigned i = 0; level > 1 && i < 1U << NPT_INDEX_BITS; i++)
		missing += missing_tables(npt, there ? npt_load(&there[i]) : 0,
		                          npt_load(&wanted[i]), level - 1);
	return missing;
}

/* --- one entry of both --- */

/* Is what the live table has here something else than what the copy has, be it absence? Where
 * both have a table, the answer is further down. */
static bool differs(const struct npt *npt, uint64_t live, uint64_t copy, unsigned level)
{
	const struct npt_format *f = npt->format;

	if (copy == 0)
		return live != 0;
	if (npt_is_table(f, copy, level))
		return !npt_is_table(f, live, level);
	return !npt_is_leaf(f, live, level) ||
	       npt_decode_pa(f, live).raw != npt_decode_pa(f, copy).raw;
}

/* Step 1: what differs loses its present bits, by one store, since what it maps goes away. */
static void cut_differing(struct restorer *r, struct npt_pair pair)
{
	struct npt *npt = r->npt;
	const struct npt_format *f = npt->format;
	uint64_t value = npt_load(pair.live);
	uint64_t wanted = npt_load(pair.copy);
	bool table = npt_is_table(f, value, pair.level);

	if (!npt_present(f, value))
		return;
	if (differs(npt, value, wanted, pair.level)) {
		npt_store(pair.live, npt_mark(f, value, table ? NPT_CUT : NPT_PARKED));
		r->changed = true;
	} else if (table) {
		struct npt_pair below = {npt_child(npt, value), npt_child(npt, wanted),
		                         pair.level - 1};

		for (unsigned i = 0; i < 1U << NPT_INDEX_BITS; i++, below.live++, below.copy++)
			cut_differing(r, below);
	}
}

/* The same for pages. */
static MM_ALWAYS_INLINE void cut_page(struct restorer *r, _Atomic uint64_t *live,
                                      const _Atomic uint64_t *copy)
{
	const struct npt_format *f = r->npt->format;
	uint64_t value = npt_load(live);

	if (npt_present(f, value) && differs(r->npt, value, npt_load(copy), 0)) {
		npt_store(live, npt_mark(f, value, NPT_PARKED));
		r->changed = true;
	}
}

/* Does the large leaf that comes back map this page, to where it is? */
static bool comes_back(const struct restorer *r, gpa_t gpa, hpa_t pa)
{
	return gpa_range_contains(r->block, gpa) &&
	       pa.raw - r->block_hpa.raw == gpa_diff(gpa, r->block.start);
}

/* Everything that hangs from an entry of the live table that is going. */
static void release_live(struct restorer *r, uint64_t value, gpa_t gpa, unsigned level)
{
	struct npt *npt = r->npt;
	const struct npt_format *f = npt->format;
	struct npt_counts *counts = &npt->counts;
	hpa_t pa = npt_decode_pa(f, value);

	if (npt_is_leaf(f, value, level)) {
		npt_count(&counts->leaves[level], -1);
		if ((value & f->owned) != 0 && !comes_back(r, gpa, pa))
			npt_count(&counts->frames,
			          -npt_free_unheld(npt, &r->batch, npt, gpa, pa, level));
		return;
	}

	const _Atomic uint64_t *table = npt_table_at(npt, pa);

	for (unsigned i = 0; i < npt_entries(npt, level - 1); i++) {
		uint64_t entry = npt_load(&table[i]);

		if (entry != 0)
			release_live(r, entry, gpa_plus(gpa, i * MM_LEVEL_SIZE(level - 1)),
			             level - 1);
	}
	npt_batch_put(npt, &r->batch, pa);
	npt_count(&counts->tables, -1);
}

static void put_back(struct restorer *r, struct npt_pair pair, gpa_t gpa);

static void put_back_table(struct restorer *r, _Atomic uint64_t *live, _Atomic uint64_t *copy,
                           gpa_t gpa, unsigned level)
{
	struct npt_pair pair = {live, copy, level};

	for (unsigned i = 0; i < npt_entries(r->npt, level); i++, pair.live++, pair.copy++)
		put_back(r, pair, gpa_plus(gpa, i * MM_LEVEL_SIZE(level)));
}

/* What stands for an entry of the copy in the live table. */
static uint64_t live_form(struct restorer *r, uint64_t wanted, gpa_t gpa, unsigned level)
{
	struct npt *npt = r->npt;

	if (wanted == 0)
		return 0;
	if (!npt_is_table(npt->format, wanted, level)) {
		npt_count(&npt->counts.leaves[level], 1);
		return wanted;
	}

	hpa_t table = use_spare(r);

	npt_clear_table(npt, table, 0);
	npt_count(&npt->counts.tables, 1);
	r->unlinked++;
	put_back_table(r, npt_table_at(npt, table), npt_child(npt, wanted), gpa, level - 1);
	r->unlinked--;
	return npt_table_entry(npt->format, table);
}

/* Step 3: what differs goes, and what the copy has comes in its place. */
static void put_back(struct restorer *r, struct npt_pair pair, gpa_t gpa)
{
	struct npt *npt = r->npt;
	uint64_t value = npt_load(pair.live);
	uint64_t wanted = npt_load(pair.copy);

	npt->history.compared++;
	if (differs(npt, value, wanted, pair.level)) {
		bool leaf = npt_is_leaf(npt->format, wanted, pair.level);

		r->block = gpa_range(gpa, leaf ? MM_LEVEL_SIZE(pair.level) : 0);
		r->block_hpa = npt_decode_pa(npt->format, wanted);
		if (value != 0)
			release_live(r, value, gpa, pair.level);
		npt_link(pair.live, live_form(r, wanted, gpa, pair.level));
		/* For the other copies, if there are any. Of a new table, the entry that leads to
		 * it is recorded. */
		if (npt->copies->next_copy && r->unlinked == 0)
			npt_history_record(npt, &npt->counts, gpa, pair.level);
	} else if (npt_is_table(npt->format, wanted, pair.level)) {
		put_back_table(r, npt_child(npt, value), npt_child(npt, wanted), gpa,
		               pair.level - 1);
	}
}

/* The same for pages. Where the two differ, the copy does not hold the live frame. */
static MM_ALWAYS_INLINE void put_back_page(struct restorer *r, _Atomic uint64_t *live,
                                           const _Atomic uint64_t *copy, gpa_t gpa)
{
	struct npt *npt = r->npt;
	const struct npt_format *f = npt->format;
	uint64_t value = npt_load(live);
	uint64_t wanted = npt_load(copy);
	bool alone = !npt->copies->next_copy;

	npt->history.compared++;
	if (!differs(npt, value, wanted, 0))
		return;
	if ((value & f->owned) != 0 && alone) {
		npt_batch_put(npt, &r->batch, npt_decode_pa(f, value));
		r->frames--;
	} else if ((value & f->owned) != 0) {
		r->frames -= npt_free_unheld(npt, &r->batch, npt, gpa, npt_decode_pa(f, value), 0);
	}
	r->pages += (wanted != 0) - (value != 0);
	npt_link(live, wanted);
	if (!alone)
		npt_history_record(npt, &npt->counts, gpa, 0);
}

/* --- what has changed, or all --- */

enum pass {
	COUNT,
	CUT,
	PUT_BACK
};

static void at_entry(struct restorer *r, enum pass pass, struct npt_pair pair, gpa_t gpa,
                     uint64_t *missing)
{
	if (pass == COUNT)
		*missing += missing_tables(r->npt, npt_load(pair.live), npt_load(pair.copy),
		                           pair.level);
	else if (pass == CUT)
		cut_differing(r, pair);
	else
		put_back(r, pair, npt_leaf_range(gpa, pair.level).start);
}

/* The same for a page: most of what there ever is to do. */
static MM_ALWAYS_INLINE void at_page(struct restorer *r, enum pass pass, struct npt_pair tables,
                                     gpa_t gpa)
{
	unsigned i = npt_index_below(gpa, 0);

	if (pass == CUT)
		cut_page(r, &tables.live[i], &tables.copy[i]);
	else if (pass == PUT_BACK)
		put_back_page(r, &tables.live[i], &tables.copy[i], gpa);
}

/* Answers how many tables are missing, at most: what has changed twice is counted twice. Pages that
 * follow each other are found in the same tables, while nothing above pages is changed. `pass` is a
 * constant. */
static MM_ALWAYS_INLINE uint64_t over_changes(struct restorer *r, enum pass pass)
{
	const _Atomic uint64_t *frame = NULL;
	struct npt_pair tables = {NULL, NULL, 0};
	gpa_t last = gpa_at(0);
	uint64_t missing = 0;

	for (uint64_t at = r->from; at < r->end; at++) {
		if (!frame || at % NPT_HISTORY_PER == 0)
			frame = npt_history_frame(r->npt, at);

		struct npt_change change = npt_history_at(frame, at);
		bool same = (change.gpa.raw ^ last.raw) < MM_LEVEL_SIZE(1);

		if (change.level != 0 || !same || !tables.live) {
			struct npt_pair pair =
				npt_pair_at(r->npt, r->copy, change.gpa, change.level);
			unsigned i = npt_index_below(change.gpa, 0);

			tables.live = NULL;
			last = change.gpa;
			if (pair.level != 0) {
				at_entry(r, pass, pair, change.gpa, &missing);
				continue;
			}
			tables = (struct npt_pair){pair.live - i, pair.copy - i, 0};
		}
		at_page(r, pass, tables, change.gpa);
	}
	return missing;
}

static uint64_t over_all(struct restorer *r, enum pass pass)
{
	unsigned level = npt_root_level(r->npt);
	struct npt_pair pair = {r->npt->root_table, r->copy->root_table, level};
	uint64_t missing = 0;

	for (unsigned i = 0; i < npt_entries(r->npt, level); i++, pair.live++, pair.copy++)
		at_entry(r, pass, pair, gpa_at(i * MM_LEVEL_SIZE(level)), &missing);
	return missing;
}

static uint64_t over(struct restorer *r, enum pass pass)
{
	if (!r->copy->exact)
		return over_all(r, pass);
	switch (pass) {
	case COUNT:
		return over_changes(r, COUNT);
	case CUT:
		return over_changes(r, CUT);
	default:
		return over_changes(r, PUT_BACK);
	}
}

/* Too many are asked for first, perhaps; then as many as there have to be. */
static enum mm_error reserve(struct restorer *r)
{
	enum mm_error err = take_spares(r, over(r, COUNT));

	if (err == MM_OK || !r->copy->exact)
		return err;
	give_spares(r);
	return take_spares(r, over_all(r, COUNT));
}

enum mm_error npt_restore(struct npt *npt, struct npt *copy)
{
	struct gpa_range all = gpa_range(gpa_at(0), UINT64_C(1) << npt_gpa_bits(&npt->config));
	struct restorer r;
	enum mm_error err;

	npt_history_settle(npt);
	r.npt = npt;
	r.copy = copy;
	r.from = copy->position;
	r.end = npt_history_end(npt);
	r.changed = false;
	r.frames = r.pages = 0;
	r.spares = r.unlinked = 0;
	r.batch.next = r.batch.end = 0;
	err = reserve(&r);
	if (err == MM_OK) {
		(void)over(&r, CUT);
		if (r.changed)
			npt_flush(npt, &npt->counts, all, 0, true);
		(void)over(&r, PUT_BACK);
		npt_publish(npt);
		npt_batch_drain(npt, &r.batch);
		npt_count(&npt->counts.frames, r.frames);
		npt_count(&npt->counts.leaves[0], r.pages);
		npt_history_settle(npt);
		copy->exact = true;
		copy->position = npt_history_end(npt);
		npt_history_trim(npt);
	}
	give_spares(&r);
	return err;
}
