/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of frames: see block.h. */
#include "mm/block.h"

#include "mm/assert.h"

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
