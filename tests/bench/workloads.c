/* SPDX-License-Identifier: BSD-2-Clause */
/* The workloads themselves, one function each, and the table of all. faults.c has the rest. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/compiler.h"

#define PAGES_PER_GIB (GiB / MM_PAGE_SIZE)

static struct mm_aspace as;
static volatile uint64_t sink;

void must(enum mm_error err)
{
	if (err != MM_OK) {
		fprintf(stderr, "a benchmark's call failed: %s\n", mm_error_name(err));
		exit(1);
	}
}

static struct mm_gpa_range gib(uint64_t n)
{
	return mm_gpa_range(mm_gpa_at(n * GiB), GiB);
}

static const struct mm_aspace_backing lazily = {0};

static void open_space(bool locked)
{
	pool_reset();
	bench_aspace(&as, locked, UINT64_MAX);
}

void bench_map_present(struct mm_aspace *space, unsigned level)
{
	if (level == 0)
		must(mm_aspace_map_alloc(space, gib(1), MM_RWX,
		                         (struct mm_aspace_backing){.populate = true}));
	else
		must(mm_aspace_map_linear(space, gib(1), mm_hpa_at(GiB), MM_RWX, MM_NORMAL, level));
}

/* --- W1: linear --- */

/* Calls so short that several are timed together; the table above them is there already. */
#define BATCH 7

static void w1a(struct timer *t)
{
	open_space(false);
	must(mm_aspace_map_linear(&as, mm_gpa_range(mm_gpa_at(511 * GiB), MM_PAGE_SIZE),
	                          mm_hpa_at(0), MM_RW, MM_NORMAL, 0));
	for (unsigned round = 0; round < 2000; round++) {
		timer_start(t);
		for (uint64_t i = 0; i < BATCH; i++)
			must(mm_aspace_map_linear(&as, gib(2 * i), mm_hpa_at(4 * GiB), MM_RWX,
			                          MM_NORMAL, 2));
		timer_stop(t, BATCH);
		must(mm_aspace_unmap(&as, mm_gpa_range(mm_gpa_at(0), 2 * BATCH * GiB)));
	}
	mm_aspace_destroy(&as);
}

static void w1b(struct timer *t)
{
	open_space(false);
	for (unsigned round = 0; round < 200; round++) {
		timer_start(t);
		must(mm_aspace_map_linear(&as, gib(1), mm_hpa_at(4 * GiB), MM_RWX, MM_NORMAL, 1));
		timer_stop(t, 512);
		must(mm_aspace_unmap(&as, gib(1)));
	}
	mm_aspace_destroy(&as);
}

static void w1c(struct timer *t)
{
	open_space(false);
	for (unsigned round = 0; round < 4; round++) {
		timer_start(t);
		must(mm_aspace_map_linear(&as, gib(1), mm_hpa_at(4 * GiB + MM_PAGE_SIZE), MM_RWX,
		                          MM_NORMAL, 2));
		timer_stop(t, PAGES_PER_GIB);
		must(mm_aspace_unmap(&as, gib(1)));
	}
	mm_aspace_destroy(&as);
}

/* --- W2: lazy --- */

static void w2a(struct timer *t)
{
	open_space(false);
	for (unsigned round = 0; round < 2000; round++) {
		timer_start(t);
		for (uint64_t i = 0; i < BATCH; i++)
			must(mm_aspace_map_alloc(&as, gib(2 * i), MM_RWX, lazily));
		timer_stop(t, BATCH);
		mm_aspace_clear(&as);
	}
	mm_aspace_destroy(&as);
}

static void fault_gib(struct timer *t, uint64_t bytes)
{
	must(mm_aspace_map_alloc(&as, gib(1), MM_RWX, lazily));
	timer_start(t);
	for (uint64_t at = GiB; at < GiB + bytes; at += MM_PAGE_SIZE) {
		if (MM_UNLIKELY(mm_aspace_fault(&as, mm_gpa_at(at), MM_W) != MM_FAULT_MAPPED))
			exit(1);
	}
	timer_stop(t, bytes / MM_PAGE_SIZE);
}

static void w2b(struct timer *t)
{
	open_space(true);
	fault_gib(t, GiB);
	mm_aspace_destroy(&as);
}

/* As W2b, with a quota that is never reached. */
static void w2e(struct timer *t)
{
	pool_reset();
	bench_aspace(&as, true, UINT64_C(1) << 40);
	fault_gib(t, GiB);
	mm_aspace_destroy(&as);
}

static void w2c(struct timer *t)
{
	open_space(true);
	pool.zeroes = true;
	fault_gib(t, 256 * MiB);
	mm_aspace_destroy(&as);
}

static void w2d(struct timer *t)
{
	open_space(true);
	pool.zeroes = true;
	for (unsigned round = 0; round < 512; round++) {
		must(mm_aspace_map_alloc(&as, gib(1), MM_RWX, lazily));
		timer_start(t);
		for (uint64_t p = 0; p < 64; p++) {
			if (mm_aspace_fault(&as, mm_gpa_at(GiB + p * MM_PAGE_SIZE), MM_W) !=
			    MM_FAULT_MAPPED)
				exit(1);
		}
		timer_stop(t, 64);
		must(mm_aspace_unmap(&as, gib(1)));
	}
	mm_aspace_destroy(&as);
}

static void w3(struct timer *t)
{
	for (unsigned round = 0; round < 4; round++) {
		open_space(false);
		timer_start(t);
		must(mm_aspace_map_alloc(&as, mm_gpa_range(mm_gpa_at(GiB), 256 * MiB), MM_RWX,
		                         (struct mm_aspace_backing){.populate = true}));
		timer_stop(t, 256 * MiB / MM_PAGE_SIZE);
		mm_aspace_destroy(&as);
	}
}

/* --- W4: translate --- */

/* `chained` is a constant: each address waits for the last one's translation, or for nothing. */
static MM_ALWAYS_INLINE void translate(struct timer *t, unsigned level, bool chained)
{
	const uint64_t *at = random_pages(PAGES_PER_GIB);
	struct mm_aspace_translation out;
	uint64_t sum = 0, carried = 0;

	open_space(false);
	bench_map_present(&as, level);
	timer_start(t);
	for (size_t i = 0; i < RANDOM_COUNT; i++) {
		if (MM_UNLIKELY(mm_aspace_translate(&as, mm_gpa_at(GiB + at[i] + carried), &out) !=
		                MM_OK))
			exit(1);
		sum += out.hpa.raw;
		if (chained)
			carried = never_set(out.hpa.raw);
	}
	timer_stop(t, RANDOM_COUNT);
	sink = sum;
	mm_aspace_destroy(&as);
}

static void w4a(struct timer *t)
{
	translate(t, 0, false);
}

static void w4a_chain(struct timer *t)
{
	translate(t, 0, true);
}

static void w4b(struct timer *t)
{
	translate(t, 1, false);
}

static void w4b_chain(struct timer *t)
{
	translate(t, 1, true);
}

/* --- W5: unmap --- */

static void w5a(struct timer *t)
{
	open_space(false);
	bench_map_present(&as, 0);
	timer_start(t);
	must(mm_aspace_unmap(&as, gib(1)));
	timer_stop(t, PAGES_PER_GIB);
	mm_aspace_destroy(&as);
}

static void w5b(struct timer *t)
{
	open_space(false);
	for (unsigned round = 0; round < 2000; round++) {
		for (uint64_t i = 0; i < BATCH; i++)
			must(mm_aspace_map_alloc(&as, gib(2 * i), MM_RWX, lazily));
		timer_start(t);
		for (uint64_t i = 0; i < BATCH; i++)
			must(mm_aspace_unmap(&as, gib(2 * i)));
		timer_stop(t, BATCH);
	}
	mm_aspace_destroy(&as);
}

/* --- W6: many areas --- */

#define AREAS      10000
#define AREA_PAGES 15 /* and a hole of one page after each */

static uint64_t area_start(uint64_t n)
{
	return GiB + n * (AREA_PAGES + 1) * MM_PAGE_SIZE;
}

static void map_areas(const uint32_t *order)
{
	for (unsigned i = 0; i < AREAS; i++)
		must(mm_aspace_map_alloc(
			&as,
			mm_gpa_range(mm_gpa_at(area_start(order[i])), AREA_PAGES * MM_PAGE_SIZE),
			MM_RWX, lazily));
}

static void w6a(struct timer *t)
{
	for (unsigned round = 0; round < 4; round++) {
		const uint32_t *order = scrambled(AREAS);
		open_space(false);
		timer_start(t);
		map_areas(order);
		timer_stop(t, AREAS);
		mm_aspace_destroy(&as);
	}
}

static void w6b(struct timer *t)
{
	open_space(false);
	map_areas(scrambled(AREAS));
	const uint64_t *at = random_pages(AREAS * (AREA_PAGES + 1));
	uint64_t found = 0;
	timer_start(t);
	for (size_t i = 0; i < RANDOM_COUNT; i++)
		found += mm_area_find(&as.areas, mm_gpa_at(GiB + at[i])) != NULL;
	timer_stop(t, RANDOM_COUNT);
	sink = found;
	mm_aspace_destroy(&as);
}

/* One page of each area, in random order: the areas' tree is large and the tables are warm. */
static void w6b_fault(struct timer *t)
{
	const uint32_t *order = scrambled(AREAS);
	open_space(true);
	map_areas(scrambled(AREAS));
	for (uint64_t i = 0; i < AREAS; i++) {
		if (mm_aspace_fault(&as, mm_gpa_at(area_start(i)), MM_W) != MM_FAULT_MAPPED)
			exit(1);
	}
	for (uint64_t p = 1; p < AREA_PAGES; p += 2) {
		timer_start(t);
		for (unsigned i = 0; i < AREAS; i++) {
			mm_gpa_t gpa = mm_gpa_at(area_start(order[i]) + p * MM_PAGE_SIZE);
			if (MM_UNLIKELY(mm_aspace_fault(&as, gpa, MM_W) != MM_FAULT_MAPPED))
				exit(1);
		}
		timer_stop(t, AREAS);
	}
	mm_aspace_destroy(&as);
}

static struct mm_gpa_range middle_page(uint64_t area)
{
	return mm_gpa_range(mm_gpa_at(area_start(area) + AREA_PAGES / 2 * MM_PAGE_SIZE),
	                    MM_PAGE_SIZE);
}

/* In the middle of every tenth: there are about 10,000 areas all the time. */
static void w6c(struct timer *t)
{
	const uint32_t *order = scrambled(AREAS);
	open_space(false);
	map_areas(scrambled(AREAS));
	timer_start(t);
	for (unsigned i = 0; i < AREAS / 10; i++)
		must(mm_aspace_unmap(&as, middle_page(order[i])));
	timer_stop(t, AREAS / 10);
	mm_aspace_destroy(&as);
}

/* The same with every second page present. */
static void w6c_present(struct timer *t)
{
	const uint32_t *order = scrambled(AREAS);
	open_space(false);
	map_areas(scrambled(AREAS));
	for (uint64_t i = 0; i < AREAS; i++) {
		for (uint64_t p = 1; p < AREA_PAGES; p += 2) {
			mm_gpa_t gpa = mm_gpa_at(area_start(i) + p * MM_PAGE_SIZE);
			if (mm_aspace_fault(&as, gpa, MM_W) != MM_FAULT_MAPPED)
				exit(1);
		}
	}
	timer_start(t);
	for (unsigned i = 0; i < AREAS / 10; i++)
		must(mm_aspace_unmap(&as, middle_page(order[i])));
	timer_stop(t, AREAS / 10);
	mm_aspace_destroy(&as);
}

static void w6d(struct timer *t)
{
	const uint32_t *order = scrambled(AREAS);
	open_space(false);
	map_areas(scrambled(AREAS));
	timer_start(t);
	for (unsigned i = 0; i < AREAS / 10; i++)
		must(mm_aspace_protect(&as, middle_page(order[i]), MM_R));
	timer_stop(t, AREAS / 10);
	mm_aspace_destroy(&as);
}

/* --- W7, W8: frames --- */

static void count_frames(struct timer *t)
{
	struct mm_aspace_stats stats;
	mm_aspace_get_stats(&as, &stats);
	t->total += (double)(stats.frames + stats.tables + stats.area_frames);
	t->ops += 1;
}

static void w7(struct timer *t)
{
	open_space(false);
	must(mm_aspace_map_alloc(&as, mm_gpa_range(mm_gpa_at(GiB), 64 * GiB), MM_RWX, lazily));
	count_frames(t);
	mm_aspace_destroy(&as);
}

static void w8(struct timer *t)
{
	open_space(false);
	bench_map_present(&as, 0);
	must(mm_aspace_unmap(&as, gib(1)));
	count_frames(t);
	mm_aspace_destroy(&as);
}

const struct workload workloads[] = {
	{"W1a", "map linear 1 GiB, one 1G leaf, whole call", 60, 0, 0, w1a, NULL, NULL},
	{"W1b", "map linear 1 GiB, 2M leaves, per leaf", 1.6, 0, 0, w1b, NULL, NULL},
	{"W1c", "map linear 1 GiB, 4K leaves, per page", 0.8, 0, 20, w1c, floor_linear, NULL},
	{"W2a", "map 1 GiB lazily, whole call", 300, 0, 0, w2a, NULL, NULL},
	{"W2b", "fault in a page, not zeroed, with the lock", 8, 0, 130, w2b, floor_fault, NULL},
	{"W2e", "the same under a quota", 0, 0, 134, w2e, floor_fault, NULL},
	{"W2f", "fault at random within 1 GiB", 0, 0, 170, w2f, floor_fault_random, NULL},
	{"W2g", "fault with a snapshot", 0, 2, 254, w2g_snapshot, w2b, NULL},
	{"W2g'", "fault with a dirty log", 0, 2, 254, w2g_log, w2b, NULL},
	{"W2g\"", "the first write to a page in a dirty log", 0, 2, 254, w2g_write, w2b, NULL},
	{"W2c", "fault in a page, zeroed, cold", 0, 1.05, 0, w2c, floor_zero_cold, NULL},
	{"W2d", "fault in a page, zeroed, warm", 50, 0, 0, w2d, floor_zero_warm, NULL},
	{"W3", "populate 256 MiB, not zeroed, per page", 2, 0, 0, w3, NULL, NULL},
	{"W4a", "translate, random, 4K pages", 0, 1.1, 50, w4a, floor_translate, NULL},
	{"W4a'", "the same, each waiting for the last", 0, 1.1, 0, w4a_chain, floor_translate_chain,
         NULL},
	{"W4c", "translate, random in 64 GiB, 4K pages", 0, 0, 130, w4c, floor_translate_far, NULL},
	{"W4d", "W4a with the lock", 0, 0, 75, w4d, floor_translate, NULL},
	{"W4d'", "W4c with the lock", 0, 0, 155, w4d_far, floor_translate_far, NULL},
	{"W4b", "translate, random, 2M pages", 2, 0, 0, w4b, floor_translate_large, NULL},
	{"W4b'", "the same, each waiting for the last", 7, 0, 0, w4b_chain,
         floor_translate_large_chain, NULL},
	{"W5a", "unmap and free 1 GiB, all present, per page", 1.5, 0, 25, w5a, floor_unmap, NULL},
	{"W5b", "unmap 1 GiB never touched, whole call", 300, 0, 0, w5b, NULL, NULL},
	{"W6a", "create one of 10,000 areas", 100, 0, 0, w6a, NULL, NULL},
	{"W6b", "find one of 10,000 areas", 20, 0, 120, w6b, floor_find, NULL},
	{"W6b'", "find it and fault", 30, 0, 220, w6b_fault, NULL, NULL},
	{"W6c", "unmap in the middle of one of 10,000", 300, 0, 3000, w6c, NULL, NULL},
	{"W6c'", "the same, every second page present", 0, 0, 1500, w6c_present, NULL, NULL},
	{"W6d", "protect in the middle of one of 10,000", 300, 0, 0, w6d, NULL, NULL},
	{"W7", "frames for 64 GiB of lazy mapping", 1, 0, 0, w7, NULL, "frames"},
	{"W8", "frames left after unmapping everything", 1, 0, 0, w8, NULL, "frames"},
	{"W9", "2 threads, disjoint pages: speed of each", 0, 0, 0, w9, NULL, "of one"},
	{"W9'", "2 threads, neighbouring pages", 0, 0, 0, w9_neighbours, NULL, "of one"},
	{"W9\"", "2 threads, the same pages", 0, 0, 0, w9_same, NULL, "of one"},
	{"W10", "2 threads, the same pages: frames per page", 1, 0, 0, w10, NULL, "frames"},
	{"W13", "fault in 2,000 address spaces in turn", 0, 1.5, 0, w13, w13_one, NULL},
	{"W13'", "one address space", 4096, 0, 0, w13_bytes, NULL, "bytes"},
	{"W11", "restore a snapshot of 262,144 pages, whole call", 0, 0, 2000, bench_w11, NULL,
         NULL},
	{"W11'", "the same, 100 pages written, per page", 0, 0, 270, bench_w11_written, NULL, NULL},
	{"W11\"", "take that snapshot, per page", 0, 0, 0, bench_w11_take, NULL, NULL},
	{"W12", "collect a dirty log of 262,144 pages, whole call", 0, 0, 32768, bench_w12, NULL,
         NULL},
	{"W12'", "the same, 100 pages written, per page", 0, 0, 1500, bench_w12_written, NULL,
         NULL},
	{"W12\"", "the same by hardware marks, per page present", 0, 0, 4, bench_w12_hardware, NULL,
         NULL},
	{"W14", "a turn of unmap, protect, collect", 50000, 0, 150000, bench_w14, NULL, NULL},
};

const size_t workload_count = MM_ARRAY_SIZE(workloads);
