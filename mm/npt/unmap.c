/*
 * Emptying a range: cut, flush, release (change.h).
 *
 * A subtree that lies wholly in the range is cut at its top by one store, whatever is in it, and
 * walked only when no CPU can reach it any more. A table that keeps nothing outside the range is
 * cut with it, so no empty table stays behind.
 */
#include "mm/npt/change.h"

/* --- step 1: out of the hardware's sight --- */

struct cutter {
	struct npt *npt;
	bool changed; /* something was present: a flush is due */
	bool tables;
	unsigned leaf_level; /* smallest leaf cut; below a cut table they are not looked at */
};

/* By one store: marks that hardware adds meanwhile go with the page, or were a table's. */
static void cut_entry(struct cutter *c, _Atomic uint64_t *entry, uint64_t value, unsigned level)
{
	const struct npt_format *f = c->npt->format;
	bool table = npt_is_table(f, value, level);

	npt_store(entry, npt_mark(f, value, table ? NPT_CUT : NPT_PARKED));
	c->changed = true;
	c->tables |= table;
	if (table || level < c->leaf_level)
		c->leaf_level = table ? 0 : level;
}

/* Is there nothing in this table but in entries first to last? The neighbours are asked first:
 * whoever empties a table in order finds the next page there at once. */
static bool nothing_beside(const struct npt *npt, const _Atomic uint64_t *table, unsigned level,
                           unsigned first, unsigned last)
{
	unsigned entries = npt_entries(npt, level);

	for (unsigned i = last + 1; i < entries; i++) {
		if (npt_load(&table[i]) != 0)
			return false;
	}
	for (unsigned i = first; i-- > 0;) {
		if (npt_load(&table[i]) != 0)
			return false;
	}
	return true;
}

/* Cuts what of [start, end) this table maps. True: that left nothing in it, so cut it too. */
static bool cut(struct cutter *c, _Atomic uint64_t *table, unsigned level, uint64_t start,
                uint64_t end)
{
	const struct npt_format *f = c->npt->format;
	uint64_t size = MM_LEVEL_SIZE(level);
	unsigned first = npt_index(c->npt, start, level);
	unsigned last = npt_index(c->npt, end - 1, level);
	uint64_t base = mm_align_down(start, size);
	bool emptier = false;
	bool keeps = false;

	for (unsigned i = first; i <= last; i++, base += size) {
		uint64_t value = npt_load(&table[i]);

		if (value == 0)
			continue;
		if (!npt_present(f, value)) {
			emptier = true; /* parked: the hardware does not know it */
			continue;
		}
		if (base >= start && size <= end - base) {
			cut_entry(c, &table[i], value, level);
			emptier = true;
			continue;
		}
		MM_ASSERT(npt_is_table(f, value, level)); /* the ends have been split */
		if (cut(c, npt_child(c->npt, value), level - 1, base > start ? base : start,
		        u64_min(end, base + size))) {
			cut_entry(c, &table[i], value, level);
			emptier = true;
		} else {
			keeps = true;
		}
	}
	return emptier && !keeps && level != npt_root_level(c->npt) &&
	       nothing_beside(c->npt, table, level, first, last);
}

/* --- step 3: back to the HAL --- */

struct releaser {
	struct npt *npt;
	struct npt_batch batch;
	int64_t frames;
	int64_t tables;
	int64_t leaves[NPT_MAX_LEVELS];
};

static void release_leaf(struct releaser *r, uint64_t value, unsigned level)
{
	const struct npt_format *f = r->npt->format;
	unsigned order = MM_LEVEL_SHIFT(level) - MM_PAGE_SHIFT;
	hpa_t block = npt_decode_pa(f, value);

	r->leaves[level]++;
	if ((value & f->owned) == 0)
		return;
	r->frames += INT64_C(1) << order;
	if (order == 0)
		npt_batch_put(r->npt, &r->batch, block);
	else
		npt_give(r->npt, order, 1, &block);
}

/* Sorts NPT_BATCH entries: the frames that the library owns to frames[], how many of them to
 * *owned; answers how many entries hold anything. `direct` is a constant: see walk.h. */
static MM_ALWAYS_INLINE unsigned sort_entries(const struct npt_format *f,
                                              const _Atomic uint64_t *entries, bool direct,
                                              hpa_t frames[], unsigned *owned)
{
	uint64_t pa_mask = f->pa_mask;
	uint64_t owned_mask = f->owned;
	unsigned pa_shift = f->pa_shift;
	uint64_t any = 0;
	unsigned held = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < NPT_BATCH; i++) {
		uint64_t entry = npt_load(&entries[i]);

		any |= entry;
		held += entry != 0;
		frames[n] =
			direct ? hpa_at((entry & pa_mask) << pa_shift) : npt_decode_pa(f, entry);
		n += (entry & owned_mask) != 0;
	}
	/* The short decoding is for entries that are present. */
	if (direct && (any & NPT_PARKED) != 0)
		return sort_entries(f, entries, false, frames, owned);
	*owned = n;
	return held;
}

/* A table of pages, with all in it: most of what there ever is to release. A batchful at a time,
 * so that whether there is room need not be asked for each. */
static void release_pages(struct releaser *r, const _Atomic uint64_t *table)
{
	const struct npt_format *f = r->npt->format;
	hpa_t *frames = r->batch.frames;

	for (unsigned i = 0; i < 1U << NPT_INDEX_BITS; i += NPT_BATCH) {
		unsigned owned;

		npt_batch_drain(r->npt, &r->batch);
		r->leaves[0] += r->npt->direct ? sort_entries(f, &table[i], true, frames, &owned)
		                               : sort_entries(f, &table[i], false, frames, &owned);
		r->batch.end = owned;
		r->frames += owned;
	}
}

/* Everything below a table that nobody reaches any more, and the table. */
static void release_table(struct releaser *r, uint64_t value, unsigned level)
{
	const struct npt_format *f = r->npt->format;
	_Atomic uint64_t *table = npt_child(r->npt, value);

	if (level == 0)
		release_pages(r, table);
	for (unsigned i = 0; level > 0 && i < npt_entries(r->npt, level); i++) {
		uint64_t entry = npt_load(&table[i]);

		if (entry == 0)
			continue;
		if (npt_is_leaf(f, entry, level))
			release_leaf(r, entry, level);
		else
			release_table(r, entry, level - 1);
	}
	r->tables++;
	npt_batch_put(r->npt, &r->batch, npt_decode_pa(f, value));
}

static void release(struct releaser *r, _Atomic uint64_t *table, unsigned level, uint64_t start,
                    uint64_t end)
{
	const struct npt_format *f = r->npt->format;
	uint64_t size = MM_LEVEL_SIZE(level);
	unsigned first = npt_index(r->npt, start, level);
	unsigned last = npt_index(r->npt, end - 1, level);
	uint64_t base = mm_align_down(start, size);

	for (unsigned i = first; i <= last; i++, base += size) {
		uint64_t value = npt_load(&table[i]);

		if (value == 0)
			continue;
		if (npt_is_table(f, value, level)) {
			release(r, npt_child(r->npt, value), level - 1, base > start ? base : start,
			        u64_min(end, base + size));
			continue;
		}
		if ((value & NPT_CUT) != 0)
			release_table(r, value, level - 1);
		else
			release_leaf(r, value, level);
		npt_store(&table[i], 0);
	}
}

void npt_release(struct npt *npt, uint64_t start, uint64_t end, struct npt_counts *counts)
{
	struct releaser r;

	r.npt = npt;
	r.batch.next = r.batch.end = 0;
	r.frames = r.tables = 0;
	for (unsigned level = 0; level < NPT_MAX_LEVELS; level++)
		r.leaves[level] = 0;
	release(&r, npt->root_table, npt_root_level(npt), start, end);
	npt_batch_drain(npt, &r.batch);
	if (!counts)
		return;
	npt_count(&counts->frames, -r.frames);
	npt_count(&counts->tables, -r.tables);
	for (unsigned level = 0; level < npt->config.levels; level++)
		npt_count(&counts->leaves[level], -r.leaves[level]);
}

void npt_discard(struct npt *npt, struct gpa_range range)
{
	uint64_t end = range.start.raw + range.size;
	struct cutter c = {.npt = npt};

	(void)cut(&c, npt->root_table, npt_root_level(npt), range.start.raw, end);
	npt_release(npt, range.start.raw, end, NULL);
}

void npt_free_tables(struct npt *npt, const _Atomic uint64_t *table, unsigned level)
{
	const struct npt_format *f = npt->format;

	for (unsigned i = 0; i < npt_entries(npt, level); i++) {
		uint64_t entry = npt_load(&table[i]);

		if (!npt_is_table(f, entry, level))
			continue;

		hpa_t child = npt_decode_pa(f, entry);

		/* Pages lead to no tables. */
		if (level > 1)
			npt_free_tables(npt, npt_table_at(npt, child), level - 1);
		npt_give(npt, 0, 1, &child);
		npt_count(&npt->counts.tables, -1);
	}
}

enum mm_error npt_unmap(struct npt *npt, struct gpa_range range)
{
	uint64_t start = range.start.raw;
	uint64_t end = start + range.size;
	struct cutter c = {.npt = npt, .leaf_level = NPT_MAX_LEVELS};
	enum mm_error err = npt_split_ends(npt, range, NULL);

	if (err != MM_OK)
		return err;
	(void)cut(&c, npt->root_table, npt_root_level(npt), start, end);
	if (c.changed)
		npt_flush(npt, &npt->counts, range, c.leaf_level, c.tables);
	npt_release(npt, start, end, &npt->counts);
	return MM_OK;
}
