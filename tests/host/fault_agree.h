/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Do the two layers of the fault path agree? mm/fault.c is the slow path, mm/fault_fast.c the fast
 * path, which answers from a cache. Here each answer, each leaf and each cache entry of the fast
 * path is compared with what lookups without a cache find: the area, and a walk from the root.
 *
 * One thread at a time: what another CPU does in the middle of a fault is named by the HAL's
 * interlude, and then only refusals are compared.
 */
#ifndef FAULT_AGREE_H
#define FAULT_AGREE_H

#include "guest.h"

/* What the slow path would do now. */
struct fault_forecast {
	enum mm_fault answer; /* where frames are needed, and there are enough */
	struct mm_aspace_stats stats;
};

/* Call this before mm_aspace_fault(). */
struct fault_forecast fault_forecast(struct guest *g, mm_gpa_t gpa, enum mm_perm access);
/* Call this after it: fails the test if answer, leaf or counters differ from the forecast. */
void fault_check(struct guest *g, mm_gpa_t gpa, enum mm_perm access,
                 const struct fault_forecast *forecast, enum mm_fault answer);

/* Fails the test if a translation cache that is valid holds something else than lookups find. */
void fault_check_caches(const struct mm_aspace *as);

#endif
