/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table's part of areas whose frames the caller supplies (mm/supply.h). Their leaves are not
 * marked as owned.
 */
#ifndef MM_NPT_SUPPLY_H
#define MM_NPT_SUPPLY_H

#include "mm/npt/walk.h"

/* [shared] Installs a leaf of this level that maps `host` at gpa, where a walk has ended in an
 * absent entry of this level or above, and the tables that are missing above it. By the contract of
 * install.h: MM_BUSY if the entry has changed since. */
enum mm_error mm_npt_supply(struct mm_npt *npt, struct mm_npt_counts *counts,
                            struct mm_npt_slot slot, mm_gpa_t gpa, mm_hpa_t host, unsigned level,
                            enum mm_perm perm, enum mm_memtype type) MM_MUST_CHECK;

/* [exclusive] Makes all leaves of the range not present, and lowers *leaf_level to the level of the
 * smallest one that was present: a flush is due. No leaf extends beyond the range. */
void mm_npt_park(struct mm_npt *npt, struct mm_gpa_range range, unsigned *leaf_level);

#endif
