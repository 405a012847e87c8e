/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames from the HAL for the walker, charged to the quota. Batches are for calls that need many.
 */
#ifndef MM_NPT_FRAMES_H
#define MM_NPT_FRAMES_H

#include <stddef.h>

#include "mm/atomic.h"
#include "mm/npt/npt.h"

#define NPT_BATCH 64U

/* [shared] Takes n blocks of 2^order frames, or none: MM_QUOTA, MM_NO_MEMORY. */
enum mm_error npt_take(struct npt *npt, unsigned order, size_t n, hpa_t out[]) MM_MUST_CHECK;
/* [shared] Gives n blocks of 2^order frames back. */
void npt_give(struct npt *npt, unsigned order, size_t n, const hpa_t in[]);

/* [shared, by the CPU that owns `counts`] Ensures credit for at least one page. False: the quota is
 * exhausted, or other CPUs hold the rest of it as credit. */
bool npt_refill_credit(struct npt *npt, struct npt_counts *counts) MM_MUST_CHECK;
/* [exclusive] Takes back a CPU's credit. False: it had none. */
bool npt_take_credit_back(struct npt *npt, struct npt_counts *counts);

/* Clears a block that becomes a table. By plain stores: the HAL's zero hook is for guest pages. */
void npt_clear_table(const struct npt *npt, hpa_t table, unsigned order);
/* Clears memory that a guest gets. */
static inline void npt_clear_bytes(const struct npt *npt, void *at, size_t bytes)
{
	if (npt->hal.zero)
		npt->hal.zero(npt->hal.ctx, at, bytes);
	else
		__builtin_memset(at, 0, bytes);
}

static inline void npt_clear_data(const struct npt *npt, hpa_t block, unsigned order)
{
	npt_clear_bytes(npt, hal_to_virt(&npt->hal, block), (size_t)(MM_PAGE_SIZE << order));
}

/* Single frames: frames[next] to frames[end - 1]. A zeroed batch is empty. */
struct npt_batch {
	unsigned next;
	unsigned end;
	hpa_t frames[NPT_BATCH];
};

/* Takes up to `wanted` frames, but at most NPT_BATCH, into an empty batch. May take fewer. Error:
 * none could be taken. */
enum mm_error npt_batch_fill(struct npt *npt, struct npt_batch *batch,
                             uint64_t wanted) MM_MUST_CHECK;
/* Gives all frames of the batch back. */
void npt_batch_drain(struct npt *npt, struct npt_batch *batch);

/* Adds a frame that goes back. The HAL gets the frames when the batch is full, or is drained. */
static inline void npt_batch_put(struct npt *npt, struct npt_batch *batch, hpa_t frame)
{
	if (MM_UNLIKELY(batch->end == NPT_BATCH))
		npt_batch_drain(npt, batch);
	batch->frames[batch->end++] = frame;
}

#endif
