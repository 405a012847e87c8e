/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operands of the TLBI instructions that invalidate a range of guest-physical pages. Pure
 * functions, inline because a page in the dirty log is flushed at each first write.
 * tests/host/test_el2_tlbi.c tests them.
 *
 *	struct el2_tlbi_plan plan;
 *	if (el2_tlbi_begin(&plan, request, ranges))
 *		while (el2_tlbi_next(&plan, &insn))
 *			execute insn;
 *	else
 *		invalidate all;
 */
#ifndef EL2_TLBI_H
#define EL2_TLBI_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/bits.h"
#include "mm/hal.h"

/* What is left to do, in pages. */
struct el2_tlbi_plan {
	uint64_t page;
	uint64_t pages;
	unsigned shift; /* singly: one instruction for each entry of 2^shift pages */
	unsigned scale; /* by ranges: of the next instruction */
	bool ranges;
};

struct el2_tlbi {
	uint64_t operand;
	bool range; /* RIPAS2E1IS, RIPAS2LE1IS; otherwise IPAS2E1IS, IPAS2LE1IS */
};

/* For more entries, the range forms, or one instruction that invalidates all, are faster. */
#define TLBI_MOST_SINGLE 64

/* D8.13.6: the range forms, with FEAT_TLBIRANGE. */
#define TLBI_RANGE_BASE  GENMASK(36, 0)
#define TLBI_RANGE_NUM   GENMASK(43, 39)
#define TLBI_RANGE_SCALE GENMASK(45, 44)
#define TLBI_RANGE_TG_4K FIELD_PREP(GENMASK(47, 46), 1)
#define TLBI_RANGE_UNIT  5U /* bits of NUM, and bits that a step of SCALE shifts */

/* Four scales of five bits, and one bit, make 2^21 pages. */
#define TLBI_RANGE_PAGES BIT(4 * TLBI_RANGE_UNIT + 1)

/* `ranges`: the CPU has the range forms, and they count in pages of 4 KiB. False: invalidate all
 * entries of the VMID. */
static inline bool el2_tlbi_begin(struct el2_tlbi_plan *plan, const struct mm_flush *request,
                                  bool ranges)
{
	uint64_t page = request->range.start.raw >> MM_PAGE_SHIFT;
	uint64_t pages = request->range.size >> MM_PAGE_SHIFT;
	unsigned shift = MM_LEVEL_SHIFT(request->leaf_level) - MM_PAGE_SHIFT;

	*plan = (struct el2_tlbi_plan){.page = page, .pages = pages, .shift = shift};
	if (pages >> shift <= TLBI_MOST_SINGLE) {
		/* The entries that contain the first and the last page. */
		plan->page = page & ~(BIT(shift) - 1);
		plan->pages += page - plan->page;
		return true;
	}
	plan->ranges = true;
	return ranges && pages < TLBI_RANGE_PAGES && FIELD_FITS(TLBI_RANGE_BASE, page + pages);
}

static inline bool el2_tlbi_take(struct el2_tlbi_plan *plan, uint64_t pages)
{
	plan->page += pages;
	plan->pages -= pages < plan->pages ? pages : plan->pages;
	return true;
}

static inline bool el2_tlbi_take_one(struct el2_tlbi_plan *plan, struct el2_tlbi *out)
{
	*out = (struct el2_tlbi){.operand = plan->page};
	return el2_tlbi_take(plan, plan->ranges ? 1 : BIT(plan->shift));
}

/* Each instruction takes (NUM + 1) * 2^(5 * SCALE + 1) pages, the smallest scale first. An odd
 * page is invalidated alone. */
static inline bool el2_tlbi_take_range(struct el2_tlbi_plan *plan, struct el2_tlbi *out)
{
	for (;; plan->scale++) {
		unsigned shift = TLBI_RANGE_UNIT * plan->scale + 1;
		uint64_t units = (plan->pages >> shift) % BIT(TLBI_RANGE_UNIT);

		if (units == 0)
			continue;
		out->range = true;
		out->operand = FIELD_PREP(TLBI_RANGE_BASE, plan->page) |
		               FIELD_PREP(TLBI_RANGE_NUM, units - 1) |
		               FIELD_PREP(TLBI_RANGE_SCALE, plan->scale) | TLBI_RANGE_TG_4K;
		return el2_tlbi_take(plan, units << shift);
	}
}

/* False: there is no further instruction. */
static inline bool el2_tlbi_next(struct el2_tlbi_plan *plan, struct el2_tlbi *out)
{
	if (plan->pages == 0)
		return false;
	if (!plan->ranges || plan->pages % 2 != 0)
		return el2_tlbi_take_one(plan, out);
	return el2_tlbi_take_range(plan, out);
}

#endif
