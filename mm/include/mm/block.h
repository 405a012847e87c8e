/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * A block of 2^order frames from a HAL, aligned to its size, that is freed exactly once. For
 * callers of the library that need frames for themselves, for example the pages of a vCPU.
 *
 * Concurrency: no other call on the same block may run during an [exclusive] call. Different blocks
 * are independent.
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
	mm_hpa_t pa;    /**< its first byte */
	unsigned order; /**< it has 2^order frames */
	bool held;      /**< false: it holds nothing */
};

/** [exclusive] Takes a block of 2^order frames from the HAL. It is the caller's until
 * mm_block_free(). `block` holds nothing before the call, and nothing after MM_NO_MEMORY. A block
 * of 2^64 bytes or more is MM_NO_MEMORY too. Contents undefined. */
enum mm_error mm_block_alloc(const struct mm_hal *hal, unsigned order,
                             struct mm_block *block) MM_MUST_CHECK;
/** [exclusive] As mm_block_alloc(), cleared. Errors as there: MM_NO_MEMORY. */
enum mm_error mm_block_alloc_zeroed(const struct mm_hal *hal, unsigned order,
                                    struct mm_block *block) MM_MUST_CHECK;

/** [exclusive] Sets every byte of a block that holds frames. Cannot fail. */
void mm_block_fill(const struct mm_hal *hal, const struct mm_block *block, uint8_t value);

/** [exclusive] Gives the frames back to the HAL. Does nothing if the block holds nothing. */
void mm_block_free(const struct mm_hal *hal, struct mm_block *block);

/** [any] The size of the block in bytes. */
static inline size_t mm_block_bytes(const struct mm_block *block)
{
	return (size_t)(MM_PAGE_SIZE << block->order);
}

/** [any] The hypervisor's address of the block. Valid until mm_block_free(). */
static inline void *mm_block_ptr(const struct mm_hal *hal, const struct mm_block *block)
{
	return mm_hal_to_virt(hal, block->pa);
}

/**
 * A block that several owners hold, for example memory that two guests share: each maps it by
 * mm_aspace_map_linear(), and holds it for as long as it is mapped, or is part of a snapshot.
 *
 *	mm_shared_block_alloc()    one holder: the caller
 *	mm_shared_block_hold()     one more, for each address space that maps it
 *	mm_shared_block_drop()     one less, after it was unmapped there; the last one frees it
 *
 * The frames count in no address space's quota. The dirty log of an address space reports what its
 * own guest has written, and what the hypervisor has written through that address space. It does
 * not report what another guest has written to the same frames: to copy shared memory, collect the
 * logs of all address spaces that map it. A snapshot does not hold the contents.
 *
 * Calls for one block may run concurrently, except for mm_shared_block_alloc(). A caller of
 * mm_shared_block_hold() is a holder, or acts for one.
 */
struct mm_shared_block {
	struct mm_block block;       /**< the memory; all zero without a holder */
	MM_ATOMIC(uint64_t) holders; /**< their number; the library's own */
};

/** [exclusive] Allocates a cleared block with one holder. MM_NO_MEMORY: no block; *shared is all
 * zero. */
enum mm_error mm_shared_block_alloc(const struct mm_hal *hal, unsigned order,
                                    struct mm_shared_block *shared) MM_MUST_CHECK;

/** [shared] Counts one more holder. MM_INVALID: the block has no holder any more, or so many that
 * one more cannot be counted; nothing has changed. */
enum mm_error mm_shared_block_hold(struct mm_shared_block *shared) MM_MUST_CHECK;

/** [shared] Counts one holder less. True: this was the last one, and the block has been freed.
 * False: others hold it; or it has no holder any more, and nothing has changed. `hal` is the HAL
 * that it came from. */
bool mm_shared_block_drop(const struct mm_hal *hal, struct mm_shared_block *shared);

MM_END_DECLS

#endif
