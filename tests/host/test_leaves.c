/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leaves where two features meet: what one leaves behind in an entry must not mislead the other.
 */
#include "guest.h"

#include "mm/compiler.h"
#include "mm/dirty.h"
#include "mm/snapshot.h"

static const struct hal_test_options roomy = {.frames = 8192};

/* Pages 512 to 1535 as two leaves of 2 MiB, with frames of the library's own. */
static void map_large(struct guest *g, enum mm_perm perm)
{
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, 1024), perm,
	                             (struct mm_aspace_backing){.populate = true, .max_leaf = 1}));
	CHECK_EQ(guest_stats(g).leaves[1], 2);
}

/* --- protect --- */

/* A leaf that a dropped snapshot has left read-only is still a leaf of a writable area. */
static void protect_after_a_snapshot(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, roomy);
	struct mm_snapshot s;
	map_large(g, MM_RW);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
	mm_aspace_snapshot_drop(&g->as, &s);
	CHECK_OK(mm_aspace_protect(&g->as, pages(700, 1), MM_R));
	guest_store(g, page(701), 1);
	CHECK_EQ(guest_walk(g, page(700), MM_R).perm & MM_W, 0);
	EXPECT_FAULT(g, page(700), MM_W, MM_FAULT_PERMISSION);
	guest_store(g, page(699), 2);
	/* A whole leaf needs no split. */
	CHECK_OK(mm_aspace_protect(&g->as, pages(1024, 512), MM_R));
	CHECK_EQ(guest_walk(g, page(1024), MM_R).level, 1);
	EXPECT_FAULT(g, page(1100), MM_W, MM_FAULT_PERMISSION);
	guest_close(g);
}

/* --- a dirty log that splits --- */

static uint64_t written_pages(struct guest *g)
{
	uint64_t bitmap[16] = {0};
	uint64_t n = 0;
	CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(512, 1024), bitmap));
	for (unsigned i = 0; i < MM_ARRAY_SIZE(bitmap); i++)
		n += (uint64_t)__builtin_popcountll(bitmap[i]);
	return n;
}

/* A leaf that a snapshot has shared is split by the first write as any other. */
static void log_splits_what_a_snapshot_has_shared(const struct geometry *geo)
{
	for (unsigned live = 0; live < 2; live++) {
		struct guest *g = guest_open(geo, roomy);
		struct mm_snapshot s;
		check_context("format=%s live=%u", geo->name, live);
		map_large(g, MM_RW);
		CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
		if (!live)
			mm_aspace_snapshot_drop(&g->as, &s);
		CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, true));
		guest_store(g, page(700), 1);
		CHECK_EQ(written_pages(g), 1);
		/* Without a table to be had: the whole leaf, unless a snapshot holds it. */
		hal_test_fail_after(g->hal, 1);
		if (live)
			EXPECT_FAULT(g, page(1100), MM_W, MM_FAULT_NO_MEMORY);
		else
			guest_store(g, page(1100), 1);
		hal_test_fail_after(g->hal, 0);
		CHECK_EQ(written_pages(g), live ? 0 : 512);
		mm_aspace_dirty_stop(&g->as);
		guest_close(g);
	}
}

/* Pages that were copied to frames in a row stay pages while the snapshot lives: to restore it
 * takes no frame. */
static void no_merge_beside_a_snapshot(const struct geometry *geo)
{
	struct guest *g =
		guest_open(geo, (struct hal_test_options){.frames = 8192, .in_order = true});
	struct mm_snapshot s;
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, 512), MM_RW,
	                             (struct mm_aspace_backing){.max_leaf = 1}));
	g->hal->options.no_blocks = true;
	for (unsigned p = 512; p < 1024; p++)
		guest_store(g, page(p), (uint8_t)p);
	g->hal->options.no_blocks = false;
	CHECK_EQ(guest_stats(g).leaves[0], 512);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, true));
	g->hal->cursor = 3071; /* the copies come from here on, in order */
	for (unsigned p = 512; p < 1024; p++)
		guest_store(g, page(p), (uint8_t)(p + 1));
	uint64_t first = guest_walk(g, page(512), MM_R).hpa.raw;
	for (unsigned p = 513; p < 1024; p++)
		CHECK_EQ(guest_walk(g, page(p), MM_R).hpa.raw, first + (p - 512) * MM_PAGE_SIZE);
	mm_aspace_dirty_stop(&g->as);
	hal_test_fail_after(g->hal, 1);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &s));
	hal_test_fail_after(g->hal, 0);
	for (unsigned p = 512; p < 1024; p++)
		CHECK_EQ(guest_load(g, page(p)), (uint8_t)p);
	guest_close(g);
}

/* --- quota --- */

/* Just enough frames for large leaves and their tables: spare frames for pages must not stand in
 * the way of a block. */
static void a_quota_that_fits_exactly(const struct geometry *geo)
{
	for (unsigned head = 0; head < 13; head += 6) {
		struct hal_test_options options = roomy;
		struct mm_gpa_range range = pages(512 - head, 1024 + 2 * head);
		struct mm_aspace_backing backing = {.populate = true, .max_leaf = 1};
		struct guest *g = guest_open(geo, roomy);
		check_context("format=%s head=%u", geo->name, head);
		CHECK_OK(mm_aspace_map_alloc(&g->as, range, MM_RW, backing));
		struct mm_aspace_stats stats = guest_stats(g);
		CHECK_EQ(stats.leaves[1], 2);
		guest_close(g);

		options.root_order = mm_npt_root_order(&geo->config);
		struct hal_test *hal = hal_test_open(options);
		struct mm_aspace_config config = guest_config(geo, hal);
		config.quota = stats.frames + stats.tables;
		g = guest_open_with(geo, hal, &config);
		CHECK_OK(mm_aspace_map_alloc(&g->as, range, MM_RW, backing));
		CHECK_EQ(guest_stats(g).leaves[1], 2);
		guest_close(g);
	}
}

/* --- merging --- */

static void what_is_remapped_back_is_merged(const struct geometry *geo)
{
	const mm_hpa_t host = mm_hpa_at(0x40000000);
	struct guest *g = guest_open(geo, roomy);
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(512, 1024), host, MM_RW, MM_NORMAL, 1));
	CHECK_OK(mm_aspace_remap(&g->as, pages(700, 3), mm_hpa_at(0x80000000)));
	CHECK_EQ(guest_stats(g).leaves[0], 512);
	CHECK_OK(mm_aspace_remap(&g->as, pages(700, 3), mm_hpa_plus(host, 188 * MM_PAGE_SIZE)));
	CHECK_EQ(guest_stats(g).leaves[0], 0);
	CHECK_EQ(guest_stats(g).leaves[1], 2);
	/* The same by way of another area, or of none. */
	CHECK_OK(mm_aspace_replace_device(&g->as, pages(700, 3)));
	CHECK_OK(mm_aspace_replace_linear(
		&g->as, pages(700, 3), mm_hpa_plus(host, 188 * MM_PAGE_SIZE), MM_RW, MM_NORMAL, 1));
	CHECK_EQ(guest_stats(g).leaves[1], 2);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(1100, 1)));
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(1100, 1), mm_hpa_plus(host, 588 * MM_PAGE_SIZE),
	                              MM_RW, MM_NORMAL, 1));
	CHECK_EQ(guest_stats(g).leaves[1], 2);
	guest_close(g);
}

/* --- runs of leaves that wait in a table in use --- */

static void linear_pages_beside_others(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, roomy);
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(600, 1), mm_hpa_at(0x80000000), MM_RW,
	                              MM_NORMAL, 0));
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(601, 40), mm_hpa_at(0x40000000), MM_RW,
	                              MM_NORMAL, 0));
	/* These wait until they are permitted. */
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(641, 40), mm_hpa_at(0x90000000), MM_NONE,
	                              MM_NORMAL, 0));
	for (unsigned p = 0; p < 40; p++) {
		struct mm_aspace_translation t;
		CHECK_EQ(guest_walk(g, page(601 + p), MM_R).hpa.raw, 0x40000000 + p * MM_PAGE_SIZE);
		CHECK_EQ(guest_walk(g, page(641 + p), MM_R).outcome, HW_NOT_PRESENT);
		CHECK_OK(mm_aspace_translate(&g->as, page(641 + p), &t));
		CHECK_EQ(t.hpa.raw, 0x90000000 + p * MM_PAGE_SIZE);
		CHECK_EQ(t.perm, MM_NONE);
	}
	CHECK_OK(mm_aspace_protect(&g->as, pages(641, 40), MM_R));
	for (unsigned p = 0; p < 40; p++)
		CHECK_EQ(guest_walk(g, page(641 + p), MM_R).hpa.raw, 0x90000000 + p * MM_PAGE_SIZE);
	guest_close(g);
}

/* --- large leaves that must not be executed --- */

static struct guest *open_without_large_exec(const struct geometry *geo)
{
	struct hal_test_options options = roomy;
	options.root_order = mm_npt_root_order(&geo->config);
	struct hal_test *hal = hal_test_open(options);
	struct mm_aspace_config config = guest_config(geo, hal);
	config.npt.no_large_exec = true;
	return guest_open_with(geo, hal, &config);
}

static bool no_large_leaf_executes(void *ctx, const struct mm_npt_leaf *leaf)
{
	(void)ctx;
	CHECK(leaf->level == 0 || (leaf->perm & MM_X) == 0);
	return true;
}

static void check_large_leaves(struct guest *g)
{
	CHECK_OK(mm_aspace_for_each_leaf(&g->as, pages(0, 8192), no_large_leaf_executes, NULL));
}

static void a_fetch_splits_a_large_leaf(const struct geometry *geo)
{
	struct guest *g = open_without_large_exec(geo);
	uint64_t word = 0;
	map_large(g, MM_RWX);
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(2048, 1024), mm_hpa_at(0x40000000), MM_RX,
	                              MM_NORMAL, 1));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(4096, 1536), MM_RWX,
	                             (struct mm_aspace_backing){.max_leaf = 1}));
	check_large_leaves(g);
	CHECK_EQ(guest_stats(g).leaves[1], 4);
	EXPECT_TOUCH(g, page(700), MM_W, TOUCH_HIT);
	/* One page of one leaf can be executed, and the next one when it is. */
	EXPECT_TOUCH(g, page(700), MM_X, TOUCH_SERVED);
	CHECK_EQ(guest_stats(g).leaves[1], 3);
	CHECK_EQ(guest_walk(g, page(700), MM_X).outcome, HW_OK);
	EXPECT_TOUCH(g, page(700), MM_W, TOUCH_HIT);
	EXPECT_TOUCH(g, page(701), MM_X, TOUCH_SERVED);
	EXPECT_TOUCH(g, page(2048 + 5), MM_X, TOUCH_SERVED);
	EXPECT_TOUCH(g, page(2048 + 5), MM_R, TOUCH_HIT);
	/* A lazy area: small pages where the first access is a fetch, or the hypervisor's. */
	CHECK_EQ(mm_aspace_fault(&g->as, page(4097), MM_X), MM_FAULT_MAPPED);
	EXPECT_TOUCH(g, page(4097), MM_X, TOUCH_HIT);
	CHECK_EQ(guest_walk(g, page(4097), MM_X).level, 0);
	CHECK_OK(mm_aspace_fetch(&g->as, page(4608), &word, 8));
	EXPECT_TOUCH(g, page(4608), MM_X, TOUCH_HIT);
	/* A large one where it is a write, until the first fetch. */
	EXPECT_TOUCH(g, page(5121), MM_W, TOUCH_SERVED);
	CHECK_EQ(guest_walk(g, page(5121), MM_W).level, 1);
	EXPECT_TOUCH(g, page(5121), MM_X, TOUCH_SERVED);
	CHECK_EQ(guest_walk(g, page(5121), MM_X).level, 0);
	check_large_leaves(g);
	/* Nor does X come back by a merge, or by a protect call. */
	CHECK_OK(mm_aspace_protect(&g->as, pages(512, 1024), MM_R));
	CHECK_OK(mm_aspace_protect(&g->as, pages(512, 1024), MM_RWX));
	check_large_leaves(g);
	for (unsigned p = 512; p < 1024; p++)
		(void)guest_touch(g, page(p), MM_X);
	CHECK_OK(mm_aspace_protect(&g->as, pages(512, 1), MM_R));
	CHECK_OK(mm_aspace_protect(&g->as, pages(512, 1), MM_RWX));
	EXPECT_TOUCH(g, page(512), MM_X, TOUCH_HIT);
	check_large_leaves(g);
	guest_close(g);
}

/* A large leaf that cannot be split cannot be executed; all else goes on. */
static void a_fetch_without_a_table(const struct geometry *geo)
{
	struct guest *g = open_without_large_exec(geo);
	map_large(g, MM_RWX);
	hal_test_fail_after(g->hal, 1);
	EXPECT_FAULT(g, page(700), MM_X, MM_FAULT_NO_MEMORY);
	hal_test_fail_after(g->hal, 0);
	EXPECT_TOUCH(g, page(700), MM_W, TOUCH_HIT);
	EXPECT_TOUCH(g, page(700), MM_X, TOUCH_SERVED);
	guest_close(g);
}

/* Taking X from a part: the leaf lies in two areas then, whatever it says. */
static void a_part_is_protected_from_execution(const struct geometry *geo)
{
	struct guest *g = open_without_large_exec(geo);
	map_large(g, MM_RWX);
	CHECK_OK(mm_aspace_protect(&g->as, pages(700, 10), MM_RW));
	EXPECT_TOUCH(g, page(699), MM_X, TOUCH_SERVED);
	EXPECT_FAULT(g, page(700), MM_X, MM_FAULT_PERMISSION);
	check_large_leaves(g);
	guest_close(g);
}

/* Beside a log that splits, and a snapshot. */
static void execution_beside_logs_and_snapshots(const struct geometry *geo)
{
	struct guest *g = open_without_large_exec(geo);
	struct mm_snapshot s;
	map_large(g, MM_RWX);
	guest_store(g, page(700), 1);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
	EXPECT_TOUCH(g, page(700), MM_X, TOUCH_SERVED);
	CHECK_EQ(guest_stats(g).leaves[1], 1);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as,
	                                    &s)); /* as it was, although nothing was written */
	CHECK_EQ(guest_stats(g).leaves[1], 2);
	EXPECT_TOUCH(g, page(700), MM_X, TOUCH_SERVED);
	guest_store(g, page(700), 2);
	EXPECT_TOUCH(g, page(700), MM_X, TOUCH_HIT);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &s));
	check_large_leaves(g);
	CHECK_EQ(guest_load(g, page(700)), 1);
	mm_aspace_snapshot_drop(&g->as, &s);
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, true));
	EXPECT_TOUCH(g, page(1100), MM_X, TOUCH_SERVED);
	guest_store(g, page(1100), 2);
	mm_aspace_dirty_stop(&g->as);
	check_large_leaves(g);
	guest_close(g);
}

/* Permissions that nobody may use any more keep no leaves apart. */
static void hidden_leaves_are_alike(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, roomy);
	map_large(g, MM_RW);
	CHECK_OK(mm_aspace_protect(&g->as, pages(512, 1), MM_R));
	CHECK_EQ(guest_stats(g).leaves[0], 512);
	CHECK_OK(mm_aspace_protect(&g->as, pages(512, 1024), MM_NONE));
	CHECK_EQ(guest_stats(g).leaves[0], 0);
	CHECK_EQ(guest_stats(g).leaves[1], 2);
	CHECK_OK(mm_aspace_protect(&g->as, pages(512, 1024), MM_RW));
	EXPECT_TOUCH(g, page(600), MM_W, TOUCH_HIT);
	guest_close(g);
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(protect_after_a_snapshot),
		GEOMETRY_TEST(hidden_leaves_are_alike),
		GEOMETRY_TEST(log_splits_what_a_snapshot_has_shared),
		GEOMETRY_TEST(no_merge_beside_a_snapshot),
		GEOMETRY_TEST(a_quota_that_fits_exactly),
		GEOMETRY_TEST(what_is_remapped_back_is_merged),
		GEOMETRY_TEST(linear_pages_beside_others),
		GEOMETRY_TEST(a_fetch_splits_a_large_leaf),
		GEOMETRY_TEST(a_fetch_without_a_table),
		GEOMETRY_TEST(a_part_is_protected_from_execution),
		GEOMETRY_TEST(execution_beside_logs_and_snapshots),
	};
	return run_geometry_tests("leaves", tests, MM_ARRAY_SIZE(tests));
}
