/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Visiting leaves: reading them, and harvesting the marks that hardware has set.
 */
#include "mm/npt/change.h"
#include "mm/npt/iter.h"
#include "mm/npt/turn.h"

void mm_npt_for_each_leaf(const struct mm_npt *npt, struct mm_gpa_range range, mm_npt_visit visit,
                          void *ctx)
{
	struct mm_npt_iter it = mm_npt_iter_over(npt, range);

	while (mm_npt_iter_next(&it)) {
		/* A fault is replacing it. Read the entry again: it may become a table. */
		if (mm_npt_is_frozen(npt->format, it.slot.value)) {
			mm_hal_pause(&npt->hal);
			mm_npt_iter_again(&it, range);
			continue;
		}

		struct mm_npt_leaf leaf =
			mm_npt_decode_leaf(npt, it.gpa, it.slot.value, it.slot.level);

		if (!visit(ctx, &leaf))
			break;
	}
}

void mm_npt_harvest(struct mm_npt *npt, struct mm_gpa_range range, mm_npt_visit visit, void *ctx)
{
	const struct mm_npt_format *f = npt->format;
	uint64_t marks = f->accessed | f->dirty | f->soft_dirty;
	struct mm_npt_iter it = mm_npt_iter_over(npt, range);
	unsigned leaf_level = MM_NPT_MAX_LEVELS;
	bool more = true;

	while (more && mm_npt_iter_next(&it)) {
		mm_npt_work(npt, MM_NPT_CHANGE_WORK + mm_npt_iter_visited(&it));
		it.slot.value = mm_npt_load(it.slot.entry);
		if ((it.slot.value & marks) == 0)
			continue;

		/* Hardware may set marks meanwhile. The marks that are cleared are reported. */
		uint64_t value = it.slot.value;

		mm_npt_take_bits(it.slot.entry, &value, marks);

		struct mm_npt_leaf leaf = mm_npt_decode_leaf(npt, it.gpa, value, it.slot.level);

		if (it.slot.level < leaf_level)
			leaf_level = it.slot.level;
		more = visit(ctx, &leaf);
	}
	if (leaf_level != MM_NPT_MAX_LEVELS)
		mm_npt_flush(npt, &npt->counts, range, leaf_level, false);
}
