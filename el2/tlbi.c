/* SPDX-License-Identifier: BSD-2-Clause */
/* See tlbi.h. */
#include "el2/tlbi.h"

#include "mm/bits.h"

/* For more entries, the range forms, or one instruction that invalidates all, are faster. */
#define MOST_SINGLE 64

/* D8.13.6: the range forms, with FEAT_TLBIRANGE. */
#define RANGE_BASE  GENMASK(36, 0)
#define RANGE_NUM   GENMASK(43, 39)
#define RANGE_SCALE GENMASK(45, 44)
#define RANGE_TG_4K FIELD_PREP(GENMASK(47, 46), 1)
#define RANGE_UNIT  5U /* bits of NUM, and bits that a step of SCALE shifts */

/* Four scales of five bits, and one bit, make 2^21 pages. */
#define RANGE_PAGES BIT(4 * RANGE_UNIT + 1)

bool el2_tlbi_begin(struct el2_tlbi_plan *plan, const struct mm_flush *request, bool ranges)
{
	uint64_t page = request->range.start.raw >> MM_PAGE_SHIFT;
	uint64_t pages = request->range.size >> MM_PAGE_SHIFT;
	unsigned shift = MM_LEVEL_SHIFT(request->leaf_level) - MM_PAGE_SHIFT;

	*plan = (struct el2_tlbi_plan){.page = page, .pages = pages, .shift = shift};
	if (pages >> shift <= MOST_SINGLE) {
		/* The entries that contain the first and the last page. */
		plan->page = page & ~(BIT(shift) - 1);
		plan->pages += page - plan->page;
		return true;
	}
	plan->ranges = true;
	return ranges && pages < RANGE_PAGES && FIELD_FITS(RANGE_BASE, page + pages);
}

static bool take(struct el2_tlbi_plan *plan, uint64_t pages)
{
	plan->page += pages;
	plan->pages -= pages < plan->pages ? pages : plan->pages;
	return true;
}

static bool take_one(struct el2_tlbi_plan *plan, struct el2_tlbi *out)
{
	*out = (struct el2_tlbi){.operand = plan->page};
	return take(plan, plan->ranges ? 1 : BIT(plan->shift));
}

/* Each instruction takes (NUM + 1) * 2^(5 * SCALE + 1) pages, the smallest scale first. An odd
 * page is invalidated alone. */
static bool take_range(struct el2_tlbi_plan *plan, struct el2_tlbi *out)
{
	for (;; plan->scale++) {
		unsigned shift = RANGE_UNIT * plan->scale + 1;
		uint64_t units = (plan->pages >> shift) % BIT(RANGE_UNIT);

		if (units == 0)
			continue;
		out->range = true;
		out->operand = FIELD_PREP(RANGE_BASE, plan->page) |
		               FIELD_PREP(RANGE_NUM, units - 1) |
		               FIELD_PREP(RANGE_SCALE, plan->scale) | RANGE_TG_4K;
		return take(plan, units << shift);
	}
}

bool el2_tlbi_next(struct el2_tlbi_plan *plan, struct el2_tlbi *out)
{
	if (plan->pages == 0)
		return false;
	if (!plan->ranges || plan->pages % 2 != 0)
		return take_one(plan, out);
	return take_range(plan, out);
}
