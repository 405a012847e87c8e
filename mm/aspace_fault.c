/*
 * A nested fault, from the address that the hardware reports to a page that the guest can use.
 *
 *	areas say what should be there          the table says what is there
 *	  none            -> NOT_MAPPED           absent        -> take a frame, install: MAPPED
 *	  device          -> IS_DEVICE            leaf, allowed -> SPURIOUS
 *	  not permitted   -> PERMISSION           leaf, less    -> relax it: UNSHARED
 *
 * Faults run beside each other under the read side of the lock, so areas stand still; entries
 * do not, and whoever loses a race for one looks at it again.
 */
#include "mm/aspace_internal.h"
#include "mm/npt/install.h"

static enum mm_fault fault_of(enum mm_error err)
{
	return err == MM_QUOTA ? MM_FAULT_QUOTA : MM_FAULT_NO_MEMORY;
}

static enum mm_error install(struct aspace *as, unsigned cpu, const struct area *area, gpa_t gpa,
                             struct npt_slot *slot)
{
	struct npt_mapping mapping = {
		.range = area->range,
		.perm = (enum mm_perm)area->perm,
		.type = (enum mm_memtype)area->memtype,
		.max_leaf = area->max_leaf,
		.owned = area->backend == AREA_ALLOC,
		.host = area->host,
	};

	return npt_install(&as->npt, &as->counters[cpu].npt, slot, gpa, &mapping);
}

enum mm_fault aspace_resolve(struct aspace *as, unsigned cpu, gpa_t gpa, enum mm_perm access,
                             struct npt_slot *slot)
{
	const struct npt_format *f = as->npt.format;

	if (!gpa_range_contains(as->limits, gpa))
		return MM_FAULT_OUT_OF_RANGE;

	const struct area *area = area_find(&as->areas, gpa);

	if (!area)
		return MM_FAULT_NOT_MAPPED;
	if (area->backend == AREA_DEVICE)
		return MM_FAULT_IS_DEVICE;
	if (!mm_permits((enum mm_perm)area->perm, access))
		return MM_FAULT_PERMISSION;

	for (;;) {
		*slot = npt_walk(&as->npt, gpa);
		if (slot->value != 0) {
			MM_ASSERT(mm_permits(npt_entry_perm(f, slot->value), access));
			return MM_FAULT_SPURIOUS;
		}

		enum mm_error err = install(as, cpu, area, gpa, slot);

		if (likely(err == MM_OK))
			return MM_FAULT_MAPPED;
		if (err != MM_BUSY)
			return fault_of(err);
	}
}

enum mm_fault aspace_fault(struct aspace *as, gpa_t gpa, enum mm_perm access)
{
	unsigned cpu = aspace_enter(as);
	struct aspace_counters *counters = &as->counters[cpu];
	struct npt_slot slot;
	enum mm_fault fault = aspace_resolve(as, cpu, gpa, access, &slot);

	if (fault == MM_FAULT_SPURIOUS)
		npt_forget_absence(&as->npt, &counters->npt, gpa);
	npt_count(&counters->faults[fault], 1);
	aspace_leave(as, cpu);
	return fault;
}
