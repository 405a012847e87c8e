/* What a CPU remembers of an address space, and how it comes to know it: see aspace.h. */
#include "mm/aspace_internal.h"

void aspace_forget(const struct aspace *as, struct aspace_cpu *me)
{
	me->cache.epoch = as->epoch;
	me->cache.window.size = 0;
	for (unsigned i = 0; i < ASPACE_NEAR; i++)
		me->cache.gib[i] = UINT32_MAX;
}

/* Tables are remembered for direct walks alone: those ask no hook. */
struct npt_slot aspace_walk_far(const struct aspace *as, struct aspace_cpu *me, gpa_t gpa)
{
	uint64_t gib = gpa.raw >> MM_LEVEL_SHIFT(2);
	_Atomic uint64_t *table;

	if (!gpa_range_contains(as->limits, gpa))
		return (struct npt_slot){NULL, 0, 0};
	table = as->npt.direct ? npt_table_over(&as->npt, gpa, 1) : NULL;
	if (table) {
		me->cache.table[gib % ASPACE_NEAR] = table;
		me->cache.gib[gib % ASPACE_NEAR] = (uint32_t)gib;
	}
	return npt_walk(&as->npt, gpa);
}
