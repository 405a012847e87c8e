/*
 * Large leaves: cut in two where a range begins or ends inside one, and made whole again when the
 * parts have become alike.
 *
 * A split links a table of 512 leaves that together say what the large one said, so whatever an
 * observer reads is right; where the manual still demands it (Arm ARM D8.14.1: changing the size
 * of what an entry maps), the entry is absent for a moment, with a flush. A merge always goes by
 * cut, flush, link (change.h), since the table's frame is to go back.
 */
#include "mm/npt/change.h"
#include "mm/npt/history.h"
#include "mm/npt/install.h"
#include "mm/npt/iter.h"

/* --- splitting --- */

/* 4 levels at most below the largest leaf, at two ends. */
#define SPLIT_TABLES (2U * (NPT_MAX_LEVELS - 1))

/* A place where a range begins or ends, if it lies inside a leaf that has to be cut. */
struct split {
	struct npt_slot slot;
	uint64_t at;
	unsigned tables; /* 0: nothing to cut */
};

/* Does the leaf have all permissions of its area? A shared leaf may lack W, a large one X. */
static bool says_all(const struct npt *npt, uint64_t leaf)
{
	return (leaf & npt->format->shared) == 0 && !npt->config.no_large_exec;
}

static struct split split_at(const struct npt *npt, uint64_t at, const enum mm_perm *perm)
{
	struct split s = {.at = at};

	if (at >> npt_gpa_bits(&npt->config) != 0)
		return s;
	s.slot = npt_walk(npt, gpa_at(at));
	if (!npt_ends_in_leaf(npt, s.slot.value))
		return s;
	if (perm && says_all(npt, s.slot.value) && npt_perm(npt, s.slot.value) == *perm)
		return s;
	for (unsigned level = s.slot.level; !mm_is_aligned(at, MM_LEVEL_SIZE(level)); level--)
		s.tables++;
	return s;
}

/* Tables that the second cut finds already made by the first, in the same leaf. */
static unsigned common_tables(const struct split *a, const struct split *b)
{
	unsigned common = 0;
	unsigned level = a->slot.level;

	if (a->tables == 0 || b->tables == 0 || a->slot.entry != b->slot.entry)
		return 0;
	while (common < a->tables && common < b->tables &&
	       a->at >> MM_LEVEL_SHIFT(level) == b->at >> MM_LEVEL_SHIFT(level)) {
		common++;
		level--;
	}
	return common;
}

/* 512 leaves that together say what one leaf of the level above said. */
void npt_fill_split(const struct npt *npt, _Atomic uint64_t *table, uint64_t value, unsigned level)
{
	const struct npt_format *f = npt->format;
	uint64_t address = f->pa_mask | f->high_mask;
	uint64_t attr = npt_at_level(f, value & ~address, level + 1, level);
	uint64_t flip = npt_flip(f, value);
	hpa_t pa = npt_decode_pa(f, value);

	for (unsigned i = 0; i < (1U << NPT_INDEX_BITS); i++, pa.raw += MM_LEVEL_SIZE(level))
		npt_store(&table[i], attr | (npt_encode_pa(f, pa) ^ flip));
}

/* Fills tables to stand for the leaf of slot, down to where `at` is the boundary of one; tables[0]
 * is the topmost. Answers how many it used. Nothing is linked to what walkers can see. */
static unsigned build_split(const struct npt *npt, struct npt_slot slot, uint64_t at,
                            const hpa_t tables[])
{
	_Atomic uint64_t *entry = NULL;
	uint64_t value = slot.value;
	unsigned used = 0;

	for (unsigned level = slot.level; !mm_is_aligned(at, MM_LEVEL_SIZE(level)); level--) {
		_Atomic uint64_t *table = npt_table_at(npt, tables[used]);

		npt_fill_split(npt, table, value, level - 1);
		if (entry)
			npt_store(entry, npt_table_entry(npt->format, tables[used]));
		used++;
		entry = &table[npt_index(npt, at, level - 1)];
		value = npt_load(entry);
	}
	return used;
}

static void count_split(struct npt_counts *counts, unsigned level, unsigned tables)
{
	npt_count(&counts->tables, tables);
	for (; tables != 0; tables--, level--) {
		npt_count(&counts->leaves[level], -1);
		npt_count(&counts->leaves[level - 1], 1 << NPT_INDEX_BITS);
	}
}

/* Puts tables under a leaf. Answers how many of tables[] it used. */
static unsigned split(struct npt *npt, const struct split *s, const hpa_t tables[])
{
	/* An earlier cut may have changed it; and while we look, the hardware may mark it. */
	struct npt_slot slot = npt_walk(npt, gpa_at(s->at));
	unsigned used;

	do {
		used = build_split(npt, slot, s->at, tables);
	} while (used != 0 && !npt_replace_leaf(npt, &npt->counts, &slot, gpa_at(s->at),
	                                        npt_table_entry(npt->format, tables[0])));
	count_split(&npt->counts, slot.level, used);
	return used;
}

enum mm_error npt_split_ends(struct npt *npt, struct gpa_range range, const enum mm_perm *perm)
{
	struct split low = split_at(npt, range.start.raw, perm);
	struct split high = split_at(npt, range.start.raw + range.size, perm);
	unsigned needed = low.tables + high.tables - common_tables(&low, &high);
	hpa_t tables[SPLIT_TABLES];
	unsigned used = 0;

	if (needed == 0)
		return MM_OK;

	enum mm_error err = npt_take(npt, 0, needed, tables);

	if (err != MM_OK)
		return err;
	if (low.tables != 0)
		used += split(npt, &low, tables);
	if (high.tables != 0)
		used += split(npt, &high, tables + used);
	MM_ASSERT(used == needed);
	(void)used;
	return MM_OK;
}

enum mm_error npt_split_leaf(struct npt *npt, struct npt_counts *counts, struct npt_slot slot,
                             gpa_t gpa)
{
	hpa_t table;
	enum mm_error err = npt_take(npt, 0, 1, &table);

	if (err != MM_OK)
		return err;
	npt_fill_split(npt, npt_table_at(npt, table), slot.value, slot.level - 1);
	if (!npt_replace_leaf(npt, counts, &slot, gpa, npt_table_entry(npt->format, table))) {
		npt_give(npt, 0, 1, &table);
		return MM_BUSY;
	}
	npt_history_record(npt, counts, gpa, slot.level);
	count_split(counts, slot.level, 1);
	return MM_OK;
}

/* --- merging --- */

/* What may differ between leaves that become one: marks that hardware sets. */
static uint64_t hardware_marks(const struct npt *npt)
{
	const struct npt_format *f = npt->format;

	return npt->config.accessed_dirty ? f->accessed | f->dirty | f->soft_dirty : 0;
}

/* Do the leaves of this table, all of one level, map one aligned block in one way? */
static bool can_merge(const struct npt *npt, const _Atomic uint64_t *table, unsigned level)
{
	const struct npt_format *f = npt->format;
	uint64_t marks = hardware_marks(npt);
	uint64_t first = npt_load(&table[0]);
	hpa_t pa = npt_decode_pa(f, first);
	uint64_t attr = first & ~(f->pa_mask | f->high_mask | marks);
	uint64_t flip = npt_flip(f, first);
	enum mm_perm perm = npt_perm(npt, first);

	if (!npt_is_leaf(f, first, level) || (first & f->shared) != 0 ||
	    npt_leaf_perm(&npt->config, level + 1, perm) != perm ||
	    !hpa_is_aligned(pa, MM_LEVEL_SIZE(level + 1)))
		return false;
	for (unsigned i = 1; i < (1U << NPT_INDEX_BITS); i++) {
		pa.raw += MM_LEVEL_SIZE(level);
		if ((npt_load(&table[i]) & ~marks) != (attr | (npt_encode_pa(f, pa) ^ flip)))
			return false;
	}
	return true;
}

/* Step 1: out of sight go the tables whose leaves can become one of `level`. False: none can. */
static bool cut_mergeable(const struct npt *npt, struct gpa_range range, unsigned level)
{
	struct npt_iter it = npt_iter_over(npt, range);
	uint64_t size = MM_LEVEL_SIZE(level);
	bool any = false;

	while (npt_iter_next(&it)) {
		uint64_t base = mm_align_down(it.gpa.raw, size);

		if (it.slot.level >= level)
			continue;
		/* The first leaf found in a table decides: without that of index 0, or with a
		 * table still below, there is nothing to merge. */
		if (it.slot.level == level - 1 && it.gpa.raw == base &&
		    gpa_range_covers(range, gpa_range(gpa_at(base), size)) &&
		    can_merge(npt, it.tables[level - 1], level - 1)) {
			_Atomic uint64_t *entry = &it.tables[level][npt_index(npt, base, level)];

			npt_store(entry, npt_mark(npt->format, npt_load(entry), NPT_CUT));
			any = true;
		}
		npt_iter_skip(&it, base + size);
	}
	return any;
}

/* One leaf of `level` that says what all of the table's say, with every mark that one has. */
static uint64_t merged(const struct npt *npt, const _Atomic uint64_t *table, unsigned level)
{
	const struct npt_format *f = npt->format;
	uint64_t leaf = npt_load(&table[0]);
	uint64_t marks = 0;

	for (unsigned i = 0; i < (1U << NPT_INDEX_BITS); i++)
		marks |= npt_load(&table[i]);
	leaf |= marks & hardware_marks(npt);
	return npt_at_level(f, leaf, level - 1, level);
}

/* Step 3: the leaves come into sight, the tables go back. */
static void link_merged(struct npt *npt, struct gpa_range range, unsigned level)
{
	struct npt_iter it = npt_iter_over(npt, range);
	struct npt_batch batch = {.end = 0};

	while (npt_iter_next(&it)) {
		uint64_t value = it.slot.value;

		if (npt_present(npt->format, value) || (value & NPT_CUT) == 0)
			continue;
		npt_link(it.slot.entry, merged(npt, npt_child(npt, value), level));
		npt_batch_put(npt, &batch, npt_decode_pa(npt->format, value));
		npt_count(&npt->counts.tables, -1);
		npt_count(&npt->counts.leaves[level - 1], -(1 << NPT_INDEX_BITS));
		npt_count(&npt->counts.leaves[level], 1);
	}
	npt_batch_drain(npt, &batch);
	npt_publish(npt);
}

/* What of `within` is in the same leaves of this level as `changed`. */
static struct gpa_range merge_range(struct gpa_range changed, struct gpa_range within,
                                    unsigned level)
{
	uint64_t size = MM_LEVEL_SIZE(level);
	uint64_t start = mm_align_down(changed.start.raw, size);
	uint64_t last = gpa_range_last(changed).raw | (size - 1);

	return gpa_range_intersect(gpa_range(gpa_at(start), last - start + 1), within);
}

void npt_merge(struct npt *npt, struct gpa_range changed, struct gpa_range within,
               unsigned max_leaf)
{
	/* A copy may have a table where the leaf would be, and to restore it must take no frame. */
	if (npt->copies)
		return;
	for (unsigned level = 1; level <= max_leaf; level++) {
		struct gpa_range range = merge_range(changed, within, level);

		if (!cut_mergeable(npt, range, level))
			continue;
		npt_flush(npt, &npt->counts, range, level - 1, true);
		link_merged(npt, range, level);
	}
}
