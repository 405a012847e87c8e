/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invalidates translations of one address space on all CPUs. Arm ARM D8.13: TLB maintenance acts
 * on the VMID in VTTBR_EL2, so the VMID of the request is there meanwhile. The inner shareable
 * forms are broadcast to every CPU, and DSB ISH waits for their completion.
 *
 * Invalidation by IPA acts on stage 2 entries only. TLBI VMALLE1IS must follow, for entries that
 * combine both stages, after the first has completed (D8.13.5).
 */
#include "el2/el2.h"
#include "el2/tlbi.h"

/* A root of 52 bits is aligned to 64 bytes or more, and its bits 51:48 are in BADDR bits 5:2. */
uint64_t el2_vttbr(mm_hpa_t root, uint32_t tag)
{
	return (root.raw & GENMASK(47, 0)) | FIELD_PREP(GENMASK(5, 2), root.raw >> 48) |
	       FIELD_PREP(VTTBR_VMID, tag);
}

/* Entries of all levels, or of the last level only if no table was unlinked. The assembler does
 * not know RIPAS2E1IS and RIPAS2LE1IS for Armv8.0. */
static void invalidate(const struct el2_tlbi *insn, bool tables)
{
	uint64_t operand = insn->operand;

	if (insn->range && tables)
		__asm__ volatile("sys #4, c8, c0, #2, %0" : : "r"(operand) : "memory");
	else if (insn->range)
		__asm__ volatile("sys #4, c8, c0, #6, %0" : : "r"(operand) : "memory");
	else if (tables)
		__asm__ volatile("tlbi ipas2e1is, %0" : : "r"(operand) : "memory");
	else
		__asm__ volatile("tlbi ipas2le1is, %0" : : "r"(operand) : "memory");
}

/* The range forms count in pages if VTCR_EL2.DS is 0, and in 64 KiB otherwise; VTCR_EL2 is that of
 * the vCPU that is loaded. */
static bool ranges_work(void)
{
	return el2_caps.range_tlbi && (read_vtcr_el2() & VTCR_DS) == 0;
}

/* False: invalidate all entries of the VMID. */
static bool invalidate_range(const struct mm_flush *request)
{
	struct el2_tlbi_plan plan;
	struct el2_tlbi insn;

	if (!el2_tlbi_begin(&plan, request, ranges_work()))
		return false;
	while (el2_tlbi_next(&plan, &insn))
		invalidate(&insn, request->tables);
	return true;
}

void el2_flush(void *ctx, const struct mm_flush *request)
{
	uint64_t vttbr = el2_vttbr(request->root, request->tag);
	uint64_t loaded = read_vttbr_el2();

	(void)ctx;
	dsb_ishst();
	if (loaded != vttbr) {
		write_vttbr_el2(vttbr);
		isb();
	}
	if (!request->all && invalidate_range(request)) {
		dsb_ish();
		__asm__ volatile("tlbi vmalle1is" : : : "memory");
	} else {
		__asm__ volatile("tlbi vmalls12e1is" : : : "memory");
	}
	dsb_ish();
	if (loaded != vttbr)
		write_vttbr_el2(loaded);
	isb();
}
