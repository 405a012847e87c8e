/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blocks of the CPUs that use an address space (mm/aspace_cpus.c): up to MM_MAX_CPUS of them,
 * frames only for CPUs that come, and the same answers where there is no frame.
 */
#include "guest.h"

#include <string.h>

#include "mm/aspace_internal.h"

#define FIRST 512 /* page */

static const struct mm_aspace_backing lazy = {0};

static struct guest *open_pages(const struct geometry *geo, uint64_t n, uint64_t quota)
{
	struct hal_test *hal = hal_test_open((struct hal_test_options){
		.frames = 8192, .root_order = mm_npt_root_order(&geo->config)});
	struct mm_aspace_config config = guest_config(geo, hal);
	struct guest *g;

	config.quota = quota;
	g = guest_open_with(geo, hal, &config);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(FIRST, n), MM_RW, lazy));
	return g;
}

static void close_pages(struct guest *g)
{
	hal_test_set_cpu(0);
	hal_test_fail_after(g->hal, 0);

	struct mm_aspace_stats stats = guest_stats(g);

	CHECK_EQ(stats.frames + stats.tables + stats.area_frames + stats.cpu_frames,
	         g->hal->in_use);
	guest_close(g);
}

static enum mm_fault fault_as(struct guest *g, unsigned cpu, uint64_t number)
{
	hal_test_set_cpu(cpu);
	return mm_aspace_fault(&g->as, page(FIRST + number), MM_W);
}

static uint64_t cpu_frames(struct guest *g)
{
	return guest_stats(g).cpu_frames;
}

static void every_cpu_has_a_block(const struct geometry *geo)
{
	struct guest *g = open_pages(geo, MM_MAX_CPUS, UINT64_MAX);

	for (unsigned cpu = 0; cpu < MM_MAX_CPUS; cpu++)
		CHECK_EQ(fault_as(g, cpu, cpu), MM_FAULT_MAPPED);
	for (unsigned cpu = 0; cpu < MM_MAX_CPUS; cpu++) {
		struct mm_lock_reader *reader = mm_lock_reader_of(&g->as.lock, cpu);

		CHECK(reader && reader->registered);
		CHECK_EQ(atomic_load(&reader->reading), 0);
		CHECK_EQ((uintptr_t)reader % 64, 0);
	}
	CHECK_EQ(cpu_frames(g), (MM_MAX_CPUS - 8 + 15) / 16);
	CHECK_EQ(guest_stats(g).faults[MM_FAULT_MAPPED], MM_MAX_CPUS);
	CHECK_EQ(guest_stats(g).frames, MM_MAX_CPUS);
	close_pages(g);
}

static void frames_only_for_cpus_that_come(const struct geometry *geo)
{
	/* In the order in which they come, and the frames after it. */
	static const struct {
		unsigned cpu, frames;
	} coming[] = {{0, 0}, {7, 0}, {8, 1}, {23, 1}, {24, 2}, {1023, 3}, {1016, 3}, {1015, 4}};
	struct guest *g = open_pages(geo, 16, UINT64_MAX);

	CHECK(sizeof(struct mm_aspace) <= 4096);
	for (unsigned i = 0; i < MM_ARRAY_SIZE(coming); i++) {
		CHECK_EQ(fault_as(g, coming[i].cpu, i), MM_FAULT_MAPPED);
		CHECK_EQ(cpu_frames(g), coming[i].frames);
	}
	/* They stay while there are areas or not. */
	mm_aspace_clear(&g->as);
	CHECK_EQ(cpu_frames(g), 4);
	close_pages(g);
}

/* Each call that takes the read lock, on a CPU for which there is no frame. */
static void no_frame_for_a_block(const struct geometry *geo)
{
	struct guest *g = open_pages(geo, 16, UINT64_MAX);
	struct mm_aspace_translation t;
	uint64_t value, before, in_use;
	mm_gpa_t found;

	CHECK_EQ(fault_as(g, 0, 0), MM_FAULT_MAPPED);
	CHECK_OK(mm_aspace_store(&g->as, page(FIRST), 8, 0x1234));
	before = guest_fingerprint(g);
	in_use = g->hal->in_use;
	hal_test_fail_after(g->hal, 1);
	for (unsigned cpu = 500; cpu < 600; cpu += 50) {
		CHECK_EQ(fault_as(g, cpu, 0), MM_FAULT_SPURIOUS);
		CHECK_EQ(fault_as(g, cpu, 1), MM_FAULT_NO_MEMORY);
		CHECK_EQ(fault_as(g, cpu, 16), MM_FAULT_NOT_MAPPED);
		CHECK_OK(mm_aspace_translate(&g->as, page(FIRST), &t));
		CHECK_ERR(mm_aspace_translate(&g->as, page(FIRST + 1), &t), MM_NOT_MAPPED);
		CHECK_OK(mm_aspace_load(&g->as, page(FIRST), 8, &value));
		CHECK_EQ(value, 0x1234);
		CHECK_ERR(mm_aspace_load(&g->as, page(FIRST + 1), 8, &value), MM_NO_MEMORY);
		CHECK_OK(mm_aspace_find_free(&g->as, page(0), MM_PAGE_SIZE, MM_PAGE_SIZE, &found));
		CHECK_EQ(guest_fingerprint(g), before);
		CHECK_EQ(cpu_frames(g), 0);
		CHECK_EQ(g->hal->in_use, in_use);
		CHECK_EQ(atomic_load(&g->as.shared.reader.reading), 0);
	}
	/* Counted all the same. */
	CHECK_EQ(guest_stats(g).faults[MM_FAULT_SPURIOUS], 2);
	hal_test_fail_after(g->hal, 0);
	CHECK_EQ(fault_as(g, 550, 1), MM_FAULT_MAPPED);
	CHECK_EQ(cpu_frames(g), 1);
	CHECK_EQ(guest_stats(g).faults[MM_FAULT_NO_MEMORY], 2);
	close_pages(g);
}

/* What a CPU keeps in the shared block is not valid after a change, for no CPU. */
static void changes_reach_the_shared_block(const struct geometry *geo)
{
	struct guest *g = open_pages(geo, 16, UINT64_MAX);

	CHECK_EQ(fault_as(g, 0, 0), MM_FAULT_MAPPED);
	/* The block's frame is refused, the page's is not. */
	hal_test_fail_once(g->hal, 1);
	CHECK_EQ(fault_as(g, 500, 1), MM_FAULT_MAPPED);
	hal_test_fail_once(g->hal, 1);
	CHECK_EQ(fault_as(g, 600, 2), MM_FAULT_MAPPED);
	CHECK(g->as.shared.reader.valid);
	hal_test_set_cpu(0);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(FIRST, 8)));
	CHECK(!g->as.shared.reader.valid);
	hal_test_fail_once(g->hal, 1);
	CHECK_EQ(fault_as(g, 600, 3), MM_FAULT_NOT_MAPPED);
	hal_test_fail_once(g->hal, 1);
	CHECK_EQ(fault_as(g, 500, 8), MM_FAULT_MAPPED);
	close_pages(g);
}

/* No credit is lost with a CPU that is far away, or that has no block. */
static void a_quota_is_used_up_by_all(const struct geometry *geo)
{
	struct guest *g = open_pages(geo, 400, 300);
	uint64_t room;
	unsigned mapped = 0;

	CHECK_EQ(fault_as(g, 0, 399), MM_FAULT_MAPPED);
	room = 300 - guest_stats(g).frames - guest_stats(g).tables;
	for (unsigned n = 0; n < room; n++) {
		static const unsigned cpus[] = {3, 100, 700, 1023};

		if (n % 4 == 3)
			hal_test_fail_once(g->hal, 1);
		CHECK_EQ(fault_as(g, cpus[n % 4], n), MM_FAULT_MAPPED);
		mapped++;
	}
	CHECK_EQ(mapped, room);
	CHECK_EQ(fault_as(g, 100, 399 - 1), MM_FAULT_QUOTA);
	CHECK_EQ(guest_stats(g).frames + guest_stats(g).tables, 300);
	close_pages(g);
}

static void come_too(void *ctx)
{
	CHECK_EQ(fault_as(ctx, 101, 1), MM_FAULT_MAPPED);
	hal_test_set_cpu(100);
}

/* CPU 101 comes while CPU 100 takes the frame that both need. */
static void two_add_one_group(const struct geometry *geo)
{
	struct guest *g = open_pages(geo, 16, UINT64_MAX);

	CHECK_EQ(fault_as(g, 0, 0), MM_FAULT_MAPPED);
	hal_test_interlude(g->hal, 1, come_too, g);
	CHECK_EQ(fault_as(g, 100, 2), MM_FAULT_MAPPED);
	CHECK_EQ(g->hal->interlude_in, 0);
	CHECK_EQ(cpu_frames(g), 1);
	CHECK_EQ(guest_stats(g).frames, 3);
	close_pages(g);
}

/* An address space that is initialised again has no blocks of its former life. */
static void blocks_go_with_the_address_space(const struct geometry *geo)
{
	struct guest *g = open_pages(geo, 16, UINT64_MAX);
	const struct mm_aspace_config config = guest_config(geo, g->hal);

	CHECK_EQ(fault_as(g, 1000, 0), MM_FAULT_MAPPED);
	mm_aspace_destroy(&g->as);
	ghost_tlb_unwatch(&g->hal->tlb, 1);
	CHECK_EQ(g->hal->in_use, 0);
	CHECK_OK(mm_aspace_init(&g->as, &config));
	watch_aspace(&g->as, geo, g->hal);
	CHECK_EQ(fault_as(g, 1000, 0), MM_FAULT_NOT_MAPPED);
	CHECK_EQ(guest_stats(g).faults[MM_FAULT_MAPPED], 0);
	CHECK_EQ(cpu_frames(g), 1);
	close_pages(g);
}

int main(void)
{
	const struct geometry_test tests[] = {
		GEOMETRY_TEST(every_cpu_has_a_block),
		GEOMETRY_TEST(frames_only_for_cpus_that_come),
		GEOMETRY_TEST(no_frame_for_a_block),
		GEOMETRY_TEST(changes_reach_the_shared_block),
		GEOMETRY_TEST(a_quota_is_used_up_by_all),
		GEOMETRY_TEST(two_add_one_group),
		GEOMETRY_TEST(blocks_go_with_the_address_space),
	};

	return run_geometry_tests("cpus", tests, MM_ARRAY_SIZE(tests));
}
