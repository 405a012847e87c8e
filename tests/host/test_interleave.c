/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Races, one interleaving at a time: while one CPU is inside a call, at the moment it asks the HAL
 * for something, another CPU makes a call of its own. Who comes second has to find the work done.
 */
#include "guest.h"

#include <string.h>

#include "mm/compiler.h"
#include "mm/dirty.h"
#include "mm/snapshot.h"

struct scene {
	struct guest *g;
	mm_gpa_t gpa;
	enum mm_perm access;
	enum mm_fault answer; /* that the other CPU got */
	unsigned happened;
};

/* The other CPU faults on the same page. */
static void fault_meanwhile(void *ctx)
{
	struct scene *s = ctx;
	hal_test_set_cpu(1);
	s->answer = mm_aspace_fault(&s->g->as, s->gpa, s->access);
	s->happened++;
	hal_test_set_cpu(0);
}

static const struct mm_aspace_backing lazy = {0};

static void check_books(struct guest *g)
{
	struct mm_aspace_stats stats = guest_stats(g);
	CHECK_EQ(stats.frames + stats.tables + stats.area_frames, g->hal->in_use);
}

/* At each of the first HAL calls in turn; some are after the fact, and then the other finds it. */
static void c02_two_faults_one_frame(const struct geometry *geo)
{
	for (unsigned warm = 0; warm < 2; warm++) {
		for (unsigned at = 1; at <= 5; at++) {
			struct guest *g = guest_open(geo, (struct hal_test_options){0});
			struct scene s = {.g = g, .gpa = page(501), .access = MM_W};
			check_context("format=%s warm=%u at=%u", geo->name, warm, at);
			CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 8), MM_RW, lazy));
			if (warm)
				guest_store(g, page(500), 1);
			hal_test_interlude(g->hal, at, fault_meanwhile, &s);
			enum mm_fault mine = mm_aspace_fault(&g->as, s.gpa, MM_W);
			hal_test_interlude(g->hal, 0, NULL, NULL);
			if (s.happened) {
				CHECK((mine == MM_FAULT_MAPPED) != (s.answer == MM_FAULT_MAPPED));
				CHECK((mine == MM_FAULT_SPURIOUS) !=
				      (s.answer == MM_FAULT_SPURIOUS));
			}
			CHECK_EQ(guest_stats(g).frames, 1 + warm);
			CHECK_EQ(guest_stats(g).tables -
			                 (UINT64_C(1) << mm_npt_root_order(&geo->config)),
			         geo->config.levels - 1);
			check_books(g);
			EXPECT_TOUCH(g, s.gpa, MM_W, TOUCH_HIT);
			guest_close(g);
		}
	}
}

/* The same with a large leaf: a block is taken and given back. */
static void two_faults_one_block(const struct geometry *geo)
{
	for (unsigned at = 1; at <= 4; at++) {
		struct guest *g = guest_open(geo, (struct hal_test_options){.frames = 8192});
		struct scene s = {.g = g, .gpa = page(600), .access = MM_W};
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, 512), MM_RW,
		                             (struct mm_aspace_backing){.max_leaf = 1}));
		hal_test_interlude(g->hal, at, fault_meanwhile, &s);
		(void)!mm_aspace_fault(&g->as, page(601), MM_W);
		hal_test_interlude(g->hal, 0, NULL, NULL);
		CHECK_EQ(guest_stats(g).frames, 512);
		check_books(g);
		guest_close(g);
	}
}

/* Two writers of one shared page: one copy. A CPU that comes during the flush waits for its end, so
 * that moment is for race_aspace.c. */
static void two_writers_one_copy(const struct geometry *geo)
{
	for (unsigned at = 1; at <= 2; at++) {
		struct guest *g = guest_open(geo, (struct hal_test_options){0});
		struct scene s = {.g = g, .gpa = page(501), .access = MM_W};
		struct mm_snapshot snapshot;
		check_context("format=%s at=%u", geo->name, at);
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 8), MM_RW, lazy));
		guest_store(g, s.gpa, 5);
		CHECK_OK(mm_aspace_snapshot_take(&g->as, &snapshot));
		size_t in_use = g->hal->in_use;
		hal_test_interlude(g->hal, at, fault_meanwhile, &s);
		enum mm_fault mine = mm_aspace_fault(&g->as, s.gpa, MM_W);
		hal_test_interlude(g->hal, 0, NULL, NULL);
		CHECK(mine == MM_FAULT_UNSHARED || mine == MM_FAULT_SPURIOUS);
		CHECK_EQ(g->hal->in_use, in_use + 1);
		CHECK_EQ(guest_load(g, s.gpa), 5);
		mm_aspace_snapshot_drop(&g->as, &snapshot);
		check_books(g);
		guest_close(g);
	}
}

/* Two first writes to a large leaf that is logged by the page: one split. */
static void two_writers_one_split(const struct geometry *geo)
{
	for (unsigned at = 1; at <= (needs_break(geo) ? 1 : 2); at++) {
		struct guest *g = guest_open(geo, (struct hal_test_options){0});
		struct scene s = {.g = g, .gpa = page(700), .access = MM_W};
		check_context("format=%s at=%u", geo->name, at);
		CHECK_OK(mm_aspace_map_alloc(
			&g->as, pages(512, 512), MM_RW,
			(struct mm_aspace_backing){.populate = true, .max_leaf = 1}));
		CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, true));
		hal_test_interlude(g->hal, at, fault_meanwhile, &s);
		enum mm_fault mine = mm_aspace_fault(&g->as, page(701), MM_W);
		hal_test_interlude(g->hal, 0, NULL, NULL);
		CHECK(mine == MM_FAULT_UNSHARED || mine == MM_FAULT_SPURIOUS);
		CHECK_EQ(guest_stats(g).leaves[0], 512);
		check_books(g);
		mm_aspace_dirty_stop(&g->as);
		guest_close(g);
	}
}

/* A write protected by the log, relaxed by two at once. */
static void two_writers_one_permission(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, (struct hal_test_options){0});
	struct scene s = {.g = g, .gpa = page(500), .access = MM_W};
	uint64_t bitmap[1] = {0};
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 8), MM_RW, lazy));
	guest_store(g, s.gpa, 1);
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, false));
	hal_test_interlude(g->hal, 1, fault_meanwhile, &s);
	CHECK_EQ(mm_aspace_fault(&g->as, s.gpa, MM_W), MM_FAULT_UNSHARED);
	hal_test_interlude(g->hal, 0, NULL, NULL);
	EXPECT_TOUCH(g, s.gpa, MM_W, TOUCH_HIT);
	CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(500, 8), bitmap));
	CHECK_EQ(bitmap[0], 1);
	mm_aspace_dirty_stop(&g->as);
	guest_close(g);
}

/* The last frame goes to somebody else between the look and the taking. */
static void no_frame_left_for_a_page(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, (struct hal_test_options){0});
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 8), MM_RW, lazy));
	guest_store(g, page(500), 1); /* the tables are there: the short way */
	uint64_t before = guest_fingerprint(g);
	hal_test_fail_after(g->hal, 1);
	EXPECT_FAULT(g, page(501), MM_W, MM_FAULT_NO_MEMORY);
	hal_test_fail_after(g->hal, 0);
	CHECK_EQ(guest_fingerprint(g), before);
	guest_close(g);
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(c02_two_faults_one_frame),   GEOMETRY_TEST(two_faults_one_block),
		GEOMETRY_TEST(two_writers_one_copy),       GEOMETRY_TEST(two_writers_one_split),
		GEOMETRY_TEST(two_writers_one_permission), GEOMETRY_TEST(no_frame_left_for_a_page),
	};
	return run_geometry_tests("interleave", tests, MM_ARRAY_SIZE(tests));
}
