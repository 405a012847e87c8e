/* SPDX-License-Identifier: BSD-2-Clause */
/* Tags that change, and memory that two guests share. */
#include "guest.h"
#include "mm/block.h"
#include "mm/dirty.h"
#include "mm/snapshot.h"

#include "mm/compiler.h"

static const struct mm_aspace_backing lazily = {0};

static struct hal_test *open_hal(const struct geometry *geo)
{
	return hal_test_open(
		(struct hal_test_options){.root_order = mm_npt_root_order(&geo->config)});
}

static struct guest *open_tagged(const struct geometry *geo, struct hal_test *hal, uint32_t tag,
                                 uint64_t quota)
{
	struct mm_aspace_config config = guest_config(geo, hal);

	config.tag = tag;
	config.quota = quota;
	return guest_open_with(geo, hal, &config);
}

/* --- tags --- */

/* As a hypervisor does it: stop the guest, flush the old tag, set the new one. */
static void change_tag(struct guest *g, uint32_t tag)
{
	struct mm_flush all = {
		.root = mm_aspace_root(&g->as),
		.tag = mm_aspace_tag(&g->as),
		.all = true,
		.tables = true,
	};

	g->hal->hal.flush(g->hal, &all);
	ghost_tlb_unwatch(&g->hal->tlb, all.tag);
	mm_aspace_set_tag(&g->as, tag);
	watch_aspace(&g->as, g->geo, g->hal);
}

static void flushes_name_the_new_tag(const struct geometry *geo)
{
	static const uint32_t tags[] = {2, 0, 0xffff, 0xffffffff, 1};
	struct guest *g = open_tagged(geo, open_hal(geo), 1, UINT64_MAX);
	static struct mm_snapshot s;

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 40), MM_RW, lazily));
	for (unsigned i = 0; i < MM_ARRAY_SIZE(tags); i++) {
		for (unsigned p = 500; p < 540; p++)
			guest_store(g, page(p), (uint8_t)(p + i));

		uint64_t flushes = g->hal->flushes, changes = guest_stats(g).changes;

		change_tag(g, tags[i]);
		CHECK_EQ(g->hal->flushes, flushes + 1); /* the one of this test */
		CHECK_EQ(guest_stats(g).changes, changes + 1);
		CHECK_EQ(mm_aspace_tag(&g->as), tags[i]);
		/* Each of these flushes, and the ghost TLB knows the new tag alone. */
		for (unsigned p = 500; p < 540; p++)
			CHECK_EQ(guest_load(g, page(p)), (uint8_t)(p + i));
		CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
		guest_store(g, page(510), 1);
		CHECK_OK(mm_aspace_snapshot_restore(&g->as, &s));
		CHECK_EQ(guest_load(g, page(510)), (uint8_t)(510 + i));
		mm_aspace_snapshot_drop(&g->as, &s);
		CHECK_OK(mm_aspace_protect(&g->as, pages(500, 10), MM_R));
		EXPECT_FAULT(g, page(505), MM_W, MM_FAULT_PERMISSION);
		CHECK_OK(mm_aspace_unmap(&g->as, pages(520, 10)));
		EXPECT_FAULT(g, page(525), MM_R, MM_FAULT_NOT_MAPPED);
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(520, 10), MM_RW, lazily));
		CHECK_OK(mm_aspace_protect(&g->as, pages(500, 10), MM_RW));
	}
	guest_close(g);
}

/* --- shared blocks --- */

static void holders_are_counted(const struct geometry *geo)
{
	struct hal_test *hal = open_hal(geo);
	struct mm_shared_block b = {.holders = 7};

	hal_test_fail_after(hal, 1);
	CHECK_ERR(mm_shared_block_alloc(&hal->hal, 0, &b), MM_NO_MEMORY);
	hal_test_fail_after(hal, 0);
	CHECK_EQ(b.holders, 0);
	CHECK_ERR(mm_shared_block_hold(&b), MM_INVALID);
	CHECK(!mm_shared_block_drop(&hal->hal, &b));
	CHECK_ERR(mm_shared_block_alloc(&hal->hal, 64, &b), MM_NO_MEMORY);
	CHECK_OK(mm_shared_block_alloc(&hal->hal, 2, &b));
	CHECK_BYTES(mm_block_ptr(&hal->hal, &b.block), 0, 4 * MM_PAGE_SIZE);
	CHECK_EQ(hal->in_use, 4);
	CHECK_OK(mm_shared_block_hold(&b));
	CHECK_OK(mm_shared_block_hold(&b));
	CHECK(!mm_shared_block_drop(&hal->hal, &b));
	CHECK(!mm_shared_block_drop(&hal->hal, &b));
	CHECK_EQ(hal->in_use, 4);
	CHECK(mm_shared_block_drop(&hal->hal, &b));
	CHECK_EQ(hal->in_use, 0);
	CHECK(!mm_shared_block_drop(&hal->hal, &b));
	CHECK_EQ(b.holders, 0);
	CHECK_ERR(mm_shared_block_hold(&b), MM_INVALID);
	b.holders = UINT64_MAX;
	CHECK_ERR(mm_shared_block_hold(&b), MM_INVALID);
	CHECK_EQ(b.holders, UINT64_MAX);
	hal_test_close(hal);
}

static uint64_t written(struct guest *g)
{
	uint64_t bitmap[1] = {0};

	CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(0, 64), bitmap));
	return bitmap[0];
}

/* Two guests, the same frames at different addresses; each with its quota and its log. */
static void two_guests_share_memory(const struct geometry *geo)
{
	struct hal_test *hal = open_hal(geo);
	uint64_t quota =
		2 * ((UINT64_C(1) << mm_npt_root_order(&geo->config)) + geo->config.levels);
	struct guest *a = open_tagged(geo, hal, 1, quota), *b = open_tagged(geo, hal, 2, quota);
	struct mm_shared_block block;
	struct mm_snapshot s;

	CHECK_OK(mm_shared_block_alloc(&hal->hal, 4, &block));
	CHECK_OK(mm_aspace_map_linear(&a->as, pages(0, 16), block.block.pa, MM_RW, MM_NORMAL, 0));
	CHECK_OK(mm_shared_block_hold(&block));
	CHECK_OK(mm_aspace_map_linear(&b->as, pages(32, 16), block.block.pa, MM_RW, MM_NORMAL, 0));
	guest_store(a, page(3), 0x31);
	CHECK_EQ(guest_load(b, page(35)), 0x31);
	guest_store(b, page(36), 0x32);
	CHECK_EQ(guest_load(a, page(4)), 0x32);
	CHECK_EQ(guest_stats(a).frames + guest_stats(b).frames, 0);
	/* Each log reports the writes of its own guest. */
	CHECK_OK(mm_aspace_dirty_start(&a->as, MM_DIRTY_WRITE_PROTECT, false));
	CHECK_OK(mm_aspace_dirty_start(&b->as, MM_DIRTY_WRITE_PROTECT, false));
	guest_store(a, page(5), 1);
	guest_store(b, page(38), 1);
	CHECK_EQ(written(a), UINT64_C(1) << 5);
	CHECK_EQ(written(b), UINT64_C(1) << 38);
	mm_aspace_dirty_stop(&a->as);
	CHECK_OK(mm_aspace_write(&b->as, page(39), "x", 1));
	CHECK_EQ(written(b), UINT64_C(1) << 39);
	mm_aspace_dirty_stop(&b->as);
	/* A snapshot of one does not undo what either has written. */
	CHECK_OK(mm_aspace_snapshot_take(&a->as, &s));
	guest_store(a, page(8), 0x55);
	guest_store(b, page(41), 0x56);
	CHECK_OK(mm_aspace_snapshot_restore(&a->as, &s));
	CHECK_EQ(guest_load(b, page(40)), 0x55);
	CHECK_EQ(guest_load(a, page(9)), 0x56);
	mm_aspace_snapshot_drop(&a->as, &s);
	/* The first to go leaves it to the other. */
	CHECK_OK(mm_aspace_unmap(&a->as, pages(0, 16)));
	CHECK(!mm_shared_block_drop(&hal->hal, &block));
	CHECK_EQ(guest_load(b, page(40)), 0x55);
	CHECK_OK(mm_aspace_unmap(&b->as, pages(32, 16)));
	CHECK(mm_shared_block_drop(&hal->hal, &block));
	guest_close(a);
	guest_close(b);
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(flushes_name_the_new_tag),
		GEOMETRY_TEST(holders_are_counted),
		GEOMETRY_TEST(two_guests_share_memory),
	};

	return run_geometry_tests("share", tests, MM_ARRAY_SIZE(tests));
}
