/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In the place of mm/fault_fast.c: the library without its fast path. The flavour `slow` of
 * tests/host.mk links this file, and all host tests pass with it.
 */
#include "mm/aspace_internal.h"

enum mm_fault aspace_fault(struct aspace *as, gpa_t gpa, enum mm_perm access)
{
	return fault_slow(as, aspace_read_lock(as), gpa, access);
}

bool fault_fast(struct aspace *as, struct aspace_cpu *cpu, checked_gpa_t at, enum mm_perm access)
{
	(void)as, (void)cpu, (void)at, (void)access;
	return false;
}

struct npt_slot aspace_walk_missed(const struct aspace *as, struct aspace_cpu *cpu,
                                   checked_gpa_t at)
{
	(void)cpu;
	return npt_walk(&as->npt, at.gpa);
}
