/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * The lock of an address space: many readers, one writer.
 *
 *	reader                                   writer
 *	reading = INSIDE                         writer = 1
 *	is writer set? reading = WAITING, wait   while `reading` of a registered reader is INSIDE:
 *	                                         wait
 *
 * Each side stores first and loads second, both sequentially consistent. So if a reader and the
 * writer arrive at the same time, at least one of them sees the other.
 *
 * Neither side starves. A reader that finds a writer waits, so readers that come one after another
 * do not keep a writer out. A writer admits the readers that wait: it changes their WAITING to
 * INSIDE. It does so when it releases the lock, before the next writer can take it, and in the
 * middle of a long call (mm_lock_write_admit()), where it keeps `writer` and waits until they have
 * left again.
 *
 * Readers write no cache line that they share: a read lock costs one store to a line of the CPU's
 * own, and one load of a line that seldom changes. The writer looks only at registered readers: a
 * reader adds itself to their list before it reads for the first time.
 *
 * The owner provides the readers: one per CPU, each at the start of MM_LOCK_STRIDE bytes. The first
 * MM_LOCK_OWN_READERS are there from the start. Others come in groups of MM_LOCK_GROUP when a CPU
 * needs one, at any time, and stay. CPUs that could not get a reader use the shared one, one at a
 * time: its `reading` is also a lock among them.
 *
 * The lock is not recursive. The library never holds it when it returns to its caller.
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

/** What a reader does. */
enum mm_lock_reading {
	MM_LOCK_OUTSIDE, /**< nothing */
	MM_LOCK_INSIDE,  /**< this CPU holds the read lock, or tries to */
	MM_LOCK_WAITING, /**< it waits for the writer, who may admit it */
};

/** One reader. Callers use none of its members. */
struct mm_lock_reader {
	MM_ATOMIC(uint32_t) reading; /**< enum mm_lock_reading */
	uint16_t next;   /**< the reader that was registered before: see mm_lock.newest */
	bool registered; /**< only this CPU reads and writes it */
	bool valid; /**< The owner's. False until the reader is registered. A reader that holds the
	               lock may set it, a writer that holds the lock may clear it. */
};

#define MM_LOCK_STRIDE      256U /**< bytes from one reader to the next */
#define MM_LOCK_GROUP       16U  /**< so many readers are one frame */
#define MM_LOCK_OWN_READERS 8U   /**< readers without a frame */
/** Group 0 has the first readers, group n those from n * MM_LOCK_GROUP - MM_LOCK_OWN_READERS on. */
#define MM_LOCK_GROUPS ((MM_MAX_CPUS + MM_LOCK_OWN_READERS - 1) / MM_LOCK_GROUP + 1)

/** The lock. Callers use none of its members. */
struct mm_lock {
	MM_ATOMIC(uint32_t) writer; /**< 1: a writer holds the lock, or waits for the readers */
	MM_ATOMIC(uint32_t) newest; /**< the reader that was registered last: the number of its CPU
	                               plus 1; or 0, the shared reader, which ends the list */
	/** The address of CPU 0's reader, if the group's readers were part of an array of all
	 * readers. 0: the group has not been added. */
	MM_ATOMIC(uintptr_t) groups[MM_LOCK_GROUPS];
	struct mm_lock_reader *shared; /**< of CPUs for which there is no frame */
	const struct mm_hal *hal;      /**< for mm_hal_pause() */
};

MM_STATIC_ASSERT(MM_MAX_CPUS < UINT16_MAX, "mm_lock_reader.next");

MM_END_DECLS

#endif
