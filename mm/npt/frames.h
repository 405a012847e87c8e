/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames from the HAL for the walker, charged to the quota. Batches are for calls that need many.
 */
#ifndef MM_NPT_FRAMES_H
#define MM_NPT_FRAMES_H

#include <stddef.h>

#include "mm/atomic.h"
#include "mm/npt.h"

#define MM_NPT_BATCH 64U

/* [shared] Takes n blocks of 2^order frames, or none: MM_QUOTA, MM_NO_MEMORY. */
enum mm_error mm_npt_take(struct mm_npt *npt, unsigned order, size_t n,
                          mm_hpa_t out[]) MM_MUST_CHECK;
/* [shared] Gives n blocks of 2^order frames back. */
void mm_npt_give(struct mm_npt *npt, unsigned order, size_t n, const mm_hpa_t in[]);

/* [shared, by the CPU that owns `counts`] Ensures credit for at least one page. False: the quota is
 * exhausted, or other CPUs hold the rest of it as credit. */
bool mm_npt_refill_credit(struct mm_npt *npt, struct mm_npt_counts *counts) MM_MUST_CHECK;
/* [exclusive] Takes back a CPU's credit. False: it had none. */
bool mm_npt_take_credit_back(struct mm_npt *npt, struct mm_npt_counts *counts);

/* Clears a block that becomes a table. By plain stores: the HAL's zero hook is for guest pages. */
void mm_npt_clear_table(const struct mm_npt *npt, mm_hpa_t table, unsigned order);
/* Clears memory that a guest gets. */
static inline void mm_npt_clear_bytes(const struct mm_npt *npt, void *at, size_t bytes)
{
	if (npt->hal.zero)
		npt->hal.zero(npt->hal.ctx, at, bytes);
	else
		__builtin_memset(at, 0, bytes);
}

static inline void mm_npt_clear_data(const struct mm_npt *npt, mm_hpa_t block, unsigned order)
{
	mm_npt_clear_bytes(npt, mm_hal_to_virt(&npt->hal, block), (size_t)(MM_PAGE_SIZE << order));
}

/* Single frames: frames[next] to frames[end - 1]. A zeroed batch is empty. */
struct mm_npt_batch {
	unsigned next;
	unsigned end;
	mm_hpa_t frames[MM_NPT_BATCH];
};

/* Takes up to `wanted` frames, but at most MM_NPT_BATCH, into an empty batch. May take fewer.
 * Error: none could be taken. */
enum mm_error mm_npt_batch_fill(struct mm_npt *npt, struct mm_npt_batch *batch,
                                uint64_t wanted) MM_MUST_CHECK;
/* Gives all frames of the batch back. */
void mm_npt_batch_drain(struct mm_npt *npt, struct mm_npt_batch *batch);

/* Adds a frame that goes back. The HAL gets the frames when the batch is full, or is drained. */
static inline void mm_npt_batch_put(struct mm_npt *npt, struct mm_npt_batch *batch, mm_hpa_t frame)
{
	if (MM_UNLIKELY(batch->end == MM_NPT_BATCH))
		mm_npt_batch_drain(npt, batch);
	batch->frames[batch->end++] = frame;
}

#endif
