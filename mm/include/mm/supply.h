/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * Areas whose frames the caller supplies, one after the other: guest_memfd, private and shared
 * memory, a balloon, memory that is paged in over a network.
 *
 *	mm_aspace_map_supplied()      the guest may access the range; no page has a frame
 *	   the guest accesses a page: mm_aspace_fault() answers MM_FAULT_NEEDS_FRAME
 *	   the caller finds or makes a frame, and fills it
 *	mm_aspace_supply()            the page has this frame; run the guest again
 *	   ...
 *	mm_aspace_take_back()         pages have no frame again; the caller has the frames
 *
 * The frames belong to the caller throughout. The library never frees one, never clears or copies
 * one, and counts none of them: not in mm_aspace_stats.frames, and not in the quota. It takes
 * frames of its own for tables only.
 *
 * The caller may use a frame for something else when mm_aspace_take_back(), mm_aspace_unmap(), a
 * replace call, mm_aspace_clear() or mm_aspace_destroy() has returned: the TLBs have been flushed.
 * Only mm_aspace_take_back() says which frames those are.
 *
 * Reads and writes by the hypervisor (mm_aspace_read() and its like) answer MM_NEEDS_FRAME where a
 * page has no frame, and change nothing then. Protect calls, dirty logs and mm_aspace_harvest()
 * work as on alloc areas. A dirty log loses its record of a page that is taken back. A snapshot
 * cannot hold these frames: mm_aspace_snapshot_take() answers MM_UNSUPPORTED while there is such an
 * area, and mm_aspace_map_supplied() answers MM_BUSY while there is a snapshot.
 */
#ifndef MM_SUPPLY_H
#define MM_SUPPLY_H

#include "mm/access.h"
#include "mm/addr.h"
#include "mm/aspace.h"
#include "mm/compiler.h"
#include "mm/error.h"

MM_BEGIN_DECLS

/** [exclusive] Adds an area whose frames the caller supplies. No frame is taken. `max_leaf` is the
 * level of the largest leaf that mm_aspace_supply() may install. Errors of the map calls
 * (aspace.h); MM_BUSY: there is a snapshot. */
enum mm_error mm_aspace_map_supplied(struct mm_aspace *as, struct mm_gpa_range range,
                                     enum mm_perm perm, enum mm_memtype type,
                                     unsigned max_leaf) MM_MUST_CHECK;

/**
 * [shared] Gives the 2^order pages from gpa on the 2^order frames from hpa on, as one leaf. `order`
 * is 0 for 4 KiB, 9 for 2 MiB, 18 for 1 GiB, and so on. The contents are the caller's business, and
 * are visible to the guest: cleared, if they were another guest's, and clean in the caches where
 * the guest's caches may be off. The page is not logged as dirty before the guest writes to it.
 *
 * MM_MISALIGNED: gpa or hpa is no multiple of the size. MM_OUT_OF_RANGE: gpa lies beyond the
 * limits, or hpa beyond the machine's width. MM_NOT_MAPPED: no area contains gpa. MM_UNSUPPORTED:
 * the area is of another kind, or can have no leaf of this order there. MM_EXISTS: one of the pages
 * has a frame; if two CPUs supply one page, one of them gets this answer, and its frame is not
 * used. MM_NO_MEMORY, MM_QUOTA: no frame for a table. On an error nothing has changed.
 */
enum mm_error mm_aspace_supply(struct mm_aspace *as, mm_gpa_t gpa, mm_hpa_t hpa,
                               unsigned order) MM_MUST_CHECK;

/**
 * [exclusive] Takes the frames of all supplied areas in the range away from the guest, and calls
 * `visit` for each of them, lowest first, after the flush: 2^order frames from hpa on, which were
 * at gpa. The areas stay: the next access answers MM_FAULT_NEEDS_FRAME. Parts of the range in other
 * areas or in none do not change. A block may be smaller than it was when it was supplied (its leaf
 * was split), or larger (leaves were merged). `visit` may be NULL; it must not call back into this
 * address space.
 *
 * MM_INVALID, MM_MISALIGNED, MM_OUT_OF_RANGE as for any range. MM_NO_MEMORY, MM_QUOTA: a leaf that
 * the range cuts could not be split; nothing has changed, and `visit` was not called.
 */
enum mm_error mm_aspace_take_back(struct mm_aspace *as, struct mm_gpa_range range,
                                  void (*visit)(void *ctx, mm_gpa_t gpa, mm_hpa_t hpa,
                                                unsigned order),
                                  void *ctx) MM_MUST_CHECK;

MM_END_DECLS

#endif
