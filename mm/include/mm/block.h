/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * A block of 2^order frames from a HAL, aligned to its size, that is freed exactly once. For
 * callers of the library that need frames for themselves, for example the pages of a vCPU.
 *
 * Not concurrent on one block; different blocks are independent.
 */
#ifndef MM_BLOCK_H
#define MM_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/addr.h"
#include "mm/compiler.h"
#include "mm/error.h"
#include "mm/hal.h"

MM_BEGIN_DECLS

/** All zero: holds nothing. */
struct mm_block {
	mm_hpa_t pa;
	unsigned order;
	bool held;
};

/** `block` holds nothing before the call, and nothing after MM_NO_MEMORY. A block of 2^64 bytes or
 * more is MM_NO_MEMORY too. Contents undefined. */
enum mm_error mm_block_alloc(const struct mm_hal *hal, unsigned order,
                             struct mm_block *block) MM_MUST_CHECK;
/** The same, cleared. */
enum mm_error mm_block_alloc_zeroed(const struct mm_hal *hal, unsigned order,
                                    struct mm_block *block) MM_MUST_CHECK;

/** Sets every byte. */
void mm_block_fill(const struct mm_hal *hal, const struct mm_block *block, uint8_t value);

/** Frees the block. Does nothing if the block holds nothing. */
void mm_block_free(const struct mm_hal *hal, struct mm_block *block);

static inline size_t mm_block_bytes(const struct mm_block *block)
{
	return (size_t)(MM_PAGE_SIZE << block->order);
}

static inline void *mm_block_ptr(const struct mm_hal *hal, const struct mm_block *block)
{
	return mm_hal_to_virt(hal, block->pa);
}

MM_END_DECLS

#endif
