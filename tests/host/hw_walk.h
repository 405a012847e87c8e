/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hardware does with a nested page table: a walker of raw memory for each architecture,
 * written from the manuals alone and sharing nothing with mm/npt. It is what the library's
 * tables are judged by.
 */
#ifndef HW_WALK_H
#define HW_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/access.h"
#include "mm/addr.h"
#include "mm/npt_format.h"

enum hw_outcome {
	HW_OK,
	HW_OUT_OF_RANGE, /* the address has bits beyond the input width */
	HW_NOT_PRESENT,  /* translation fault, EPT violation or page fault on an absent entry */
	HW_PERMISSION,
	HW_ACCESS_FLAG, /* software has to set A or D (Arm AF, RISC-V Svade) */
	/* No software may write that: reserved bits, reserved encodings, a table or a leaf that
	 * does not lie wholly in physical memory. For the latter RISC-V has an access fault, at
	 * those bytes alone that lie beyond. */
	HW_MISCONFIG,
};

const char *hw_outcome_name(enum hw_outcome outcome);

struct hw_result {
	enum hw_outcome outcome;
	mm_hpa_t hpa;      /* HW_OK: of the very byte */
	unsigned level;    /* of the entry that decided */
	enum mm_perm perm; /* HW_OK, HW_PERMISSION: all that the walk permits */
	/* HW_OK. MM_MEMTYPES: a type that the library does not use, such as write-through. */
	enum mm_memtype memtype;
	unsigned shareability; /* HW_OK. Arm: SH[1:0] that applies */
	bool ignore_pat;       /* HW_OK. EPT: bit 6 of the leaf */
	bool dirty;            /* HW_OK: a write would not change the leaf */
	uint64_t entry;        /* raw: the last one read */
	/* The tables that the walk read, from the root down to the last entry's. */
	mm_hpa_t tables[MM_NPT_MAX_LEVELS];
	unsigned table_levels[MM_NPT_MAX_LEVELS];
	unsigned table_count;
};

/* A machine's walker, pointed at one address space. */
struct hw_mmu {
	const struct mm_npt_format *format;
	struct mm_npt_config config;
	mm_hpa_t root;
	void *(*memory)(void *ctx, mm_hpa_t pa); /* how the test reads physical memory */
	void *ctx;
};

/* Walks for one access (exactly one of R, W, X). Sets A and D as the hardware would, if `update`
 * and the machine does that. */
struct hw_result hw_walk(const struct hw_mmu *mmu, mm_gpa_t gpa, enum mm_perm access, bool update);

/* The same, from a table of this level on, to which a cached entry leads: as a CPU walks that has
 * paging-structure caches. */
struct hw_result hw_walk_from(const struct hw_mmu *mmu, mm_hpa_t table, unsigned level,
                              mm_gpa_t gpa, enum mm_perm access, bool update);

/* Does this raw entry lead to a table, and where? Level 0 has none. */
bool hw_entry_is_table(const struct mm_npt_format *format, uint64_t entry, unsigned level,
                       mm_hpa_t *next);

#endif
