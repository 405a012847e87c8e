/* SPDX-License-Identifier: BSD-2-Clause */
/* The workloads themselves, W1 to W10, one function each. */
#include "bench.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/compiler.h"

#define PAGES_PER_GIB (GiB / MM_PAGE_SIZE)

static struct mm_aspace as;
static volatile uint64_t sink;

/* Anything but success here is a broken benchmark. */
static void must(enum mm_error err)
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
static MM_ALWAYS_INLINE void translate(struct timer *t, unsigned level, bool chained, bool locked)
{
	const uint64_t *at = random_pages(PAGES_PER_GIB);
	struct mm_aspace_translation out;
	uint64_t sum = 0, carried = 0;

	open_space(locked);
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
	translate(t, 0, false, false);
}

static void w4a_chain(struct timer *t)
{
	translate(t, 0, true, false);
}

static void w4a_locked(struct timer *t)
{
	translate(t, 0, false, true);
}

static void w4b(struct timer *t)
{
	translate(t, 1, false, false);
}

static void w4b_chain(struct timer *t)
{
	translate(t, 1, true, false);
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

/* 0 to AREAS - 1 in an order of no kind. */
static const uint32_t *scrambled(void)
{
	static uint32_t order[AREAS];
	const uint64_t *random = random_pages(UINT64_C(1) << 40);
	for (uint32_t i = 0; i < AREAS; i++)
		order[i] = i;
	for (uint32_t i = AREAS - 1; i > 0; i--) {
		uint32_t j = (uint32_t)(random[i] / MM_PAGE_SIZE % (i + 1));
		uint32_t other = order[j];
		order[j] = order[i];
		order[i] = other;
	}
	return order;
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
		const uint32_t *order = scrambled();
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
	map_areas(scrambled());
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
	const uint32_t *order = scrambled();
	open_space(true);
	map_areas(scrambled());
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
	const uint32_t *order = scrambled();
	open_space(false);
	map_areas(scrambled());
	timer_start(t);
	for (unsigned i = 0; i < AREAS / 10; i++)
		must(mm_aspace_unmap(&as, middle_page(order[i])));
	timer_stop(t, AREAS / 10);
	mm_aspace_destroy(&as);
}

static void w6d(struct timer *t)
{
	const uint32_t *order = scrambled();
	open_space(false);
	map_areas(scrambled());
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

/* --- W9, W10: threads --- */

static _Thread_local unsigned this_cpu;

static unsigned thread_cpu(void *ctx)
{
	(void)ctx;
	return this_cpu;
}

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;

/* Each CPU keeps a stock, as a hypervisor's allocator does: or the pool's lock is measured. */
#define STOCK 512

struct stock {
	unsigned generation; /* the pool's, when these were in it */
	size_t count;
	mm_hpa_t frames[STOCK];
};

static struct stock *own_stock(void)
{
	static _Thread_local struct stock stock;
	if (stock.generation != pool.generation)
		stock = (struct stock){.generation = pool.generation};
	return &stock;
}

static size_t stocked_alloc(void *ctx, unsigned order, size_t n, mm_hpa_t out[])
{
	struct stock *stock = own_stock();
	if (order > 0 || n > STOCK)
		return 0;
	if (stock->count < n) {
		size_t room = STOCK - stock->count;
		pthread_mutex_lock(&pool_lock);
		stock->count += pool.hal.alloc(ctx, 0, room, &stock->frames[stock->count]);
		pthread_mutex_unlock(&pool_lock);
	}
	for (size_t i = 0; i < n; i++)
		out[i] = stock->frames[--stock->count];
	return n;
}

static void stocked_free(void *ctx, unsigned order, size_t n, const mm_hpa_t in[])
{
	struct stock *stock = own_stock();
	for (size_t i = 0; i < n; i++) {
		if (stock->count == STOCK) {
			stock->count = STOCK / 2;
			pthread_mutex_lock(&pool_lock);
			pool.hal.free(ctx, order, STOCK / 2, &stock->frames[STOCK / 2]);
			pthread_mutex_unlock(&pool_lock);
		}
		stock->frames[stock->count++] = in[i];
	}
}

struct faulter {
	unsigned cpu;
	uint64_t first, pages;
	pthread_barrier_t *start;
	double took;
};

static void *fault_pages(void *arg)
{
	struct faulter *f = arg;
	this_cpu = f->cpu;
	pthread_barrier_wait(f->start);
	double began = now_ns();
	for (uint64_t p = f->first; p < f->first + f->pages; p++) {
		enum mm_fault fault = mm_aspace_fault(&as, mm_gpa_at(GiB + p * MM_PAGE_SIZE), MM_W);
		if (fault != MM_FAULT_MAPPED && fault != MM_FAULT_SPURIOUS)
			exit(1);
	}
	f->took = now_ns() - began;
	return NULL;
}

/* Nanoseconds per fault of a thread, when n threads fault `pages` pages each. */
static double fault_together(unsigned n, uint64_t pages, uint64_t apart)
{
	struct faulter faulters[2];
	pthread_t threads[2];
	pthread_barrier_t start;
	struct mm_hal hal = pool.hal;
	double took = 0;

	pool_reset();
	pool.hal.cpu_index = thread_cpu;
	struct mm_hal plain = hal;
	plain.cpu_index = thread_cpu;
	plain.alloc = stocked_alloc;
	plain.free = stocked_free;
	struct mm_aspace_config config = {
		.format = &mm_npt_ept,
		.npt = {.levels = 4, .root_bits = 9, .hpa_bits = 46, .max_leaf = 2},
		.hal = plain,
		.limits = mm_gpa_range(mm_gpa_at(0), UINT64_C(1) << 48),
		.quota = UINT64_MAX,
		.tag = 1,
	};
	must(mm_aspace_init(&as, &config));
	must(mm_aspace_map_alloc(&as, gib(1), MM_RWX, lazily));
	pthread_barrier_init(&start, NULL, n);
	for (unsigned i = 0; i < n; i++) {
		faulters[i] = (struct faulter){i, i * apart, pages, &start, 0};
		pthread_create(&threads[i], NULL, fault_pages, &faulters[i]);
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		took += faulters[i].took / (double)pages / n;
	}
	pthread_barrier_destroy(&start);
	pool.hal = hal;
	return took;
}

#define PAGES_EACH 100000

static void w9(struct timer *t)
{
	double alone = fault_together(1, PAGES_EACH, 0);
	mm_aspace_destroy(&as);
	double together = fault_together(2, PAGES_EACH, PAGES_PER_GIB / 2);
	mm_aspace_destroy(&as);
	t->total += alone / together;
	t->ops += 1;
}

/* Two threads fault on the same pages: frames per page. */
static void w10(struct timer *t)
{
	struct mm_aspace_stats stats;
	(void)fault_together(2, PAGES_EACH, 0);
	mm_aspace_get_stats(&as, &stats);
	t->total += (double)stats.frames / PAGES_EACH;
	t->ops += 1;
	mm_aspace_destroy(&as);
}

const struct workload workloads[] = {
	{"W1a", "map linear 1 GiB, one 1G leaf, whole call", 60, 0, 0, w1a, NULL, NULL},
	{"W1b", "map linear 1 GiB, 2M leaves, per leaf", 1.6, 0, 0, w1b, NULL, NULL},
	{"W1c", "map linear 1 GiB, 4K leaves, per page", 0.8, 0, 20, w1c, floor_linear, NULL},
	{"W2a", "map 1 GiB lazily, whole call", 300, 0, 0, w2a, NULL, NULL},
	{"W2b", "fault in a page, not zeroed, with the lock", 8, 0, 130, w2b, floor_fault, NULL},
	{"W2e", "the same under a quota", 0, 0, 134, w2e, floor_fault, NULL},
	{"W2c", "fault in a page, zeroed, cold", 0, 1.05, 0, w2c, floor_zero_cold, NULL},
	{"W2d", "fault in a page, zeroed, warm", 50, 0, 0, w2d, floor_zero_warm, NULL},
	{"W3", "populate 256 MiB, not zeroed, per page", 2, 0, 0, w3, NULL, NULL},
	{"W4a", "translate, random, 4K pages", 0, 1.1, 49, w4a, floor_translate, NULL},
	{"W4a'", "the same, each waiting for the last", 0, 1.1, 0, w4a_chain, floor_translate_chain,
         NULL},
	{"W4a\"", "the same, with the lock", 0, 0, 0, w4a_locked, floor_translate, NULL},
	{"W4b", "translate, random, 2M pages", 2, 0, 0, w4b, floor_translate_large, NULL},
	{"W4b'", "the same, each waiting for the last", 7, 0, 0, w4b_chain,
         floor_translate_large_chain, NULL},
	{"W5a", "unmap and free 1 GiB, all present, per page", 1.5, 0, 25, w5a, floor_unmap, NULL},
	{"W5b", "unmap 1 GiB never touched, whole call", 300, 0, 0, w5b, NULL, NULL},
	{"W6a", "create one of 10,000 areas", 100, 0, 0, w6a, NULL, NULL},
	{"W6b", "find one of 10,000 areas", 20, 0, 120, w6b, floor_find, NULL},
	{"W6b'", "find it and fault", 30, 0, 0, w6b_fault, NULL, NULL},
	{"W6c", "unmap in the middle of one of 10,000", 300, 0, 3000, w6c, NULL, NULL},
	{"W6d", "protect in the middle of one of 10,000", 300, 0, 0, w6d, NULL, NULL},
	{"W7", "frames for 64 GiB of lazy mapping", 1, 0, 0, w7, NULL, "frames"},
	{"W8", "frames left after unmapping everything", 1, 0, 0, w8, NULL, "frames"},
	{"W9", "2 threads, disjoint pages: speed of each", 0, 0, 0, w9, NULL, "of one"},
	{"W10", "2 threads, the same pages: frames per page", 1, 0, 0, w10, NULL, "frames"},
};

const size_t workload_count = MM_ARRAY_SIZE(workloads);
