/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long exclusive calls let other calls in: after how much work, and what these may find. Counted in
 * tables visited, not in time.
 *
 * The HAL here counts: each table that the library visits is one call of phys_to_virt(). A second
 * CPU always waits for the read lock. When it is admitted, the writer waits for it in the pause
 * hook, and the hook plays that CPU: it notes how many tables were visited since it was here last,
 * makes a fault, and waits again.
 */
#include "mm/dirty.h"
#include "mm/snapshot.h"

#include "check.h"
#include "guest.h"
#include "race.h"

#include "mm/aspace_internal.h"
#include "mm/npt/turn.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define GiB        (UINT64_C(1) << 30)
#define POOL_BYTES (9 * GiB) /* reserved: only tables are ever touched */
#define POOL_PAGES (POOL_BYTES / MM_PAGE_SIZE)
#define BASE       GiB
#define SIZE       (8 * GiB)
#define SIZE_PAGES (SIZE / MM_PAGE_SIZE)
#define WAITER     1U /* the CPU that waits */

/* Tables between two chances to enter, at most: a turn, and what no turn is in. */
#define BOUND      (MM_NPT_TURN / 512 + 80)
#define BOUND_DROP (MM_NPT_TURN / 64 * 12) /* a change, found by a walk of each table */

struct place {
	struct mm_aspace as;
	uint8_t *memory;
	uint32_t *stack;
	uint8_t *owned; /* by page: is it given out? */
	size_t free;
	_Atomic uint64_t visits;
	uint64_t last, most, chances;
	void (*enter)(struct place *p); /* what the waiter does when it is let in; NULL: nothing */
	uint64_t entered;
	bool threads;
	pthread_mutex_t mutex;
	_Atomic bool done, begun;
	struct mm_snapshot snapshot;
};

static struct place place;

static size_t alloc_frames(void *ctx, unsigned order, size_t n, mm_hpa_t out[])
{
	struct place *p = ctx;
	size_t got = 0;

	if (order > 0)
		return 0;
	pthread_mutex_lock(&p->mutex);
	for (; got < n && p->free > 0; got++) {
		uint32_t frame = p->stack[--p->free];

		CHECK(!p->owned[frame]);
		p->owned[frame] = 1;
		out[got] = mm_hpa_at(BASE + frame * MM_PAGE_SIZE);
	}
	pthread_mutex_unlock(&p->mutex);
	return got;
}

static void free_frames(void *ctx, unsigned order, size_t n, const mm_hpa_t in[])
{
	struct place *p = ctx;

	CHECK_EQ(order, 0);
	pthread_mutex_lock(&p->mutex);
	for (size_t i = 0; i < n; i++) {
		uint64_t frame = (in[i].raw - BASE) / MM_PAGE_SIZE;

		CHECK(frame < POOL_PAGES && p->owned[frame]);
		p->owned[frame] = 0;
		p->stack[p->free++] = (uint32_t)frame;
	}
	pthread_mutex_unlock(&p->mutex);
}

static void *to_virt(void *ctx, mm_hpa_t pa)
{
	struct place *p = ctx;

	atomic_fetch_add_explicit(&p->visits, 1, memory_order_relaxed);
	return p->memory + (pa.raw - BASE);
}

static mm_hpa_t to_phys(void *ctx, const void *va)
{
	struct place *p = ctx;

	return mm_hpa_at((uint64_t)((const uint8_t *)va - p->memory) + BASE);
}

static void no_zero(void *ctx, void *page, size_t bytes)
{
	(void)ctx;
	(void)page;
	(void)bytes;
}

static void flush(void *ctx, const struct mm_flush *request)
{
	(void)ctx;
	(void)request;
}

static _Thread_local unsigned cpu;

static unsigned cpu_index(void *ctx)
{
	(void)ctx;
	return cpu;
}

static struct mm_aspace_cpu *waiter(struct place *p)
{
	return &p->as.cpus[WAITER];
}

/* The waiter is in: plays it. */
static void pause_hook(void *ctx)
{
	struct place *p = ctx;
	struct mm_aspace_cpu *w = waiter(p);
	uint64_t since = p->visits - p->last;

	if (p->threads) {
		sched_yield();
		return;
	}
	CHECK_EQ(w->reader.reading, MM_LOCK_INSIDE);
	p->chances++;
	if (since > p->most)
		p->most = since;
	if (p->enter)
		p->enter(p);
	p->last = p->visits;
	atomic_store(&w->reader.reading, MM_LOCK_WAITING);
}

static struct place *open_place(bool marks)
{
	struct place *p = &place;
	struct mm_aspace_config config = {
		.format = &mm_npt_ept,
		.npt = {.levels = 4,
	                .root_bits = 9,
	                .hpa_bits = 46,
	                .max_leaf = 2,
	                .accessed_dirty = marks},
		.hal = {.ctx = p,
	                .alloc = alloc_frames,
	                .free = free_frames,
	                .phys_to_virt = to_virt,
	                .virt_to_phys = to_phys,
	                .zero = no_zero,
	                .flush = flush,
	                .cpu_index = cpu_index,
	                .pause = pause_hook},
		.limits = mm_gpa_range(mm_gpa_at(0), UINT64_C(1) << 48),
		.quota = UINT64_MAX,
		.tag = 1,
	};

	memset(p, 0, sizeof(*p));
	pthread_mutex_init(&p->mutex, NULL);
	p->memory = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE,
	                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(p->memory != MAP_FAILED);
	p->stack = malloc(POOL_PAGES * sizeof(*p->stack));
	p->owned = calloc(POOL_PAGES, 1);
	for (uint32_t i = 0; i < POOL_PAGES; i++)
		p->stack[i] = (uint32_t)POOL_PAGES - 1 - i;
	p->free = POOL_PAGES;
	CHECK_OK(mm_aspace_init(&p->as, &config));
	return p;
}

static void close_place(struct place *p)
{
	atomic_store(&waiter(p)->reader.reading, MM_LOCK_OUTSIDE);
	mm_aspace_destroy(&p->as);
	CHECK_EQ(p->free, POOL_PAGES);
	munmap(p->memory, POOL_BYTES);
	free(p->stack);
	free(p->owned);
}

/* From now on the waiter waits, and tables are counted. */
static void begin(struct place *p, void (*enter)(struct place *p))
{
	struct mm_aspace_stats stats;

	cpu = WAITER; /* registers it */
	mm_aspace_get_stats(&p->as, &stats);
	(void)!mm_aspace_fault(&p->as, mm_gpa_at(0), MM_R);
	cpu = 0;
	p->enter = enter;
	p->chances = p->most = p->entered = 0;
	p->last = p->visits;
	atomic_store(&waiter(p)->reader.reading, MM_LOCK_WAITING);
}

/* The waiter has been let in after every bounded piece of work, and often. */
static void end_within(struct place *p, const char *call, uint64_t bound, uint64_t chances)
{
	uint64_t rest = p->visits - p->last;

	if (rest > p->most)
		p->most = rest;
	atomic_store(&waiter(p)->reader.reading, MM_LOCK_OUTSIDE);
	printf("# %s of 8 GiB present: let in %llu times, after %llu tables at most\n", call,
	       (unsigned long long)p->chances, (unsigned long long)p->most);
	CHECK(p->most <= bound);
	CHECK(p->chances >= chances);
}

static void end(struct place *p, const char *call, uint64_t chances)
{
	end_within(p, call, BOUND, chances);
}

static struct mm_gpa_range range_of(uint64_t start, uint64_t size)
{
	return mm_gpa_range(mm_gpa_at(start), size);
}

/* 8 GiB in pages, from 8 GiB + 1 MiB on, and a lazy area of 1 MiB on both sides in its first and
 * last table. */
#define FIRST (8 * GiB + (1U << 20))
#define BELOW (8 * GiB)
#define ABOVE (FIRST + SIZE)
#define MiB   (UINT64_C(1) << 20)

static void map_present(struct place *p)
{
	CHECK_OK(mm_aspace_map_alloc(&p->as, range_of(FIRST, SIZE), MM_RW,
	                             (struct mm_aspace_backing){.populate = true}));
	CHECK_OK(mm_aspace_map_alloc(&p->as, range_of(BELOW, MiB), MM_RWX,
	                             (struct mm_aspace_backing){0}));
	CHECK_OK(mm_aspace_map_alloc(&p->as, range_of(ABOVE, MiB), MM_RWX,
	                             (struct mm_aspace_backing){0}));
}

/* A fault of the waiter, who has the read lock. */
static enum mm_fault fault_inside(struct place *p, uint64_t gpa, enum mm_perm access)
{
	struct mm_aspace_cpu *w = waiter(p);
	mm_checked_gpa_t at;

	p->entered++;
	(void)mm_aspace_refresh(w);
	CHECK(mm_aspace_check_gpa(&p->as, mm_gpa_at(gpa), &at));
	return mm_fault_resolve(&p->as, w, at, access);
}

/* A page that is somewhere in the range, another one each time. */
static uint64_t somewhere(const struct place *p)
{
	return FIRST + (p->entered * UINT64_C(2654435761) % SIZE_PAGES) * MM_PAGE_SIZE;
}

static void check_fault(enum mm_fault fault, enum mm_fault wanted)
{
	CHECK_EQ(fault, wanted);
}

/* What is being unmapped is gone, and pages beside it in the same tables can be had. */
static void fault_beside(struct place *p)
{
	uint64_t n = p->chances % 256 * MM_PAGE_SIZE;

	check_fault(fault_inside(p, somewhere(p), MM_W), MM_FAULT_NOT_MAPPED);
	check_fault(fault_inside(p, FIRST, MM_W), MM_FAULT_NOT_MAPPED);
	check_fault(fault_inside(p, ABOVE - 1, MM_W), MM_FAULT_NOT_MAPPED);
	if (p->chances <= 256) {
		check_fault(fault_inside(p, BELOW + n, MM_W), MM_FAULT_MAPPED);
		check_fault(fault_inside(p, ABOVE + n, MM_W), MM_FAULT_MAPPED);
	}
}

static void faults_beside_an_unmap(void **state)
{
	struct place *p = open_place(false);
	struct mm_aspace_stats stats;

	(void)state;
	map_present(p);
	begin(p, fault_beside);
	CHECK_OK(mm_aspace_unmap(&p->as, range_of(FIRST, SIZE)));
	end(p, "unmap", 200);
	mm_aspace_get_stats(&p->as, &stats);
	CHECK_EQ(stats.frames, 2 * (p->chances < 256 ? p->chances : 256));
	CHECK_EQ(stats.frames + stats.tables + stats.area_frames, POOL_PAGES - p->free);
	close_place(p);
}

/* The new area is there before the pages of the old one have been released. */
static void fault_in_place(struct place *p)
{
	enum mm_fault fault = fault_inside(p, somewhere(p), MM_W);

	CHECK(fault == MM_FAULT_MAPPED || fault == MM_FAULT_SPURIOUS);
}

static void faults_beside_a_replacement(void **state)
{
	struct place *p = open_place(false);
	struct mm_aspace_stats stats;

	(void)state;
	map_present(p);
	begin(p, fault_in_place);
	CHECK_OK(mm_aspace_replace_alloc(&p->as, range_of(FIRST, SIZE), MM_RW,
	                                 (struct mm_aspace_backing){0}));
	end(p, "replace", 200);
	mm_aspace_get_stats(&p->as, &stats);
	CHECK(stats.frames > 0 && stats.frames <= p->chances);
	CHECK_EQ(stats.frames + stats.tables + stats.area_frames, POOL_PAGES - p->free);
	close_place(p);
}

static void fault_nowhere(struct place *p)
{
	check_fault(fault_inside(p, somewhere(p), MM_W), MM_FAULT_NOT_MAPPED);
}

static void faults_beside_a_clear(void **state)
{
	struct place *p = open_place(false);

	(void)state;
	map_present(p);
	begin(p, fault_nowhere);
	mm_aspace_clear(&p->as);
	end(p, "clear", 200);
	close_place(p);
}

/* While all pages lose W, no write gets through a fault; while they get it back, each one does. */
static void write_to_read_only(struct place *p)
{
	check_fault(fault_inside(p, somewhere(p), MM_W), MM_FAULT_PERMISSION);
}

static void write_to_writable(struct place *p)
{
	enum mm_fault fault = fault_inside(p, somewhere(p), MM_W);

	CHECK(fault == MM_FAULT_UNSHARED || fault == MM_FAULT_SPURIOUS);
}

static bool any_with(void *ctx, const struct mm_npt_leaf *leaf)
{
	const enum mm_perm *perm = ctx;

	CHECK_EQ(leaf->perm, *perm);
	return true;
}

static void faults_beside_a_protect(void **state)
{
	struct place *p = open_place(false);
	enum mm_perm perm = MM_R;

	(void)state;
	map_present(p);
	begin(p, write_to_read_only);
	CHECK_OK(mm_aspace_protect(&p->as, range_of(FIRST, SIZE), MM_R));
	end(p, "protect", 200);
	CHECK_OK(mm_aspace_for_each_leaf(&p->as, range_of(FIRST, SIZE), any_with, &perm));
	perm = MM_RW;
	begin(p, write_to_writable);
	CHECK_OK(mm_aspace_protect(&p->as, range_of(FIRST, SIZE), MM_RW));
	end(p, "protect", 200);
	CHECK_OK(mm_aspace_for_each_leaf(&p->as, range_of(FIRST, SIZE), any_with, &perm));
	close_place(p);
}

/* --- the dirty log --- */

static uint64_t *bitmap;

static uint64_t page_number(uint64_t gpa)
{
	return (gpa - FIRST) / MM_PAGE_SIZE;
}

static bool reported(uint64_t gpa)
{
	return (bitmap[page_number(gpa) / 64] >> page_number(gpa) % 64 & 1) != 0;
}

static uint64_t count_reported(void)
{
	uint64_t n = 0;

	for (size_t i = 0; i < SIZE_PAGES / 64; i++)
		n += (uint64_t)__builtin_popcountll(bitmap[i]);
	return n;
}

/* Each page that the waiter has written to, in this call or before. */
static uint64_t wrote[4096];
static unsigned wrote_count;

static void write_and_note(struct place *p)
{
	uint64_t gpa = somewhere(p);
	enum mm_fault fault = fault_inside(p, gpa, MM_W);

	CHECK(fault == MM_FAULT_UNSHARED || fault == MM_FAULT_SPURIOUS);
	if (wrote_count < MM_ARRAY_SIZE(wrote))
		wrote[wrote_count++] = gpa;
}

/* No write is lost: this call reports it, or the next one. */
static void collect_again(struct place *p)
{
	memset(bitmap, 0, SIZE_PAGES / 8);
	CHECK_OK(mm_aspace_dirty_collect(&p->as, range_of(FIRST, SIZE), bitmap));
}

static void writes_beside_a_collection(void **state)
{
	struct place *p = open_place(false);

	(void)state;
	bitmap = calloc(SIZE_PAGES / 64, sizeof(*bitmap));
	map_present(p);
	wrote_count = 0;
	begin(p, write_and_note);
	CHECK_OK(mm_aspace_dirty_start(&p->as, MM_DIRTY_WRITE_PROTECT, false));
	end(p, "start of a log", 200);
	/* One write in each table: all of them are read. */
	p->enter = NULL;
	for (uint64_t at = FIRST; at < FIRST + SIZE; at += 2 * MiB) {
		enum mm_fault fault = mm_aspace_fault(&p->as, mm_gpa_at(at), MM_W);

		CHECK(fault == MM_FAULT_UNSHARED || fault == MM_FAULT_SPURIOUS);
	}
	wrote_count = 0;
	begin(p, write_and_note);
	CHECK_OK(mm_aspace_dirty_collect(&p->as, range_of(FIRST, SIZE), bitmap));
	end(p, "collection", 100);
	CHECK(wrote_count >= 100);
	for (uint64_t at = FIRST; at < FIRST + SIZE; at += 2 * MiB)
		CHECK(reported(at));
	p->enter = NULL;

	uint64_t *first = bitmap;

	bitmap = calloc(SIZE_PAGES / 64, sizeof(*bitmap));
	collect_again(p);
	for (unsigned i = 0; i < wrote_count; i++)
		CHECK(reported(wrote[i]) ||
		      (first[page_number(wrote[i]) / 64] >> page_number(wrote[i]) % 64 & 1) != 0);
	collect_again(p);
	CHECK_EQ(count_reported(), 0);
	begin(p, write_to_writable);
	mm_aspace_dirty_stop(&p->as);
	end(p, "end of a log", 200);
	free(first);
	free(bitmap);
	close_place(p);
}

/* A collection visits what was written to, and not what is present. */
static void a_collection_visits_what_was_written(void **state)
{
	static const unsigned written[] = {0, 1, 10, 100, 1000};
	struct place *p = open_place(false);

	(void)state;
	bitmap = calloc(SIZE_PAGES / 64, sizeof(*bitmap));
	map_present(p);
	CHECK_OK(mm_aspace_dirty_start(&p->as, MM_DIRTY_WRITE_PROTECT, false));
	for (size_t i = 0; i < MM_ARRAY_SIZE(written); i++) {
		for (unsigned n = 0; n < written[i]; n++)
			CHECK_EQ(mm_aspace_fault(&p->as, mm_gpa_at(FIRST + n * 4 * MiB), MM_W),
			         MM_FAULT_UNSHARED);

		uint64_t before = p->visits;

		collect_again(p);
		printf("# %u of %llu pages present were written: %llu tables visited\n", written[i],
		       (unsigned long long)SIZE_PAGES, (unsigned long long)(p->visits - before));
		CHECK_EQ(count_reported(), written[i]);
		/* One for each page, and those above them. The root is not counted. */
		CHECK(p->visits - before <= written[i] + 12);
		before = p->visits;
		collect_again(p);
		CHECK_EQ(count_reported(), 0);
		/* Marks stay where the range covers a table in part. */
		CHECK(p->visits - before <= 6);
	}
	free(bitmap);
	close_place(p);
}

static void writes_beside_a_collection_of_marks(void **state)
{
	struct place *p = open_place(true);

	(void)state;
	bitmap = calloc(SIZE_PAGES / 64, sizeof(*bitmap));
	map_present(p);
	begin(p, NULL);
	CHECK_OK(mm_aspace_dirty_start(&p->as, MM_DIRTY_HARDWARE, false));
	end(p, "start of a hardware log", 200);
	begin(p, NULL);
	CHECK_OK(mm_aspace_dirty_collect(&p->as, range_of(FIRST, SIZE), bitmap));
	end(p, "hardware collection", 200);
	mm_aspace_dirty_stop(&p->as);
	free(bitmap);
	close_place(p);
}

/* --- snapshots --- */

/* Writes to pages that are shared with the snapshot that is being dropped. */
static void write_shared(struct place *p)
{
	enum mm_fault fault = fault_inside(p, somewhere(p), MM_W);

	CHECK(fault == MM_FAULT_UNSHARED || fault == MM_FAULT_SPURIOUS);
}

static void writes_beside_a_drop(void **state)
{
	struct place *p = open_place(false);
	struct mm_aspace_stats stats;

	(void)state;
	map_present(p);
	CHECK_OK(mm_aspace_snapshot_take(&p->as, &p->snapshot));
	for (uint64_t n = 0; n < 10000; n++)
		CHECK_EQ(mm_aspace_fault(&p->as, mm_gpa_at(FIRST + n * 7 * MM_PAGE_SIZE), MM_W),
		         MM_FAULT_UNSHARED);
	begin(p, write_shared);
	mm_aspace_snapshot_drop(&p->as, &p->snapshot);
	end_within(p, "drop of a snapshot", BOUND_DROP, 80);
	mm_aspace_get_stats(&p->as, &stats);
	CHECK_EQ(stats.frames, SIZE_PAGES);
	CHECK_EQ(stats.frames + stats.tables + stats.area_frames, POOL_PAGES - p->free);
	close_place(p);
}

/* --- threads --- */

static void *fault_often(void *arg)
{
	struct place *p = arg;

	cpu = WAITER;
	atomic_store(&p->begun, true);
	while (!atomic_load(&p->done)) {
		(void)!mm_aspace_fault(&p->as, mm_gpa_at(ABOVE), MM_W);
		if (atomic_load(&p->as.lock.writer) != 0)
			p->entered++;
	}
	return NULL;
}

/* A thread that faults all the time neither waits for the end of an unmap, nor keeps it out. */
static void a_thread_gets_in(void **state)
{
	struct place *p = open_place(false);
	pthread_t thread;

	(void)state;
	p->threads = true;
	map_present(p);
	CHECK(pthread_create(&thread, NULL, fault_often, p) == 0);
	while (!atomic_load(&p->begun))
		sched_yield();
	CHECK_OK(mm_aspace_unmap(&p->as, range_of(FIRST, SIZE)));
	atomic_store(&p->done, true);
	pthread_join(thread, NULL);
	printf("# a thread was let in %llu times during an unmap of 8 GiB\n",
	       (unsigned long long)p->entered);
	CHECK(p->entered >= 20);
	close_place(p);
}

/* Writers that come one after another, and readers that do: both get on. */
static void neither_side_starves(void **state)
{
	struct place *p = open_place(false);
	pthread_t thread;

	(void)state;
	p->threads = true;
	CHECK_OK(mm_aspace_map_alloc(&p->as, range_of(ABOVE, MiB), MM_RWX,
	                             (struct mm_aspace_backing){0}));
	CHECK(pthread_create(&thread, NULL, fault_often, p) == 0);
	while (!atomic_load(&p->begun))
		sched_yield();
	for (unsigned i = 0; i < 20000; i++)
		CHECK_OK(mm_aspace_protect(&p->as, range_of(ABOVE, MM_PAGE_SIZE),
		                           i & 1 ? MM_RW : MM_RWX));
	atomic_store(&p->done, true);
	pthread_join(thread, NULL);
	close_place(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_beside_an_unmap),
		cmocka_unit_test(faults_beside_a_replacement),
		cmocka_unit_test(faults_beside_a_clear),
		cmocka_unit_test(faults_beside_a_protect),
		cmocka_unit_test(writes_beside_a_collection),
		cmocka_unit_test(a_collection_visits_what_was_written),
		cmocka_unit_test(writes_beside_a_collection_of_marks),
		cmocka_unit_test(writes_beside_a_drop),
		cmocka_unit_test(a_thread_gets_in),
		cmocka_unit_test(neither_side_starves),
	};

	return cmocka_run_group_tests_name("turns", tests, NULL, NULL);
}
