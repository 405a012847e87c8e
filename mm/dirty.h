/*
 * Dirty tracking: which pages has the guest written since the last look?
 *
 *	aspace_dirty_start()             every page counts as clean
 *	   guest runs and writes
 *	aspace_dirty_collect() ...       what was written, and is clean again
 *	aspace_dirty_stop()
 *
 * Two ways. By write protection: pages lose W, and the first write to each faults
 * (MM_FAULT_UNSHARED) and gives it back. By hardware: the CPU sets dirty marks in the tables, and
 * no write faults; that needs npt_config.accessed_dirty. Writes by the hypervisor through the
 * functions of aspace.h count like the guest's. A page that the log meets first by a write, a
 * lazily allocated one, counts as written.
 *
 * While a log is active, protect calls answer MM_BUSY, and so does aspace_harvest() if the log
 * lives by the same marks; mapping and unmapping go on, and what is unmapped is forgotten.
 */
#ifndef MM_DIRTY_H
#define MM_DIRTY_H

#include "mm/aspace.h"
#include "mm/compiler.h"

MM_BEGIN_DECLS

enum dirty_mode {
	DIRTY_WRITE_PROTECT,
	DIRTY_HARDWARE,
};

/*
 * [exclusive] `split`: a large leaf is split when it is first written to, so that single pages
 * are reported and not 512 at once; by write protection only. Where no table can be had for it,
 * the leaf stays whole and counts as written throughout.
 *
 * MM_INVALID: no such mode. MM_BUSY: a log is active already. MM_UNSUPPORTED: DIRTY_HARDWARE
 * without hardware, or with split.
 */
enum mm_error aspace_dirty_start(struct aspace *as, enum dirty_mode mode, bool split) MM_MUST_CHECK;

/* 64-bit words of a bitmap for so many bytes of guest memory. */
static inline size_t dirty_bitmap_words(uint64_t bytes)
{
	return (size_t)(bytes / MM_PAGE_SIZE + (bytes % MM_PAGE_SIZE != 0) + 63) / 64;
}

/*
 * [exclusive] Sets bit n of the bitmap (bit n % 64 of word n / 64) if page n of the range has been
 * written since it was last collected, and makes it count as clean, with one flush. Bits of other
 * pages stay as they are. A large leaf that sticks out of the range is reported, and not yet
 * clean again: its other pages would be lost.
 *
 * MM_INVALID: no log is active. Else as for any range: MM_MISALIGNED, MM_OUT_OF_RANGE.
 */
enum mm_error aspace_dirty_collect(struct aspace *as, struct gpa_range range,
                                   uint64_t bitmap[]) MM_MUST_CHECK;

/* [exclusive] Ends the log, if one is active: pages get back the permissions of their areas, and
 * leaves that were split for its sake are merged. */
void aspace_dirty_stop(struct aspace *as);

MM_END_DECLS

#endif
