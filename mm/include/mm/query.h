/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * Reading the areas of an address space: which ranges the guest may access, and what backs them.
 *
 * A call takes the read lock, so it runs concurrently with faults. The answer is a copy: a later
 * exclusive call does not change it.
 */
#ifndef MM_QUERY_H
#define MM_QUERY_H

#include <stdbool.h>

#include "mm/access.h"
#include "mm/addr.h"
#include "mm/area.h"
#include "mm/aspace.h"
#include "mm/compiler.h"
#include "mm/error.h"

MM_BEGIN_DECLS

/** One area, as the map calls have made it. Neighbours that differ in nothing are one area. */
struct mm_aspace_area {
	struct mm_gpa_range range;    /**< its extent, in bytes; page aligned */
	enum mm_area_backend backend; /**< what backs it */
	enum mm_perm perm;            /**< MM_NONE for a device */
	enum mm_memtype memtype;      /**< MM_NORMAL for a device */
	unsigned max_leaf;            /**< level of the largest leaf that the area may have */
	bool populate;                /**< MM_AREA_ALLOC: all pages were mapped when it was added */
	mm_hpa_t host;                /**< MM_AREA_LINEAR: what range.start maps to; else 0 */
};

/** [shared] Describes the area that contains gpa, which need not be aligned. O(log areas).
 * MM_OUT_OF_RANGE: gpa lies beyond the limits. MM_NOT_MAPPED: no area contains it. */
enum mm_error mm_aspace_query_area(struct mm_aspace *as, mm_gpa_t gpa,
                                   struct mm_aspace_area *out) MM_MUST_CHECK;

/** [shared] Calls `visit` for each area that overlaps the range, lowest first. The area is
 * described as a whole: it may begin before the range and end after it. A false from `visit` ends
 * the walk early, which is MM_OK. `area` is valid until `visit` returns. `visit` must not call back
 * into this address space. The range is valid, page aligned and within limits (else MM_INVALID,
 * MM_MISALIGNED, MM_OUT_OF_RANGE). */
enum mm_error mm_aspace_for_each_area(struct mm_aspace *as, struct mm_gpa_range range,
                                      bool (*visit)(void *ctx, const struct mm_aspace_area *area),
                                      void *ctx) MM_MUST_CHECK;

MM_END_DECLS

#endif
