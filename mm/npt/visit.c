/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Visiting leaves: reading them, and harvesting the marks that hardware has set.
 */
#include "mm/npt/change.h"
#include "mm/npt/iter.h"

void npt_for_each_leaf(const struct npt *npt, struct gpa_range range, npt_visit visit, void *ctx)
{
	struct npt_iter it = npt_iter_over(npt, range);

	while (npt_iter_next(&it)) {
		/* A fault is replacing it. Read the entry again: it may become a table. */
		if (npt_is_frozen(npt->format, it.slot.value)) {
			npt_iter_again(&it, range);
			continue;
		}

		struct npt_leaf leaf = npt_decode_leaf(npt, it.gpa, it.slot.value, it.slot.level);

		if (!visit(ctx, &leaf))
			break;
	}
}

void npt_harvest(struct npt *npt, struct gpa_range range, npt_visit visit, void *ctx)
{
	const struct npt_format *f = npt->format;
	uint64_t marks = f->accessed | f->dirty | f->soft_dirty;
	struct npt_iter it = npt_iter_over(npt, range);
	unsigned leaf_level = NPT_MAX_LEVELS;
	bool more = true;

	while (more && npt_iter_next(&it)) {
		if ((it.slot.value & marks) == 0)
			continue;

		/* Hardware may set marks meanwhile. The marks that are cleared are reported. */
		uint64_t value = it.slot.value;

		npt_take_bits(it.slot.entry, &value, marks);

		struct npt_leaf leaf = npt_decode_leaf(npt, it.gpa, value, it.slot.level);

		if (it.slot.level < leaf_level)
			leaf_level = it.slot.level;
		more = visit(ctx, &leaf);
	}
	if (leaf_level != NPT_MAX_LEVELS)
		npt_flush(npt, &npt->counts, range, leaf_level, false);
}
