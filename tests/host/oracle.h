/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connects tests/oracle to the host tests. Every call of hw_walk() from another file passes through
 * __wrap_hw_walk() (linker option --wrap, see tests/host.mk), which runs both walkers on the same
 * memory and fails the test where they differ: outcome, address, level, permissions, memory type,
 * shareability, ignore-PAT, dirtiness, entries read, A and D bits written.
 *
 * The environment variable FAULTLINE_ORACLE selects what runs:
 *	both    (default) both walkers, compared; hw_walk()'s result is returned
 *	first   hw_walk() alone
 *	second  the oracle alone; its result is returned
 */
#ifndef HOST_ORACLE_H
#define HOST_ORACLE_H

#include <stdbool.h>

#include "hw_walk.h"

#include "tests/oracle/oracle.h"

/* Has tests/oracle a walker for this format? If not, hw_walk() runs alone, and no other function
 * here may be called for it. */
bool oracle_knows(const struct mm_npt_format *format);

/* A walk by the oracle, without writes. The registers are made from the format, the configuration
 * and the root; memory is read by mmu->memory. */
struct oracle_walk oracle_walk_mmu(const struct hw_mmu *mmu, mm_gpa_t gpa, enum mm_perm access);

/* The same walk in hw_walk()'s terms. `update`: after walk->writes. */
struct hw_result oracle_to_hw(const struct hw_mmu *mmu, const struct oracle_walk *walk,
                              enum mm_perm access, bool update);

/* Did the walk read something that the hardware ignores or may ignore, and that software must not
 * write? Then HW_MISCONFIG is a right answer of hw_walk(), and so is what the hardware does. */
bool oracle_unclean(const struct oracle_walk *walk);

/* Runs both walkers on one access, with hw_walk()'s writes if `update`. False: they differ, and
 * `report` (of `size` bytes) says in what. */
bool oracle_compare(const struct hw_mmu *mmu, mm_gpa_t gpa, enum mm_perm access, bool update,
                    struct hw_result *result, char *report, size_t size);

#endif
