/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Workloads W11, W12 and W14: what costs in proportion to what was written, and how long a long
 * call keeps others out.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "mm/dirty.h"
#include "mm/snapshot.h"

#define PAGES_PER_GIB (GiB / MM_PAGE_SIZE)

static struct mm_aspace as;

static struct mm_gpa_range gib(uint64_t n)
{
	return mm_gpa_range(mm_gpa_at(n * GiB), GiB);
}

static void open_space(bool locked)
{
	pool_reset();
	bench_aspace(&as, locked, UINT64_MAX);
}

/* --- W11, W12: cost in proportion --- */

#define WRITTEN 100

/* One write each in places that are far apart. */
static void write_some(enum mm_fault wanted)
{
	for (uint64_t n = 0; n < WRITTEN; n++) {
		mm_gpa_t gpa = mm_gpa_at(GiB + n * 2617 * MM_PAGE_SIZE);
		if (mm_aspace_fault(&as, gpa, MM_W) != wanted)
			exit(1);
	}
}

static void restore(struct timer *t, bool written)
{
	static struct mm_snapshot snapshot;
	open_space(false);
	bench_map_present(&as, 0);
	must(mm_aspace_snapshot_take(&as, &snapshot));
	for (unsigned round = 0; round < 20; round++) {
		if (written)
			write_some(MM_FAULT_UNSHARED);
		timer_start(t);
		must(mm_aspace_snapshot_restore(&as, &snapshot));
		timer_stop(t, written ? WRITTEN : 1);
	}
	mm_aspace_snapshot_drop(&as, &snapshot);
	mm_aspace_destroy(&as);
}

void bench_w11(struct timer *t)
{
	restore(t, false);
}

void bench_w11_written(struct timer *t)
{
	restore(t, true);
}

void bench_w11_take(struct timer *t)
{
	static struct mm_snapshot snapshot;
	open_space(false);
	bench_map_present(&as, 0);
	timer_start(t);
	must(mm_aspace_snapshot_take(&as, &snapshot));
	timer_stop(t, PAGES_PER_GIB);
	mm_aspace_snapshot_drop(&as, &snapshot);
	mm_aspace_destroy(&as);
}

static uint64_t bitmap[PAGES_PER_GIB / 64];

static void collect(struct timer *t, enum mm_dirty_mode mode, bool written, uint64_t ops)
{
	pool_reset();
	bench_aspace_marks(&as, mode == MM_DIRTY_HARDWARE);
	bench_map_present(&as, 0);
	must(mm_aspace_dirty_start(&as, mode, false));
	for (unsigned round = 0; round < 20; round++) {
		if (written)
			write_some(MM_FAULT_UNSHARED);
		timer_start(t);
		must(mm_aspace_dirty_collect(&as, gib(1), bitmap));
		timer_stop(t, ops);
	}
	mm_aspace_dirty_stop(&as);
	mm_aspace_destroy(&as);
}

void bench_w12(struct timer *t)
{
	collect(t, MM_DIRTY_WRITE_PROTECT, false, 1);
}

void bench_w12_written(struct timer *t)
{
	collect(t, MM_DIRTY_WRITE_PROTECT, true, WRITTEN);
}

void bench_w12_hardware(struct timer *t)
{
	collect(t, MM_DIRTY_HARDWARE, false, PAGES_PER_GIB);
}

/* --- W14: a turn of a long call --- */

static uint64_t turns;

static void end_of_turn(void *ctx)
{
	(void)ctx;
	turns++;
}

/* Per turn. */
void bench_w14(struct timer *t)
{
	open_space(true);
	bench_map_present(&as, 0);
	as.npt.admit = end_of_turn;
	turns = 0;
	timer_start(t);
	must(mm_aspace_dirty_start(&as, MM_DIRTY_WRITE_PROTECT, false));
	must(mm_aspace_dirty_collect(&as, gib(1), bitmap));
	mm_aspace_dirty_stop(&as);
	must(mm_aspace_protect(&as, gib(1), MM_R));
	must(mm_aspace_unmap(&as, gib(1)));
	timer_stop(t, turns);
	mm_aspace_destroy(&as);
}
