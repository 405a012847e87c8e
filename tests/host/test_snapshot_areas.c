/* SPDX-License-Identifier: BSD-2-Clause */
/* Areas that change while there are snapshots: a restore undoes it. */
#include "guest.h"
#include "mm/query.h"
#include "mm/snapshot.h"

#include "mm/compiler.h"

static const struct hal_test_options plain = {0};
static const struct mm_aspace_backing lazily = {0}, now = {.populate = true};

static size_t frames_in_use(struct guest *g)
{
	struct mm_aspace_stats stats = guest_stats(g);

	return stats.frames + stats.tables + stats.area_frames;
}

static void put(struct guest *g, unsigned first, unsigned n, uint8_t add)
{
	for (unsigned p = first; p < first + n; p++)
		guest_store(g, page(p), (uint8_t)(p + add));
}

static void expect(struct guest *g, unsigned first, unsigned n, uint8_t add)
{
	for (unsigned p = first; p < first + n; p++)
		CHECK_EQ(guest_load(g, page(p)), (uint8_t)(p + add));
}

/* Each kind of change, and all of them at once, twice. */
static void every_change_is_undone(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_snapshot s;
	struct mm_aspace_area area;

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 24), MM_RW, lazily));
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(600, 8), mm_hpa_at(0x40000000), MM_RX,
	                              MM_NORMAL, 0));
	CHECK_OK(mm_aspace_map_device(&g->as, pages(700, 1)));
	put(g, 500, 20, 1);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));

	uint64_t before = guest_fingerprint(g);

	for (unsigned round = 0; round < 2; round++) {
		CHECK_OK(mm_aspace_unmap(&g->as, pages(505, 5)));
		EXPECT_FAULT(g, page(507), MM_R, MM_FAULT_NOT_MAPPED);
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(506, 2), MM_RW, now));
		CHECK_EQ(guest_load(g, page(507)), 0); /* a new page, not the old one */
		put(g, 506, 2, 77);
		CHECK_OK(mm_aspace_replace_device(&g->as, pages(510, 1)));
		CHECK_OK(mm_aspace_replace_alloc(&g->as, pages(511, 1), MM_RW, now));
		CHECK_OK(mm_aspace_protect(&g->as, pages(512, 4), MM_R));
		EXPECT_FAULT(g, page(512), MM_W, MM_FAULT_PERMISSION);
		CHECK_OK(mm_aspace_protect(&g->as, pages(516, 1), MM_NONE));
		CHECK_OK(mm_aspace_remap(&g->as, pages(602, 1), mm_hpa_at(0x50000000)));
		CHECK_OK(mm_aspace_unmap(&g->as, pages(604, 1)));
		CHECK_OK(mm_aspace_replace_linear(&g->as, pages(606, 1), mm_hpa_at(0x40006000),
		                                  MM_R, MM_NORMAL,
		                                  0)); /* the same frame, without X */
		CHECK_OK(mm_aspace_unmap(&g->as, pages(700, 1)));
		CHECK_OK(mm_aspace_map_linear(&g->as, pages(800, 4), mm_hpa_at(0x60000000), MM_RW,
		                              MM_NORMAL, 0));
		expect(g, 500, 5, 1);
		expect(g, 517, 3, 1);
		CHECK_OK(mm_aspace_snapshot_restore(&g->as, &s));
		CHECK_EQ(guest_fingerprint(g), before);
		expect(g, 500, 20, 1);
		CHECK_EQ(guest_walk(g, page(602), MM_X).hpa.raw, 0x40002000);
		CHECK_EQ(guest_walk(g, page(604), MM_X).hpa.raw, 0x40004000);
		CHECK_EQ(guest_walk(g, page(606), MM_X).hpa.raw, 0x40006000);
		EXPECT_FAULT(g, page(700), MM_R, MM_FAULT_IS_DEVICE);
		EXPECT_FAULT(g, page(801), MM_R, MM_FAULT_NOT_MAPPED);
		CHECK_OK(mm_aspace_query_area(&g->as, page(510), &area));
		CHECK_EQ(area.range.size, 24 * MM_PAGE_SIZE);
		put(g, 512, 3, 9); /* writable again, and copied: restored in the next round */
	}
	expect(g, 512, 3, 9);
	mm_aspace_snapshot_drop(&g->as, &s);
	expect(g, 512, 3, 9);
	CHECK_EQ(frames_in_use(g), g->hal->in_use);
	guest_close(g);
}

/* Frames of the snapshot outlive their area, and go when the snapshot goes. */
static void frames_go_with_the_last_holder(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_snapshot a, b;

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 16), MM_RW, now));
	put(g, 500, 16, 1);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &a));
	put(g, 500, 4, 2);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &b));
	put(g, 504, 2, 3);
	CHECK_EQ(guest_stats(g).frames, 16 + 4 + 2);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(500, 16)));
	CHECK_EQ(guest_stats(g).frames, 16 + 4); /* the two that no snapshot held went back */
	CHECK_EQ(frames_in_use(g), g->hal->in_use);
	mm_aspace_snapshot_drop(&g->as, &a);
	CHECK_EQ(guest_stats(g).frames, 16);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &b));
	expect(g, 500, 4, 2);
	expect(g, 504, 12, 1);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(500, 16)));
	mm_aspace_snapshot_drop(&g->as, &b);
	CHECK_EQ(guest_stats(g).frames, 0);
	CHECK_EQ(g->hal->in_use, (size_t)1 << mm_npt_root_order(&geo->config));
	guest_close(g);
}

/* Part of a large leaf that the snapshot holds as a whole. */
static void large_leaves_are_cut_and_come_back(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_aspace_backing large = {.populate = true, .max_leaf = 1};
	struct mm_snapshot s;

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, 512), MM_RW, large));
	put(g, 600, 20, 1);
	CHECK_EQ(guest_walk(g, page(600), MM_R).level, 1);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
	CHECK_OK(mm_aspace_unmap(&g->as, pages(605, 10)));
	expect(g, 600, 5, 1);
	expect(g, 615, 5, 1);
	EXPECT_FAULT(g, page(606), MM_R, MM_FAULT_NOT_MAPPED);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &s));
	CHECK_EQ(guest_walk(g, page(600), MM_R).level, 1);
	expect(g, 600, 20, 1);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(512, 512)));
	CHECK_EQ(guest_stats(g).frames, 512);
	mm_aspace_snapshot_drop(&g->as, &s);
	CHECK_EQ(guest_stats(g).frames, 0);
	guest_close(g);
}

/* More areas than a node holds: the copy of their tree fails at each frame, and nothing changes. */
static void without_frames_nothing_changes(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_snapshot s;
	unsigned failures = 0;
	uint64_t before;

	for (unsigned i = 0; i < 230; i++)
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(1000 + 2 * i, 1), MM_RW, lazily));
	put(g, 1000, 1, 1);
	put(g, 1458, 1, 1);
	before = guest_fingerprint(g);
	for (unsigned n = 1;; n++) {
		hal_test_fail_after(g->hal, n);
		enum mm_error err = mm_aspace_snapshot_take(&g->as, &s);
		hal_test_fail_after(g->hal, 0);
		if (err == MM_OK)
			break;
		CHECK_ERR(err, MM_NO_MEMORY);
		CHECK_EQ(guest_fingerprint(g), before);
		CHECK_EQ(frames_in_use(g), g->hal->in_use);
	}
	CHECK_EQ(frames_in_use(g), g->hal->in_use);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(1000, 400)));
	CHECK_OK(mm_aspace_map_device(&g->as, pages(1001, 1)));
	before = guest_fingerprint(g);
	for (unsigned n = 1;; n++, failures++) {
		hal_test_fail_after(g->hal, n);
		enum mm_error err = mm_aspace_snapshot_restore(&g->as, &s);
		hal_test_fail_after(g->hal, 0);
		if (err == MM_OK)
			break;
		CHECK_ERR(err, MM_NO_MEMORY);
		CHECK_EQ(guest_fingerprint(g), before);
		CHECK_EQ(frames_in_use(g), g->hal->in_use);
	}
	CHECK(failures >= 4);
	CHECK_EQ(g->as.areas.count, 230);
	expect(g, 1000, 1, 1);
	expect(g, 1458, 1, 1);
	CHECK_EQ(frames_in_use(g), g->hal->in_use);
	/* The same areas again: no frame is needed. */
	hal_test_fail_after(g->hal, 1);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &s));
	hal_test_fail_after(g->hal, 0);
	/* And a clear drops it, with its areas. */
	mm_aspace_clear(&g->as);
	CHECK_EQ(g->hal->in_use, (size_t)1 << mm_npt_root_order(&geo->config));
	mm_aspace_snapshot_drop(&g->as, &s); /* does nothing */
	guest_close(g);
}

/* Between two snapshots with different areas. */
static void each_snapshot_has_its_areas(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_snapshot a, b;

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(10, 4), MM_RW, now));
	put(g, 10, 4, 1);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &a));
	CHECK_OK(mm_aspace_unmap(&g->as, pages(10, 4)));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(10, 4), MM_RWX, now));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(4000, 4), MM_R, now));
	put(g, 10, 4, 2);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &b));
	for (unsigned round = 0; round < 3; round++) {
		CHECK_OK(mm_aspace_snapshot_restore(&g->as, &a));
		expect(g, 10, 4, 1);
		EXPECT_FAULT(g, page(10), MM_X, MM_FAULT_PERMISSION);
		EXPECT_FAULT(g, page(4000), MM_R, MM_FAULT_NOT_MAPPED);
		put(g, 10, 4, 50);
		CHECK_OK(mm_aspace_snapshot_restore(&g->as, &b));
		expect(g, 10, 4, 2);
		EXPECT_TOUCH(g, page(10), MM_X, TOUCH_HIT);
		CHECK_EQ(guest_load(g, page(4000)), 0);
	}
	mm_aspace_snapshot_drop(&g->as, &a);
	CHECK_EQ(frames_in_use(g), g->hal->in_use);
	mm_aspace_snapshot_drop(&g->as, &b);
	expect(g, 10, 4, 2);
	CHECK_EQ(guest_stats(g).frames, 8);
	guest_close(g);
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(every_change_is_undone),
		GEOMETRY_TEST(frames_go_with_the_last_holder),
		GEOMETRY_TEST(large_leaves_are_cut_and_come_back),
		GEOMETRY_TEST(without_frames_nothing_changes),
		GEOMETRY_TEST(each_snapshot_has_its_areas),
	};

	return run_geometry_tests("snapshot areas", tests, MM_ARRAY_SIZE(tests));
}
