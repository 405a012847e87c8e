/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the areas of an address space: one at an address, and all of a range. */
#include "guest.h"
#include "mm/query.h"

#include <string.h>

#include "mm/compiler.h"

static const struct hal_test_options plain = {0};

struct seen {
	unsigned count;
	unsigned most; /* ends the walk after so many; 0: never */
	struct mm_aspace_area areas[64];
};

static bool see(void *ctx, const struct mm_aspace_area *area)
{
	struct seen *seen = ctx;

	CHECK(seen->count < MM_ARRAY_SIZE(seen->areas));
	seen->areas[seen->count++] = *area;
	return seen->count != seen->most;
}

static void hostile_addresses_are_refused(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_gpa_range limits = g->as.limits;
	uint64_t end = mm_gpa_range_last(limits).raw + 1;
	uint64_t beyond[] = {end, end + 1, UINT64_MAX, UINT64_MAX - 4095, end | UINT64_C(1) << 63};
	struct mm_aspace_area out, untouched;
	struct seen seen = {0};

	memset(&out, 0xee, sizeof(out));
	untouched = out;
	CHECK_OK(mm_aspace_map_device(&g->as, limits)); /* an area wherever one can be */
	for (unsigned i = 0; i < MM_ARRAY_SIZE(beyond); i++) {
		CHECK_ERR(mm_aspace_query_area(&g->as, mm_gpa_at(beyond[i]), &out),
		          MM_OUT_OF_RANGE);
		CHECK_ERR(mm_aspace_for_each_area(
				  &g->as,
				  mm_gpa_range(mm_gpa_at(mm_align_down(beyond[i], MM_PAGE_SIZE)),
		                               MM_PAGE_SIZE),
				  see, &seen),
		          MM_OUT_OF_RANGE);
	}
	CHECK_ERR(mm_aspace_for_each_area(&g->as, pages(5, 0), see, &seen), MM_INVALID);
	CHECK_ERR(mm_aspace_for_each_area(&g->as, mm_gpa_range(mm_gpa_at(4096), UINT64_MAX), see,
	                                  &seen),
	          MM_INVALID);
	CHECK_ERR(mm_aspace_for_each_area(&g->as, mm_gpa_range(mm_gpa_at(1), 4096), see, &seen),
	          MM_MISALIGNED);
	CHECK_ERR(mm_aspace_for_each_area(&g->as, mm_gpa_range(mm_gpa_at(0), 4097), see, &seen),
	          MM_MISALIGNED);
	CHECK_EQ(seen.count, 0);
	CHECK_EQ(memcmp(&out, &untouched, sizeof(out)), 0);
	CHECK_OK(mm_aspace_unmap(&g->as, limits));
	CHECK_ERR(mm_aspace_query_area(&g->as, mm_gpa_at(0), &out), MM_NOT_MAPPED);
	CHECK_ERR(mm_aspace_query_area(&g->as, mm_gpa_at(end - 1), &out), MM_NOT_MAPPED);
	CHECK_EQ(memcmp(&out, &untouched, sizeof(out)), 0);
	guest_close(g);
}

static void check_area(const struct mm_aspace_area *a, struct mm_gpa_range range,
                       enum mm_area_backend backend, enum mm_perm perm)
{
	CHECK_EQ(a->range.start.raw, range.start.raw);
	CHECK_EQ(a->range.size, range.size);
	CHECK_EQ(a->backend, backend);
	CHECK_EQ(a->perm, perm);
}

static void map_three(struct guest *g)
{
	struct mm_aspace_backing now = {.populate = true};

	CHECK_OK(mm_aspace_map_linear(&g->as, pages(10, 4), mm_hpa_at(0x40000), MM_RX, MM_NORMAL,
	                              0));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(14, 6), MM_RW, now));
	CHECK_OK(mm_aspace_map_device(&g->as, pages(30, 2)));
}

static void an_area_is_described(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_aspace_area a;

	map_three(g);
	for (uint64_t offset = 0; offset < 4 * MM_PAGE_SIZE; offset += MM_PAGE_SIZE - 1) {
		CHECK_OK(mm_aspace_query_area(&g->as, mm_gpa_plus(page(10), offset), &a));
		check_area(&a, pages(10, 4), MM_AREA_LINEAR, MM_RX);
		CHECK_EQ(a.host.raw, 0x40000);
		CHECK_EQ(a.memtype, MM_NORMAL);
		CHECK(!a.populate);
	}
	CHECK_OK(mm_aspace_query_area(&g->as, page(19), &a));
	check_area(&a, pages(14, 6), MM_AREA_ALLOC, MM_RW);
	CHECK(a.populate);
	CHECK_EQ(a.host.raw, 0);
	CHECK_OK(mm_aspace_query_area(&g->as, page(31), &a));
	check_area(&a, pages(30, 2), MM_AREA_DEVICE, MM_NONE);
	CHECK_ERR(mm_aspace_query_area(&g->as, page(20), &a), MM_NOT_MAPPED);
	CHECK_ERR(mm_aspace_query_area(&g->as, page(9), &a), MM_NOT_MAPPED);
	CHECK_ERR(mm_aspace_query_area(&g->as, page(32), &a), MM_NOT_MAPPED);
	/* What is cut has the right host address; what can be joined is one again. */
	CHECK_OK(mm_aspace_protect(&g->as, pages(12, 1), MM_R));
	CHECK_OK(mm_aspace_query_area(&g->as, page(13), &a));
	check_area(&a, pages(13, 1), MM_AREA_LINEAR, MM_RX);
	CHECK_EQ(a.host.raw, 0x43000);
	CHECK_OK(mm_aspace_protect(&g->as, pages(12, 1), MM_RX));
	CHECK_OK(mm_aspace_query_area(&g->as, page(13), &a));
	check_area(&a, pages(10, 4), MM_AREA_LINEAR, MM_RX);
	guest_close(g);
}

static void areas_of_a_range_are_visited_in_order(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct seen seen = {0};

	map_three(g);
	CHECK_OK(mm_aspace_for_each_area(&g->as, g->as.limits, see, &seen));
	CHECK_EQ(seen.count, 3);
	check_area(&seen.areas[0], pages(10, 4), MM_AREA_LINEAR, MM_RX);
	check_area(&seen.areas[1], pages(14, 6), MM_AREA_ALLOC, MM_RW);
	check_area(&seen.areas[2], pages(30, 2), MM_AREA_DEVICE, MM_NONE);
	/* From the middle of one to the first page of another: both as wholes, and none beyond. */
	seen = (struct seen){0};
	CHECK_OK(mm_aspace_for_each_area(&g->as, pages(13, 2), see, &seen));
	CHECK_EQ(seen.count, 2);
	check_area(&seen.areas[0], pages(10, 4), MM_AREA_LINEAR, MM_RX);
	check_area(&seen.areas[1], pages(14, 6), MM_AREA_ALLOC, MM_RW);
	seen = (struct seen){0};
	CHECK_OK(mm_aspace_for_each_area(&g->as, pages(20, 10), see, &seen));
	CHECK_EQ(seen.count, 0);
	/* Ended early. */
	seen = (struct seen){.most = 2};
	CHECK_OK(mm_aspace_for_each_area(&g->as, g->as.limits, see, &seen));
	CHECK_EQ(seen.count, 2);
	guest_close(g);
}

/* Enough for a tree of several nodes, up to the last page of the space. */
static void many_areas_are_visited(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	uint64_t top = (mm_gpa_range_last(g->as.limits).raw + 1) / MM_PAGE_SIZE;
	struct seen seen = {0};

	for (unsigned i = 0; i < 150; i++)
		CHECK_OK(mm_aspace_map_device(&g->as, pages(top - 1 - 2 * i, 1)));
	CHECK_OK(mm_aspace_for_each_area(&g->as, pages(top - 2 * 64, 2 * 64), see, &seen));
	CHECK_EQ(seen.count, 64);
	for (unsigned i = 0; i < 64; i++)
		check_area(&seen.areas[i], pages(top - 1 - 2 * (63 - i), 1), MM_AREA_DEVICE,
		           MM_NONE);
	guest_close(g);
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(hostile_addresses_are_refused),
		GEOMETRY_TEST(an_area_is_described),
		GEOMETRY_TEST(areas_of_a_range_are_visited_in_order),
		GEOMETRY_TEST(many_areas_are_visited),
	};

	return run_geometry_tests("query", tests, MM_ARRAY_SIZE(tests));
}
