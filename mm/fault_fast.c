/* What a CPU remembers of an address space, and how it comes to know it: see aspace.h. */
#include "mm/aspace_internal.h"

void aspace_forget(const struct aspace *as, struct aspace_cpu *me)
{
	me->cache = (struct aspace_cache){.epoch = as->epoch};
	for (unsigned i = 0; i < ASPACE_NEAR; i++)
		me->cache.gib[i] = i ^ 1; /* of a neighbour's: see struct aspace_cache */
}

/* Tables are remembered for direct walks alone: those ask no hook. */
struct npt_slot aspace_walk_far(const struct aspace *as, struct aspace_cpu *me, checked_gpa_t at)
{
	uint64_t gib = at.gpa.raw >> MM_LEVEL_SHIFT(2); /* below 2^29 in every format */
	_Atomic uint64_t *table = as->npt.direct ? npt_table_over(&as->npt, at.gpa, 1) : NULL;

	if (table) {
		me->cache.table[gib % ASPACE_NEAR] = table;
		me->cache.gib[gib % ASPACE_NEAR] = (uint32_t)gib;
	}
	return npt_walk(&as->npt, at.gpa);
}
