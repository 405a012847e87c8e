/*
 * What walks are used for everywhere: to look at one leaf, and to have the hardware forget what
 * its own walks have found.
 */
#include "mm/npt/walk.h"

#include "mm/npt/change.h"
#include "mm/npt/npt.h"

struct npt_slot npt_walk_general(const struct npt *npt, gpa_t gpa)
{
	return npt_walk_as(npt, gpa, false);
}

enum mm_error npt_lookup(const struct npt *npt, gpa_t gpa, struct npt_leaf *out)
{
	struct npt_slot slot = npt_walk(npt, gpa);

	if (!npt_ends_in_leaf(npt, slot.value))
		return MM_NOT_MAPPED;
	*out = npt_decode_leaf(npt, gpa, slot.value, slot.level);
	return MM_OK;
}

void npt_flush(struct npt *npt, struct npt_counts *counts, struct gpa_range range,
               unsigned leaf_level, bool tables)
{
	struct mm_flush request = {
		.root = npt->root,
		.tag = npt->tag,
		.all = range.size >> LEVEL_SHIFT(leaf_level) > NPT_FLUSH_STRIDES,
		.range = range,
		.leaf_level = leaf_level,
		.tables = tables,
	};

	npt->hal.flush(npt->hal.ctx, &request);
	npt_count(&counts->flushes, 1);
}
