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

/* May faults take the short way? It knows no quota, no log and no copies of the table. */
static inline void aspace_set_quick(struct aspace *as)
{
	as->quick = as->npt.direct && !as->log.active && !as->npt.copies;
}

/* Somebody was alone inside meanwhile: what this CPU remembers may be gone. */
void aspace_forget(const struct aspace *as, struct aspace_cpu *me);

/*
 * A guest-physical address within the limits of its address space. Everything below the public
 * calls takes addresses of this type, and a raw gpa_t becomes one in three ways alone:
 * aspace_check_gpa(), a part of a range that was held against the limits (aspace_part_at()), or
 * an address in the window or in a cached GiB, both of which lie within the limits already.
 */
typedef struct {
	gpa_t gpa;
} checked_gpa_t;

static inline bool aspace_check_gpa(const struct aspace *as, gpa_t gpa, checked_gpa_t *out)
{
	*out = (checked_gpa_t){gpa};
	return gpa_range_contains(as->limits, gpa);
}

/* The byte at this offset of a range that lies within the limits and is longer than that. */
static inline checked_gpa_t aspace_part_at(struct gpa_range checked, uint64_t offset)
{
	MM_ASSERT(offset < checked.size);
	return (checked_gpa_t){gpa_plus(checked.start, offset)};
}

/* Exactly one of R, W and X: no access is two at once, or none. */
static inline bool aspace_is_access(enum mm_perm access)
{
	return access == MM_R || access == MM_W || access == MM_X;
}

/* Stops: the HAL has answered a CPU number that no struct aspace_cpu belongs to. */
_Noreturn void aspace_refuse_cpu(const struct aspace *as);

/* The rest of aspace_enter() where a CPU comes for the first time, or a call is alone inside. */
void aspace_enter_slowly(struct aspace *as, struct aspace_cpu *me);

/* Enters beside others; answers the CPU's own, which aspace_leave() wants back. Where the HAL has
 * no CPU numbers, no two calls run at once, and nothing is locked. */
static inline struct aspace_cpu *aspace_enter(struct aspace *as)
{
	const struct mm_hal *hal = &as->npt.hal;
	struct aspace_cpu *me = &as->cpus[0];

	MM_ASSERT(aspace_is_open(as));
	if (hal->cpu_index) {
		unsigned cpu = hal->cpu_index(hal->ctx);

		if (MM_UNLIKELY(cpu >= MM_MAX_CPUS))
			aspace_refuse_cpu(as);
		me += cpu;
		if (MM_UNLIKELY(!mm_lock_read_fast(&as->lock, &me->reader)))
			aspace_enter_slowly(as, me);
	}
	if (MM_UNLIKELY(me->cache.epoch != as->epoch))
		aspace_forget(as, me);
	return me;
}

static inline void aspace_leave(struct aspace_cpu *me)
{
	mm_lock_read_leave(&me->reader);
}

/* The CPUs that may have counted something or have credit, one bit each: those that have ever been
 * inside beside others. Without CPU numbers all calls count as the first. */
static inline uint64_t aspace_cpus(const struct aspace *as)
{
	if (!as->npt.hal.cpu_index)
		return 1;
	return atomic_load_explicit(&as->lock.known, memory_order_relaxed);
}

/* [exclusive] Takes back all credit that CPUs have (npt/frames.c). True: some had any. */
bool aspace_take_credit_back(struct aspace *as);

static inline void aspace_enter_alone(struct aspace *as)
{
	MM_ASSERT(aspace_is_open(as));
	if (as->npt.hal.cpu_index)
		mm_lock_write_enter(&as->lock);
	as->epoch++;
	if (as->npt.quota != UINT64_MAX)
		(void)aspace_take_credit_back(as);
}

static inline void aspace_leave_alone(struct aspace *as)
{
	if (as->npt.hal.cpu_index)
		mm_lock_write_leave(&as->lock);
}

/*
 * [shared, inside] The quota seems exhausted: takes back the credit of all CPUs. For that it leaves
 * the address space and is alone inside for a moment; me is inside again when it returns, and
 * nothing that was read before still holds. True: there was some, so trying again makes sense.
 */
bool aspace_collect_credit(struct aspace *as, struct aspace_cpu *me);

/* The table that maps gpa's GiB in entries of 2 MiB, if this CPU remembers it. Any gpa may be
 * asked for: what is found is the GiB of an address that was checked. */
static MM_ALWAYS_INLINE bool aspace_remembers(const struct aspace_cpu *me, gpa_t gpa,
                                              _Atomic uint64_t **table)
{
	uint64_t gib = gpa.raw >> MM_LEVEL_SHIFT(2); /* up to 2^34: more bits than gib[] has */

	*table = me->cache.table[gib % ASPACE_NEAR];
	return me->cache.gib[gib % ASPACE_NEAR] == gib;
}

/* The walk from the root, whose table of gpa's GiB this CPU then remembers. */
struct npt_slot aspace_walk_far(const struct aspace *as, struct aspace_cpu *me, checked_gpa_t at);

static MM_ALWAYS_INLINE struct npt_slot aspace_walk(const struct aspace *as, struct aspace_cpu *me,
                                                    checked_gpa_t at)
{
	_Atomic uint64_t *table;

	if (MM_LIKELY(aspace_remembers(me, at.gpa, &table)))
		return npt_walk_near(&as->npt, table, at.gpa);

	struct npt_slot slot = aspace_walk_far(as, me, at);

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
 * area says so: after MM_FAULT_MAPPED, _SPURIOUS and _UNSHARED a walk finds it, unless another
 * CPU is just replacing it. aspace_is_access(access). */
enum mm_fault aspace_resolve(struct aspace *as, struct aspace_cpu *me, checked_gpa_t at,
                             enum mm_perm access) MM_MUST_CHECK;

#endif
