/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD nested paging: the shapes that machines have, golden entries, and what the hardware
 * does with an entry, all worked out from the manual. Nothing here comes from mm/npt.
 */
#include "golden.h"

#include "mm/bits.h"
#include "mm/compiler.h"

/*
 * AMD APM vol. 2, 5.3-5.4 (long-mode entries) and 15.25.5: a nested walk is a user access, so U
 * has to be set. Bit 0 P, 1 W, 2 U, 5 A, 6 D, 7 PS, 63 NX. PWT 3, PCD 4, PAT 7 or 12.
 */
static struct hw_entry decode_amd(const struct hw_mmu *mmu, uint64_t e, unsigned level,
                                  enum mm_perm access)
{
	(void)access;
	struct hw_entry out = {.accessed = BIT(5)};

	if (!(e & BIT(0)))
		return entry_bad(HW_NOT_PRESENT);
	out.leaf = level == 0 || (e & BIT(7));
	if (out.leaf && level > mmu->config.max_leaf)
		return entry_bad(HW_MISCONFIG);
	if (level >= 3 && (e & GENMASK(8, 7)))
		return entry_bad(HW_MISCONFIG);
	uint64_t pat_bit = level == 0 ? BIT(7) : BIT(12);
	uint64_t address = e & GENMASK(51, 12);
	if (out.leaf && level > 0)
		address &= ~pat_bit;
	if (address_bad(mmu, address, level, out.leaf))
		return entry_bad(HW_MISCONFIG);
	out.next = mm_hpa_at(address);
	out.dirty = out.leaf ? BIT(6) : 0;
	unsigned perm = (e & BIT(1) ? MM_RW : MM_R) | (e & BIT(63) ? 0 : (unsigned)MM_X);
	out.perm = e & BIT(2) ? (enum mm_perm)perm : MM_NONE;
	/* PCD and PWT: the index into the PAT that the host runs with, as it is after reset (7.8):
	 * WB, WT, UC-, UC. The upper four fields, which the PAT bit selects, repeat them. */
	static const enum mm_memtype types[] = {MM_NORMAL, MM_MEMTYPES, MM_NONCACHED, MM_DEVICE};
	out.memtype = types[FIELD_GET(GENMASK(4, 3), e)];
	return out;
}

static struct oracle_amd amd_of(const struct hw_mmu *mmu)
{
	const struct mm_npt_config *c = &mmu->config;

	return (struct oracle_amd){
		.ncr3 = mmu->root.raw,
		.la57 = c->levels == 5,
		.nxe = true,
		.page_1g = c->max_leaf >= 2,
		.physical_width = c->hpa_bits,
		.pat = UINT64_C(0x0007040600070406), /* after reset: APM vol. 2, 7.8.1 */
	};
}

static struct oracle_walk walk_amd(const struct hw_mmu *mmu, const struct oracle_memory *memory,
                                   uint64_t gpa, enum oracle_access access)
{
	const struct oracle_amd regs = amd_of(mmu);

	return oracle_amd_walk(&regs, memory, gpa, access);
}

static const struct geometry shapes[] = {
	{"amd4",
         &mm_npt_amd,
         {.levels = 4, .root_bits = 9, .hpa_bits = 48, .max_leaf = 2, .accessed_dirty = true}},
	{"amd5", &mm_npt_amd, {.levels = 5, .root_bits = 9, .hpa_bits = 52, .max_leaf = 2}},
};

static const struct golden_entry entries[] = {
	/* APM vol. 2, 5.3.3 and 15.25: P=1 W=2 U=4, PCD 0x10, PWT 0x8, NX bit 63, PS 0x80. */
	{"amd4", 0, MM_RWX, MM_NORMAL, 0x12345000, 0x12345007},
	{"amd4", 0, MM_R, MM_NORMAL, 0x12345000, 0x8000000012345005},
	{"amd4", 0, MM_RX, MM_DEVICE, 0x12345000, 0x1234501d},
	{"amd4", 1, MM_RW, MM_NORMAL, 0x40000000, 0x8000000040000087},
	{"amd4", 2, MM_RWX, MM_NONCACHED, 0x40000000, 0x40000097},
	/* Without hardware's help A (0x20) and D (0x40) are there from the start. */
	{"amd5", 0, MM_RWX, MM_NORMAL, 0x12345000, 0x12345067},
};

const struct golden_format golden_amd = {
	.format = &mm_npt_amd,
	.name = "amd",
	.geometries = shapes,
	.geometry_count = MM_ARRAY_SIZE(shapes),
	.entries = entries,
	.entry_count = MM_ARRAY_SIZE(entries),
	.perms = GOLDEN_PERM(MM_R) | GOLDEN_PERM(MM_RW) | GOLDEN_PERM(MM_RX) |
                 GOLDEN_PERM(MM_RWX), /* what is present can be read */
	.table_bits = 7,              /* APM 5.3.3: P W U */
	.table_accessed = BIT(5),
	.decode = decode_amd,
	.max_hpa_bits = 52,
	.oracle = walk_amd,
};
