/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In the place of mm/fault_fast.c: the library without its fast path. The flavour `slow` of
 * tests/host.mk links this file, and all host tests pass with it.
 */
#include "mm/aspace_internal.h"

enum mm_fault mm_aspace_fault(struct mm_aspace *as, mm_gpa_t gpa, enum mm_perm access)
{
	return mm_fault_slow(as, mm_aspace_read_lock(as), gpa, access);
}

bool mm_fault_fast(struct mm_aspace *as, struct mm_aspace_cpu *cpu, mm_checked_gpa_t at,
                   enum mm_perm access)
{
	(void)as, (void)cpu, (void)at, (void)access;
	return false;
}
