/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replacing all mappings of a range by one: a linear area moves to other host memory, or a new area
 * replaces old ones.
 *
 * The new mapping is built as a draft: under a root of its own, which no CPU walks. When it is
 * complete, the range is unmapped, with a flush, and the draft is moved into the live table. Where
 * the live table has no entry, a whole subtree moves by one store. The few tables that both have
 * are merged entry by entry. This needs no memory, so nothing can fail after the range has begun to
 * change.
 */
#include "mm/npt/change.h"
#include "mm/npt/history.h"

/* Moves all entries of the draft's table into the live table of the same level. */
static void move_in(struct mm_npt *npt, _Atomic uint64_t *live, const _Atomic uint64_t *draft,
                    mm_gpa_t gpa, unsigned level)
{
	for (unsigned i = 0; i < mm_npt_entries(npt, level); i++) {
		mm_gpa_t base = mm_gpa_plus(gpa, i * MM_LEVEL_SIZE(level));
		uint64_t entry = mm_npt_load(&draft[i]);
		uint64_t there = mm_npt_load(&live[i]);
		mm_hpa_t table = mm_npt_decode_pa(npt->format, entry);

		if (entry == 0)
			continue;
		if (there == 0) {
			mm_npt_link(&live[i], entry);
			mm_npt_history_record(npt, &npt->counts, base, level);
			continue;
		}
		MM_ASSERT(mm_npt_is_table(npt->format, entry, level));
		move_in(npt, mm_npt_child(npt, there), mm_npt_table_at(npt, table), base,
		        level - 1);
		mm_npt_give(npt, 0, 1, &table);
		mm_npt_count(&npt->counts.tables, -1);
	}
}

static void count_moved(struct mm_npt *npt, const struct mm_npt *draft)
{
	const struct mm_npt_counts *from = &draft->counts;

	mm_npt_count(&npt->counts.frames, from->frames);
	mm_npt_count(&npt->counts.tables, from->tables);
	for (unsigned level = 0; level < npt->config.levels; level++)
		mm_npt_count(&npt->counts.leaves[level], from->leaves[level]);
}

/* The frames that were charged to the draft's copy of the quota are charged to the table's. */
static void settle_quota(struct mm_npt *npt, struct mm_npt *draft)
{
	atomic_store_explicit(&npt->used, atomic_load_explicit(&draft->used, memory_order_relaxed),
	                      memory_order_relaxed);
}

static enum mm_error replace(struct mm_npt *npt, struct mm_npt *draft,
                             const struct mm_npt_mapping *mapping, struct mm_npt_removed *removed)
{
	enum mm_error err = mm_npt_map(draft, mapping);

	if (err != MM_OK)
		return err;
	settle_quota(npt, draft);
	err = mm_npt_unmap(npt, mapping->range, removed);
	if (err != MM_OK) {
		mm_npt_discard(draft, mapping->range);
		settle_quota(npt, draft);
		return err;
	}
	move_in(npt, npt->root_table, draft->root_table, mm_gpa_at(0), mm_npt_root_level(npt));
	mm_npt_publish(npt);
	count_moved(npt, draft);
	return MM_OK;
}

enum mm_error mm_npt_replace(struct mm_npt *npt, const struct mm_npt_mapping *mapping,
                             struct mm_npt_removed *removed)
{
	unsigned order = mm_npt_root_order(&npt->config);
	struct mm_npt draft;
	mm_hpa_t root;
	enum mm_error err = mm_npt_take(npt, order, 1, &root);

	if (err != MM_OK)
		return err;
	mm_npt_clear_table(npt, root, order);
	__builtin_memcpy(&draft, npt, sizeof(draft));
	__builtin_memset(&draft.counts, 0, sizeof(draft.counts));
	draft.admit = NULL;  /* npt.used and draft.used must not differ when others are let in */
	draft.copies = NULL; /* they are copies of the live table */
	draft.root = root;
	draft.root_table = mm_npt_table_at(npt, root);
	err = replace(npt, &draft, mapping, removed);
	mm_npt_give(npt, order, 1, &root);
	return err;
}
