/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an operation costs does not depend on how many areas there are: instructions, counted one
 * by one, with 100 areas and with 10,000. What a snapshot costs depends on what was written.
 */
#include "guest.h"
#include "step.h"

#include <stdio.h>
#include <string.h>

#include "mm/compiler.h"
#include "mm/snapshot.h"

#define AREA_PAGES 15 /* and a hole of one page after each */

struct operation {
	const char *name;
	void (*run)(void *guest);
};

/* Every operation is on the area in the middle. */
static uint64_t middle(const struct guest *g)
{
	return g->as.areas.count / 2 * (AREA_PAGES + 1);
}

static void run_find(void *guest)
{
	struct guest *g = guest;
	CHECK(mm_area_find(&g->as.areas, page(middle(g) + 3)) != NULL);
}

static void run_fault(void *guest)
{
	struct guest *g = guest;
	CHECK_EQ(mm_aspace_fault(&g->as, page(middle(g) + 3), MM_W), MM_FAULT_MAPPED);
}

static void run_map(void *guest)
{
	struct guest *g = guest;
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(middle(g) + AREA_PAGES, 1), MM_R,
	                             (struct mm_aspace_backing){0}));
}

static void run_unmap(void *guest)
{
	struct guest *g = guest;
	CHECK_OK(mm_aspace_unmap(&g->as, pages(middle(g) + 7, 1)));
}

static void run_protect(void *guest)
{
	struct guest *g = guest;
	CHECK_OK(mm_aspace_protect(&g->as, pages(middle(g) + 7, 1), MM_R));
}

static void run_translate(void *guest)
{
	struct guest *g = guest;
	struct mm_aspace_translation t;
	CHECK_ERR(mm_aspace_translate(&g->as, page(middle(g) + 3), &t), MM_NOT_MAPPED);
}

static void run_find_free(void *guest)
{
	struct guest *g = guest;
	mm_gpa_t at;
	CHECK_OK(mm_aspace_find_free(&g->as, page(1), 64 * MM_PAGE_SIZE, MM_PAGE_SIZE, &at));
}

static const struct operation operations[] = {
	{"find", run_find},           {"fault", run_fault},     {"map", run_map},
	{"unmap", run_unmap},         {"protect", run_protect}, {"translate", run_translate},
	{"find-free", run_find_free},
};

static uint64_t cost(const struct geometry *geo, const struct operation *op, unsigned areas)
{
	struct guest *g =
		guest_open(geo, (struct hal_test_options){.shared = true, .frames = 1024});
	for (unsigned i = 0; i < areas; i++)
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(i * (AREA_PAGES + 1), AREA_PAGES), MM_RW,
		                             (struct mm_aspace_backing){0}));
	uint64_t steps = step_through(op->run, g, NULL, NULL);
	guest_abandon(g);
	return steps;
}

static void c28_cost_does_not_grow_with_areas(const struct geometry *geo)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(operations); i++) {
		uint64_t few = cost(geo, &operations[i], 100);
		uint64_t many = cost(geo, &operations[i], 10000);
		check_context("format=%s operation=%s", geo->name, operations[i].name);
		printf("# %s: %llu instructions with 100 areas, %llu with 10,000\n",
		       operations[i].name, (unsigned long long)few, (unsigned long long)many);
		/* One more level of the tree, and its nodes fuller: not a hundred times as much. */
		CHECK(many < 2 * few + 1500);
	}
}

/* --- snapshots --- */

static struct mm_snapshot snapshot;

static void run_restore(void *guest)
{
	struct guest *g = guest;
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &snapshot));
}

static void run_drop(void *guest)
{
	struct guest *g = guest;
	mm_aspace_snapshot_drop(&g->as, &snapshot);
}

static uint64_t cost_beside_snapshot(const struct geometry *geo, void (*run)(void *guest),
                                     unsigned present, unsigned written)
{
	struct guest *g =
		guest_open(geo, (struct hal_test_options){.shared = true, .frames = 8192});
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, present), MM_RW,
	                             (struct mm_aspace_backing){.populate = true}));
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &snapshot));
	for (unsigned p = 512; p < 512 + written; p++)
		guest_store(g, page(p), 1);
	uint64_t steps = step_through(run, g, NULL, NULL);
	guest_abandon(g);
	return steps;
}

/* The HAL's hooks are not counted. */
static void restore_costs_what_was_written(const struct geometry *geo)
{
	static const unsigned written[] = {0, 1, 10, 100, 1000};
	for (size_t i = 0; i < MM_ARRAY_SIZE(written); i++) {
		unsigned n = written[i];
		uint64_t restore = cost_beside_snapshot(geo, run_restore, 2000, n);
		uint64_t drop = cost_beside_snapshot(geo, run_drop, 2000, n);
		check_context("format=%s written=%u", geo->name, n);
		printf("# %u of 2000 pages written: %llu instructions to restore, %llu to drop\n",
		       n, (unsigned long long)restore, (unsigned long long)drop);
		CHECK(restore <= 2000 + 250 * n);
		CHECK(drop <= 40000 + 700 * n); /* and the tables: 1,536 entries above pages */
	}
}

static bool is_one(const struct geometry *geo)
{
	return strcmp(geo->name, "ept4") == 0;
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST_IF(c28_cost_does_not_grow_with_areas, is_one),
		GEOMETRY_TEST_IF(restore_costs_what_was_written, is_one),
	};
	return run_geometry_tests("cost", tests, MM_ARRAY_SIZE(tests));
}
