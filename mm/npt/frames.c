/*
 * Frames under a quota. Where there is one, every frame is counted before it is asked for, so
 * that concurrent faults cannot overdraw it together; where there is none, nothing is counted
 * here and CPUs share nothing.
 */
#include "mm/npt/frames.h"

#include "mm/npt/walk.h"

/* Books up to `frames` on the quota, at least `least` or nothing; answers how many. */
static uint64_t book(struct npt *npt, uint64_t frames, uint64_t least)
{
	if (npt->quota == UINT64_MAX)
		return frames;

	uint64_t used = atomic_load_explicit(&npt->used, memory_order_relaxed);
	uint64_t booked;

	do {
		booked = u64_min(frames, npt->quota - used);
		if (booked < least)
			return 0;
	} while (!atomic_compare_exchange_weak_explicit(
		&npt->used, &used, used + booked, memory_order_relaxed, memory_order_relaxed));
	return booked;
}

static void unbook(struct npt *npt, uint64_t frames)
{
	if (npt->quota != UINT64_MAX)
		atomic_fetch_sub_explicit(&npt->used, frames, memory_order_relaxed);
}

enum mm_error npt_take(struct npt *npt, unsigned order, size_t n, hpa_t out[])
{
	uint64_t frames = (uint64_t)n << order;

	if (book(npt, frames, frames) == 0)
		return MM_QUOTA;

	size_t got = npt->hal.alloc(npt->hal.ctx, order, n, out);

	if (MM_LIKELY(got == n))
		return MM_OK;
	if (got != 0)
		npt->hal.free(npt->hal.ctx, order, got, out);
	unbook(npt, frames);
	return MM_NO_MEMORY;
}

void npt_give(struct npt *npt, unsigned order, size_t n, const hpa_t in[])
{
	npt->hal.free(npt->hal.ctx, order, n, in);
	unbook(npt, (uint64_t)n << order);
}

void npt_clear_table(const struct npt *npt, hpa_t table, unsigned order)
{
	__builtin_memset(hal_to_virt(&npt->hal, table), 0, (size_t)(MM_PAGE_SIZE << order));
}

enum mm_error npt_batch_fill(struct npt *npt, struct npt_batch *batch, uint64_t wanted)
{
	uint64_t booked = book(npt, u64_min(wanted, NPT_BATCH), 1);

	if (booked == 0)
		return MM_QUOTA;
	batch->next = 0;
	batch->end = (unsigned)npt->hal.alloc(npt->hal.ctx, 0, (size_t)booked, batch->frames);
	unbook(npt, booked - batch->end);
	return batch->end != 0 ? MM_OK : MM_NO_MEMORY;
}

void npt_batch_drain(struct npt *npt, struct npt_batch *batch)
{
	if (batch->next != batch->end)
		npt_give(npt, 0, batch->end - batch->next, &batch->frames[batch->next]);
	batch->next = batch->end = 0;
}
