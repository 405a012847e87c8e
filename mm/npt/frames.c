/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames under a quota. If there is a quota, a frame is charged before the HAL is asked for it, so
 * that concurrent faults cannot exceed the quota together. If there is none, nothing is counted
 * here, and CPUs share no cache line.
 *
 * Without credit, every fault that maps a page would write to npt.used. Instead a CPU gets credit
 * for many frames at once and uses it frame by frame. Credit counts as used until it is taken back,
 * so the quota is never exceeded. When the quota seems exhausted, the caller takes back the credit
 * of all CPUs and tries again, so every frame of the quota can be used.
 */
#include "mm/npt/frames.h"

#include "mm/npt/walk.h"

/* Charges up to `frames` to the quota, and at least `least` or nothing. Returns how many. */
static uint64_t charge(struct mm_npt *npt, uint64_t frames, uint64_t least)
{
	if (npt->quota == UINT64_MAX)
		return frames;

	uint64_t used = atomic_load_explicit(&npt->used, memory_order_relaxed);
	uint64_t charged;

	do {
		charged = mm_u64_min(frames, npt->quota - used);
		if (charged < least)
			return 0;
	} while (!atomic_compare_exchange_weak_explicit(
		&npt->used, &used, used + charged, memory_order_relaxed, memory_order_relaxed));
	return charged;
}

static void discharge(struct mm_npt *npt, uint64_t frames)
{
	if (npt->quota != UINT64_MAX)
		atomic_fetch_sub_explicit(&npt->used, frames, memory_order_relaxed);
}

/* The most credit that a CPU gets at once, by one atomic operation. It gets at most this share of
 * what is left of the quota. */
#define LEND_MOST  INT64_C(64)
#define LEND_SHARE 8

/* The credit of a CPU where there is no quota. No machine has so many frames, and the sum over all
 * CPUs can be represented. */
#define LEND_UNLIMITED (INT64_C(1) << 48)

MM_STATIC_ASSERT(INT64_MAX / LEND_UNLIMITED > MM_MAX_CPUS + 1, "npt.lent");

static int64_t charge_credit(struct mm_npt *npt)
{
	uint64_t used, wanted;

	if (npt->quota == UINT64_MAX)
		return LEND_UNLIMITED;
	used = atomic_load_explicit(&npt->used, memory_order_relaxed);
	wanted = npt->quota > used ? (npt->quota - used) / LEND_SHARE : 0;
	return (int64_t)charge(npt, mm_u64_min(wanted + 1, LEND_MOST), 1);
}

/* A reader that sees the new value of npt.lent sees this CPU's credit as negative or as refilled:
 * see lent_pages() in aspace_query.c. */
bool mm_npt_refill_credit(struct mm_npt *npt, struct mm_npt_counts *counts)
{
	int64_t lent;

	if (atomic_load_explicit(&counts->credit, memory_order_relaxed) > 0)
		return true;
	lent = charge_credit(npt);
	atomic_store_explicit(&counts->credit, -1, memory_order_relaxed);
	atomic_fetch_add_explicit(&npt->lent, lent, memory_order_release);
	atomic_store_explicit(&counts->credit, lent, memory_order_release);
	return lent != 0;
}

bool mm_npt_take_credit_back(struct mm_npt *npt, struct mm_npt_counts *counts)
{
	int64_t credit = atomic_load_explicit(&counts->credit, memory_order_relaxed);

	if (credit <= 0 || npt->quota == UINT64_MAX)
		return false;
	atomic_store_explicit(&counts->credit, 0, memory_order_relaxed);
	atomic_fetch_sub_explicit(&npt->lent, credit, memory_order_relaxed);
	discharge(npt, (uint64_t)credit);
	return true;
}

enum mm_error mm_npt_take(struct mm_npt *npt, unsigned order, size_t n, mm_hpa_t out[])
{
	uint64_t frames = (uint64_t)n << order;

	if (charge(npt, frames, frames) == 0)
		return MM_QUOTA;

	size_t got = npt->hal.alloc(npt->hal.ctx, order, n, out);

	if (MM_LIKELY(got == n))
		return MM_OK;
	if (got != 0)
		npt->hal.free(npt->hal.ctx, order, got, out);
	discharge(npt, frames);
	return MM_NO_MEMORY;
}

void mm_npt_give(struct mm_npt *npt, unsigned order, size_t n, const mm_hpa_t in[])
{
	npt->hal.free(npt->hal.ctx, order, n, in);
	discharge(npt, (uint64_t)n << order);
}

void mm_npt_clear_table(const struct mm_npt *npt, mm_hpa_t table, unsigned order)
{
	__builtin_memset(mm_hal_to_virt(&npt->hal, table), 0, (size_t)(MM_PAGE_SIZE << order));
}

enum mm_error mm_npt_batch_fill(struct mm_npt *npt, struct mm_npt_batch *batch, uint64_t wanted)
{
	uint64_t charged = charge(npt, mm_u64_min(wanted, MM_NPT_BATCH), 1);

	if (charged == 0)
		return MM_QUOTA;
	batch->next = 0;
	batch->end = (unsigned)npt->hal.alloc(npt->hal.ctx, 0, (size_t)charged, batch->frames);
	discharge(npt, charged - batch->end);
	return batch->end != 0 ? MM_OK : MM_NO_MEMORY;
}

void mm_npt_batch_drain(struct mm_npt *npt, struct mm_npt_batch *batch)
{
	if (batch->next != batch->end)
		mm_npt_give(npt, 0, batch->end - batch->next, &batch->frames[batch->next]);
	batch->next = batch->end = 0;
}
