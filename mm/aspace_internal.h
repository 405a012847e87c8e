/*
 * What the files of the address space share: how to be inside it, and how a page gets there.
 */
#ifndef MM_ASPACE_INTERNAL_H
#define MM_ASPACE_INTERNAL_H

#include "mm/aspace.h"
#include "mm/lock_internal.h"
#include "mm/npt/walk.h"

/* Between init and destroy, as every call but init wants it. */
static inline bool aspace_is_open(const struct aspace *as)
{
	return as && as->npt.root_table;
}

/* Somebody was alone inside meanwhile: what this CPU remembers may be gone. */
void aspace_forget(const struct aspace *as, struct aspace_cpu *me);

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
	if (MM_UNLIKELY(me->cache.epoch != as->epoch))
		aspace_forget(as, me);
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
	as->epoch++;
}

static inline void aspace_leave_alone(struct aspace *as)
{
	if (as->npt.hal.cpu_index)
		mm_lock_write_leave(&as->lock);
}

/* The table that maps gpa's GiB in entries of 2 MiB, if this CPU remembers it. */
static MM_ALWAYS_INLINE bool aspace_remembers(const struct aspace_cpu *me, gpa_t gpa,
                                              _Atomic uint64_t **table)
{
	uint64_t gib = gpa.raw >> MM_LEVEL_SHIFT(2); /* at most 2^27 in any format */

	*table = me->cache.table[gib % ASPACE_NEAR];
	return me->cache.gib[gib % ASPACE_NEAR] == gib;
}

/* The walk for any gpa at all, which this CPU then remembers; beyond the limits it ends in
 * nothing. */
struct npt_slot aspace_walk_far(const struct aspace *as, struct aspace_cpu *me, gpa_t gpa);

static MM_ALWAYS_INLINE struct npt_slot aspace_walk(const struct aspace *as, struct aspace_cpu *me,
                                                    gpa_t gpa)
{
	_Atomic uint64_t *table;

	if (MM_LIKELY(aspace_remembers(me, gpa, &table)))
		return npt_walk_near(&as->npt, table, gpa);

	struct npt_slot slot = aspace_walk_far(as, me, gpa);

	/* By its members, so that those of the near walk stay in registers. */
	return (struct npt_slot){slot.entry, slot.value, slot.level};
}

/* What a leaf gets of its area's permissions when `access` makes it: while writes are logged, W
 * comes by a write alone. */
static inline enum mm_perm aspace_grants(const struct aspace *as, unsigned perm,
                                         enum mm_perm access)
{
	return (enum mm_perm)(perm & ~((unsigned)as->log.withheld & ~(unsigned)access));
}

/* MM_INVALID, MM_MISALIGNED, MM_OUT_OF_RANGE: see the map calls. */
enum mm_error aspace_check_range(const struct aspace *as, struct gpa_range range) MM_MUST_CHECK;

/* [shared, inside] Makes the page at gpa present with enough permission for the access, if its
 * area says so: after MM_FAULT_MAPPED, _SPURIOUS and _UNSHARED a walk finds it. */
enum mm_fault aspace_resolve(struct aspace *as, struct aspace_cpu *me, gpa_t gpa,
                             enum mm_perm access) MM_MUST_CHECK;

#endif
