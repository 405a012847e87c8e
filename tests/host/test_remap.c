/* SPDX-License-Identifier: BSD-2-Clause */
/* Remapping and replacing: parts get other memory, or areas of another kind, and the rest stays. */
#include "guest.h"
#include "mm/snapshot.h"

#include "mm/compiler.h"

static const struct hal_test_options plain = {0};

static void remap_moves_and_keeps_the_rest(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(500, 1100), mm_hpa_at(0x401f4000), MM_RX,
	                              MM_NORMAL, 1));
	for (unsigned p = 500; p < 1600; p += 7)
		EXPECT_TOUCH(g, page(p), MM_R, TOUCH_HIT);
	/* Small pages among large leaves, to a place that is misaligned; and a whole large leaf. */
	CHECK_OK(mm_aspace_remap(&g->as, pages(600, 50), mm_hpa_at(0x80001000)));
	CHECK_OK(mm_aspace_remap(&g->as, pages(1024, 512), mm_hpa_at(0xc0000000)));
	for (unsigned p = 500; p < 1600; p++) {
		uint64_t want = 0x401f4000 + (p - 500) * MM_PAGE_SIZE;
		if (p >= 600 && p < 650)
			want = 0x80001000 + (p - 600) * MM_PAGE_SIZE;
		if (p >= 1024 && p < 1536)
			want = 0xc0000000 + (p - 1024) * MM_PAGE_SIZE;
		CHECK_EQ(guest_walk(g, page(p), MM_X).hpa.raw, want);
		CHECK_EQ(guest_touch(g, page(p), MM_R).hpa.raw, want); /* by the TLB, too */
	}
	CHECK_EQ(guest_walk(g, page(1100), MM_R).level, 1);
	EXPECT_FAULT(g, page(620), MM_W, MM_FAULT_PERMISSION);
	/* Areas know it as well: what is protected now is split with the right addresses. */
	CHECK_OK(mm_aspace_protect(&g->as, pages(640, 20), MM_NONE));
	CHECK_OK(mm_aspace_protect(&g->as, pages(640, 20), MM_RX));
	CHECK_EQ(guest_walk(g, page(649), MM_X).hpa.raw, 0x80001000 + 49 * MM_PAGE_SIZE);
	CHECK_EQ(guest_walk(g, page(650), MM_X).hpa.raw, 0x401f4000 + 150 * MM_PAGE_SIZE);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(500, 1100)));
	CHECK_EQ(g->hal->in_use, (size_t)1 << mm_npt_root_order(&geo->config));
	guest_close(g);
}

/* To where it is: one area before and after, so that its parts still move together. */
static void remap_in_place_cuts_nothing(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(30, 14), mm_hpa_at(0x100000), MM_RW, MM_NORMAL,
	                              0));
	CHECK_OK(mm_aspace_remap(&g->as, pages(37, 2), mm_hpa_at(0x107000)));
	CHECK_EQ(g->as.areas.count, 1);
	CHECK_OK(mm_aspace_remap(&g->as, pages(35, 3), mm_hpa_at(0x200000)));
	CHECK_EQ(g->as.areas.count, 3);
	/* And back: the three are one again. */
	CHECK_OK(mm_aspace_remap(&g->as, pages(35, 3), mm_hpa_at(0x105000)));
	CHECK_EQ(g->as.areas.count, 1);
	CHECK_EQ(guest_walk(g, page(37), MM_R).hpa.raw, 0x107000);
	guest_close(g);
}

/* Many areas live in frames: what a remap reserves of these and does not use goes back. */
static void remap_among_many_keeps_no_frame(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	for (unsigned i = 0; i < 100; i++)
		CHECK_OK(mm_aspace_map_linear(&g->as, pages(500 + 10 * i, 4),
		                              mm_hpa_at(0x100000 + i * 0x10000), MM_RW, MM_NORMAL,
		                              0));
	uint64_t before = guest_stats(g).area_frames;
	CHECK_OK(mm_aspace_remap(&g->as, pages(700, 4), mm_hpa_at(0x240000)));
	CHECK_EQ(guest_stats(g).area_frames, before);
	CHECK_OK(mm_aspace_remap(&g->as, pages(700, 4), mm_hpa_at(0x200000)));
	CHECK_EQ(guest_stats(g).area_frames, before);
	guest_close(g);
}

static void remap_says_why_it_cannot(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(10, 4), mm_hpa_at(0), MM_RW, MM_NORMAL, 0));
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(14, 4), mm_hpa_at(0x100000), MM_RW, MM_NORMAL,
	                              0));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(18, 4), MM_RW, (struct mm_aspace_backing){0}));
	uint64_t before = guest_fingerprint(g);
	CHECK_ERR(mm_aspace_remap(&g->as, pages(12, 4), mm_hpa_at(0)), MM_UNSUPPORTED);
	CHECK_ERR(mm_aspace_remap(&g->as, pages(18, 1), mm_hpa_at(0)), MM_UNSUPPORTED);
	CHECK_ERR(mm_aspace_remap(&g->as, pages(22, 1), mm_hpa_at(0)), MM_NOT_MAPPED);
	CHECK_ERR(mm_aspace_remap(&g->as, pages(9, 2), mm_hpa_at(0)), MM_NOT_MAPPED);
	CHECK_ERR(mm_aspace_remap(&g->as, pages(10, 1), mm_hpa_at(1)), MM_MISALIGNED);
	CHECK_ERR(mm_aspace_remap(&g->as, pages(10, 1),
	                          mm_hpa_at(UINT64_C(1) << geo->config.hpa_bits)),
	          MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_remap(&g->as, pages(10, 0), mm_hpa_at(0)), MM_INVALID);
	CHECK_EQ(guest_fingerprint(g), before);
	guest_close(g);
}

/* --- replacing --- */

static uint64_t frames_in_use(struct guest *g)
{
	struct mm_aspace_stats stats = guest_stats(g);
	return stats.frames + stats.tables + stats.area_frames;
}

static void replacing_gives_back_what_was_there(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_aspace_backing lazily = {0}, now = {.populate = true};
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(100, 100), MM_RW, now));
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(300, 100), mm_hpa_at(0x80000000), MM_RX,
	                              MM_NORMAL, 0));
	guest_store(g, page(149), 0x11);
	/* Across the end of one area, a hole and the beginning of another. */
	uint64_t flushes = g->hal->flushes;
	CHECK_OK(mm_aspace_replace_alloc(&g->as, pages(150, 200), MM_R, lazily));
	CHECK_EQ(g->hal->flushes, flushes + 1);
	CHECK_EQ(guest_stats(g).frames, 50);
	CHECK_EQ(guest_load(g, page(149)), 0x11);
	CHECK_EQ(guest_load(g, page(199)), 0); /* a new page, and clear */
	EXPECT_FAULT(g, page(250), MM_W, MM_FAULT_PERMISSION);
	CHECK_EQ(guest_walk(g, page(350), MM_X).hpa.raw, 0x80000000 + 50 * MM_PAGE_SIZE);
	/* Populated in the middle of what is there; a device; linear again. */
	CHECK_OK(mm_aspace_replace_alloc(&g->as, pages(160, 2), MM_RW, now));
	EXPECT_TOUCH(g, page(161), MM_W, TOUCH_HIT);
	CHECK_OK(mm_aspace_replace_device(&g->as, pages(160, 1)));
	EXPECT_FAULT(g, page(160), MM_W, MM_FAULT_IS_DEVICE);
	CHECK_OK(mm_aspace_replace_linear(&g->as, pages(100, 300), mm_hpa_at(0x40064000), MM_RW,
	                                  MM_NORMAL, 1));
	CHECK_EQ(g->as.areas.count, 1);
	CHECK_EQ(guest_stats(g).frames, 0);
	CHECK_EQ(guest_walk(g, page(399), MM_W).hpa.raw, 0x40064000 + 299 * MM_PAGE_SIZE);
	CHECK_EQ(frames_in_use(g), g->hal->in_use);
	guest_close(g);
}

static void replacing_nothing_is_mapping(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(
		mm_aspace_replace_alloc(&g->as, pages(7, 3), MM_RW, (struct mm_aspace_backing){0}));
	EXPECT_TOUCH(g, page(8), MM_W, TOUCH_SERVED);
	EXPECT_FAULT(g, page(10), MM_W, MM_FAULT_NOT_MAPPED);
	guest_close(g);
}

static void replacing_says_why_it_cannot(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_aspace_backing now = {.populate = true};
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(10, 4), MM_RW, now));
	uint64_t before = guest_fingerprint(g);
	CHECK_ERR(mm_aspace_replace_alloc(&g->as, pages(10, 0), MM_RW, now), MM_INVALID);
	CHECK_ERR(mm_aspace_replace_device(&g->as, mm_gpa_range(mm_gpa_at(1), MM_PAGE_SIZE)),
	          MM_MISALIGNED);
	CHECK_ERR(mm_aspace_replace_linear(&g->as, pages(10, 1), mm_hpa_at(1), MM_RW, MM_NORMAL, 0),
	          MM_MISALIGNED);
	CHECK_ERR(mm_aspace_replace_alloc(&g->as, pages(10, 1), (enum mm_perm)8, now), MM_INVALID);
	hal_test_fail_after(g->hal, 3);
	CHECK_ERR(mm_aspace_replace_alloc(&g->as, pages(9, 6), MM_RW, now), MM_NO_MEMORY);
	hal_test_fail_after(g->hal, 0);
	CHECK_EQ(guest_fingerprint(g), before);
	guest_close(g);
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(remap_moves_and_keeps_the_rest),
		GEOMETRY_TEST(remap_in_place_cuts_nothing),
		GEOMETRY_TEST(remap_among_many_keeps_no_frame),
		GEOMETRY_TEST(remap_says_why_it_cannot),
		GEOMETRY_TEST(replacing_gives_back_what_was_there),
		GEOMETRY_TEST(replacing_nothing_is_mapping),
		GEOMETRY_TEST(replacing_says_why_it_cannot),
	};
	return run_geometry_tests("remap", tests, MM_ARRAY_SIZE(tests));
}
