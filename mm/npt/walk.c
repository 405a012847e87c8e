/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks for the slow paths and for reports, flush requests, and the replacement of one leaf.
 */
#include "mm/npt/walk.h"

#include "mm/npt/change.h"
#include "mm/npt/npt.h"

struct npt_slot npt_walk_general(const struct npt *npt, gpa_t gpa)
{
	return npt_walk_as(npt, gpa, false);
}

void npt_flush(struct npt *npt, struct npt_counts *counts, struct gpa_range range,
               unsigned leaf_level, bool tables)
{
	uint64_t stride = MM_LEVEL_SIZE(leaf_level);
	uint64_t start = mm_align_down(range.start.raw, stride);

	range = gpa_range(gpa_at(start), (gpa_range_last(range).raw | (stride - 1)) - start + 1);

	struct mm_flush request = {
		.root = npt->root,
		.tag = npt->tag,
		.all = range.size >> MM_LEVEL_SHIFT(leaf_level) > NPT_FLUSH_STRIDES,
		.range = range,
		.leaf_level = leaf_level,
		.tables = tables,
	};

	npt->hal.flush(npt->hal.ctx, &request);
	npt_count(&counts->flushes, 1);
}

size_t npt_steps(const struct npt *npt, gpa_t gpa, struct npt_step steps[NPT_MAX_LEVELS])
{
	unsigned level = npt->root_level;
	const _Atomic uint64_t *table = npt->root_table;
	size_t count = 0;

	if (gpa.raw >> npt_gpa_bits(&npt->config) != 0)
		return 0;
	for (;;) {
		unsigned index = npt_index(npt, gpa.raw, level);
		uint64_t entry = npt_load(&table[index]);

		steps[count++] = (struct npt_step){level, index, entry};
		if (level == 0 || !npt_points_to_table(npt->format, entry))
			return count;
		table = npt_child(npt, entry);
		level--;
	}
}

bool npt_replace_leaf(struct npt *npt, struct npt_counts *counts, struct npt_slot *slot, gpa_t gpa,
                      uint64_t by)
{
	const struct npt_format *f = npt->format;
	uint64_t size = MM_LEVEL_SIZE(slot->level);

	bool same_frames = npt_is_table(f, by, slot->level);

	if ((f->break_before_make || !same_frames) && npt_present(f, slot->value)) {
		if (!npt_swap(slot->entry, &slot->value, npt_mark(f, slot->value, NPT_FROZEN)))
			return false;
		npt_flush(npt, counts, gpa_range(gpa_align_down(gpa, size), size), slot->level,
		          false);
		npt_link(slot->entry, by);
	} else if (!npt_swap(slot->entry, &slot->value, by)) {
		return false;
	}
	npt_publish(npt);
	return true;
}
