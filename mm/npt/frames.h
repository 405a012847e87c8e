/*
 * Frames from the HAL and back, for the walker: under the quota, and in batches where a call
 * needs many.
 */
#ifndef MM_NPT_FRAMES_H
#define MM_NPT_FRAMES_H

#include <stddef.h>

#include "mm/atomic.h"
#include "mm/npt/npt.h"

#define NPT_BATCH 64U

/* [shared] n blocks of 2^order frames, or none at all: MM_QUOTA, MM_NO_MEMORY. */
enum mm_error npt_take(struct npt *npt, unsigned order, size_t n, hpa_t out[]) MM_MUST_CHECK;
/* [shared] */
void npt_give(struct npt *npt, unsigned order, size_t n, const hpa_t in[]);

/* [shared, by the CPU whose counts these are] Sees to it that there is credit for one page at
 * least. False: the quota is exhausted, as far as other CPUs have no credit left. */
bool npt_refill_credit(struct npt *npt, struct npt_counts *counts) MM_MUST_CHECK;
/* [exclusive] Takes a CPU's credit back. False: it had none. */
bool npt_take_credit_back(struct npt *npt, struct npt_counts *counts);

/* Clears a frame that becomes a table: plain stores, since the HAL's zero hook is for guests. */
void npt_clear_table(const struct npt *npt, hpa_t table, unsigned order);
/* Clears what a guest is to get. */
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

/* Single frames in hand: frames[next] to frames[end - 1]. Empty if all zero. */
struct npt_batch {
	unsigned next;
	unsigned end;
	hpa_t frames[NPT_BATCH];
};

/* Takes up to `wanted` frames (and NPT_BATCH) into an empty batch; fewer where there are no
 * more. Error: not one. */
enum mm_error npt_batch_fill(struct npt *npt, struct npt_batch *batch,
                             uint64_t wanted) MM_MUST_CHECK;
/* Gives back what is in it. */
void npt_batch_drain(struct npt *npt, struct npt_batch *batch);

/* Puts a frame on its way back into the batch; the HAL gets them by the batchful. */
static inline void npt_batch_put(struct npt *npt, struct npt_batch *batch, hpa_t frame)
{
	if (MM_UNLIKELY(batch->end == NPT_BATCH))
		npt_batch_drain(npt, batch);
	batch->frames[batch->end++] = frame;
}

#endif
