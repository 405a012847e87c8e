/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operands of the TLBI instructions that invalidate a range of guest-physical pages. Pure
 * functions; tests/host/test_el2_tlbi.c tests them.
 *
 *	struct el2_tlbi_plan plan;
 *	if (el2_tlbi_begin(&plan, request, ranges))
 *		while (el2_tlbi_next(&plan, &insn))
 *			execute insn;
 *	else
 *		invalidate all;
 */
#ifndef EL2_TLBI_H
#define EL2_TLBI_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/hal.h"

/* What is left to do, in pages. */
struct el2_tlbi_plan {
	uint64_t page;
	uint64_t pages;
	unsigned shift; /* singly: one instruction for each entry of 2^shift pages */
	unsigned scale; /* by ranges: of the next instruction */
	bool ranges;
};

struct el2_tlbi {
	uint64_t operand;
	bool range; /* RIPAS2E1IS, RIPAS2LE1IS; otherwise IPAS2E1IS, IPAS2LE1IS */
};

/* `ranges`: the CPU has the range forms, and they count in pages of 4 KiB. False: invalidate all
 * entries of the VMID. */
bool el2_tlbi_begin(struct el2_tlbi_plan *plan, const struct mm_flush *request, bool ranges);
/* False: there is no further instruction. */
bool el2_tlbi_next(struct el2_tlbi_plan *plan, struct el2_tlbi *out);

#endif
