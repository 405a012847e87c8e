/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool that frames come from, the clock, and the HAL that is made of them. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <valgrind/callgrind.h>

#define POOL_BYTES (GiB + 512 * MiB)
#define POOL_BASE  UINT64_C(0x100000000)

struct pool pool;

static mm_hpa_t take_one(void)
{
	return mm_hpa_at(POOL_BASE + pool.stack[--pool.free] * MM_PAGE_SIZE);
}

/* As pool_alloc(). */
static MM_NOINLINE size_t take_many(void *ctx, unsigned order, size_t n, mm_hpa_t out[])
{
	const uint32_t *top = &pool.stack[pool.free];
	(void)ctx;
	if (order > 0 || pool.free < n)
		return 0;
	pool.free -= n;
	for (size_t i = 0; i < n; i++)
		out[i] = mm_hpa_at(POOL_BASE + *--top * MM_PAGE_SIZE);
	return n;
}

static size_t pool_alloc(void *ctx, unsigned order, size_t n, mm_hpa_t out[])
{
	if (MM_UNLIKELY(n != 1))
		return take_many(ctx, order, n, out);
	if (order > 0 || pool.free == 0)
		return 0;
	out[0] = take_one();
	return 1;
}

static void pool_free(void *ctx, unsigned order, size_t n, const mm_hpa_t in[])
{
	(void)ctx;
	(void)order;
	uint32_t *top = &pool.stack[pool.free];
	for (size_t i = 0; i < n; i++)
		*top++ = (uint32_t)((in[i].raw - POOL_BASE) / MM_PAGE_SIZE);
	pool.free += n;
}

static void pool_zero(void *ctx, void *page, size_t bytes)
{
	(void)ctx;
	if (pool.zeroes)
		memset(page, 0, bytes);
}

static void pool_flush(void *ctx, const struct mm_flush *request)
{
	(void)ctx;
	(void)request;
}

static unsigned pool_cpu(void *ctx)
{
	(void)ctx;
	return 0;
}

void pool_open(void)
{
	pool.frames = POOL_BYTES / MM_PAGE_SIZE;
	pool.memory = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	pool.stack = malloc(pool.frames * sizeof(*pool.stack));
	if (pool.memory == MAP_FAILED || !pool.stack) {
		fprintf(stderr, "no memory for the pool\n");
		exit(1);
	}
	pool.hal = (struct mm_hal){
		.alloc = pool_alloc,
		.free = pool_free,
		.zero = pool_zero,
		.flush = pool_flush,
		.direct_offset = (uint64_t)(uintptr_t)pool.memory - POOL_BASE,
	};
	pool_reset();
}

void pool_reset(void)
{
	pool.free = pool.frames;
	pool.generation++;
	pool.zeroes = false;
	for (size_t i = 0; i < pool.frames; i++)
		pool.stack[i] = (uint32_t)(pool.frames - 1 - i);
}

static void open_aspace(struct mm_aspace *as, bool locked, uint64_t quota, bool marks)
{
	struct mm_aspace_config config = {
		.format = &mm_npt_ept,
		.npt = {.levels = 4,
	                .root_bits = 9,
	                .hpa_bits = 46,
	                .max_leaf = 2,
	                .accessed_dirty = marks},
		.hal = pool.hal,
		.limits = mm_gpa_range(mm_gpa_at(0), UINT64_C(1) << 48),
		.quota = quota,
		.tag = 1,
	};
	if (locked)
		config.hal.cpu_index = pool_cpu;
	if (mm_aspace_init(as, &config) != MM_OK)
		abort();
}

void bench_aspace(struct mm_aspace *as, bool locked, uint64_t quota)
{
	open_aspace(as, locked, quota, false);
}

void bench_aspace_marks(struct mm_aspace *as, bool marks)
{
	open_aspace(as, false, UINT64_MAX, marks);
}

double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* What starting and stopping costs by itself. */
static double timer_overhead(void)
{
	static double least;
	for (unsigned i = 0; least == 0 && i < 1000; i++) {
		double began = now_ns();
		double took = now_ns() - began;
		least = i == 0 || took < least ? took : least;
	}
	return least;
}

void timer_start(struct timer *t)
{
	(void)timer_overhead();
	CALLGRIND_TOGGLE_COLLECT;
	t->began = now_ns();
}

void timer_stop(struct timer *t, uint64_t ops)
{
	double took = now_ns() - t->began - timer_overhead();
	CALLGRIND_TOGGLE_COLLECT;
	t->total += took > 0 ? took : 0;
	t->ops += ops;
}

const uint64_t *random_pages(uint64_t below)
{
	static uint64_t at[RANDOM_COUNT];
	uint64_t state = 88172645463325252;
	for (size_t i = 0; i < RANDOM_COUNT; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		at[i] = state % below * MM_PAGE_SIZE;
	}
	return at;
}

const uint32_t *scrambled(uint32_t n)
{
	static uint32_t order[RANDOM_COUNT];
	const uint64_t *random = random_pages(UINT64_C(1) << 40);
	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	for (uint32_t i = n - 1; i > 0; i--) {
		uint32_t j = (uint32_t)(random[i] / MM_PAGE_SIZE % (i + 1));
		uint32_t other = order[j];
		order[j] = order[i];
		order[i] = other;
	}
	return order;
}
