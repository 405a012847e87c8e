/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Releasing what was unmapped from a table that has copies (share.h): a frame goes back only if no
 * copy holds it.
 */
#include "mm/npt/share.h"

#include "mm/npt/change.h"

struct beside {
	struct mm_npt *npt;
	struct mm_npt_batch batch;
};

/* All that an entry maps that no CPU can reach, and its tables. */
static void release_entry(struct beside *b, uint64_t value, mm_gpa_t gpa, unsigned level)
{
	struct mm_npt *npt = b->npt;
	const struct mm_npt_format *f = npt->format;
	struct mm_npt_counts *counts = &npt->counts;
	mm_hpa_t pa = mm_npt_decode_pa(f, value);

	if (mm_npt_is_leaf(f, value, level)) {
		mm_npt_count(&counts->leaves[level], -1);
		if ((value & f->owned) != 0)
			mm_npt_count(&counts->frames,
			             -mm_npt_free_unheld(npt, &b->batch, npt, gpa, pa, level));
		return;
	}

	const _Atomic uint64_t *table = mm_npt_table_at(npt, pa);

	for (unsigned i = 0; i < 1U << MM_NPT_INDEX_BITS; i++) {
		uint64_t entry = mm_npt_load(&table[i]);

		if (entry != 0)
			release_entry(b, entry, mm_gpa_plus(gpa, i * MM_LEVEL_SIZE(level - 1)),
			              level - 1);
	}
	mm_npt_batch_put(npt, &b->batch, pa);
	mm_npt_count(&counts->tables, -1);
}

/* The part of [start, end) that this table maps. */
static void release(struct beside *b, _Atomic uint64_t *table, unsigned level, uint64_t start,
                    uint64_t end)
{
	struct mm_npt *npt = b->npt;
	uint64_t size = MM_LEVEL_SIZE(level);
	unsigned first = mm_npt_index(npt, start, level);
	unsigned last = mm_npt_index(npt, end - 1, level);
	uint64_t base = mm_align_down(start, size);

	for (unsigned i = first; i <= last; i++, base += size) {
		uint64_t value = mm_npt_load(&table[i]);

		if (value == 0)
			continue;
		if (mm_npt_is_table(npt->format, value, level)) {
			release(b, mm_npt_child(npt, value), level - 1, base > start ? base : start,
			        mm_u64_min(end, base + size));
			continue;
		}
		/* Absent first: no table holds the frame any more but the copies. */
		mm_npt_store(&table[i], 0);
		release_entry(b, value, mm_gpa_at(base), level);
	}
}

void mm_npt_release_beside(struct mm_npt *npt, struct mm_gpa_range range)
{
	struct beside b;

	b.npt = npt;
	b.batch.next = b.batch.end = 0;
	release(&b, npt->root_table, mm_npt_root_level(npt), range.start.raw,
	        range.start.raw + range.size);
	mm_npt_batch_drain(npt, &b.batch);
	mm_npt_lose_tables(npt);
}
