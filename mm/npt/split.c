/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Splitting large leaves where a range begins or ends inside one, and merging small leaves into a
 * large one.
 *
 * A split links a table of 512 leaves that together map the same as the large leaf, so a walk finds
 * the same translation before and after. Some formats still demand break-before-make (Arm ARM
 * D8.14.1: changing the size of what an entry maps). There the entry is absent for a moment, with a
 * flush. A merge always unlinks, flushes and links (change.h), because the frame of the table goes
 * back.
 */
#include "mm/npt/change.h"
#include "mm/npt/dirty.h"
#include "mm/npt/history.h"
#include "mm/npt/install.h"
#include "mm/npt/iter.h"
#include "mm/npt/turn.h"

/* --- splitting --- */

/* At most 4 levels below the largest leaf, at both ends of a range. */
#define SPLIT_TABLES (2U * (MM_NPT_MAX_LEVELS - 1))

/* One end of a range. If it lies inside a leaf that has to be split: that leaf. */
struct split {
	struct mm_npt_slot slot;
	uint64_t at;
	unsigned tables; /* that the split needs; 0: nothing to split */
};

/* Does the leaf have all permissions of its area? A shared leaf may lack W. A large leaf may lack
 * X, with no_large_exec. */
static bool says_all(const struct mm_npt *npt, uint64_t leaf)
{
	return (leaf & npt->format->shared) == 0 && !npt->config.no_large_exec;
}

static struct split split_at(const struct mm_npt *npt, uint64_t at, const enum mm_perm *perm)
{
	struct split s = {.at = at};

	if (at >> mm_npt_gpa_bits(&npt->config) != 0)
		return s;
	s.slot = mm_npt_walk(npt, mm_gpa_at(at));
	if (!mm_npt_ends_in_leaf(npt, s.slot.value))
		return s;
	if (perm && says_all(npt, s.slot.value) && mm_npt_perm(npt, s.slot.value) == *perm)
		return s;
	for (unsigned level = s.slot.level; !mm_is_aligned(at, MM_LEVEL_SIZE(level)); level--)
		s.tables++;
	return s;
}

/* Tables that both splits need: both ends lie in the same leaf. */
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

void mm_npt_fill_split(const struct mm_npt *npt, _Atomic uint64_t *table, uint64_t value,
                       unsigned level)
{
	const struct mm_npt_format *f = npt->format;
	uint64_t address = f->pa_mask | f->high_mask;
	uint64_t attr = mm_npt_at_level(f, value & ~address, level + 1, level);
	uint64_t flip = mm_npt_flip_bits(f, value);
	mm_hpa_t pa = mm_npt_decode_pa(f, value);

	for (unsigned i = 0; i < (1U << MM_NPT_INDEX_BITS); i++, pa.raw += MM_LEVEL_SIZE(level))
		mm_npt_store(&table[i], attr | (mm_npt_encode_pa(f, pa) ^ flip));
}

/* Builds the tables that replace the leaf of slot, down to the level at which a leaf begins at
 * `at`. tables[0] is the topmost. Returns how many it used. Nothing is linked to a live table. */
static unsigned build_split(const struct mm_npt *npt, struct mm_npt_slot slot, uint64_t at,
                            const mm_hpa_t tables[])
{
	_Atomic uint64_t *entry = NULL;
	uint64_t value = slot.value;
	unsigned used = 0;

	for (unsigned level = slot.level; !mm_is_aligned(at, MM_LEVEL_SIZE(level)); level--) {
		_Atomic uint64_t *table = mm_npt_table_at(npt, tables[used]);

		mm_npt_fill_split(npt, table, value, level - 1);
		if (entry)
			mm_npt_store(entry, mm_npt_table_entry(npt->format, tables[used]));
		used++;
		entry = &table[mm_npt_index(npt, at, level - 1)];
		value = mm_npt_load(entry);
	}
	return used;
}

static void count_split(struct mm_npt_counts *counts, unsigned level, unsigned tables)
{
	mm_npt_count(&counts->tables, tables);
	for (; tables != 0; tables--, level--) {
		mm_npt_count(&counts->leaves[level], -1);
		mm_npt_count(&counts->leaves[level - 1], 1 << MM_NPT_INDEX_BITS);
	}
}

/* Replaces a leaf by tables. Returns how many of tables[] it used. */
static unsigned split(struct mm_npt *npt, const struct split *s, const mm_hpa_t tables[])
{
	/* Walks again: the split at the other end may have changed the entry. Hardware may set a
	 * mark in it at any time, hence the loop. */
	struct mm_npt_slot slot = mm_npt_walk(npt, mm_gpa_at(s->at));
	unsigned used;

	do {
		used = build_split(npt, slot, s->at, tables);
	} while (used != 0 && !mm_npt_replace_leaf(npt, &npt->counts, &slot, mm_gpa_at(s->at),
	                                           mm_npt_table_entry(npt->format, tables[0])));
	mm_npt_note_perm(npt, mm_gpa_at(s->at), mm_npt_perm(npt, slot.value));
	if (used != 0)
		mm_npt_history_record(npt, &npt->counts, mm_gpa_at(s->at), slot.level);
	count_split(&npt->counts, slot.level, used);
	return used;
}

enum mm_error mm_npt_split_ends(struct mm_npt *npt, struct mm_gpa_range range,
                                const enum mm_perm *perm)
{
	struct split low = split_at(npt, range.start.raw, perm);
	struct split high = split_at(npt, range.start.raw + range.size, perm);
	unsigned needed = low.tables + high.tables - common_tables(&low, &high);
	mm_hpa_t tables[SPLIT_TABLES];
	unsigned used = 0;

	if (needed == 0)
		return MM_OK;

	enum mm_error err = mm_npt_take(npt, 0, needed, tables);

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

enum mm_error mm_npt_split_leaf(struct mm_npt *npt, struct mm_npt_counts *counts,
                                struct mm_npt_slot slot, mm_gpa_t gpa)
{
	mm_hpa_t table;
	enum mm_error err = mm_npt_take(npt, 0, 1, &table);

	if (err != MM_OK)
		return err;
	mm_npt_fill_split(npt, mm_npt_table_at(npt, table), slot.value, slot.level - 1);
	if (!mm_npt_replace_leaf(npt, counts, &slot, gpa, mm_npt_table_entry(npt->format, table))) {
		mm_npt_give(npt, 0, 1, &table);
		return MM_BUSY;
	}
	mm_npt_note_perm(npt, gpa, mm_npt_perm(npt, slot.value));
	mm_npt_history_record(npt, counts, gpa, slot.level);
	count_split(counts, slot.level, 1);
	return MM_OK;
}

/* --- merging --- */

/* Bits in which leaves that are merged may differ: marks that hardware sets. */
static uint64_t hardware_marks(const struct mm_npt *npt)
{
	const struct mm_npt_format *f = npt->format;

	return npt->config.accessed_dirty ? f->accessed | f->dirty | f->soft_dirty : 0;
}

/* Do all entries of this table together map one aligned block, with the same attributes? */
static bool can_merge(const struct mm_npt *npt, const _Atomic uint64_t *table, unsigned level)
{
	const struct mm_npt_format *f = npt->format;
	uint64_t marks = hardware_marks(npt);
	uint64_t first = mm_npt_load(&table[0]);
	mm_hpa_t pa = mm_npt_decode_pa(f, first);
	uint64_t attr = first & ~(f->pa_mask | f->high_mask | marks);
	uint64_t flip = mm_npt_flip_bits(f, first);
	enum mm_perm perm = mm_npt_perm(npt, first);

	if (!mm_npt_is_leaf(f, first, level) || (first & f->shared) != 0 ||
	    mm_npt_leaf_perm(&npt->config, level + 1, perm) != perm ||
	    !mm_hpa_is_aligned(pa, MM_LEVEL_SIZE(level + 1)))
		return false;
	for (unsigned i = 1; i < (1U << MM_NPT_INDEX_BITS); i++) {
		pa.raw += MM_LEVEL_SIZE(level);
		if ((mm_npt_load(&table[i]) & ~marks) != (attr | (mm_npt_encode_pa(f, pa) ^ flip)))
			return false;
	}
	return true;
}

/* Unlinks the table of entries of level - 1 that the iterator is in, if it can be merged. */
static bool unlink_table(struct mm_npt *npt, const struct mm_npt_iter *it,
                         struct mm_gpa_range range, unsigned level)
{
	uint64_t size = MM_LEVEL_SIZE(level);
	uint64_t base = mm_align_down(it->gpa.raw, size);
	_Atomic uint64_t *entry;

	/* The first leaf that is found in a table decides. If it is not that of index 0, or is in a
	 * table further down, the table cannot be merged. */
	if (it->slot.level != level - 1 || it->gpa.raw != base ||
	    !mm_gpa_range_covers(range, mm_gpa_range(mm_gpa_at(base), size)))
		return false;
	npt->work += 1U << MM_NPT_INDEX_BITS;
	if (!can_merge(npt, it->tables[level - 1], level - 1))
		return false;
	entry = &it->tables[level][mm_npt_index(npt, base, level)];
	mm_npt_store(entry, mm_npt_mark(npt->format, mm_npt_load(entry), MM_NPT_UNLINKED));
	return true;
}

/* Step 1: unlinks the tables whose leaves can become one leaf of `level`. False: there are none in
 * the range. A turn does not end while tables are unlinked: the range is cut to what fits into one
 * turn. */
static bool unlink_mergeable(struct mm_npt *npt, struct mm_gpa_range *range, unsigned level)
{
	struct mm_npt_iter it = mm_npt_iter_over(npt, *range);
	bool any = false;

	for (;;) {
		npt->work += mm_npt_iter_visited(&it);
		if (npt->work >= MM_NPT_TURN && any)
			break;
		mm_npt_work(npt, 0);
		if (!mm_npt_iter_next(&it))
			return any;
		if (it.slot.level >= level)
			continue;
		any |= unlink_table(npt, &it, *range, level);
		mm_npt_iter_skip(&it,
		                 mm_npt_leaf_range(it.gpa, level).start.raw + MM_LEVEL_SIZE(level));
	}
	range->size = it.at - range->start.raw;
	return true;
}

/* One leaf of `level` for all leaves of the table, with every mark that one of them has. */
static uint64_t merged(const struct mm_npt *npt, const _Atomic uint64_t *table, unsigned level)
{
	const struct mm_npt_format *f = npt->format;
	uint64_t leaf = mm_npt_load(&table[0]);
	uint64_t marks = 0;

	for (unsigned i = 0; i < (1U << MM_NPT_INDEX_BITS); i++)
		marks |= mm_npt_load(&table[i]);
	leaf |= marks & hardware_marks(npt);
	return mm_npt_at_level(f, leaf, level - 1, level);
}

/* Step 3: links the leaves, and gives the tables back. */
static void link_merged(struct mm_npt *npt, struct mm_gpa_range range, unsigned level)
{
	struct mm_npt_iter it = mm_npt_iter_over(npt, range);
	struct mm_npt_batch batch = {.end = 0};

	while (mm_npt_iter_next(&it)) {
		uint64_t value = it.slot.value;

		if (mm_npt_present(npt->format, value) || (value & MM_NPT_UNLINKED) == 0) {
			uint64_t base = mm_align_down(it.gpa.raw, MM_LEVEL_SIZE(level));

			if (it.slot.level < level)
				mm_npt_iter_skip(&it, base + MM_LEVEL_SIZE(level));
			continue;
		}
		mm_npt_link(it.slot.entry, merged(npt, mm_npt_child(npt, value), level));
		mm_npt_batch_put(npt, &batch, mm_npt_decode_pa(npt->format, value));
		mm_npt_count(&npt->counts.tables, -1);
		mm_npt_count(&npt->counts.leaves[level - 1], -(1 << MM_NPT_INDEX_BITS));
		mm_npt_count(&npt->counts.leaves[level], 1);
	}
	mm_npt_batch_drain(npt, &batch);
	mm_npt_publish(npt);
}

/* The leaves of this level that overlap `changed`, as far as they lie in `within`. */
static struct mm_gpa_range merge_range(struct mm_gpa_range changed, struct mm_gpa_range within,
                                       unsigned level)
{
	uint64_t size = MM_LEVEL_SIZE(level);
	uint64_t start = mm_align_down(changed.start.raw, size);
	uint64_t last = mm_gpa_range_last(changed).raw | (size - 1);

	return mm_gpa_range_intersect(mm_gpa_range(mm_gpa_at(start), last - start + 1), within);
}

void mm_npt_merge(struct mm_npt *npt, struct mm_gpa_range changed, struct mm_gpa_range within,
                  unsigned max_leaf)
{
	/* A copy may have a table in place of the leaf, and its restore must not need a frame. */
	if (npt->copies)
		return;
	for (unsigned level = 1; level <= max_leaf; level++) {
		struct mm_gpa_range left = merge_range(changed, within, level);
		struct mm_gpa_range range = left;

		while (left.size != 0 && unlink_mergeable(npt, &range, level)) {
			mm_npt_flush(npt, &npt->counts, range, level - 1, true);
			link_merged(npt, range, level);
			left.start.raw += range.size;
			left.size -= range.size;
			range = left;
		}
	}
}
