/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The library's workloads, as numbers: nanoseconds per operation, the same for the
 * least code that could do the job (the floor), and how many operations that was.
 *
 * The pool: host address = physical address + constant, 4 KiB frames in
 * ascending order, free-list links kept outside the frames.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/aspace.h"

#define KiB UINT64_C(1024)
#define MiB (KiB * KiB)
#define GiB (KiB * MiB)

/* --- the machine --- */

struct pool {
	struct mm_hal hal;
	uint8_t *memory;
	uint32_t *stack; /* free frames, the next one on top */
	size_t free;
	size_t frames;
	bool zeroes;         /* does the zero hook clear? */
	unsigned generation; /* how often all frames have become free again */
};

extern struct pool pool;

void pool_open(void);
/* All frames are free again, in ascending order. */
void pool_reset(void);

/* An address space on the pool, EPT with 4 levels. `locked`: with a CPU index, so with a lock. */
void bench_aspace(struct mm_aspace *as, bool locked, uint64_t quota);

/* The same without a lock and a quota, with or without the hardware's accessed and dirty marks. */
void bench_aspace_marks(struct mm_aspace *as, bool marks);

double now_ns(void);

/* --- workloads --- */

/* One timed stretch: runs `ops` operations, answers nanoseconds for all of them. Everything
 * around them (setting up, undoing) is not timed, nor counted under callgrind. */
struct timer {
	double began, total;
	uint64_t ops;
};

void timer_start(struct timer *t);
void timer_stop(struct timer *t, uint64_t ops);

struct workload {
	const char *name;
	const char *what;
	double reach;          /* nanoseconds; 0: relative to the floor */
	double reach_floor;    /* times the floor; 0: none */
	unsigned instructions; /* per operation, to stay under; 0: none */
	void (*run)(struct timer *t);
	void (*floor)(struct timer *t); /* NULL: none that means anything */
	const char *unit;               /* NULL: ns */
};

extern const struct workload workloads[];
extern const size_t workload_count;

/* What is timed in faults.c, and listed in workloads.c. */
void w2f(struct timer *t);
void w2g_snapshot(struct timer *t);
void w2g_log(struct timer *t);
void w2g_write(struct timer *t);
void w4c(struct timer *t);
void w4d(struct timer *t);
void w4d_far(struct timer *t);
void w13(struct timer *t);
void w13_one(struct timer *t);
void w13_bytes(struct timer *t);
void w9(struct timer *t);
void w9_neighbours(struct timer *t);
void w9_same(struct timer *t);
void w10(struct timer *t);
/* Of proportion.c. */
void bench_w11(struct timer *t);
void bench_w11_written(struct timer *t);
void bench_w11_take(struct timer *t);
void bench_w12(struct timer *t);
void bench_w12_written(struct timer *t);
void bench_w12_hardware(struct timer *t);
void bench_w14(struct timer *t);

/* The floors. */
void floor_linear(struct timer *t);
void floor_fault(struct timer *t);
void floor_fault_random(struct timer *t);
void floor_translate_far(struct timer *t);
void floor_zero_cold(struct timer *t);
void floor_zero_warm(struct timer *t);
void floor_translate(struct timer *t);
void floor_translate_chain(struct timer *t);
void floor_translate_large(struct timer *t);
void floor_translate_large_chain(struct timer *t);
void floor_unmap(struct timer *t);
void floor_find(struct timer *t);

/* 0. Neither the compiler nor the CPU can compute this before it has `value`, whose top bit is
 * clear. */
static inline uint64_t never_set(uint64_t value)
{
	return value >> 63 << MM_PAGE_SHIFT;
}

/* Random page addresses below a limit, the same each time. */
#define RANDOM_COUNT (1 << 20)
const uint64_t *random_pages(uint64_t below);

/* 0 to n - 1 in an order of no kind; the same each time. The array is overwritten by the next call.
 * n <= RANDOM_COUNT. */
const uint32_t *scrambled(uint32_t n);

/* Anything but success is a broken benchmark. */
void must(enum mm_error err);

/* Maps 1 GiB at 1 GiB, all present, in leaves of this level. */
void bench_map_present(struct mm_aspace *as, unsigned level);

#endif
