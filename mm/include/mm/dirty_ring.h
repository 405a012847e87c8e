/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * A ring of written pages beside the bitmap of a dirty log (dirty.h). With it, reading the log
 * costs in proportion to what was written, and not to what is mapped.
 *
 *	mm_aspace_dirty_start_with_ring()   all pages are clean, the ring is empty
 *	   the guest writes: the page gets into the ring, once until it is clean again
 *	mm_aspace_dirty_ring_collect() ...  takes pages from the ring; they are clean again
 *	mm_aspace_dirty_stop()              ends the log and the ring
 *
 * A log by write protection fills the ring: the first write to a page faults. A log by hardware
 * (MM_DIRTY_HARDWARE) does not fault. There the hypervisor adds what the hardware has recorded
 * (Intel's page-modification logging) by mm_aspace_dirty_ring_add(). Writes by the hypervisor
 * through mm_aspace_write() and its like get into the ring in both modes.
 *
 * The ring has a fixed number of entries. If it is full, further pages do not get into it, and the
 * next mm_aspace_dirty_ring_collect() says so. No page is lost: the log itself has all written
 * pages, and mm_aspace_dirty_collect() over the whole memory reports those that did not get in.
 * Both calls may be used at any time; a page that one of them has reported is clean for the other.
 */
#ifndef MM_DIRTY_RING_H
#define MM_DIRTY_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/addr.h"
#include "mm/aspace.h"
#include "mm/compiler.h"
#include "mm/dirty.h"
#include "mm/error.h"

MM_BEGIN_DECLS

/** The caller provides the memory from the start of the log to its end, and does not use the
 * members. */
struct mm_dirty_ring {
	uint64_t *entries; /**< gpa of each page; the caller's array */
	uint64_t size;     /**< of the array; a power of two */
	uint64_t tail;     /**< position of the oldest entry; its place is position % size */
	/** The position after the newest entry; beyond tail + size: overflow. */
	MM_ATOMIC(uint64_t) head;
	/** Not 0: a large leaf was split whose pages count as written together. */
	MM_ATOMIC(uint64_t) cut;
};

/** What was written: one page, or the pages of a large leaf, which count as written together. */
struct mm_dirty_part {
	mm_gpa_t start; /**< its first byte */
	uint64_t bytes; /**< 4 KiB, or the size of the leaf */
};

/**
 * [exclusive, in turns] mm_aspace_dirty_start(), with a ring of `size` entries in the caller's
 * array. Ring and array stay the caller's, and in use until mm_aspace_dirty_stop() or
 * mm_aspace_destroy().
 *
 * MM_INVALID: no array; or `size` is no power of two, or larger than 2^31; or there is no such
 * mode. MM_BUSY, MM_UNSUPPORTED as for mm_aspace_dirty_start().
 */
enum mm_error mm_aspace_dirty_start_with_ring(struct mm_aspace *as, enum mm_dirty_mode mode,
                                              bool split, struct mm_dirty_ring *ring,
                                              uint64_t entries[], size_t size) MM_MUST_CHECK;

/** [shared] Adds pages that the hardware has recorded as written; each gpa may lie anywhere in its
 * page. A page may be added more than once; mm_aspace_dirty_ring_collect() reports it once. An
 * addition to a full ring is an overflow, and MM_OK. MM_INVALID: there is no ring. MM_OUT_OF_RANGE:
 * one of them lies beyond the limits; none has been added. */
enum mm_error mm_aspace_dirty_ring_add(struct mm_aspace *as, const mm_gpa_t gpas[],
                                       size_t n) MM_MUST_CHECK;

/**
 * [exclusive, in turns] Takes entries from the ring, the oldest first, until the ring is empty or
 * `parts` holds n parts. Each part was written since it was last collected, and is clean now.
 * *count becomes their number. Entries whose page is clean already, or was unmapped, are dropped.
 * At most one flush, complete when the call returns.
 *
 * *overflowed becomes true if a page did not get into the ring since the last call that said so, or
 * if a large leaf was split since (by a call for a part of it, or by an instruction fetch):
 * call mm_aspace_dirty_collect() for the whole memory.
 *
 * MM_INVALID: there is no ring; nothing has changed.
 */
enum mm_error mm_aspace_dirty_ring_collect(struct mm_aspace *as, struct mm_dirty_part parts[],
                                           size_t n, size_t *count, bool *overflowed) MM_MUST_CHECK;

MM_END_DECLS

#endif
