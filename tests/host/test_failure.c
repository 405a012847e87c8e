/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every operation, with every one of its allocations refused: once, and from there on. Whatever
 * the answer is, it is all or nothing: an error leaves entries, areas, counters, frames and lock
 * as they were, and the same call then works.
 */
#include "guest.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "mm/area_tree.h"
#include "mm/compiler.h"

struct operation {
	const char *name;
	void (*prepare)(struct guest *g);
	enum mm_error (*run)(struct guest *g);
	bool keeps_pages; /* an error may leave pages behind that it faulted in */
};

static void nothing(struct guest *g)
{
	(void)g;
}

static void lazily_large(struct guest *g)
{
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 1100), MM_RW,
	                             (struct mm_aspace_backing){.max_leaf = 2}));
}

static void one_large_leaf(struct guest *g)
{
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(512, 512), mm_hpa_at(0x40000000), MM_RW,
	                              MM_NORMAL, 1));
}

static void the_largest_leaf(struct guest *g)
{
	unsigned level = g->geo->config.max_leaf;
	uint64_t size = level == 1 ? 2 * MM_LEVEL_SIZE(1) : MM_LEVEL_SIZE(level);
	CHECK_OK(mm_aspace_map_linear(&g->as, mm_gpa_range(mm_gpa_at(0), size), mm_hpa_at(0), MM_RW,
	                              MM_NORMAL, level));
}

static void small_areas(struct guest *g, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(4 * i, 3), MM_RW,
		                             (struct mm_aspace_backing){0}));
}

/* As many areas as fit into the map itself: one more takes a node. */
static void a_full_map(struct guest *g)
{
	small_areas(g, MM_AREA_INLINE);
}

/* The same, and one of them has a large leaf: cutting it takes a node and a table. */
static void a_full_map_with_a_large_leaf(struct guest *g)
{
	small_areas(g, MM_AREA_INLINE - 1);
	one_large_leaf(g);
}

/* A full node: the next area splits it. */
static void a_full_node(struct guest *g)
{
	small_areas(g, MM_AREA_LEAF_SLOTS);
}

static enum mm_error populate_small(struct guest *g)
{
	return mm_aspace_map_alloc(&g->as, pages(505, 20), MM_RW,
	                           (struct mm_aspace_backing){.populate = true});
}

static enum mm_error populate_large(struct guest *g)
{
	return mm_aspace_map_alloc(&g->as, pages(510, 516), MM_RW,
	                           (struct mm_aspace_backing){.populate = true, .max_leaf = 1});
}

static enum mm_error map_linear(struct guest *g)
{
	return mm_aspace_map_linear(&g->as, pages(500, 1100), mm_hpa_at(0x40001000), MM_RW,
	                            MM_NORMAL, 2);
}

static enum mm_error map_lazily(struct guest *g)
{
	return mm_aspace_map_alloc(&g->as, pages(900, 2), MM_RW, (struct mm_aspace_backing){0});
}

static enum mm_error map_device(struct guest *g)
{
	return mm_aspace_map_device(&g->as, pages(900, 2));
}

static enum mm_error unmap_part(struct guest *g)
{
	return mm_aspace_unmap(&g->as, pages(600, 100));
}

static enum mm_error protect_part(struct guest *g)
{
	return mm_aspace_protect(&g->as, pages(600, 100), MM_R);
}

static enum mm_error remap_part(struct guest *g)
{
	return mm_aspace_remap(&g->as, pages(600, 100), mm_hpa_at(0x80001000));
}

static enum mm_error replace_by_small(struct guest *g)
{
	return mm_aspace_replace_alloc(&g->as, pages(600, 100), MM_RW,
	                               (struct mm_aspace_backing){.populate = true});
}

static enum mm_error replace_by_nothing(struct guest *g)
{
	return mm_aspace_replace_alloc(&g->as, pages(600, 100), MM_RW,
	                               (struct mm_aspace_backing){0});
}

static enum mm_error replace_in_an_area(struct guest *g)
{
	return mm_aspace_replace_device(&g->as, pages(5, 1));
}

static enum mm_error unmap_in_an_area(struct guest *g)
{
	return mm_aspace_unmap(&g->as, pages(5, 1));
}

static enum mm_error protect_in_an_area(struct guest *g)
{
	return mm_aspace_protect(&g->as, pages(5, 1), MM_R);
}

static enum mm_error fault(struct guest *g)
{
	enum mm_fault fault = mm_aspace_fault(&g->as, page(503), MM_W);
	CHECK(fault == MM_FAULT_MAPPED || fault == MM_FAULT_NO_MEMORY);
	return fault == MM_FAULT_MAPPED ? MM_OK : MM_NO_MEMORY;
}

static enum mm_error fault_large(struct guest *g)
{
	enum mm_fault fault = mm_aspace_fault(&g->as, page(800), MM_W);
	CHECK(fault == MM_FAULT_MAPPED || fault == MM_FAULT_NO_MEMORY);
	return fault == MM_FAULT_MAPPED ? MM_OK : MM_NO_MEMORY;
}

static enum mm_error write_across(struct guest *g)
{
	static const uint8_t data[5 * 4096];
	return mm_aspace_write(&g->as, mm_gpa_plus(page(500), 100), data, sizeof(data));
}

static enum mm_error fill_across_large(struct guest *g)
{
	return mm_aspace_fill(&g->as, page(500), 1, 30 * MM_PAGE_SIZE);
}

static const struct operation operations[] = {
	{"populate-small", nothing, populate_small},
	{"populate-large", nothing, populate_large},
	{"map-linear", nothing, map_linear},
	{"map-lazily-full", a_full_map, map_lazily},
	{"map-lazily-split", a_full_node, map_lazily},
	{"map-device-full", a_full_map, map_device},
	{"populate-full", a_full_map, populate_small},
	{"populate-split", a_full_node, populate_small},
	{"unmap-part-full", a_full_map_with_a_large_leaf, unmap_part},
	{"protect-part-full", a_full_map_with_a_large_leaf, protect_part},
	{"remap-part-full", a_full_map_with_a_large_leaf, remap_part},
	{"replace-part-full", a_full_map_with_a_large_leaf, replace_by_small},
	{"unmap-part", one_large_leaf, unmap_part},
	{"protect-part", one_large_leaf, protect_part},
	{"remap-part", one_large_leaf, remap_part},
	{"replace-part", one_large_leaf, replace_by_small},
	{"replace-part-lazily", one_large_leaf, replace_by_nothing},
	{"replace-lazy", lazily_large, replace_by_small},
	{"replace-split", a_full_node, replace_in_an_area},
	{"replace-full", a_full_map, replace_in_an_area},
	{"unmap-largest", the_largest_leaf, unmap_part},
	{"protect-largest", the_largest_leaf, protect_part},
	{"unmap-split", a_full_node, unmap_in_an_area},
	{"protect-split", a_full_node, protect_in_an_area},
	{"unmap-full", a_full_map, unmap_in_an_area},
	{"protect-full", a_full_map, protect_in_an_area},
	{"fault", lazily_large, fault},
	{"fault-large", lazily_large, fault_large},
	{"write", lazily_large, write_across, true},
	{"fill", lazily_large, fill_across_large, true},
};

/* What the hardware permits is what the areas say, whatever failed on the way. */
static void check_agreement(struct guest *g)
{
	static const unsigned numbers[] = {5, 7, 503, 505, 600, 650, 699, 700, 800, 900};
	static const enum mm_perm accesses[] = {MM_R, MM_W, MM_X};
	for (size_t i = 0; i < MM_ARRAY_SIZE(numbers); i++) {
		const struct mm_area *area = mm_area_find(&g->as.areas, page(numbers[i]));
		for (unsigned a = 0; a < 3; a++) {
			struct hw_result r = guest_walk(g, page(numbers[i]), accesses[a]);
			bool allowed = area && (area->perm & accesses[a]);
			CHECK(allowed || r.outcome != HW_OK);
			CHECK(!allowed || r.outcome != HW_PERMISSION);
		}
	}
}

/* Refuses allocation n. False: the operation makes fewer. */
static bool refuse(const struct geometry *geo, const struct operation *op, unsigned n, bool once)
{
	struct guest *g = guest_open(geo, (struct hal_test_options){.frames = 2048});
	check_context("format=%s operation=%s refused=%u%s", geo->name, op->name, n,
	              once ? " once" : "");
	op->prepare(g);
	uint64_t before = guest_fingerprint(g);
	uint64_t first = g->hal->requests;
	size_t in_use = g->hal->in_use;
	if (once)
		hal_test_fail_once(g->hal, n);
	else
		hal_test_fail_after(g->hal, n);
	enum mm_error err = op->run(g);
	bool reached = g->hal->requests - first >= n;
	hal_test_fail_after(g->hal, 0);
	if (err != MM_OK) {
		CHECK_ERR(err, MM_NO_MEMORY);
		CHECK(reached);
		if (!op->keeps_pages) {
			CHECK_EQ(g->hal->in_use, in_use);
			CHECK_EQ(guest_fingerprint(g), before);
		}
		CHECK_OK(op->run(g));
	}
	check_agreement(g);
	CHECK_EQ(guest_stats(g).frames + guest_stats(g).tables + guest_stats(g).area_frames,
	         g->hal->in_use);
	guest_close(g);
	return reached;
}

static void c03_every_allocation_of_every_operation_fails(const struct geometry *geo)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(operations); i++) {
		for (unsigned once = 0; once < 2; once++) {
			unsigned n = 1;
			while (refuse(geo, &operations[i], n, once != 0))
				n += n < 40 ? 1 : 37;
		}
	}
}

/* Takes the credit back that the CPU got while there was no quota. */
static void settle_credit(struct mm_aspace *as)
{
	_Atomic int64_t *credit = &as->cpus[0].counts.credit;

	atomic_fetch_sub(&as->npt.lent, atomic_load(credit));
	atomic_store(credit, 0);
}

/* The same by quota: the address space's own limit instead of the HAL's. */
static void c03_every_quota(const struct geometry *geo)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(operations); i++) {
		const struct operation *op = &operations[i];
		for (uint64_t spare = 0; spare < 40; spare += spare < 8 ? 1 : 5) {
			struct guest *g =
				guest_open(geo, (struct hal_test_options){.frames = 2048});
			check_context("format=%s operation=%s spare=%llu", geo->name, op->name,
			              (unsigned long long)spare);
			op->prepare(g);
			/* As if the quota had been this all along. */
			struct mm_aspace_stats stats = guest_stats(g);
			g->as.npt.quota = stats.frames + stats.tables + spare;
			settle_credit(&g->as);
			atomic_store(&g->as.npt.used, stats.frames + stats.tables);
			uint64_t before = guest_fingerprint(g);
			enum mm_error err = MM_OK;
			if (op->run == fault || op->run == fault_large)
				err = mm_aspace_fault(&g->as, page(503), MM_W) == MM_FAULT_QUOTA
				              ? MM_QUOTA
				              : MM_OK;
			else
				err = op->run(g);
			if (err != MM_OK) {
				CHECK_ERR(err, MM_QUOTA);
				if (!op->keeps_pages)
					CHECK_EQ(guest_fingerprint(g), before);
			}
			stats = guest_stats(g);
			CHECK(stats.frames + stats.tables <= g->as.npt.quota);
			CHECK_EQ(stats.frames + stats.tables +
			                 (uint64_t)atomic_load(&g->as.cpus[0].counts.credit),
			         atomic_load(&g->as.npt.used));
			guest_close(g);
		}
	}
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(c03_every_allocation_of_every_operation_fails),
		GEOMETRY_TEST(c03_every_quota),
	};
	return run_geometry_tests("failure", tests, MM_ARRAY_SIZE(tests));
}
