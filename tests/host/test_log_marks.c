/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A dirty log finds what was written by marks in the entries above (mm/npt/dirty.h). Each way in
 * which a leaf gets W, or in which a leaf with W comes into another table, leaves a mark.
 */
#include "mm/dirty.h"

#include "guest.h"

#include "mm/compiler.h"

#define BLOCK 512 /* the first page of a leaf of 2 MiB */

static uint64_t bitmap[8];

static bool reported(unsigned n)
{
	return (bitmap[n / 64] >> n % 64 & 1) != 0;
}

static void collect(struct guest *g)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(bitmap); i++)
		bitmap[i] = 0;
	CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(BLOCK, 512), bitmap));
}

/* A log with one large leaf, which was written to. */
static struct guest *open_written(const struct geometry *geo, enum mm_perm perm, bool no_large_exec)
{
	struct hal_test *hal = hal_test_open(
		(struct hal_test_options){.root_order = mm_npt_root_order(&geo->config)});
	struct mm_aspace_config config = guest_config(geo, hal);
	struct guest *g;

	config.npt.no_large_exec = no_large_exec;
	g = guest_open_with(geo, hal, &config);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(BLOCK, 512), perm,
	                             (struct mm_aspace_backing){.populate = true, .max_leaf = 1}));
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, false));
	guest_store(g, page(BLOCK), 1);
	return g;
}

/* An unmap splits the leaf. */
static void pages_of_a_leaf_that_was_cut(const struct geometry *geo)
{
	struct guest *g = open_written(geo, MM_RW, false);

	CHECK_OK(mm_aspace_unmap(&g->as, pages(BLOCK + 100, 1)));
	collect(g);
	for (unsigned n = 0; n < 512; n++)
		CHECK_EQ(reported(n), n != 100);
	collect(g);
	for (unsigned n = 0; n < 512; n++)
		CHECK(!reported(n));
	mm_aspace_dirty_stop(&g->as);
	guest_close(g);
}

/* A fetch splits it, where large leaves are not executable. */
static void pages_of_a_leaf_that_was_fetched_from(const struct geometry *geo)
{
	struct guest *g = open_written(geo, MM_RWX, true);

	EXPECT_TOUCH(g, page(BLOCK + 7), MM_X, TOUCH_SERVED);
	collect(g);
	for (unsigned n = 0; n < 512; n++)
		CHECK(reported(n));
	mm_aspace_dirty_stop(&g->as);
	guest_close(g);
}

/* A table whose mark was cleared is marked again; and a page that is mapped by a write. */
static void pages_that_are_written_again(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, (struct hal_test_options){0});

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(BLOCK, 512), MM_RW,
	                             (struct mm_aspace_backing){0}));
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, false));
	for (unsigned round = 0; round < 3; round++) {
		guest_store(g, page(BLOCK + 9), 1);          /* mapped in the first round */
		guest_store(g, page(BLOCK + 20 + round), 1); /* mapped in each */
		CHECK_EQ(guest_load(g, page(BLOCK + 30 + round)), 0);
		collect(g);
		for (unsigned n = 0; n < 512; n++)
			CHECK_EQ(reported(n), n == 9 || n == 20 + round);
	}
	mm_aspace_dirty_stop(&g->as);
	guest_close(g);
}

static bool has_large(const struct geometry *geo)
{
	return geo->config.max_leaf > 0;
}

static bool has_large_exec(const struct geometry *geo)
{
	return has_large(geo) && geo->format == &mm_npt_ept;
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST_IF(pages_of_a_leaf_that_was_cut, has_large),
		GEOMETRY_TEST_IF(pages_of_a_leaf_that_was_fetched_from, has_large_exec),
		GEOMETRY_TEST(pages_that_are_written_again),
	};

	return run_geometry_tests("log_marks", tests, MM_ARRAY_SIZE(tests));
}
