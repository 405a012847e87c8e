/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks for the slow paths and for reports, flush requests, and the replacement of one leaf.
 */
#include "mm/npt/walk.h"

#include "mm/npt.h"
#include "mm/npt/change.h"

struct mm_npt_slot mm_npt_walk_general(const struct mm_npt *npt, mm_gpa_t gpa)
{
	return mm_npt_walk_as(npt, gpa, false);
}

void mm_npt_flush(struct mm_npt *npt, struct mm_npt_counts *counts, struct mm_gpa_range range,
                  unsigned leaf_level, bool tables)
{
	uint64_t stride = MM_LEVEL_SIZE(leaf_level);
	uint64_t start = mm_align_down(range.start.raw, stride);

	range = mm_gpa_range(mm_gpa_at(start),
	                     (mm_gpa_range_last(range).raw | (stride - 1)) - start + 1);

	struct mm_flush request = {
		.root = npt->root,
		.tag = npt->tag,
		.all = range.size >> MM_LEVEL_SHIFT(leaf_level) > MM_NPT_FLUSH_STRIDES,
		.range = range,
		.leaf_level = leaf_level,
		.tables = tables,
	};

	npt->hal.flush(npt->hal.ctx, &request);
	mm_npt_count(&counts->flushes, 1);
}

size_t mm_npt_steps(const struct mm_npt *npt, mm_gpa_t gpa,
                    struct mm_npt_step steps[MM_NPT_MAX_LEVELS])
{
	unsigned level = npt->root_level;
	const _Atomic uint64_t *table = npt->root_table;
	size_t count = 0;

	if (gpa.raw >> mm_npt_gpa_bits(&npt->config) != 0)
		return 0;
	for (;;) {
		unsigned index = mm_npt_index(npt, gpa.raw, level);
		uint64_t entry = mm_npt_load(&table[index]);

		steps[count++] = (struct mm_npt_step){level, index, entry};
		if (level == 0 || !mm_npt_points_to_table(npt->format, entry))
			return count;
		table = mm_npt_child(npt, entry);
		level--;
	}
}

bool mm_npt_replace_leaf(struct mm_npt *npt, struct mm_npt_counts *counts, struct mm_npt_slot *slot,
                         mm_gpa_t gpa, uint64_t by)
{
	const struct mm_npt_format *f = npt->format;
	uint64_t size = MM_LEVEL_SIZE(slot->level);

	bool same_frames = mm_npt_is_table(f, by, slot->level);

	if ((f->break_before_make || !same_frames) && mm_npt_present(f, slot->value)) {
		if (!mm_npt_swap(slot->entry, &slot->value,
		                 mm_npt_mark(f, slot->value, MM_NPT_FROZEN)))
			return false;
		mm_npt_flush(npt, counts, mm_gpa_range(mm_gpa_align_down(gpa, size), size),
		             slot->level, false);
		mm_npt_link(slot->entry, by);
	} else if (!mm_npt_swap(slot->entry, &slot->value, by)) {
		return false;
	}
	mm_npt_publish(npt);
	return true;
}
