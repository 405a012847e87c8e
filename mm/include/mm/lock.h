/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * The lock of an address space: many readers, one writer.
 *
 *	reader                                   writer
 *	reading = 1                              writer = 1
 *	is writer set? reading = 0, wait, again  while `reading` of a registered reader is set: wait
 *
 * Each side stores first and loads second, both sequentially consistent. So if a reader and the
 * writer arrive at the same time, at least one of them sees the other.
 *
 * Readers write no cache line that they share: a read lock costs one store to a line of the CPU's
 * own, and one load of a line that seldom changes. The writer looks only at registered readers: a
 * reader sets its bit in `registered` before it reads for the first time.
 *
 * The owner provides the readers: one per CPU, each as the first member of a larger element of an
 * array. The lock is not recursive. The library never holds it when it returns to its caller.
 *
 * The members are public because struct mm_aspace embeds a lock; aspace_internal.h has the
 * functions.
 */
#ifndef MM_LOCK_H
#define MM_LOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/compiler.h"
#include "mm/hal.h"

MM_BEGIN_DECLS

/** One reader. Callers use none of its members. */
struct mm_lock_reader {
	MM_ATOMIC(uint32_t) reading; /**< 1: this CPU holds the read lock, or tries to */
	bool registered;             /**< only this CPU reads and writes it */
};

/** The lock. Callers use none of its members. */
struct mm_lock {
	MM_ATOMIC(uint32_t) writer;     /**< 1: a writer holds the lock, or waits for the readers */
	MM_ATOMIC(uint64_t) registered; /**< bit n: CPU n has taken the read lock before */
	struct mm_lock_reader *readers; /**< the first of MM_MAX_CPUS */
	size_t stride;                  /**< bytes from one to the next */
};

MM_STATIC_ASSERT(MM_MAX_CPUS <= 64, "one bit of `registered` for each CPU");

MM_END_DECLS

#endif
