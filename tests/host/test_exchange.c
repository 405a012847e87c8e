/* SPDX-License-Identifier: BSD-2-Clause */
/* Compare and exchange on guest memory. */
#include "guest.h"
#include "mm/dirty.h"
#include "mm/snapshot.h"

#include "mm/compiler.h"

static const struct hal_test_options plain = {0};
static const struct mm_aspace_backing lazily = {0};

static void hostile_values_are_refused(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	uint64_t end = mm_gpa_range_last(g->as.limits).raw + 1;
	static const unsigned bad[] = {0, 3, 5, 6, 7, 9, 16, 64, 0x80000001, 0xffffffff};
	uint64_t found = 0x7777;

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(10, 2), MM_RW, lazily));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(20, 1), MM_R, lazily));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(21, 1), MM_NONE, lazily));
	CHECK_OK(mm_aspace_map_device(&g->as, pages(22, 1)));
	if (guest_can(g, MM_W))
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(23, 1), MM_W, lazily));

	uint64_t before = guest_fingerprint(g);

	for (unsigned i = 0; i < MM_ARRAY_SIZE(bad); i++)
		CHECK_ERR(mm_aspace_compare_exchange(&g->as, page(10), bad[i], 0, 1, &found),
		          MM_INVALID);
	for (unsigned width = 1; width < 8; width *= 2) {
		uint64_t over = UINT64_C(1) << (8 * width);

		CHECK_ERR(mm_aspace_compare_exchange(&g->as, page(10), width, over, 1, &found),
		          MM_INVALID);
		CHECK_ERR(mm_aspace_compare_exchange(&g->as, page(10), width, 0, over, &found),
		          MM_INVALID);
	}
	for (unsigned width = 2; width <= 8; width *= 2) {
		for (unsigned off = 1; off < width; off++)
			CHECK_ERR(mm_aspace_compare_exchange(&g->as, mm_gpa_plus(page(10), off),
			                                     width, 0, 1, &found),
			          MM_MISALIGNED);
		CHECK_ERR(mm_aspace_compare_exchange(&g->as, mm_gpa_at(0 - (uint64_t)width), width,
		                                     0, 1, &found),
		          MM_OUT_OF_RANGE);
		CHECK_ERR(mm_aspace_compare_exchange(&g->as, mm_gpa_at(end), width, 0, 1, &found),
		          MM_OUT_OF_RANGE);
	}
	CHECK_ERR(mm_aspace_compare_exchange(&g->as, page(9), 8, 0, 1, &found), MM_NOT_MAPPED);
	CHECK_ERR(mm_aspace_compare_exchange(&g->as, page(20), 8, 0, 1, &found), MM_DENIED);
	CHECK_ERR(mm_aspace_compare_exchange(&g->as, page(21), 8, 0, 1, &found), MM_DENIED);
	CHECK_ERR(mm_aspace_compare_exchange(&g->as, page(22), 8, 0, 1, &found), MM_IS_DEVICE);
	if (guest_can(g, MM_W))
		CHECK_ERR(mm_aspace_compare_exchange(&g->as, page(23), 8, 0, 1, &found), MM_DENIED);
	CHECK_EQ(found, 0x7777);
	CHECK_EQ(guest_fingerprint(g), before);
	/* No frame. */
	hal_test_fail_after(g->hal, 1);
	CHECK_ERR(mm_aspace_compare_exchange(&g->as, page(10), 8, 0, 1, &found), MM_NO_MEMORY);
	hal_test_fail_after(g->hal, 0);
	CHECK_EQ(found, 0x7777);
	CHECK_EQ(guest_load(g, page(10)), 0);
	guest_close(g);
}

/* Each width, at the first and the last place of a page; the bytes beside it stay. */
static void each_width_is_exchanged(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(10, 2), MM_RW, lazily));
	for (unsigned width = 1; width <= 8; width *= 2) {
		uint64_t ones = UINT64_MAX >> (64 - 8 * width);
		uint64_t old = UINT64_C(0x8877665544332211) & ones;
		uint64_t by = UINT64_C(0xf1e2d3c4b5a69788) & ones;
		uint64_t places[] = {0, 8, MM_PAGE_SIZE - width};

		for (unsigned i = 0; i < MM_ARRAY_SIZE(places); i++) {
			mm_gpa_t at = mm_gpa_plus(page(10), places[i]);
			uint64_t found = 0, value;

			CHECK_OK(mm_aspace_fill(&g->as, page(10), 0xaa, 2 * MM_PAGE_SIZE));
			CHECK_OK(mm_aspace_store(&g->as, at, width, old));
			/* Not equal: differs in the lowest bit only, or in the highest. */
			CHECK_OK(
				mm_aspace_compare_exchange(&g->as, at, width, old ^ 1, by, &found));
			CHECK_EQ(found, old);
			CHECK_OK(mm_aspace_compare_exchange(&g->as, at, width,
			                                    old ^ (ones ^ ones >> 1), by, &found));
			CHECK_EQ(found, old);
			CHECK_OK(mm_aspace_load(&g->as, at, width, &value));
			CHECK_EQ(value, old);
			found = 0;
			CHECK_OK(mm_aspace_compare_exchange(&g->as, at, width, old, by, &found));
			CHECK_EQ(found, old);
			CHECK_OK(mm_aspace_load(&g->as, at, width, &value));
			CHECK_EQ(value, by);
			CHECK_EQ(guest_load(g, mm_gpa_plus(at, width)), 0xaa);
			if (places[i] > 0)
				CHECK_EQ(guest_load(g, mm_gpa_plus(at, UINT64_MAX)), 0xaa);
		}
	}
	guest_close(g);
}

/* The page counts as written, and a snapshot keeps what was there. */
static void logs_and_snapshots_see_it(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	static struct mm_snapshot snapshot;
	uint64_t bitmap[1] = {0};
	uint64_t found;

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 8), MM_RW, lazily));
	CHECK_OK(mm_aspace_fill(&g->as, page(0), 1, 8 * MM_PAGE_SIZE));
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &snapshot));
	CHECK_OK(mm_aspace_compare_exchange(&g->as, page(2), 1, 1, 2, &found));
	CHECK_OK(mm_aspace_compare_exchange(&g->as, page(3), 1, 7, 2, &found));
	CHECK_EQ(guest_load(g, page(2)), 2);
	CHECK_EQ(guest_load(g, page(3)), 1);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &snapshot));
	CHECK_EQ(guest_load(g, page(2)), 1);
	mm_aspace_snapshot_drop(&g->as, &snapshot);
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, false));
	CHECK_OK(mm_aspace_compare_exchange(&g->as, page(5), 4, 0x01010101, 2, &found));
	CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(0, 8), bitmap));
	CHECK_EQ(bitmap[0], UINT64_C(1) << 5);
	CHECK_OK(mm_aspace_compare_exchange(&g->as, page(6), 4, 0, 2, &found));
	CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(0, 8), bitmap));
	CHECK_EQ(bitmap[0], UINT64_C(3) << 5);
	mm_aspace_dirty_stop(&g->as);
	guest_close(g);
}

/* The hook that makes writes visible is told of it. */
static void a_guest_without_caches_sees_it(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, (struct hal_test_options){.mirror = true});
	struct mm_aspace_translation t;
	uint64_t found;

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(10, 1), MM_RW, lazily));
	CHECK_OK(mm_aspace_compare_exchange(&g->as, page(10), 8, 0, 0x55, &found));
	CHECK_OK(mm_aspace_translate(&g->as, page(10), &t));
	CHECK_EQ(g->hal->mirror[t.hpa.raw - HAL_TEST_BASE], 0x55);
	guest_close(g);
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(hostile_values_are_refused),
		GEOMETRY_TEST(each_width_is_exchanged),
		GEOMETRY_TEST(logs_and_snapshots_see_it),
		GEOMETRY_TEST(a_guest_without_caches_sees_it),
	};

	return run_geometry_tests("exchange", tests, MM_ARRAY_SIZE(tests));
}
