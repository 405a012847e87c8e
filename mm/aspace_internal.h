/*
 * What the files of the address space share: how to be inside it, and how a page gets there.
 */
#ifndef MM_ASPACE_INTERNAL_H
#define MM_ASPACE_INTERNAL_H

#include "mm/aspace.h"
#include "mm/npt/walk.h"

/* Between init and destroy, as every call but init wants it. */
static inline bool aspace_is_open(const struct aspace *as)
{
	return as && as->npt.root_table;
}

/* Enters beside others; answers the CPU's own, which aspace_leave() wants back. Where the HAL has
 * no CPU numbers, no two calls run at once, and nothing is locked. */
static inline struct aspace_cpu *aspace_enter(struct aspace *as)
{
	const struct mm_hal *hal = &as->npt.hal;
	struct aspace_cpu *me = &as->cpus[0];

	MM_ASSERT(aspace_is_open(as));
	if (hal->cpu_index) {
		me += hal->cpu_index(hal->ctx);
		mm_lock_read_enter(&as->lock, &me->reader);
	}
	return me;
}

static inline void aspace_leave(struct aspace_cpu *me)
{
	mm_lock_read_leave(&me->reader);
}

static inline void aspace_enter_alone(struct aspace *as)
{
	MM_ASSERT(aspace_is_open(as));
	if (as->npt.hal.cpu_index)
		mm_lock_write_enter(&as->lock);
}

static inline void aspace_leave_alone(struct aspace *as)
{
	if (as->npt.hal.cpu_index)
		mm_lock_write_leave(&as->lock);
}

/* What a leaf gets of its area's permissions when `access` makes it: while writes are logged, W
 * comes by a write alone. */
static inline enum mm_perm aspace_grants(const struct aspace *as, unsigned perm,
                                         enum mm_perm access)
{
	return (enum mm_perm)(perm & ~((unsigned)as->log.withheld & ~(unsigned)access));
}

/* MM_INVALID, MM_MISALIGNED, MM_OUT_OF_RANGE: see the map calls. */
enum mm_error aspace_check_range(const struct aspace *as, struct gpa_range range) must_check;

/* [shared, inside] Makes the page at gpa present with enough permission for the access, if its
 * area says so: after MM_FAULT_MAPPED, _SPURIOUS and _UNSHARED a walk finds it. */
enum mm_fault aspace_resolve(struct aspace *as, struct aspace_cpu *me, gpa_t gpa,
                             enum mm_perm access) must_check;

#endif
