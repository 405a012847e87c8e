/* SPDX-License-Identifier: BSD-2-Clause */
/* Boundary values for queries of areas, exchanges, and what else has a header of its own: see
 * boundary.h. */
#include "boundary.h"

#include <string.h>

#include "mm/compiler.h"
#include "mm/query.h"

/* --- queries --- */

static void call_query_area(struct boundary *b)
{
	uint64_t gpa = boundary_address(b);
	enum mm_error expected = boundary_expect_bytes(b, gpa, 1, MM_NONE);
	struct mm_aspace_area area;
	enum mm_error err;

	boundary_before(b, "mm_aspace_query_area(0x%llx)", (unsigned long long)gpa);
	err = mm_aspace_query_area(b->as, mm_gpa_at(gpa), &area);
	boundary_after(b, true);
	CHECK_ERR(err, expected == MM_IS_DEVICE ? MM_OK : expected);
	if (err != MM_OK)
		return;
	CHECK(mm_gpa_range_contains(area.range, mm_gpa_at(gpa)));
	CHECK_OK(boundary_expect_range(b, area.range));
	CHECK_EQ(area.backend == MM_AREA_DEVICE, expected == MM_IS_DEVICE);
	CHECK(area.backend == MM_AREA_LINEAR || area.host.raw == 0);
}

struct areas_seen {
	struct mm_gpa_range range;
	uint64_t from; /* no area begins below this */
};

static bool look_at_area(void *ctx, const struct mm_aspace_area *area)
{
	struct areas_seen *seen = ctx;

	CHECK(area->range.start.raw >= seen->from);
	CHECK(mm_gpa_range_overlaps(area->range, seen->range));
	seen->from = mm_gpa_range_last(area->range).raw;
	return true;
}

static void call_for_each_area(struct boundary *b)
{
	struct areas_seen seen = {.range = boundary_range(b)};
	enum mm_error err;

	boundary_before(b, "mm_aspace_for_each_area(0x%llx, 0x%llx)",
	                (unsigned long long)seen.range.start.raw,
	                (unsigned long long)seen.range.size);
	err = mm_aspace_for_each_area(b->as, seen.range, look_at_area, &seen);
	CHECK_ERR(err, boundary_expect_range(b, seen.range));
	boundary_after(b, true);
}

/* --- exchanges --- */

static bool fits(uint64_t value, unsigned width)
{
	return width == 8 || value >> (8 * width) == 0;
}

static void call_compare_exchange(struct boundary *b)
{
	uint64_t gpa = boundary_address(b);
	unsigned width =
		boundary_chance(b, 4) ? boundary_enum(b) : 1U << rng_below(&b->rng, 4);
	uint64_t wanted = boundary_chance(b, 4) ? boundary_number(b) : 0;
	uint64_t by = boundary_chance(b, 8) ? UINT64_C(0x1111111111111111) : BOUNDARY_WRITTEN;
	bool valid = (width == 1 || width == 2 || width == 4 || width == 8) &&
	             fits(wanted, width) && fits(by, width);
	enum mm_error expected, err;
	uint64_t found = 0x7777;

	if (boundary_chance(b, 2) && width != 0)
		gpa -= gpa % width;
	boundary_before(b, "mm_aspace_compare_exchange(0x%llx, %u)", (unsigned long long)gpa,
	                width);
	err = mm_aspace_compare_exchange(b->as, mm_gpa_at(gpa), width, wanted, by, &found);
	if (!valid)
		expected = MM_INVALID;
	else if (gpa % width != 0)
		expected = MM_MISALIGNED;
	else
		expected = boundary_expect_bytes(b, gpa, width, MM_RW);
	if (expected != MM_OK)
		CHECK_ERR(err, expected);
	else
		CHECK(boundary_is_served(err));
	if (err == MM_OK)
		boundary_check_bytes(b, &found, width);
	else
		CHECK_EQ(found, 0x7777);
	/* What had to be faulted in before the frames ran out stays. */
	boundary_after(b, expected != MM_OK);
}

const struct boundary_call boundary_more[] = {
	{"mm_aspace_query_area", call_query_area, .one_way = true},
	{"mm_aspace_for_each_area", call_for_each_area, .one_way = true},
	{"mm_aspace_compare_exchange", call_compare_exchange},
};

const size_t boundary_more_count = MM_ARRAY_SIZE(boundary_more);
