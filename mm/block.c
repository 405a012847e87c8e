/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of frames: see block.h. */
#include "mm/block.h"

#include "mm/assert.h"
#include "mm/atomic.h"

enum mm_error mm_block_alloc(const struct mm_hal *hal, unsigned order, struct mm_block *block)
{
	mm_hpa_t pa;

	MM_ASSERT(!block->held);
	if (order >= 64 - MM_PAGE_SHIFT)
		return MM_NO_MEMORY;
	if (hal->alloc(hal->ctx, order, 1, &pa) != 1)
		return MM_NO_MEMORY;
	*block = (struct mm_block){.pa = pa, .order = order, .held = true};
	return MM_OK;
}

enum mm_error mm_block_alloc_zeroed(const struct mm_hal *hal, unsigned order,
                                    struct mm_block *block)
{
	enum mm_error err = mm_block_alloc(hal, order, block);

	if (err == MM_OK)
		mm_block_fill(hal, block, 0);
	return err;
}

void mm_block_fill(const struct mm_hal *hal, const struct mm_block *block, uint8_t value)
{
	MM_ASSERT(block->held);
	__builtin_memset(mm_block_ptr(hal, block), value, mm_block_bytes(block));
}

void mm_block_free(const struct mm_hal *hal, struct mm_block *block)
{
	if (block->held)
		hal->free(hal->ctx, block->order, 1, &block->pa);
	*block = (struct mm_block){.held = false};
}

enum mm_error mm_shared_block_alloc(const struct mm_hal *hal, unsigned order,
                                    struct mm_shared_block *shared)
{
	enum mm_error err;

	shared->block = (struct mm_block){.held = false};
	err = mm_block_alloc_zeroed(hal, order, &shared->block);
	atomic_init(&shared->holders, err == MM_OK ? 1 : 0);
	return err;
}

/* Relaxed: a new holder has got the block from a holder. */
enum mm_error mm_shared_block_hold(struct mm_shared_block *shared)
{
	uint64_t holders = atomic_load_explicit(&shared->holders, memory_order_relaxed);

	do {
		if (holders == 0 || holders == UINT64_MAX)
			return MM_INVALID;
	} while (!atomic_compare_exchange_weak_explicit(&shared->holders, &holders, holders + 1,
	                                                memory_order_relaxed,
	                                                memory_order_relaxed));
	return MM_OK;
}

/* Release and acquire: all that other holders have done comes before the block is freed. */
bool mm_shared_block_drop(const struct mm_hal *hal, struct mm_shared_block *shared)
{
	uint64_t holders = atomic_load_explicit(&shared->holders, memory_order_relaxed);

	do {
		if (holders == 0)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&shared->holders, &holders, holders - 1,
	                                                memory_order_acq_rel,
	                                                memory_order_relaxed));
	if (holders == 1)
		mm_block_free(hal, &shared->block);
	return holders == 1;
}
