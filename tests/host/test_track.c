/* SPDX-License-Identifier: BSD-2-Clause */
/* What is present, what was touched and written, and going back: leaves, marks, logs, snapshots. */
#include "mm/dirty.h"
#include "mm/snapshot.h"

#include "guest.h"

#include <stdlib.h>
#include <string.h>

#include "mm/compiler.h"

static const struct hal_test_options plain = {0};
static const struct mm_aspace_backing lazy = {0};

/* --- leaves --- */

struct leaves {
	struct mm_npt_leaf seen[64];
	unsigned count, stop_after;
};

static bool note_leaf(void *ctx, const struct mm_npt_leaf *leaf)
{
	struct leaves *l = ctx;
	CHECK(l->count < MM_ARRAY_SIZE(l->seen));
	l->seen[l->count++] = *leaf;
	return l->count != l->stop_after;
}

static void leaves_come_in_order(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct leaves l = {0};
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(510, 2 + 512 + 1), mm_hpa_at(0x401fe000), MM_RX,
	                              MM_DEVICE, 1));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(2000, 8), MM_RW, lazy));
	guest_store(g, page(2003), 1);
	guest_store(g, page(2005), 1);
	CHECK_OK(mm_aspace_protect(&g->as, pages(2005, 1), MM_NONE));
	CHECK_OK(mm_aspace_for_each_leaf(&g->as, pages(0, 4096), note_leaf, &l));
	static const uint64_t numbers[] = {510, 511, 512, 1024, 2003, 2005};
	CHECK_EQ(l.count, MM_ARRAY_SIZE(numbers));
	for (unsigned i = 0; i < l.count; i++) {
		CHECK_EQ(l.seen[i].gpa.raw, numbers[i] * MM_PAGE_SIZE);
		CHECK_EQ(l.seen[i].level, i == 2);
		CHECK_EQ(l.seen[i].perm, i < 4 ? MM_RX : i == 4 ? MM_RW : MM_NONE);
		CHECK_EQ(l.seen[i].memtype, i < 4 ? MM_DEVICE : MM_NORMAL);
		if (i < 4)
			CHECK_EQ(l.seen[i].hpa.raw, 0x401fe000 + (numbers[i] - 510) * MM_PAGE_SIZE);
	}
	/* A range that begins inside a large leaf meets it. */
	l.count = 0;
	CHECK_OK(mm_aspace_for_each_leaf(&g->as, pages(700, 1), note_leaf, &l));
	CHECK_EQ(l.count, 1);
	CHECK_EQ(l.seen[0].gpa.raw, 512 * MM_PAGE_SIZE);
	l = (struct leaves){.stop_after = 2};
	CHECK_OK(mm_aspace_for_each_leaf(&g->as, pages(0, 4096), note_leaf, &l));
	CHECK_EQ(l.count, 2);
	CHECK_ERR(mm_aspace_for_each_leaf(&g->as, mm_gpa_range(mm_gpa_at(1), 1), note_leaf, &l),
	          MM_MISALIGNED);
	guest_close(g);
}

/* The walk as a report shows it: every entry from the root down to the one that decides. */
/* What hardware has marked is told, as far as it marks anything here. */
static void leaves_tell_their_marks(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	bool marks = geo->config.accessed_dirty;
	struct leaves l = {0};
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 3), MM_RW,
	                             (struct mm_aspace_backing){.populate = true}));
	EXPECT_TOUCH(g, page(501), MM_R, TOUCH_HIT);
	EXPECT_TOUCH(g, page(502), MM_W, TOUCH_HIT);
	CHECK_OK(mm_aspace_for_each_leaf(&g->as, pages(500, 3), note_leaf, &l));
	CHECK_EQ(l.count, 3);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(l.seen[i].accessed, marks && i >= 1);
		CHECK_EQ(l.seen[i].dirty, marks && i == 2);
	}
	guest_close(g);
}

/* A log that has withheld nothing ends without a flush. */
static void an_idle_log_flushes_nothing(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 8), MM_RW, lazy));
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, false));
	uint64_t before = guest_stats(g).flushes;
	mm_aspace_dirty_stop(&g->as);
	CHECK_EQ(guest_stats(g).flushes, before);
	guest_close(g);
}

static void steps_of_a_walk(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_npt_step steps[MM_NPT_MAX_LEVELS];
	CHECK_EQ(mm_aspace_steps(&g->as, page(3), steps), 1);
	CHECK_EQ(steps[0].level, geo->config.levels - 1);
	CHECK_EQ(steps[0].entry, 0);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(3, 1), MM_RW, lazy));
	guest_store(g, page(3), 1);
	CHECK_EQ(mm_aspace_steps(&g->as, page(3), steps), geo->config.levels);
	CHECK_EQ(steps[geo->config.levels - 1].index, 3);
	CHECK_EQ(steps[geo->config.levels - 1].entry, guest_walk(g, page(3), MM_R).entry);
	CHECK_EQ(mm_aspace_steps(&g->as, mm_gpa_at(UINT64_C(1) << mm_npt_gpa_bits(&geo->config)),
	                         steps),
	         0);
	guest_close(g);
}

/* --- the hardware's marks --- */

static bool has_marks(const struct geometry *geo)
{
	return geo->config.accessed_dirty;
}

static bool has_no_marks(const struct geometry *geo)
{
	return !geo->config.accessed_dirty;
}

static void harvest_reports_and_clears(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct leaves l = {0};
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 8), MM_RW,
	                             (struct mm_aspace_backing){.populate = true}));
	CHECK_OK(
		mm_aspace_harvest(&g->as, pages(0, 8), note_leaf, &l)); /* whatever it began with */
	l.count = 0;
	EXPECT_TOUCH(g, page(1), MM_R, TOUCH_HIT);
	EXPECT_TOUCH(g, page(3), MM_W, TOUCH_HIT);
	for (unsigned again = 0; again < 2; again++) {
		CHECK_OK(mm_aspace_harvest(&g->as, pages(0, 8), note_leaf, &l));
		CHECK_EQ(l.count, again ? 0 : 2);
		for (unsigned i = 0; i < l.count; i++) {
			CHECK_EQ(l.seen[i].gpa.raw, (i ? 3 : 1) * MM_PAGE_SIZE);
			CHECK(l.seen[i].accessed);
			CHECK_EQ(l.seen[i].dirty, i == 1);
			CHECK_EQ(l.seen[i].perm, MM_RW);
		}
		l.count = 0;
	}
	/* The flush made the hardware look again: the next write leaves its mark again. */
	EXPECT_TOUCH(g, page(3), MM_W, TOUCH_HIT);
	CHECK_OK(mm_aspace_harvest(&g->as, pages(0, 8), note_leaf, &l));
	CHECK_EQ(l.count, 1);
	CHECK(l.seen[0].dirty);
	/* Ended early: what was not visited keeps its marks. */
	EXPECT_TOUCH(g, page(2), MM_W, TOUCH_HIT);
	EXPECT_TOUCH(g, page(4), MM_W, TOUCH_HIT);
	l = (struct leaves){.stop_after = 1};
	CHECK_OK(mm_aspace_harvest(&g->as, pages(0, 8), note_leaf, &l));
	l = (struct leaves){0};
	CHECK_OK(mm_aspace_harvest(&g->as, pages(0, 8), note_leaf, &l));
	CHECK_EQ(l.count, 1);
	CHECK_EQ(l.seen[0].gpa.raw, 4 * MM_PAGE_SIZE);
	CHECK_ERR(mm_aspace_harvest(&g->as, pages(0, 0), note_leaf, &l), MM_INVALID);
	guest_close(g);
}

/* A dirty mark survives what takes the permission that it may be stored in. */
static void marks_survive_protection(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct leaves l = {0};
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 2), MM_RW, lazy));
	guest_store(g, page(0), 1);
	CHECK_OK(mm_aspace_protect(&g->as, pages(0, 2), MM_R));
	EXPECT_FAULT(g, page(0), MM_W, MM_FAULT_PERMISSION);
	CHECK_OK(mm_aspace_for_each_leaf(&g->as, pages(0, 2), note_leaf, &l));
	CHECK_EQ(l.count, 1);
	CHECK(l.seen[0].dirty);
	CHECK_OK(mm_aspace_protect(&g->as, pages(0, 2), MM_NONE));
	CHECK_OK(mm_aspace_protect(&g->as, pages(0, 2), MM_RW));
	l.count = 0;
	CHECK_OK(mm_aspace_for_each_leaf(&g->as, pages(0, 2), note_leaf, &l));
	CHECK(l.seen[0].dirty);
	guest_close(g);
}

static void no_marks_no_harvest(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct leaves l = {0};
	CHECK_ERR(mm_aspace_harvest(&g->as, pages(0, 8), note_leaf, &l), MM_UNSUPPORTED);
	CHECK_ERR(mm_aspace_dirty_start(&g->as, MM_DIRTY_HARDWARE, false), MM_UNSUPPORTED);
	guest_close(g);
}

/* --- the dirty log --- */

/* Pages 0 to 63 of the range, as one word. */
static uint64_t collect(struct guest *g, struct mm_gpa_range range)
{
	uint64_t bitmap[64] = {0};
	CHECK_OK(mm_aspace_dirty_collect(&g->as, range, bitmap));
	return bitmap[0];
}

static void log_of_single_pages(const struct geometry *geo)
{
	for (unsigned hardware = 0; hardware <= geo->config.accessed_dirty; hardware++) {
		struct guest *g = guest_open(geo, plain);
		enum mm_dirty_mode mode = hardware ? MM_DIRTY_HARDWARE : MM_DIRTY_WRITE_PROTECT;
		uint8_t byte = 9;
		check_context("format=%s hardware=%u", geo->name, hardware);
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 32), MM_RW,
		                             (struct mm_aspace_backing){.populate = true}));
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(532, 8), MM_RW, lazy));
		for (unsigned p = 500; p < 532; p++)
			guest_store(g, page(p), 1);
		CHECK_OK(mm_aspace_dirty_start(&g->as, mode, false));
		CHECK_EQ(collect(g, pages(500, 40)), 0); /* all that was before is clean */
		CHECK_EQ(guest_load(g, page(501)), 1);   /* a read is no write */
		guest_store(g, page(503), 2);
		guest_store(g, page(513), 2);
		guest_store(g, page(535), 2);
		CHECK_OK(mm_aspace_write(&g->as, mm_gpa_plus(page(520), 4095), (uint8_t[2]){7, 7},
		                         2));
		CHECK_OK(mm_aspace_read(&g->as, page(525), &byte, 1));
		const uint64_t want = UINT64_C(1) << 3 | UINT64_C(1) << 13 | UINT64_C(1) << 35 |
		                      UINT64_C(3) << 20;
		CHECK_EQ(collect(g, pages(500, 40)), want);
		CHECK_EQ(collect(g, pages(500, 40)), 0);
		guest_store(g, page(503), 3);
		guest_store(g, page(504), 3);
		CHECK_EQ(collect(g, pages(504, 8)), 1); /* in part: 503 is kept for later */
		CHECK_EQ(collect(g, pages(500, 8)), 1 << 3);
		/* While it runs. */
		CHECK_ERR(mm_aspace_dirty_start(&g->as, mode, false), MM_BUSY);
		CHECK_ERR(mm_aspace_protect(&g->as, pages(500, 1), MM_R), MM_BUSY);
		CHECK_OK(mm_aspace_unmap(&g->as, pages(500, 2)));
		mm_aspace_dirty_stop(&g->as);
		mm_aspace_dirty_stop(&g->as); /* nothing to stop: nothing happens */
		for (unsigned p = 502; p < 532; p++)
			EXPECT_TOUCH(g, page(p), MM_W, TOUCH_HIT); /* writable again */
		uint64_t bitmap[1];
		CHECK_ERR(mm_aspace_dirty_collect(&g->as, pages(500, 1), bitmap), MM_INVALID);
		CHECK_OK(mm_aspace_protect(&g->as, pages(510, 1), MM_R));
		guest_close(g);
	}
}

static void log_splits_large_leaves_if_asked(const struct geometry *geo)
{
	for (unsigned split = 0; split < 2; split++) {
		struct guest *g = guest_open(geo, plain);
		uint64_t bitmap[8] = {0};
		unsigned set = 0;
		check_context("format=%s split=%u", geo->name, split);
		CHECK_OK(mm_aspace_map_alloc(
			&g->as, pages(512, 512), MM_RW,
			(struct mm_aspace_backing){.populate = true, .max_leaf = 1}));
		CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, split != 0));
		EXPECT_TOUCH(g, page(700), MM_W, TOUCH_SERVED);
		CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(512, 512), bitmap));
		for (unsigned p = 0; p < 512; p++)
			set += bitmap[p / 64] >> (p % 64) & 1;
		CHECK_EQ(set, split ? 1 : 512);
		CHECK(bitmap[188 / 64] >> (188 % 64) & 1);
		CHECK_EQ(guest_stats(g).leaves[1], !split);
		mm_aspace_dirty_stop(&g->as);
		CHECK_EQ(guest_stats(g).leaves[1], 1); /* merged again */
		EXPECT_TOUCH(g, page(701), MM_W, TOUCH_HIT);
		guest_close(g);
	}
}

/* No table for the split: the leaf stays whole, counts as written, and the guest goes on. */
static void log_without_a_table_for_a_split(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	uint64_t bitmap[8] = {0};
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, 512), MM_RW,
	                             (struct mm_aspace_backing){.populate = true, .max_leaf = 1}));
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, true));
	hal_test_fail_after(g->hal, 1);
	EXPECT_TOUCH(g, page(700), MM_W, TOUCH_SERVED);
	hal_test_fail_after(g->hal, 0);
	/* A range that the leaf sticks out of: reported, and not clean yet. */
	CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(512, 64), bitmap));
	CHECK_EQ(bitmap[0], UINT64_MAX);
	CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(512, 512), bitmap));
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQ(bitmap[i], UINT64_MAX);
	CHECK_EQ(collect(g, pages(512, 512)), 0);
	mm_aspace_dirty_stop(&g->as);
	guest_close(g);
}

static void log_by_hardware_over_large_leaves(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, 512), MM_RW,
	                             (struct mm_aspace_backing){.populate = true, .max_leaf = 1}));
	struct leaves l = {0};
	CHECK_ERR(mm_aspace_dirty_start(&g->as, MM_DIRTY_HARDWARE, true), MM_UNSUPPORTED);
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_HARDWARE, false));
	CHECK_ERR(mm_aspace_harvest(&g->as, pages(512, 8), note_leaf, &l), MM_BUSY);
	guest_store(g, page(700), 1);
	CHECK_EQ(collect(g, pages(576, 64)), UINT64_MAX);
	CHECK_EQ(collect(g, pages(512, 512)), UINT64_MAX);
	CHECK_EQ(collect(g, pages(512, 512)), 0);
	mm_aspace_dirty_stop(&g->as);
	guest_close(g);
}

/* --- snapshots --- */

static void expect_marks(struct guest *g, unsigned first, unsigned n, uint8_t add)
{
	for (unsigned p = first; p < first + n; p++)
		CHECK_EQ(guest_load(g, page(p)), (uint8_t)(p + add));
}

static void put_marks(struct guest *g, unsigned first, unsigned n, uint8_t add)
{
	for (unsigned p = first; p < first + n; p++)
		guest_store(g, page(p), (uint8_t)(p + add));
}

static void a_snapshot_is_gone_back_to(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_snapshot s;
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 24), MM_RW, lazy));
	put_marks(g, 500, 20, 1);
	size_t before = g->hal->in_use;
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
	/* Tables, and no page. */
	CHECK(g->hal->in_use - before < 8 + (UINT64_C(1) << mm_npt_root_order(&geo->config)));
	expect_marks(g, 500, 20, 1);
	for (unsigned round = 0; round < 3; round++) {
		put_marks(g, 505, 10, (uint8_t)(50 + round));
		guest_store(g, page(522), 1); /* not there at the time */
		expect_marks(g, 505, 10, (uint8_t)(50 + round));
		expect_marks(g, 500, 5, 1);
		CHECK_OK(mm_aspace_snapshot_restore(&g->as, &s));
		expect_marks(g, 500, 20, 1);
		CHECK_EQ(guest_load(g, page(522)), 0);
	}
	put_marks(g, 500, 3, 99);
	mm_aspace_snapshot_drop(&g->as, &s);
	expect_marks(g, 500, 3, 99); /* dropping is not restoring */
	expect_marks(g, 503, 17, 1);
	put_marks(g, 500, 20, 7);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(500, 24)));
	guest_close(g);
}

/* Two snapshots, back and forth; pages of one are not those of the other. */
static void snapshots_in_any_order(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_snapshot a, b;
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 24), MM_RW, lazy));
	put_marks(g, 500, 8, 1);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &a));
	put_marks(g, 504, 20, 2); /* tables of its own, beyond page 512 */
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &b));
	put_marks(g, 500, 24, 3);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &a));
	expect_marks(g, 500, 8, 1);
	CHECK_EQ(guest_load(g, page(520)), 0);
	put_marks(g, 518, 2, 4);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &b));
	expect_marks(g, 500, 4, 1);
	expect_marks(g, 504, 20, 2);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &a));
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &b));
	mm_aspace_snapshot_drop(&g->as, &a);
	expect_marks(g, 504, 20, 2);
	put_marks(g, 500, 24, 5);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &b));
	expect_marks(g, 504, 20, 2);
	/* Destruction drops what is left. */
	guest_close(g);
}

/* To go back to tables that another restore has taken away needs frames: none, and all is as it
 * was. */
static void restoring_fails_without_a_trace(const struct geometry *geo)
{
	for (unsigned n = 1; n < 5; n++) {
		struct guest *g = guest_open(geo, plain);
		struct mm_snapshot a, b;
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 2000), MM_RW, lazy));
		put_marks(g, 500, 8, 1);
		CHECK_OK(mm_aspace_snapshot_take(&g->as, &a));
		put_marks(g, 512, 12, 2); /* in three tables that there were not before */
		put_marks(g, 1500, 4, 2);
		put_marks(g, 2100, 4, 2);
		CHECK_OK(mm_aspace_snapshot_take(&g->as, &b));
		CHECK_OK(mm_aspace_snapshot_restore(&g->as, &a));
		uint64_t before = guest_fingerprint(g);
		hal_test_fail_after(g->hal, n);
		enum mm_error err = mm_aspace_snapshot_restore(&g->as, &b);
		hal_test_fail_after(g->hal, 0);
		if (err != MM_OK) {
			CHECK_ERR(err, MM_NO_MEMORY);
			CHECK_EQ(guest_fingerprint(g), before);
			expect_marks(g, 500, 8, 1);
			CHECK_OK(mm_aspace_snapshot_restore(&g->as, &b));
		}
		expect_marks(g, 512, 12, 2);
		guest_close(g);
	}
}

static void taking_fails_without_a_trace(const struct geometry *geo)
{
	bool taken = false;
	for (unsigned n = 1; !taken; n++) {
		struct guest *g = guest_open(geo, plain);
		struct mm_snapshot s;
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 24), MM_RW, lazy));
		put_marks(g, 500, 24, 1);
		uint64_t before = guest_fingerprint(g);
		hal_test_fail_after(g->hal, n);
		enum mm_error err = mm_aspace_snapshot_take(&g->as, &s);
		hal_test_fail_after(g->hal, 0);
		taken = err == MM_OK;
		if (!taken) {
			CHECK_ERR(err, MM_NO_MEMORY);
			CHECK_EQ(guest_fingerprint(g), before);
		}
		put_marks(g, 500, 24, 2);
		guest_close(g);
	}
}

/* A shared page that cannot be copied: the write faults, and says why. */
static void copying_without_a_frame(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_snapshot s;
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 4), MM_RW, lazy));
	put_marks(g, 500, 4, 1);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
	hal_test_fail_after(g->hal, 1);
	EXPECT_FAULT(g, page(501), MM_W, MM_FAULT_NO_MEMORY);
	CHECK_ERR(mm_aspace_store(&g->as, page(501), 1, 9), MM_NO_MEMORY);
	hal_test_fail_after(g->hal, 0);
	expect_marks(g, 500, 4, 1);
	put_marks(g, 500, 4, 2);
	/* The last holder of a frame just gets its permission back. */
	mm_aspace_snapshot_drop(&g->as, &s);
	size_t in_use = g->hal->in_use;
	put_marks(g, 500, 4, 3);
	CHECK_EQ(g->hal->in_use, in_use);
	guest_close(g);
}

/* Large pages are shared whole and split when written to: one page is copied, not 512. */
static void snapshots_of_large_leaves(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, (struct hal_test_options){.frames = 8192});
	struct mm_snapshot a, b;
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, 1024), MM_RW,
	                             (struct mm_aspace_backing){.populate = true, .max_leaf = 1}));
	for (unsigned p = 512; p < 1536; p += 50)
		guest_store(g, page(p), (uint8_t)p);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &a));
	CHECK_EQ(guest_stats(g).leaves[1], 2);
	size_t in_use = g->hal->in_use;
	for (unsigned n = 1; n <= 2; n++) { /* a table to split it, a frame to copy to */
		hal_test_fail_after(g->hal, n);
		EXPECT_FAULT(g, page(612), MM_W, MM_FAULT_NO_MEMORY);
		hal_test_fail_after(g->hal, 0);
		CHECK_EQ(guest_load(g, page(612)), (uint8_t)612);
	}
	guest_store(g, page(612), 1);
	CHECK(g->hal->in_use - in_use <= 3);
	for (unsigned p = 512; p < 1536; p += 50)
		CHECK_EQ(guest_load(g, page(p)), p == 612 ? 1 : (uint8_t)p);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &b));
	guest_store(g, page(1112), 2);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &a));
	for (unsigned p = 512; p < 1536; p += 50)
		CHECK_EQ(guest_load(g, page(p)), (uint8_t)p);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &b));
	CHECK_EQ(guest_load(g, page(612)), 1);
	mm_aspace_snapshot_drop(&g->as, &a);
	for (unsigned p = 512; p < 1536; p += 50)
		CHECK_EQ(guest_load(g, page(p)), p == 612 ? 1 : (uint8_t)p);
	guest_store(g, page(513), 3);
	mm_aspace_snapshot_drop(&g->as, &b);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(512, 1024)));
	guest_close(g);
}

/* A leaf of which one page has a frame of its own by now: alike again, but never one again. */
static void a_copied_page_keeps_a_leaf_split(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, (struct hal_test_options){.frames = 8192});
	struct mm_snapshot s;
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, 1024), MM_RW,
	                             (struct mm_aspace_backing){.populate = true, .max_leaf = 1}));
	guest_store(g, page(700), 1);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
	guest_store(g, page(700), 2);
	mm_aspace_snapshot_drop(&g->as, &s);
	for (unsigned p = 512; p < 1024; p++)
		guest_store(g, page(p), (uint8_t)(p == 700 ? 2 : 0)); /* all its own again */
	guest_store(g, page(1100), 3);
	CHECK_OK(mm_aspace_protect(&g->as, pages(1100, 1), MM_R)); /* splits the second one */
	CHECK_OK(mm_aspace_protect(&g->as, pages(512, 1024), MM_R));
	CHECK_OK(mm_aspace_protect(&g->as, pages(512, 1024), MM_RW));
	CHECK_EQ(guest_stats(g).leaves[1], 1); /* which merges, beside the first, which does not */
	CHECK_EQ(guest_stats(g).leaves[0], 512);
	CHECK_EQ(guest_load(g, page(700)), 2);
	CHECK_EQ(guest_load(g, page(1100)), 3);
	guest_close(g);
}

/* A log that splits beside a snapshot: what is still shared is not merged when it stops. */
static void a_log_beside_a_snapshot(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, (struct hal_test_options){.frames = 8192});
	struct mm_snapshot s;
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, 512), MM_RW,
	                             (struct mm_aspace_backing){.populate = true, .max_leaf = 1}));
	guest_store(g, page(700), 1);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, true));
	guest_store(g, page(700), 2);
	mm_aspace_dirty_stop(&g->as);
	CHECK_EQ(guest_load(g, page(700)), 2);
	guest_store(g, page(701), 3);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &s));
	CHECK_EQ(guest_load(g, page(700)), 1);
	CHECK_EQ(guest_load(g, page(701)), 0);
	mm_aspace_snapshot_drop(&g->as, &s);
	guest_close(g);
}

static void snapshots_and_logs_exclude_each_other(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_snapshot s, other;
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 4), MM_RW, lazy));
	put_marks(g, 500, 4, 1);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, false));
	CHECK_ERR(mm_aspace_snapshot_take(&g->as, &other), MM_BUSY);
	CHECK_ERR(mm_aspace_snapshot_restore(&g->as, &s), MM_BUSY);
	guest_store(g, page(501), 9);
	CHECK_EQ(collect(g, pages(500, 4)), 2);
	mm_aspace_dirty_stop(&g->as);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &s));
	expect_marks(g, 500, 4, 1);
	mm_aspace_clear(&g->as); /* drops it */
	CHECK_EQ(g->hal->in_use, UINT64_C(1) << mm_npt_root_order(&geo->config));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 4), MM_RW, lazy));
	guest_close(g);
}

/* Memory behind linear areas is not the library's: nothing is shared, nothing comes back. */
static void linear_memory_is_not_in_a_snapshot(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct hal_test *hal = g->hal;
	struct mm_snapshot s;
	mm_hpa_t host;
	CHECK_EQ(hal->hal.alloc(hal, 0, 1, &host), 1);
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(500, 1), host, MM_RW, MM_NORMAL, 0));
	guest_store(g, page(500), 1);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
	EXPECT_TOUCH(g, page(500), MM_W, TOUCH_HIT);
	guest_store(g, page(500), 2);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &s));
	CHECK_EQ(guest_load(g, page(500)), 2);
	mm_aspace_snapshot_drop(&g->as, &s);
	mm_aspace_clear(&g->as);
	hal->hal.free(hal, 0, 1, &host);
	guest_close(g);
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(leaves_come_in_order),
		GEOMETRY_TEST(leaves_tell_their_marks),
		GEOMETRY_TEST(an_idle_log_flushes_nothing),
		GEOMETRY_TEST(steps_of_a_walk),
		GEOMETRY_TEST_IF(harvest_reports_and_clears, has_marks),
		GEOMETRY_TEST_IF(marks_survive_protection, has_marks),
		GEOMETRY_TEST_IF(no_marks_no_harvest, has_no_marks),
		GEOMETRY_TEST(log_of_single_pages),
		GEOMETRY_TEST(log_splits_large_leaves_if_asked),
		GEOMETRY_TEST(log_without_a_table_for_a_split),
		GEOMETRY_TEST_IF(log_by_hardware_over_large_leaves, has_marks),
		GEOMETRY_TEST(a_snapshot_is_gone_back_to),
		GEOMETRY_TEST(snapshots_in_any_order),
		GEOMETRY_TEST(restoring_fails_without_a_trace),
		GEOMETRY_TEST(taking_fails_without_a_trace),
		GEOMETRY_TEST(copying_without_a_frame),
		GEOMETRY_TEST(snapshots_of_large_leaves),
		GEOMETRY_TEST(a_copied_page_keeps_a_leaf_split),
		GEOMETRY_TEST(a_log_beside_a_snapshot),
		GEOMETRY_TEST(snapshots_and_logs_exclude_each_other),
		GEOMETRY_TEST(linear_memory_is_not_in_a_snapshot),
	};
	return run_geometry_tests("track", tests, MM_ARRAY_SIZE(tests));
}
