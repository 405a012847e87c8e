/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The unfavourable cases of faults and translations: addresses in no order, a snapshot or a dirty
 * log, more GiBs than a CPU caches tables of, many address spaces in turn, several threads.
 */
#include "bench.h"

#include <pthread.h>
#include <stdlib.h>

#include "mm/compiler.h"
#include "mm/dirty.h"
#include "mm/snapshot.h"

#define PAGES_PER_GIB (GiB / MM_PAGE_SIZE)

static struct mm_aspace as;
static volatile uint64_t sink;

static void map_one_gib(struct mm_aspace *space)
{
	must(mm_aspace_map_alloc(space, mm_gpa_range(mm_gpa_at(GiB), GiB), MM_RWX,
	                         (struct mm_aspace_backing){0}));
}

static void open_gib(void)
{
	pool_reset();
	bench_aspace(&as, true, UINT64_MAX);
	map_one_gib(&as);
}

static void fault_page(struct mm_aspace *space, uint64_t page, enum mm_fault expected)
{
	mm_gpa_t gpa = mm_gpa_at(GiB + page * MM_PAGE_SIZE);

	if (MM_UNLIKELY(mm_aspace_fault(space, gpa, MM_W) != expected))
		exit(1);
}

/* --- W2: faults --- */

/* All tables are there: one page in each block of 2 MiB is mapped before. */
void w2f(struct timer *t)
{
	const uint32_t *order = scrambled(PAGES_PER_GIB);

	open_gib();
	for (uint64_t p = 0; p < PAGES_PER_GIB; p += 512)
		fault_page(&as, p, MM_FAULT_MAPPED);
	timer_start(t);
	for (uint64_t i = 0; i < PAGES_PER_GIB; i++) {
		if (order[i] % 512 != 0)
			fault_page(&as, order[i], MM_FAULT_MAPPED);
	}
	timer_stop(t, PAGES_PER_GIB - PAGES_PER_GIB / 512);
	mm_aspace_destroy(&as);
}

static void fault_all(struct timer *t, uint64_t pages, enum mm_fault expected)
{
	timer_start(t);
	for (uint64_t p = 0; p < pages; p++)
		fault_page(&as, p, expected);
	timer_stop(t, pages);
}

/* W2b with a snapshot that was taken while nothing was present. */
void w2g_snapshot(struct timer *t)
{
	static struct mm_snapshot snapshot;

	open_gib();
	must(mm_aspace_snapshot_take(&as, &snapshot));
	fault_all(t, PAGES_PER_GIB, MM_FAULT_MAPPED);
	mm_aspace_destroy(&as);
}

/* W2b with a dirty log. */
void w2g_log(struct timer *t)
{
	open_gib();
	must(mm_aspace_dirty_start(&as, MM_DIRTY_WRITE_PROTECT, false));
	fault_all(t, PAGES_PER_GIB, MM_FAULT_MAPPED);
	mm_aspace_destroy(&as);
}

/* The first write to each page after the log has begun. */
void w2g_write(struct timer *t)
{
	open_gib();
	for (uint64_t p = 0; p < PAGES_PER_GIB; p++)
		fault_page(&as, p, MM_FAULT_MAPPED);
	must(mm_aspace_dirty_start(&as, MM_DIRTY_WRITE_PROTECT, false));
	fault_all(t, PAGES_PER_GIB, MM_FAULT_UNSHARED);
	mm_aspace_destroy(&as);
}

/* --- W4: translations --- */

/* At random in so many GiB of small pages; the host memory behind them is never touched. */
static void translate_far(struct timer *t, uint64_t gibs, bool locked)
{
	const uint64_t *at = random_pages(gibs * PAGES_PER_GIB);
	struct mm_gpa_range range = mm_gpa_range(mm_gpa_at(GiB), gibs * GiB);
	struct mm_aspace_translation out;
	uint64_t sum = 0;

	pool_reset();
	bench_aspace(&as, locked, UINT64_MAX);
	must(mm_aspace_map_linear(&as, range, mm_hpa_at(GiB), MM_RWX, MM_NORMAL, 0));
	timer_start(t);
	for (size_t i = 0; i < RANDOM_COUNT; i++) {
		if (MM_UNLIKELY(mm_aspace_translate(&as, mm_gpa_at(GiB + at[i]), &out) != MM_OK))
			exit(1);
		sum += out.hpa.raw;
	}
	timer_stop(t, RANDOM_COUNT);
	sink = sum;
	mm_aspace_destroy(&as);
}

void w4c(struct timer *t)
{
	translate_far(t, 64, false);
}

void w4d(struct timer *t)
{
	translate_far(t, 1, true);
}

void w4d_far(struct timer *t)
{
	translate_far(t, 64, true);
}

/* --- W13: many address spaces --- */

#define SPACES     2000
#define PER_SPACE  32
#define ALL_FAULTS (SPACES * PER_SPACE)

static struct mm_aspace spaces[SPACES];

/* The same number of faults, one address space after the other. The first fault in each, which
 * makes its tables, is not counted. */
static void fault_in_turn(struct timer *t, unsigned n)
{
	pool_reset();
	for (unsigned i = 0; i < n; i++) {
		bench_aspace(&spaces[i], true, UINT64_MAX);
		map_one_gib(&spaces[i]);
		fault_page(&spaces[i], 0, MM_FAULT_MAPPED);
		if (n == 1)
			for (uint64_t p = 512; p <= ALL_FAULTS; p += 512)
				fault_page(&spaces[i], p, MM_FAULT_MAPPED);
	}
	timer_start(t);
	for (uint64_t round = 0, page = 0; round < ALL_FAULTS / n; round++) {
		page += n == 1 && page % 512 == 511 ? 2 : 1;
		for (unsigned i = 0; i < n; i++)
			fault_page(&spaces[i], page, MM_FAULT_MAPPED);
	}
	timer_stop(t, ALL_FAULTS);
	for (unsigned i = 0; i < n; i++)
		mm_aspace_destroy(&spaces[i]);
}

void w13(struct timer *t)
{
	fault_in_turn(t, SPACES);
}

void w13_one(struct timer *t)
{
	fault_in_turn(t, 1);
}

void w13_bytes(struct timer *t)
{
	t->total += sizeof(struct mm_aspace);
	t->ops += 1;
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
	uint64_t first, step, pages;
	pthread_barrier_t *start;
	double took;
};

static void *fault_pages(void *arg)
{
	struct faulter *f = arg;
	this_cpu = f->cpu;
	pthread_barrier_wait(f->start);
	double began = now_ns();
	for (uint64_t i = 0; i < f->pages; i++) {
		mm_gpa_t gpa = mm_gpa_at(GiB + (f->first + i * f->step) * MM_PAGE_SIZE);
		enum mm_fault fault = mm_aspace_fault(&as, gpa, MM_W);
		if (fault != MM_FAULT_MAPPED && fault != MM_FAULT_SPURIOUS)
			exit(1);
	}
	f->took = now_ns() - began;
	return NULL;
}

#define PAGES_EACH 100000

/* Nanoseconds per fault of a thread, when n threads fault PAGES_EACH pages each. Thread i begins at
 * page i * apart, and takes every step-th page. */
static double fault_together(unsigned n, uint64_t apart, uint64_t step)
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
	map_one_gib(&as);
	pthread_barrier_init(&start, NULL, n);
	for (unsigned i = 0; i < n; i++) {
		faulters[i] = (struct faulter){i, i * apart, step, PAGES_EACH, &start, 0};
		pthread_create(&threads[i], NULL, fault_pages, &faulters[i]);
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		took += faulters[i].took / PAGES_EACH / n;
	}
	pthread_barrier_destroy(&start);
	pool.hal = hal;
	return took;
}

/* The speed of each of two threads, as a share of the speed of one alone. */
static void w9_together(struct timer *t, uint64_t apart, uint64_t step)
{
	double alone = fault_together(1, 0, step);
	mm_aspace_destroy(&as);
	double together = fault_together(2, apart, step);
	mm_aspace_destroy(&as);
	t->total += alone / together;
	t->ops += 1;
}

void w9(struct timer *t)
{
	w9_together(t, PAGES_PER_GIB / 2, 1);
}

/* Pages in turn: entries of one cache line, which both threads write. */
void w9_neighbours(struct timer *t)
{
	w9_together(t, 1, 2);
}

void w9_same(struct timer *t)
{
	w9_together(t, 0, 1);
}

/* Two threads fault on the same pages: frames per page. */
void w10(struct timer *t)
{
	struct mm_aspace_stats stats;
	(void)fault_together(2, 0, 1);
	mm_aspace_get_stats(&as, &stats);
	t->total += (double)stats.frames / PAGES_EACH;
	t->ops += 1;
	mm_aspace_destroy(&as);
}
