/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The quota of an address space, which faults on several CPUs take by credit: it is never exceeded,
 * and every frame of it can be had, whichever CPU holds the rest as credit.
 */
#include "guest.h"

#include "mm/compiler.h"
#include "mm/snapshot.h"

#define PAGES 400

/* An address space with room for its tables and `frames` pages, lazily mapped from page 0. */
static struct guest *open_with_room(const struct geometry *geo, uint64_t frames)
{
	struct hal_test *hal = hal_test_open((struct hal_test_options){
		.frames = 2048, .cpus = 3, .root_order = mm_npt_root_order(&geo->config)});
	struct mm_aspace_config config = guest_config(geo, hal);

	config.quota = (UINT64_C(1) << mm_npt_root_order(&geo->config)) + geo->config.levels - 1;
	config.quota += frames;

	struct guest *g = guest_open_with(geo, hal, &config);

	CHECK_OK(
		mm_aspace_map_alloc(&g->as, pages(0, PAGES), MM_RW, (struct mm_aspace_backing){0}));
	return g;
}

static void check_frames(struct guest *g, uint64_t data)
{
	struct mm_aspace_stats stats = guest_stats(g);

	CHECK_EQ(stats.frames, data);
	CHECK_EQ(stats.leaves[0], data);
	CHECK_EQ(stats.frames + stats.tables, g->hal->in_use);
}

static enum mm_fault fault_on(struct guest *g, unsigned cpu, uint64_t number)
{
	hal_test_set_cpu(cpu);

	enum mm_fault fault = mm_aspace_fault(&g->as, page(number), MM_W);

	hal_test_set_cpu(0);
	return fault;
}

/* For every room: CPUs 1 and 2 take a page each, and credit with it; CPU 0 gets all that is left.
 */
static void the_last_frame_can_be_had(const struct geometry *geo)
{
	for (uint64_t room = 2; room < 300; room += room < 20 ? 1 : 40) {
		struct guest *g = open_with_room(geo, room);

		check_context("format=%s room=%llu", geo->name, (unsigned long long)room);
		CHECK_EQ(fault_on(g, 1, 0), MM_FAULT_MAPPED);
		CHECK_EQ(fault_on(g, 2, 1), MM_FAULT_MAPPED);
		for (uint64_t p = 2; p < room; p++)
			CHECK_EQ(fault_on(g, 0, p), MM_FAULT_MAPPED);
		for (unsigned cpu = 0; cpu < 3; cpu++)
			CHECK_EQ(fault_on(g, cpu, room), MM_FAULT_QUOTA);
		check_frames(g, room);
		CHECK_EQ(guest_stats(g).faults[MM_FAULT_MAPPED], room);
		CHECK_EQ(g->hal->in_use, g->as.npt.quota);
		/* A page that goes makes room for one, on any CPU. */
		CHECK_OK(mm_aspace_unmap(&g->as, pages(0, 1)));
		CHECK_EQ(fault_on(g, 2, room), MM_FAULT_MAPPED);
		CHECK_EQ(fault_on(g, 1, room + 1), MM_FAULT_QUOTA);
		guest_close(g);
	}
}

/* The hypervisor's own access faults pages in, and must be able to use up the quota as well. */
static void an_access_gets_the_last_frame(const struct geometry *geo)
{
	static char bytes[100 * MM_PAGE_SIZE];
	struct guest *g = open_with_room(geo, 102);
	uint64_t before = guest_fingerprint(g);

	CHECK_EQ(fault_on(g, 1, 0), MM_FAULT_MAPPED);
	CHECK_EQ(fault_on(g, 1, 200), MM_FAULT_MAPPED); /* and CPU 1 has credit left */
	CHECK_OK(mm_aspace_write(&g->as, page(1), bytes, sizeof(bytes)));
	check_frames(g, 102);
	CHECK_ERR(mm_aspace_write(&g->as, page(101), bytes, 1), MM_QUOTA);
	check_frames(g, 102);
	CHECK_EQ(guest_stats(g).faults[MM_FAULT_MAPPED], 2);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(0, PAGES)));
	CHECK_OK(
		mm_aspace_map_alloc(&g->as, pages(0, PAGES), MM_RW, (struct mm_aspace_backing){0}));
	CHECK_EQ(guest_fingerprint(g), before);
	guest_close(g);
}

/* A call that is alone inside finds no credit outstanding. */
static void populate_gets_all_of_it(const struct geometry *geo)
{
	struct guest *g = open_with_room(geo, 101);

	for (unsigned cpu = 0; cpu < 3; cpu++)
		CHECK_EQ(fault_on(g, cpu, cpu), MM_FAULT_MAPPED);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(PAGES, 98), MM_RW,
	                             (struct mm_aspace_backing){.populate = true}));
	check_frames(g, 101);
	guest_close(g);
}

/* Frames that the HAL refuses, or that another CPU was faster with, cost no credit. */
static void a_refused_frame_costs_no_credit(const struct geometry *geo)
{
	struct guest *g = open_with_room(geo, 100);

	CHECK_EQ(fault_on(g, 0, 0), MM_FAULT_MAPPED);
	for (unsigned i = 0; i < 200; i++) {
		hal_test_fail_once(g->hal, 1);
		(void)fault_on(g, 0, 1 + i % 3);
		hal_test_fail_once(g->hal, 0);
	}
	for (uint64_t p = 0; p < 100; p++)
		(void)fault_on(g, 0, p);
	check_frames(g, 100);
	CHECK_EQ(fault_on(g, 0, 100), MM_FAULT_QUOTA);
	guest_close(g);
}

/* A copy of the tables counts, and a copied page too. */
static void snapshots_count(const struct geometry *geo)
{
	struct guest *g = open_with_room(geo, 60);
	struct mm_snapshot s;
	uint64_t served = 0;

	for (uint64_t p = 0; p < 10; p++)
		CHECK_EQ(fault_on(g, (unsigned)p % 3, p), MM_FAULT_MAPPED);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
	for (uint64_t p = 0; p < PAGES; p++) {
		enum mm_fault fault = fault_on(g, (unsigned)p % 3, p);

		served += fault == MM_FAULT_MAPPED || fault == MM_FAULT_UNSHARED;
	}
	CHECK_EQ(g->hal->in_use, g->as.npt.quota);
	CHECK(served >= 20);
	mm_aspace_snapshot_drop(&g->as, &s);
	guest_close(g);
}

/* A block of 2 MiB fits, but not with its tables: smaller leaves do. */
static void a_block_without_tables_falls_back(const struct geometry *geo)
{
	uint64_t root = UINT64_C(1) << mm_npt_root_order(&geo->config);

	for (uint64_t room = 512; room < 512 + geo->config.levels - 1; room++) {
		struct hal_test *hal = hal_test_open((struct hal_test_options){
			.frames = 4096, .root_order = mm_npt_root_order(&geo->config)});
		struct mm_aspace_config config = guest_config(geo, hal);

		config.quota = root + room;

		struct guest *g = guest_open_with(geo, hal, &config);

		check_context("format=%s room=%llu", geo->name, (unsigned long long)room);
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 1024), MM_RW,
		                             (struct mm_aspace_backing){.max_leaf = 1}));
		CHECK_EQ(mm_aspace_fault(&g->as, page(0), MM_W), MM_FAULT_MAPPED);
		CHECK(hal->in_use <= config.quota);
		guest_close(g);
	}
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(the_last_frame_can_be_had),
		GEOMETRY_TEST(an_access_gets_the_last_frame),
		GEOMETRY_TEST(populate_gets_all_of_it),
		GEOMETRY_TEST(a_refused_frame_costs_no_credit),
		GEOMETRY_TEST(snapshots_count),
		GEOMETRY_TEST(a_block_without_tables_falls_back),
	};

	return run_geometry_tests("quota", tests, MM_ARRAY_SIZE(tests));
}
