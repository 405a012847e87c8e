/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * The dirty log: which pages has the guest written since the last collection?
 *
 *	mm_aspace_dirty_start()             all pages are clean
 *	   the guest runs and writes
 *	mm_aspace_dirty_collect() ...       reports written pages, which are clean again
 *	mm_aspace_dirty_stop()
 *
 * There are two modes. By write protection: pages lose W. The first write to a page faults, and
 * gets W back (MM_FAULT_UNSHARED). By hardware: the CPU sets dirty bits in the tables, and no write
 * faults; this needs mm_npt_config.accessed_dirty. Writes of the hypervisor by the functions of
 * aspace.h count too. A lazily allocated page whose first access is a write counts as written.
 *
 * What it costs. Start and stop visit every page that is present, and a stop with `split` merges. A
 * collection by write protection visits only the tables (2 MiB) in which a page was written since
 * they were last collected, and those above them: about 1,000 instructions for each such table, and
 * about 100 for each page written. Pages that are present and clean cost nothing. It may be called
 * as often as is useful. A collection by hardware visits every page that is present in the range,
 * 2 instructions each, since the hardware records nothing else.
 *
 * All calls run in turns (aspace.h): faults come in between. A page that is written in between is
 * reported by this collection or by the next one.
 *
 * While a log is active, protect calls return MM_BUSY, and so does mm_aspace_harvest() if the log
 * uses the A/D bits. Map and unmap calls are allowed. The log loses its record of an unmapped page.
 */
#ifndef MM_DIRTY_H
#define MM_DIRTY_H

#include "mm/aspace.h"
#include "mm/compiler.h"

MM_BEGIN_DECLS

/** How a dirty log learns of writes. */
enum mm_dirty_mode {
	MM_DIRTY_WRITE_PROTECT, /**< by faults */
	MM_DIRTY_HARDWARE,      /**< by dirty bits of the tables */
};

/**
 * [exclusive, in turns] Starts a log: all pages are clean. `split`: the first write to a large leaf
 * splits it, so that the log reports single pages instead of 512. Only for write protection. If
 * there is no frame for the table, the leaf stays whole, and all of it counts as written.
 *
 * MM_INVALID: no such mode. MM_BUSY: a log is active already. MM_UNSUPPORTED: MM_DIRTY_HARDWARE
 * without hardware, or with split.
 */
enum mm_error mm_aspace_dirty_start(struct mm_aspace *as, enum mm_dirty_mode mode,
                                    bool split) MM_MUST_CHECK;

/** [any] 64-bit words of a bitmap for so many bytes of guest memory. */
static inline size_t mm_dirty_bitmap_words(uint64_t bytes)
{
	return (size_t)(bytes / MM_PAGE_SIZE + (bytes % MM_PAGE_SIZE != 0) + 63) / 64;
}

/**
 * [exclusive, in turns] For each page n of the range that was written since its last collection:
 * sets bit n of the bitmap (bit n % 64 of word n / 64), and makes the page clean. One flush. Other
 * bits do not change. The bitmap is the caller's: mm_dirty_bitmap_words() words. A large leaf that
 * is not wholly in the range is reported, but stays dirty, so that its other pages are reported
 * later.
 *
 * MM_INVALID: no log is active. Else as for any range: MM_MISALIGNED, MM_OUT_OF_RANGE.
 */
enum mm_error mm_aspace_dirty_collect(struct mm_aspace *as, struct mm_gpa_range range,
                                      uint64_t bitmap[]) MM_MUST_CHECK;

/** [exclusive, in turns] Ends the log, if one is active. Pages get the permissions of their areas
 * back, and leaves that the log has split are merged. */
void mm_aspace_dirty_stop(struct mm_aspace *as);

MM_END_DECLS

#endif
