/*
 * A block of frames with an owner: 2^order frames from a HAL, aligned to their size, that go back
 * exactly once. For callers of the library that need frames beside it, a vCPU's pages say.
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

/* All zero: holds nothing. */
struct block {
	hpa_t pa;
	unsigned order;
	bool held;
};

/* `block` holds nothing before. MM_NO_MEMORY: nor after; the HAL is not asked for a block of 2^64
 * bytes or more. Contents undefined. */
enum mm_error block_alloc(const struct mm_hal *hal, unsigned order,
                          struct block *block) MM_MUST_CHECK;
/* The same, cleared. */
enum mm_error block_alloc_zeroed(const struct mm_hal *hal, unsigned order,
                                 struct block *block) MM_MUST_CHECK;

/* Sets every byte. */
void block_fill(const struct mm_hal *hal, const struct block *block, uint8_t value);

/* Back to the HAL it came from. A block that holds nothing may be freed, to no effect. */
void block_free(const struct mm_hal *hal, struct block *block);

static inline size_t block_bytes(const struct block *block)
{
	return (size_t)(MM_PAGE_SIZE << block->order);
}

static inline void *block_ptr(const struct mm_hal *hal, const struct block *block)
{
	return hal_to_virt(hal, block->pa);
}

MM_END_DECLS

#endif
