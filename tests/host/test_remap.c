/* Remapping: linear areas get other host memory, part by part, and the rest stays. */
#include "guest.h"

#include "mm/compiler.h"

static const struct hal_test_options plain = {0};

static void remap_moves_and_keeps_the_rest(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(aspace_map_linear(&g->as, pages(500, 1100), hpa_at(0x401f4000), MM_RX, MM_NORMAL,
	                           1));
	for (unsigned p = 500; p < 1600; p += 7)
		EXPECT_TOUCH(g, page(p), MM_R, TOUCH_HIT);
	/* Small pages among large leaves, to a place that is misaligned; and a whole large leaf. */
	CHECK_OK(aspace_remap(&g->as, pages(600, 50), hpa_at(0x80001000)));
	CHECK_OK(aspace_remap(&g->as, pages(1024, 512), hpa_at(0xc0000000)));
	for (unsigned p = 500; p < 1600; p++) {
		uint64_t want = 0x401f4000 + (p - 500) * PAGE_SIZE;
		if (p >= 600 && p < 650)
			want = 0x80001000 + (p - 600) * PAGE_SIZE;
		if (p >= 1024 && p < 1536)
			want = 0xc0000000 + (p - 1024) * PAGE_SIZE;
		CHECK_EQ(guest_walk(g, page(p), MM_X).hpa.raw, want);
		CHECK_EQ(guest_touch(g, page(p), MM_R).hpa.raw, want); /* by the TLB, too */
	}
	CHECK_EQ(guest_walk(g, page(1100), MM_R).level, 1);
	EXPECT_FAULT(g, page(620), MM_W, MM_FAULT_PERMISSION);
	/* Areas know it as well: what is protected now is split with the right addresses. */
	CHECK_OK(aspace_protect(&g->as, pages(640, 20), MM_NONE));
	CHECK_OK(aspace_protect(&g->as, pages(640, 20), MM_RX));
	CHECK_EQ(guest_walk(g, page(649), MM_X).hpa.raw, 0x80001000 + 49 * PAGE_SIZE);
	CHECK_EQ(guest_walk(g, page(650), MM_X).hpa.raw, 0x401f4000 + 150 * PAGE_SIZE);
	CHECK_OK(aspace_unmap(&g->as, pages(500, 1100)));
	CHECK_EQ(g->hal->in_use, (size_t)1 << npt_root_order(&geo->config));
	guest_close(g);
}

/* To where it is: one area before and after, so that its parts still move together. */
static void remap_in_place_cuts_nothing(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(aspace_map_linear(&g->as, pages(30, 14), hpa_at(0x100000), MM_RW, MM_NORMAL, 0));
	CHECK_OK(aspace_remap(&g->as, pages(37, 2), hpa_at(0x107000)));
	CHECK_EQ(g->as.areas.count, 1);
	CHECK_OK(aspace_remap(&g->as, pages(35, 3), hpa_at(0x200000)));
	CHECK_EQ(g->as.areas.count, 3);
	/* And back: the three are one again. */
	CHECK_OK(aspace_remap(&g->as, pages(35, 3), hpa_at(0x105000)));
	CHECK_EQ(g->as.areas.count, 1);
	CHECK_EQ(guest_walk(g, page(37), MM_R).hpa.raw, 0x107000);
	guest_close(g);
}

/* Many areas live in frames: what a remap reserves of these and does not use goes back. */
static void remap_among_many_keeps_no_frame(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	for (unsigned i = 0; i < 100; i++)
		CHECK_OK(aspace_map_linear(&g->as, pages(500 + 10 * i, 4),
		                           hpa_at(0x100000 + i * 0x10000), MM_RW, MM_NORMAL, 0));
	uint64_t before = guest_stats(g).area_frames;
	CHECK_OK(aspace_remap(&g->as, pages(700, 4), hpa_at(0x240000)));
	CHECK_EQ(guest_stats(g).area_frames, before);
	CHECK_OK(aspace_remap(&g->as, pages(700, 4), hpa_at(0x200000)));
	CHECK_EQ(guest_stats(g).area_frames, before);
	guest_close(g);
}

static void remap_says_why_it_cannot(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(aspace_map_linear(&g->as, pages(10, 4), hpa_at(0), MM_RW, MM_NORMAL, 0));
	CHECK_OK(aspace_map_linear(&g->as, pages(14, 4), hpa_at(0x100000), MM_RW, MM_NORMAL, 0));
	CHECK_OK(aspace_map_alloc(&g->as, pages(18, 4), MM_RW, (struct aspace_backing){0}));
	uint64_t before = guest_fingerprint(g);
	CHECK_ERR(aspace_remap(&g->as, pages(12, 4), hpa_at(0)), MM_UNSUPPORTED);
	CHECK_ERR(aspace_remap(&g->as, pages(18, 1), hpa_at(0)), MM_UNSUPPORTED);
	CHECK_ERR(aspace_remap(&g->as, pages(22, 1), hpa_at(0)), MM_NOT_MAPPED);
	CHECK_ERR(aspace_remap(&g->as, pages(9, 2), hpa_at(0)), MM_NOT_MAPPED);
	CHECK_ERR(aspace_remap(&g->as, pages(10, 1), hpa_at(1)), MM_MISALIGNED);
	CHECK_ERR(aspace_remap(&g->as, pages(10, 1), hpa_at(UINT64_C(1) << geo->config.hpa_bits)),
	          MM_OUT_OF_RANGE);
	CHECK_ERR(aspace_remap(&g->as, pages(10, 0), hpa_at(0)), MM_INVALID);
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
	};
	return run_geometry_tests("remap", tests, ARRAY_SIZE(tests));
}
