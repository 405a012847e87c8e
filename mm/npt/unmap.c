/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emptying a range: unlink, flush, release (change.h).
 *
 * A subtree that lies wholly in the range is unlinked at its top by one store. It is walked only
 * after the flush, when no CPU can reach it. A table that holds nothing outside the range is
 * unlinked as well, so no empty table stays behind.
 *
 * So the first two steps take a bounded time. The third visits every entry, so it has two parts.
 * mm_npt_release() empties the tables that are still in use, and puts the tables that are not into
 * a list (struct mm_npt_removed). After it, no table in use holds a trace of the range.
 * mm_npt_release_removed() works through the list and lets other calls in (turn.h).
 *
 * The list needs no memory. A table is in the list by its own entry 0, which holds the address and
 * the level of the next table instead. What that entry has mapped is released before, or is put
 * into the list too.
 */
#include "mm/npt/change.h"
#include "mm/npt/history.h"
#include "mm/npt/share.h"
#include "mm/npt/turn.h"

/* --- step 1: unlink --- */

struct unlinker {
	struct mm_npt *npt;
	bool changed;        /* a present entry has changed: a flush is due */
	bool tables;         /* a table was unlinked */
	unsigned leaf_level; /* the smallest leaf that was unlinked; 0 if a table was */
};

/* By one store. Marks that hardware sets at the same time are lost: the page goes away, and the
 * marks of a table mean nothing. */
static void unlink_entry(struct unlinker *u, _Atomic uint64_t *entry, uint64_t value, uint64_t gpa,
                         unsigned level)
{
	const struct mm_npt_format *f = u->npt->format;
	bool table = mm_npt_is_table(f, value, level);

	mm_npt_history_record(u->npt, &u->npt->counts, mm_gpa_at(gpa), level);

	mm_npt_store(entry, mm_npt_mark(f, value, table ? MM_NPT_UNLINKED : MM_NPT_PARKED));
	u->changed = true;
	u->tables |= table;
	if (table || level < u->leaf_level)
		u->leaf_level = table ? 0 : level;
}

/* Are all entries of this table 0, except those from `first` to `last`? The entries after `last`
 * are read first: a caller that empties a table in ascending order finds the next page there at
 * once. */
static bool nothing_beside(const struct mm_npt *npt, const _Atomic uint64_t *table, unsigned level,
                           unsigned first, unsigned last)
{
	unsigned entries = mm_npt_entries(npt, level);

	for (unsigned i = last + 1; i < entries; i++) {
		if (mm_npt_load(&table[i]) != 0)
			return false;
	}
	for (unsigned i = first; i-- > 0;) {
		if (mm_npt_load(&table[i]) != 0)
			return false;
	}
	return true;
}

/* Unlinks the part of [start, end) that this table maps. True: the table is empty now, and the
 * caller unlinks it too. */
static bool unlink_range(struct unlinker *u, _Atomic uint64_t *table, unsigned level,
                         uint64_t start, uint64_t end)
{
	const struct mm_npt_format *f = u->npt->format;
	uint64_t size = MM_LEVEL_SIZE(level);
	unsigned first = mm_npt_index(u->npt, start, level);
	unsigned last = mm_npt_index(u->npt, end - 1, level);
	uint64_t base = mm_align_down(start, size);
	bool emptier = false;
	bool keeps = false;

	for (unsigned i = first; i <= last; i++, base += size) {
		uint64_t value = mm_npt_load(&table[i]);

		if (value == 0)
			continue;
		if (!mm_npt_present(f, value)) {
			emptier = true; /* parked: not visible to the hardware */
			mm_npt_history_record(u->npt, &u->npt->counts, mm_gpa_at(base), level);
			continue;
		}
		if (base >= start && size <= end - base) {
			unlink_entry(u, &table[i], value, base, level);
			emptier = true;
			continue;
		}
		MM_ASSERT(mm_npt_is_table(f, value, level)); /* the ends have been split */
		if (unlink_range(u, mm_npt_child(u->npt, value), level - 1,
		                 base > start ? base : start, mm_u64_min(end, base + size))) {
			unlink_entry(u, &table[i], value, base, level);
			emptier = true;
		} else {
			keeps = true;
		}
	}
	return emptier && !keeps && level != mm_npt_root_level(u->npt) &&
	       nothing_beside(u->npt, table, level, first, last);
}

/* Step 2. */
static void flush_unlinked(const struct unlinker *u, struct mm_gpa_range range)
{
	if (u->changed)
		mm_npt_flush(u->npt, &u->npt->counts, range, u->leaf_level, u->tables);
}

/* --- step 3: release --- */

/* Tables of level 0 that mm_npt_release() releases itself. */
#define RELEASE_AT_ONCE 8U

/* Tables of a table that mm_npt_release_removed() takes apart at once: each is a line of memory
 * that has to be read. */
#define RELEASE_CHILDREN 32U

struct releaser {
	struct mm_npt *npt;
	struct mm_npt_removed *removed;
	unsigned at_once; /* tables that were released without the list */
	struct mm_npt_batch batch;
	int64_t frames;
	int64_t tables;
	int64_t leaves[MM_NPT_MAX_LEVELS];
};

static void release_leaf(struct releaser *r, uint64_t value, unsigned level)
{
	const struct mm_npt_format *f = r->npt->format;
	unsigned order = MM_LEVEL_SHIFT(level) - MM_PAGE_SHIFT;
	mm_hpa_t block = mm_npt_decode_pa(f, value);

	r->leaves[level]++;
	if ((value & f->owned) == 0)
		return;
	r->frames += INT64_C(1) << order;
	if (order == 0)
		mm_npt_batch_put(r->npt, &r->batch, block);
	else
		mm_npt_give(r->npt, order, 1, &block);
}

/* Reads MM_NPT_BATCH entries. Puts the frames that the library owns into frames[] and their number
 * into *owned. Adds the number of entries that are not 0 to *held. `direct` is a constant: see
 * walk.h. False: an entry needs the other decoding, and nothing counts. */
static MM_ALWAYS_INLINE bool sort_entries(const struct mm_npt_format *f,
                                          const _Atomic uint64_t *entries, bool direct,
                                          mm_hpa_t frames[], unsigned *owned, int64_t *held)
{
	uint64_t pa_mask = f->pa_mask;
	uint64_t owned_mask = f->owned;
	unsigned pa_shift = f->pa_shift;
	uint64_t any = 0;
	unsigned present = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < MM_NPT_BATCH; i++) {
		uint64_t entry = mm_npt_load(&entries[i]);

		any |= entry;
		present += entry != 0;
		frames[n] = direct ? mm_hpa_at((entry & pa_mask) << pa_shift)
		                   : mm_npt_decode_pa(f, entry);
		n += (entry & owned_mask) != 0;
	}
	/* The short decoding is right for present entries only. */
	if (direct && (any & MM_NPT_PARKED) != 0)
		return false;
	*owned = n;
	*held += present;
	return true;
}

/* All pages of a level 0 table. This is the most frequent case. It works on MM_NPT_BATCH entries at
 * a time, so that the batch is checked for space once per MM_NPT_BATCH pages. */
static void release_pages(struct releaser *r, const _Atomic uint64_t *table)
{
	const struct mm_npt_format *f = r->npt->format;
	mm_hpa_t *frames = r->batch.frames;

	for (unsigned i = 0; i < 1U << MM_NPT_INDEX_BITS; i += MM_NPT_BATCH) {
		unsigned owned = 0;
		int64_t *held = &r->leaves[0];

		mm_npt_batch_drain(r->npt, &r->batch);
		if (!r->npt->direct || !sort_entries(f, &table[i], true, frames, &owned, held))
			(void)sort_entries(f, &table[i], false, frames, &owned, held);
		r->batch.end = owned;
		r->frames += owned;
	}
}

/* --- the list of removed tables --- */

/* In entry 0 of a table in the list, and in mm_npt_removed.tables: the address of the next table,
 * with its level. The list ends with 0. */
#define LINK       BIT(0) /* the address and the level may be 0 */
#define LINK_LEVEL GENMASK(3, 1)

static void link_in(struct mm_npt_removed *removed, _Atomic uint64_t *table, mm_hpa_t pa,
                    unsigned level)
{
	mm_npt_store(table, removed->tables);
	removed->tables = pa.raw | FIELD_PREP(LINK_LEVEL, level) | LINK;
}

/* A table that no CPU can reach, and its first table, and that one's, ... */
static void put_into_list(struct releaser *r, uint64_t value, unsigned level)
{
	const struct mm_npt_format *f = r->npt->format;

	for (;; level--) {
		mm_hpa_t pa = mm_npt_decode_pa(f, value);
		_Atomic uint64_t *table = mm_npt_table_at(r->npt, pa);

		value = mm_npt_load(table);
		link_in(r->removed, table, pa, level);
		if (value == 0)
			return;
		if (mm_npt_is_leaf(f, value, level)) {
			release_leaf(r, value, level);
			return;
		}
	}
}

/* Empties a table of large leaves and tables, the first of which is in the list already. Stops
 * after RELEASE_CHILDREN tables. They are in the list then, and before them the table itself.
 * False: there was no table. */
static bool release_children(struct releaser *r, _Atomic uint64_t *table, mm_hpa_t pa,
                             unsigned level)
{
	const struct mm_npt_format *f = r->npt->format;
	unsigned children = 0;

	for (unsigned i = 1U << MM_NPT_INDEX_BITS; --i != 0 && children < RELEASE_CHILDREN;) {
		uint64_t entry = mm_npt_load(&table[i]);

		if (entry == 0)
			continue;
		mm_npt_store(&table[i], 0);
		if (mm_npt_is_leaf(f, entry, level)) {
			release_leaf(r, entry, level);
			continue;
		}
		if (children++ == 0)
			link_in(r->removed, table, pa, level);
		put_into_list(r, entry, level - 1);
	}
	return children != 0;
}

/* A table that is in no list, and all that it maps. */
static void release_table(struct releaser *r, mm_hpa_t pa, unsigned level)
{
	_Atomic uint64_t *table = mm_npt_table_at(r->npt, pa);

	if (level == 0)
		release_pages(r, table);
	else if (release_children(r, table, pa, level))
		return; /* it is in the list */
	r->tables++;
	mm_npt_batch_put(r->npt, &r->batch, pa);
}

/* A table that was unlinked. A few that map pages are released at once. */
static void release_unlinked(struct releaser *r, uint64_t value, unsigned level)
{
	if (level > 0 || r->at_once == RELEASE_AT_ONCE) {
		put_into_list(r, value, level);
		return;
	}
	r->at_once++;
	release_table(r, mm_npt_decode_pa(r->npt->format, value), level);
}

static void release(struct releaser *r, _Atomic uint64_t *table, unsigned level, uint64_t start,
                    uint64_t end)
{
	const struct mm_npt_format *f = r->npt->format;
	uint64_t size = MM_LEVEL_SIZE(level);
	unsigned first = mm_npt_index(r->npt, start, level);
	unsigned last = mm_npt_index(r->npt, end - 1, level);
	uint64_t base = mm_align_down(start, size);

	for (unsigned i = first; i <= last; i++, base += size) {
		uint64_t value = mm_npt_load(&table[i]);

		if (value == 0)
			continue;
		if (mm_npt_is_table(f, value, level)) {
			release(r, mm_npt_child(r->npt, value), level - 1,
			        base > start ? base : start, mm_u64_min(end, base + size));
			continue;
		}
		if ((value & MM_NPT_UNLINKED) != 0)
			release_unlinked(r, value, level - 1);
		else
			release_leaf(r, value, level);
		mm_npt_store(&table[i], 0);
	}
}

static void begin_release(struct releaser *r, struct mm_npt *npt, struct mm_npt_removed *removed)
{
	r->npt = npt;
	r->removed = removed;
	r->at_once = 0;
	r->batch.next = r->batch.end = 0;
	r->frames = r->tables = 0;
	for (unsigned level = 0; level < MM_NPT_MAX_LEVELS; level++)
		r->leaves[level] = 0;
}

static void end_release(struct releaser *r, struct mm_npt_counts *counts)
{
	mm_npt_batch_drain(r->npt, &r->batch);
	if (!counts)
		return;
	if (r->tables != 0)
		mm_npt_lose_tables(r->npt);
	mm_npt_count(&counts->frames, -r->frames);
	mm_npt_count(&counts->tables, -r->tables);
	for (unsigned level = 0; level < r->npt->config.levels; level++)
		mm_npt_count(&counts->leaves[level], -r->leaves[level]);
}

void mm_npt_release(struct mm_npt *npt, uint64_t start, uint64_t end, struct mm_npt_counts *counts,
                    struct mm_npt_removed *removed)
{
	struct releaser r;

	begin_release(&r, npt, removed);
	release(&r, npt->root_table, mm_npt_root_level(npt), start, end);
	end_release(&r, counts);
}

void mm_npt_release_removed(struct mm_npt *npt, struct mm_npt_removed *removed,
                            struct mm_npt_counts *counts)
{
	struct releaser r;

	if (removed->tables == 0)
		return;
	begin_release(&r, npt, removed);
	while (removed->tables != 0) {
		mm_hpa_t pa = mm_hpa_at(mm_align_down(removed->tables, MM_PAGE_SIZE));
		unsigned level = (unsigned)FIELD_GET(LINK_LEVEL, removed->tables);
		_Atomic uint64_t *table = mm_npt_table_at(npt, pa);

		removed->tables = mm_npt_load(table);
		mm_npt_store(table, 0);
		release_table(&r, pa, level);
		mm_npt_work(npt, 1U << MM_NPT_INDEX_BITS);
	}
	end_release(&r, counts);
}

void mm_npt_discard(struct mm_npt *npt, struct mm_gpa_range range)
{
	uint64_t end = range.start.raw + range.size;
	struct mm_npt_removed removed = {0};
	struct unlinker u = {.npt = npt};

	(void)unlink_range(&u, npt->root_table, mm_npt_root_level(npt), range.start.raw, end);
	mm_npt_release(npt, range.start.raw, end, NULL, &removed);
	mm_npt_release_removed(npt, &removed, NULL);
}

/* A range in one table of level 0 that stays, or in no table: without the walks that find the ends.
 * False: it is another range, and nothing has changed. */
static bool unmap_pages(struct mm_npt *npt, struct mm_gpa_range range)
{
	uint64_t first = mm_npt_index_below(range.start, 0);
	uint64_t last = first + (range.size >> MM_PAGE_SHIFT) - 1;
	struct unlinker u = {.npt = npt, .leaf_level = MM_NPT_MAX_LEVELS};
	struct mm_npt_slot slot;
	struct releaser r;

	if (npt->copies || last >= 1U << MM_NPT_INDEX_BITS)
		return false;
	slot = mm_npt_walk(npt, range.start);
	if (slot.level > 0)
		return slot.value == 0;

	_Atomic uint64_t *table = slot.entry - first;

	if (nothing_beside(npt, table, 0, (unsigned)first, (unsigned)last))
		return false;
	for (uint64_t i = first; i <= last; i++) {
		uint64_t value = mm_npt_load(&table[i]);

		if (mm_npt_present(npt->format, value))
			unlink_entry(&u, &table[i], value,
			             range.start.raw + (i - first) * MM_PAGE_SIZE, 0);
	}
	flush_unlinked(&u, range);
	begin_release(&r, npt, NULL);
	for (uint64_t i = first; i <= last; i++) {
		uint64_t value = mm_npt_load(&table[i]);

		if (value != 0)
			release_leaf(&r, value, 0);
		mm_npt_store(&table[i], 0);
	}
	end_release(&r, &npt->counts);
	return true;
}

enum mm_error mm_npt_unmap(struct mm_npt *npt, struct mm_gpa_range range,
                           struct mm_npt_removed *removed)
{
	uint64_t start = range.start.raw;
	uint64_t end = start + range.size;
	struct unlinker u = {.npt = npt, .leaf_level = MM_NPT_MAX_LEVELS};
	enum mm_error err;

	if (unmap_pages(npt, range))
		return MM_OK;
	err = mm_npt_split_ends(npt, range, NULL);
	if (err != MM_OK)
		return err;
	(void)unlink_range(&u, npt->root_table, mm_npt_root_level(npt), start, end);
	flush_unlinked(&u, range);
	if (npt->copies)
		mm_npt_release_beside(npt, range);
	else
		mm_npt_release(npt, start, end, &npt->counts, removed);
	return MM_OK;
}
