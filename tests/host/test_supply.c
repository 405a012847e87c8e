/* SPDX-License-Identifier: BSD-2-Clause */
/* Areas whose frames the caller supplies. */
#include "guest.h"
#include "mm/dirty.h"
#include "mm/query.h"
#include "mm/snapshot.h"
#include "mm/supply.h"

#include <stdlib.h>
#include <string.h>

#include "mm/compiler.h"

static const struct hal_test_options plain = {0};
static const struct mm_aspace_backing lazily = {0};

/* A block of frames of the caller's, filled. */
static mm_hpa_t own_block(struct guest *g, unsigned order, uint8_t value)
{
	mm_hpa_t pa;

	CHECK_EQ(g->hal->hal.alloc(g->hal, order, 1, &pa), 1);
	memset(hal_test_ptr(g->hal, pa), value, MM_PAGE_SIZE << order);
	return pa;
}

static void free_own(struct guest *g, mm_hpa_t pa, unsigned order)
{
	g->hal->hal.free(g->hal, order, 1, &pa);
}

struct taken {
	struct guest *guest; /* NULL: the blocks are not freed */
	unsigned calls;
	uint64_t pages;
	mm_gpa_t first_gpa, last_gpa;
	mm_hpa_t first_hpa;
};

/* Frees the block at once: the ghost TLB must not lead to it any more. */
static void take(void *ctx, mm_gpa_t gpa, mm_hpa_t hpa, unsigned order)
{
	struct taken *t = ctx;

	CHECK(t->calls == 0 || gpa.raw > t->last_gpa.raw);
	if (t->calls++ == 0) {
		t->first_gpa = gpa;
		t->first_hpa = hpa;
	}
	t->last_gpa = gpa;
	t->pages += UINT64_C(1) << order;
	if (t->guest)
		free_own(t->guest, hpa, order);
}

/* --- what is refused --- */

static void hostile_arguments_are_refused(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	uint64_t end = mm_gpa_range_last(g->as.limits).raw + 1;
	static const unsigned orders[] = {1, 8, 10, 17, 19, 45, 54, 63, 64, 0x80000009, 0xffffffff};
	mm_hpa_t high = mm_hpa_at(UINT64_C(1) << geo->config.hpa_bits);
	struct taken t = {.guest = g};

	CHECK_ERR(mm_aspace_map_supplied(&g->as, pages(10, 4), (enum mm_perm)8, MM_NORMAL, 0),
	          MM_INVALID);
	CHECK_ERR(mm_aspace_map_supplied(&g->as, pages(10, 4), MM_RW, (enum mm_memtype)3, 0),
	          MM_INVALID);
	CHECK_ERR(mm_aspace_map_supplied(&g->as, pages(10, 4), MM_RW, MM_NORMAL, MM_NPT_MAX_LEVELS),
	          MM_INVALID);
	CHECK_ERR(mm_aspace_map_supplied(&g->as, mm_gpa_range(mm_gpa_at(end), MM_PAGE_SIZE), MM_RW,
	                                 MM_NORMAL, 0),
	          MM_OUT_OF_RANGE);
	CHECK_OK(mm_aspace_map_supplied(&g->as, pages(512, 1024 + 8), MM_RW, MM_NORMAL, 1));
	CHECK_ERR(mm_aspace_map_supplied(&g->as, pages(513, 1), MM_RW, MM_NORMAL, 1), MM_EXISTS);
	CHECK_OK(mm_aspace_map_supplied(&g->as, pages(4096, 512), MM_RW, MM_NORMAL, 0));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(8, 8), MM_RW, lazily));
	CHECK_OK(mm_aspace_map_device(&g->as, pages(16, 8)));
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(24, 8), mm_hpa_at(0), MM_RW, MM_NORMAL, 0));

	uint64_t before = guest_fingerprint(g);

	for (unsigned i = 0; i < MM_ARRAY_SIZE(orders); i++)
		CHECK_ERR(mm_aspace_supply(&g->as, page(512), mm_hpa_at(0), orders[i]),
		          MM_UNSUPPORTED);
	CHECK_ERR(mm_aspace_supply(&g->as, mm_gpa_at(512 * MM_PAGE_SIZE + 1), mm_hpa_at(0), 0),
	          MM_MISALIGNED);
	CHECK_ERR(mm_aspace_supply(&g->as, page(512), mm_hpa_at(0x800), 0), MM_MISALIGNED);
	CHECK_ERR(mm_aspace_supply(&g->as, page(513), mm_hpa_at(0), 9), MM_MISALIGNED);
	CHECK_ERR(mm_aspace_supply(&g->as, page(512), mm_hpa_at(0x1000), 9), MM_MISALIGNED);
	CHECK_ERR(mm_aspace_supply(&g->as, mm_gpa_at(end), mm_hpa_at(0), 0), MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_supply(&g->as, mm_gpa_at(0 - MM_PAGE_SIZE), mm_hpa_at(0), 0),
	          MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_supply(&g->as, page(512), high, 0), MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_supply(&g->as, page(512), mm_hpa_at(0 - MM_PAGE_SIZE), 0),
	          MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_supply(&g->as, page(7), mm_hpa_at(0), 0), MM_NOT_MAPPED);
	for (unsigned p = 8; p < 32; p += 8)
		CHECK_ERR(mm_aspace_supply(&g->as, page(p), mm_hpa_at(0), 0), MM_UNSUPPORTED);
	CHECK_ERR(mm_aspace_supply(&g->as, page(4096), mm_hpa_at(0), 9), MM_UNSUPPORTED);
	CHECK_ERR(mm_aspace_supply(&g->as, page(1536), mm_hpa_at(0), 9), MM_UNSUPPORTED);
	CHECK_ERR(mm_aspace_take_back(&g->as, pages(512, 0), take, &t), MM_INVALID);
	CHECK_ERR(mm_aspace_take_back(&g->as, mm_gpa_range(page(1), UINT64_MAX), take, &t),
	          MM_INVALID);
	CHECK_ERR(mm_aspace_take_back(&g->as, mm_gpa_range(mm_gpa_at(1), MM_PAGE_SIZE), take, &t),
	          MM_MISALIGNED);
	CHECK_ERR(mm_aspace_take_back(&g->as, mm_gpa_range(mm_gpa_at(end), MM_PAGE_SIZE), take, &t),
	          MM_OUT_OF_RANGE);
	CHECK_EQ(guest_fingerprint(g), before);
	/* Nothing to take. */
	CHECK_OK(mm_aspace_take_back(&g->as, g->as.limits, take, &t));
	CHECK_EQ(t.calls, 0);
	guest_close(g);
}

/* --- a page from its fault to the end --- */

static void a_fault_asks_for_a_frame(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct taken t = {.guest = g};
	mm_hpa_t frame = own_block(g, 0, 0x42);
	mm_hpa_t other = own_block(g, 0, 0x43);
	struct mm_aspace_area area;
	struct mm_aspace_translation tr;
	uint8_t byte = 0x77;

	CHECK_OK(mm_aspace_map_supplied(&g->as, pages(500, 20), MM_RW, MM_NORMAL, 1));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(490, 10), MM_RW, lazily));
	guest_store(g, page(499), 1); /* a window, and a table in the cache */
	for (unsigned i = 0; i < 3; i++)
		EXPECT_FAULT(g, page(500), MM_W, MM_FAULT_NEEDS_FRAME);
	CHECK_EQ(guest_stats(g).faults[MM_FAULT_NEEDS_FRAME], 3);
	EXPECT_FAULT(g, page(500), MM_X, MM_FAULT_PERMISSION);
	CHECK_ERR(mm_aspace_read(&g->as, page(500), &byte, 1), MM_NEEDS_FRAME);
	CHECK_ERR(mm_aspace_write(&g->as, mm_gpa_plus(page(499), 4095), "abc", 3), MM_NEEDS_FRAME);
	CHECK_EQ(byte, 0x77);
	CHECK_EQ(guest_load(g, mm_gpa_plus(page(499), 4095)), 0);
	CHECK_ERR(mm_aspace_translate(&g->as, page(500), &tr), MM_NOT_MAPPED);
	CHECK_OK(mm_aspace_query_area(&g->as, page(500), &area));
	CHECK_EQ(area.backend, MM_AREA_SUPPLIED);

	struct mm_aspace_stats before = guest_stats(g);

	CHECK_OK(mm_aspace_supply(&g->as, page(500), frame, 0));
	CHECK_EQ(guest_stats(g).frames, before.frames);
	CHECK_EQ(guest_stats(g).leaves[0], before.leaves[0] + 1);
	CHECK_ERR(mm_aspace_supply(&g->as, page(500), other, 0), MM_EXISTS);
	CHECK_EQ(guest_load(g, page(500)), 0x42); /* nobody has cleared it */
	guest_store(g, page(500), 0x55);
	CHECK_EQ(*(uint8_t *)hal_test_ptr(g->hal, frame), 0x55);
	CHECK_OK(mm_aspace_read(&g->as, page(500), &byte, 1));
	CHECK_EQ(byte, 0x55);
	EXPECT_FAULT(g, page(501), MM_R, MM_FAULT_NEEDS_FRAME);
	/* Away from the guest, and another one in its place. */
	CHECK_OK(mm_aspace_take_back(&g->as, pages(490, 20), take, &t));
	CHECK_EQ(t.calls, 1);
	CHECK_EQ(t.first_gpa.raw, page(500).raw);
	CHECK_EQ(t.first_hpa.raw, frame.raw);
	EXPECT_FAULT(g, page(500), MM_R, MM_FAULT_NEEDS_FRAME);
	CHECK_EQ(guest_load(g, page(499)), 1); /* the alloc area has kept its pages */
	CHECK_OK(mm_aspace_supply(&g->as, page(500), other, 0));
	CHECK_EQ(guest_load(g, page(500)), 0x43);
	/* Without permissions the frame stays, and comes back. */
	CHECK_OK(mm_aspace_protect(&g->as, pages(500, 1), MM_NONE));
	EXPECT_FAULT(g, page(500), MM_R, MM_FAULT_PERMISSION);
	t = (struct taken){.guest = g};
	CHECK_OK(mm_aspace_take_back(&g->as, g->as.limits, take, &t));
	CHECK_EQ(t.first_hpa.raw, other.raw);
	CHECK_EQ(t.pages, 1);
	guest_close(g);
}

/* Unmapping, replacing, clearing and destroying free no frame of the caller's. */
static void no_call_frees_them(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct hal_test *hal = g->hal;
	mm_hpa_t frame[4];

	CHECK_OK(mm_aspace_map_supplied(&g->as, pages(500, 20), MM_RWX, MM_NORMAL, 0));
	for (unsigned i = 0; i < 4; i++) {
		frame[i] = own_block(g, 0, (uint8_t)i);
		CHECK_OK(mm_aspace_supply(&g->as, page(500 + i), frame[i], 0));
		EXPECT_TOUCH(g, page(500 + i), MM_W, TOUCH_HIT);
	}
	CHECK_OK(mm_aspace_unmap(&g->as, pages(500, 1)));
	CHECK(hal_test_owned(hal, frame[0]));
	free_own(g, frame[0], 0); /* no TLB leads to it */
	EXPECT_FAULT(g, page(500), MM_R, MM_FAULT_NOT_MAPPED);
	CHECK_OK(mm_aspace_replace_alloc(&g->as, pages(501, 1), MM_RW, lazily));
	CHECK(hal_test_owned(hal, frame[1]));
	free_own(g, frame[1], 0);
	CHECK_EQ(guest_load(g, page(501)), 0);
	mm_aspace_clear(&g->as);
	CHECK(hal_test_owned(hal, frame[2]));
	CHECK_OK(mm_aspace_map_supplied(&g->as, pages(500, 20), MM_RWX, MM_NORMAL, 0));
	CHECK_OK(mm_aspace_supply(&g->as, page(502), frame[2], 0));
	mm_aspace_destroy(&g->as);
	CHECK_EQ(hal->in_use, 2);
	free_own(g, frame[2], 0);
	free_own(g, frame[3], 0);

	ghost_tlb_unwatch(&hal->tlb, 1);
	hal_test_close(hal);
	free(g);
}

/* --- large leaves --- */

static void a_block_is_one_leaf_and_comes_back_in_parts(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct taken t = {.guest = NULL};
	mm_hpa_t block = own_block(g, 9, 0x21);
	mm_hpa_t one = own_block(g, 0, 0x22);

	CHECK_OK(mm_aspace_map_supplied(&g->as, pages(512, 1024), MM_RW, MM_NORMAL, 2));
	CHECK_OK(mm_aspace_supply(&g->as, page(1024 + 7), one, 0));
	CHECK_ERR(mm_aspace_supply(&g->as, page(1024), block, 9), MM_EXISTS); /* a page in it */
	CHECK_OK(mm_aspace_supply(&g->as, page(512), block, 9));
	CHECK_ERR(mm_aspace_supply(&g->as, page(600), one, 0), MM_EXISTS);
	CHECK_EQ(guest_walk(g, page(600), MM_W).level, 1);
	CHECK_EQ(guest_load(g, page(600)), 0x21);
	CHECK_EQ(guest_stats(g).leaves[1], 1);
	/* From its middle: the rest stays. */
	CHECK_OK(mm_aspace_take_back(&g->as, pages(600, 10), take, &t));
	CHECK_EQ(t.calls, 10);
	CHECK_EQ(t.first_hpa.raw, block.raw + 88 * MM_PAGE_SIZE);
	EXPECT_FAULT(g, page(600), MM_R, MM_FAULT_NEEDS_FRAME);
	EXPECT_FAULT(g, page(609), MM_R, MM_FAULT_NEEDS_FRAME);
	CHECK_EQ(guest_load(g, page(599)), 0x21);
	CHECK_EQ(guest_load(g, page(610)), 0x21);
	/* All of it, and the page in the other block. */
	t = (struct taken){.guest = NULL};
	CHECK_OK(mm_aspace_take_back(&g->as, pages(0, 4096), take, &t));
	CHECK_EQ(t.pages, 502 + 1);
	CHECK_EQ(t.last_gpa.raw, page(1024 + 7).raw);
	CHECK_EQ(guest_stats(g).leaves[0] + guest_stats(g).leaves[1], 0);
	/* The tables have gone, so the blocks fit again; and then each as one. */
	CHECK_OK(mm_aspace_supply(&g->as, page(1024), block, 9));
	t = (struct taken){.guest = NULL};
	CHECK_OK(mm_aspace_take_back(&g->as, g->as.limits, take, &t));
	CHECK_EQ(t.calls, 1);
	CHECK_EQ(t.pages, 512);
	free_own(g, block, 9);
	free_own(g, one, 0);
	guest_close(g);
}

/* Several areas, others between them, and both ends inside a block. */
static void a_range_over_many_areas(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct taken t = {.guest = NULL};
	mm_hpa_t low = own_block(g, 9, 1), high = own_block(g, 9, 2);

	CHECK_OK(mm_aspace_map_supplied(&g->as, pages(512, 512), MM_RW, MM_NORMAL, 1));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(1024, 512), MM_RW, lazily));
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(1536, 512), mm_hpa_at(0), MM_R, MM_NORMAL, 1));
	CHECK_OK(mm_aspace_map_device(&g->as, pages(2048, 1)));
	CHECK_OK(mm_aspace_map_supplied(&g->as, pages(2560, 512), MM_RW, MM_NORMAL, 1));
	CHECK_OK(mm_aspace_supply(&g->as, page(512), low, 9));
	CHECK_OK(mm_aspace_supply(&g->as, page(2560), high, 9));
	guest_store(g, page(1500), 9);
	for (unsigned p = 512; p < 3072; p += 512)
		(void)guest_touch(g, page(p), MM_R);

	uint64_t before = guest_fingerprint(g);

	hal_test_fail_after(g->hal, 1);
	CHECK_ERR(mm_aspace_take_back(&g->as, pages(1000, 1600), take, &t), MM_NO_MEMORY);
	hal_test_fail_after(g->hal, 2);
	CHECK_ERR(mm_aspace_take_back(&g->as, pages(1000, 1600), take, &t), MM_NO_MEMORY);
	hal_test_fail_after(g->hal, 0);
	CHECK_EQ(t.calls, 0);
	CHECK_EQ(guest_fingerprint(g), before);
	CHECK_OK(mm_aspace_take_back(&g->as, pages(1000, 1600), take, &t));
	CHECK_EQ(t.pages, 24 + 40);
	CHECK_EQ(t.first_hpa.raw, low.raw + 488 * MM_PAGE_SIZE);
	CHECK_EQ(guest_load(g, page(1500)), 9);
	CHECK_EQ(guest_walk(g, page(1536), MM_R).level, geo->config.max_leaf == 0 ? 0 : 1);
	CHECK_EQ(guest_load(g, page(999)), 1);
	CHECK_EQ(guest_load(g, page(2600)), 2);
	EXPECT_FAULT(g, page(1000), MM_R, MM_FAULT_NEEDS_FRAME);
	EXPECT_FAULT(g, page(2599), MM_R, MM_FAULT_NEEDS_FRAME);
	mm_aspace_clear(&g->as);
	free_own(g, low, 9);
	free_own(g, high, 9);
	guest_close(g);
}

/* --- beside the other features --- */

static void a_log_sees_writes_and_not_supplies(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct taken t = {.guest = g};
	uint64_t bitmap[1] = {0};

	CHECK_OK(mm_aspace_map_supplied(&g->as, pages(0, 16), MM_RW, MM_NORMAL, 0));
	CHECK_OK(mm_aspace_supply(&g->as, page(1), own_block(g, 0, 1), 0));
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, false));
	CHECK_OK(mm_aspace_supply(&g->as, page(2), own_block(g, 0, 2), 0));
	CHECK_OK(mm_aspace_supply(&g->as, page(3), own_block(g, 0, 3), 0));
	(void)guest_load(g, page(3));
	CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(0, 16), bitmap));
	CHECK_EQ(bitmap[0], 0);
	guest_store(g, page(1), 7);
	guest_store(g, page(3), 7);
	CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(0, 16), bitmap));
	CHECK_EQ(bitmap[0], 0xa);
	mm_aspace_dirty_stop(&g->as);
	EXPECT_TOUCH(g, page(2), MM_W, TOUCH_HIT);
	CHECK_OK(mm_aspace_take_back(&g->as, g->as.limits, take, &t));
	CHECK_EQ(t.pages, 3);
	guest_close(g);
}

static void a_snapshot_cannot_hold_them(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	static struct mm_snapshot s;

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 16), MM_RW, lazily));
	CHECK_OK(mm_aspace_map_supplied(&g->as, pages(16, 16), MM_RW, MM_NORMAL, 0));
	CHECK_ERR(mm_aspace_snapshot_take(&g->as, &s), MM_UNSUPPORTED);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(16, 16)));
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
	CHECK_ERR(mm_aspace_map_supplied(&g->as, pages(16, 16), MM_RW, MM_NORMAL, 0), MM_BUSY);
	mm_aspace_snapshot_drop(&g->as, &s);
	CHECK_OK(mm_aspace_map_supplied(&g->as, pages(16, 16), MM_RW, MM_NORMAL, 0));
	guest_close(g);
}

/* --- frames for tables, and two CPUs --- */

static void tables_count_and_may_run_out(const struct geometry *geo)
{
	struct hal_test *hal = hal_test_open(
		(struct hal_test_options){.root_order = mm_npt_root_order(&geo->config)});
	struct mm_aspace_config config = guest_config(geo, hal);
	uint64_t root = UINT64_C(1) << mm_npt_root_order(&geo->config);

	config.quota = root + geo->config.levels - 2; /* one table is missing */
	struct guest *g = guest_open_with(geo, hal, &config);
	mm_hpa_t frame = own_block(g, 0, 1);
	uint64_t before;

	CHECK_OK(mm_aspace_map_supplied(&g->as, pages(0, 16), MM_RW, MM_NORMAL, 0));
	before = guest_fingerprint(g);
	CHECK_ERR(mm_aspace_supply(&g->as, page(0), frame, 0), MM_QUOTA);
	hal_test_fail_after(hal, 1);
	g->as.npt.quota++;
	CHECK_ERR(mm_aspace_supply(&g->as, page(0), frame, 0), MM_NO_MEMORY);
	hal_test_fail_after(hal, 0);
	CHECK_EQ(guest_fingerprint(g), before);
	/* Enough for the tables: the frames count for nothing. */
	CHECK_OK(mm_aspace_supply(&g->as, page(0), frame, 0));
	for (unsigned p = 1; p < 16; p++)
		CHECK_OK(mm_aspace_supply(&g->as, page(p), frame, 0));
	CHECK_EQ(guest_stats(g).frames, 0);
	CHECK_EQ(guest_stats(g).tables, root + geo->config.levels - 1);
	mm_aspace_clear(&g->as);
	free_own(g, frame, 0);
	guest_close(g);
}

struct rival {
	struct guest *guest;
	mm_hpa_t frame;
};

static void supply_too(void *ctx)
{
	struct rival *r = ctx;

	hal_test_set_cpu(1);
	CHECK_OK(mm_aspace_supply(&r->guest->as, page(5), r->frame, 0));
	hal_test_set_cpu(0);
}

/* The other CPU is first while this one takes tables: its frame stays, and all tables come back. */
static void of_two_frames_one_is_used(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct rival rival = {g, own_block(g, 0, 1)};
	mm_hpa_t late = own_block(g, 0, 2);

	CHECK_OK(mm_aspace_map_supplied(&g->as, pages(0, 16), MM_RW, MM_NORMAL, 0));
	hal_test_interlude(g->hal, 1, supply_too, &rival);
	CHECK_ERR(mm_aspace_supply(&g->as, page(5), late, 0), MM_EXISTS);
	CHECK_EQ(guest_load(g, page(5)), 1);
	CHECK_EQ(g->hal->in_use, guest_stats(g).tables + 2);
	mm_aspace_clear(&g->as);
	free_own(g, rival.frame, 0);
	free_own(g, late, 0);
	guest_close(g);
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(hostile_arguments_are_refused),
		GEOMETRY_TEST(a_fault_asks_for_a_frame),
		GEOMETRY_TEST(no_call_frees_them),
		GEOMETRY_TEST(a_block_is_one_leaf_and_comes_back_in_parts),
		GEOMETRY_TEST(a_range_over_many_areas),
		GEOMETRY_TEST(a_log_sees_writes_and_not_supplies),
		GEOMETRY_TEST(a_snapshot_cannot_hold_them),
		GEOMETRY_TEST(tables_count_and_may_run_out),
		GEOMETRY_TEST(of_two_frames_one_is_used),
	};

	return run_geometry_tests("supply", tests, MM_ARRAY_SIZE(tests));
}
