/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arm stage 2, without and with VTCR_EL2.DS: the shapes that machines have, golden entries, and
 * what the hardware does with an entry, all worked out from the manual. Nothing here comes from
 * mm/npt.
 */
#include "golden.h"

#include "mm/bits.h"
#include "mm/compiler.h"

/*
 * Arm ARM (DDI 0487) D8.3.1 "VMSAv8-64 descriptor formats" and D8.4, stage 2, 4 KiB granule.
 * Bits 1:0 type; MemAttr 5:2, S2AP 7:6, SH 9:8, AF 10, DBM 51, XN 54:53. With LPA2 (VTCR.DS = 1)
 * the output address is bits 49:12 and 9:8 hold its bits 51:50.
 */
static struct hw_entry decode_stage2(const struct hw_mmu *mmu, uint64_t e, unsigned level,
                                     enum mm_perm access)
{
	bool lpa2 = mmu->format == &mm_npt_stage2_lpa2;
	struct hw_entry out = {.perm = MM_RWX};

	if (!(e & BIT(0)))
		return entry_bad(HW_NOT_PRESENT);
	out.leaf = level == 0 || !(e & BIT(1));
	if (level == 0 && !(e & BIT(1)))
		return entry_bad(HW_MISCONFIG);
	if (out.leaf && level > mmu->config.max_leaf)
		return entry_bad(HW_MISCONFIG);
	uint64_t address = e & (lpa2 ? GENMASK(49, 12) : GENMASK(47, 12));
	if (lpa2)
		address |= FIELD_GET(GENMASK(9, 8), e) << 50;
	if (address_bad(mmu, address, level, out.leaf) || (!lpa2 && (e & GENMASK(50, 48))))
		return entry_bad(HW_MISCONFIG);
	out.next = mm_hpa_at(address);
	if (!out.leaf)
		return out;

	bool managed = (e & BIT(51)) && mmu->config.accessed_dirty;
	unsigned perm = (unsigned)FIELD_GET(GENMASK(7, 6), e); /* bit 6 read, bit 7 write */
	if (managed)
		perm |= MM_W;
	if (e & BIT(53))
		return entry_bad(HW_MISCONFIG);
	out.perm = (enum mm_perm)(perm | (e & BIT(54) ? 0 : (unsigned)MM_X));
	/* D8.6.5: outer and inner attributes, two bits each. Outer 0 is Device, whose kind the
	 * inner bits say; otherwise inner 0 is reserved, 1 Non-cacheable, 2 write-through, 3
	 * write-back. */
	unsigned attr = (unsigned)FIELD_GET(GENMASK(5, 2), e), outer = attr >> 2, inner = attr & 3;
	if (outer != 0 && inner == 0)
		return entry_bad(HW_MISCONFIG);
	out.memtype = outer == 0    ? MM_DEVICE
	              : attr == 0x5 ? MM_NONCACHED
	              : attr == 0xf ? MM_NORMAL
	                            : MM_MEMTYPES;
	/* D8.6.2; with DS it is VTCR_EL2.SH0, which el2/ sets to inner shareable. Device and
	 * Non-cacheable memory is always outer shareable; for the rest 1 is reserved. */
	out.shareability = lpa2 ? 3 : (unsigned)FIELD_GET(GENMASK(9, 8), e);
	if (out.shareability == 1 && outer != 0 && attr != 0x5)
		return entry_bad(HW_MISCONFIG);
	if (mmu->config.accessed_dirty) {
		out.accessed = BIT(10);
		out.dirty = managed ? BIT(7) : 0;
	}
	/* D8.15: the access flag is checked before permissions. */
	out.flags_by_software = !(e & BIT(10)) && !mmu->config.accessed_dirty;
	out.flags_first = true;
	(void)access;
	return out;
}

static uint64_t ones(unsigned bits)
{
	return bits >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << bits) - 1;
}

static struct oracle_arm arm_of(const struct hw_mmu *mmu)
{
	const struct mm_npt_config *c = &mmu->config;
	static const unsigned ps_bits[] = {32, 36, 40, 42, 44, 48, 52};
	bool lpa2 = mmu->format == &mm_npt_stage2_lpa2;
	uint64_t vtcr = 64 - mm_npt_gpa_bits(c), ps = 0;

	while (ps < 6 && ps_bits[ps] < c->hpa_bits)
		ps++;
	vtcr |= ps << 16 | UINT64_C(3) << 12 | UINT64_C(0x80000500); /* RES1, SH0, IRGN0, ORGN0 */
	/* SL0 (7:6) is 0, 1, 2 for a start at level 2, 1, 0; SL2 (33) for one at level -1. */
	vtcr |= c->levels == 5 ? UINT64_C(1) << 33 : (uint64_t)(c->levels - 2) << 6;
	if (c->accessed_dirty)
		vtcr |= UINT64_C(3) << 21;
	if (lpa2)
		vtcr |= UINT64_C(1) << 32;
	return (struct oracle_arm){
		.vttbr = lpa2 && c->hpa_bits > 48
	                         ? (mmu->root.raw & ones(48)) | mmu->root.raw >> 48 << 2
	                         : mmu->root.raw,
		.vtcr = vtcr,
		.pamax = c->hpa_bits,
		.xnx = false, /* portable software leaves XN[0] zero: RES0 without FEAT_XNX */
	};
}

static struct oracle_walk walk_arm(const struct hw_mmu *mmu, const struct oracle_memory *memory,
                                   uint64_t gpa, enum oracle_access access)
{
	const struct oracle_arm regs = arm_of(mmu);

	return oracle_arm_walk(&regs, memory, gpa, access);
}

static const struct geometry shapes_stage2[] = {
	/* T0SZ = 32: three levels with a root of 4 entries, or two with 4 concatenated tables. */
	{"ipa32",
         &mm_npt_stage2,
         {.levels = 3, .root_bits = 2, .hpa_bits = 40, .max_leaf = 2, .execute_only = true}},
	{"ipa32c",
         &mm_npt_stage2,
         {.levels = 2, .root_bits = 11, .hpa_bits = 40, .max_leaf = 1, .execute_only = true}},
	/* A Cortex-A72: two concatenated tables at level 1. */
	{"ipa40",
         &mm_npt_stage2,
         {.levels = 3, .root_bits = 10, .hpa_bits = 44, .max_leaf = 2, .execute_only = true}},
	{"ipa48",
         &mm_npt_stage2,
         {.levels = 4,
          .root_bits = 9,
          .hpa_bits = 48,
          .max_leaf = 2,
          .execute_only = true,
          .accessed_dirty = true}},
};

static const struct golden_entry entries_stage2[] = {
	/* DDI 0487 D8.3.1.2: page 0b11, MemAttr 0b1111 in 5:2 = 0x3c, S2AP 0xc0, SH inner 0x300,
         * AF 0x400, XN bit 54. */
	{"ipa40", 0, MM_RWX, MM_NORMAL, 0x12345000, 0x123457ff},
	{"ipa40", 0, MM_R, MM_NORMAL, 0x12345000, 0x4000001234577f},
	{"ipa40", 0, MM_RW, MM_DEVICE, 0x12345000, 0x400000123454c3},
	{"ipa40", 0, MM_X, MM_NORMAL, 0x12345000, 0x1234573f},
	{"ipa40", 0, MM_W, MM_NORMAL, 0x12345000, 0x400000123457bf},
	/* Block 0b01; Normal non-cacheable is MemAttr 0b0101. */
	{"ipa40", 1, MM_RWX, MM_NORMAL, 0x40000000, 0x400007fd},
	{"ipa40", 2, MM_RX, MM_NONCACHED, 0x40000000, 0x40000455},
};

const struct golden_format golden_stage2 = {
	.format = &mm_npt_stage2,
	.name = "stage2",
	.geometries = shapes_stage2,
	.geometry_count = MM_ARRAY_SIZE(shapes_stage2),
	.entries = entries_stage2,
	.entry_count = MM_ARRAY_SIZE(entries_stage2),
	.perms = GOLDEN_PERM(MM_R) | GOLDEN_PERM(MM_RW) | GOLDEN_PERM(MM_RX) | GOLDEN_PERM(MM_RWX) |
                 GOLDEN_PERM(MM_X) | GOLDEN_PERM(MM_W) |
                 GOLDEN_PERM(MM_WX), /* S2AP = 0b10: write-only */
	.break_before_make = true,   /* D8.14.1 */
	.table_bits = 3,             /* DDI 0487 D8.3.1: 0b11, stage 2 tables have no attributes */
	.decode = decode_stage2,
	.max_hpa_bits = 52,
	.oracle = walk_arm,
};

static const struct geometry shapes_stage2_lpa2[] = {
	{"ipa52",
         &mm_npt_stage2_lpa2,
         {.levels = 5, .root_bits = 4, .hpa_bits = 52, .max_leaf = 3, .execute_only = true}},
	/* 16 concatenated tables at level 0. */
	{"ipa52c",
         &mm_npt_stage2_lpa2,
         {.levels = 4,
          .root_bits = 13,
          .hpa_bits = 52,
          .max_leaf = 3,
          .execute_only = true,
          .accessed_dirty = true}},
};

static const struct golden_entry entries_stage2_lpa2[] = {
	/* D8.3.1.1 with DS: bits 51:50 of the address in 9:8. */
	{"ipa52", 0, MM_RWX, MM_NORMAL, UINT64_C(0xc000012345000), 0x123457ff},
	{"ipa52", 3, MM_RWX, MM_NORMAL, UINT64_C(0x4008000000000), 0x80000005fd},
};

const struct golden_format golden_stage2_lpa2 = {
	.format = &mm_npt_stage2_lpa2,
	.name = "stage2-lpa2",
	.geometries = shapes_stage2_lpa2,
	.geometry_count = MM_ARRAY_SIZE(shapes_stage2_lpa2),
	.entries = entries_stage2_lpa2,
	.entry_count = MM_ARRAY_SIZE(entries_stage2_lpa2),
	.perms = GOLDEN_PERM(MM_R) | GOLDEN_PERM(MM_RW) | GOLDEN_PERM(MM_RX) | GOLDEN_PERM(MM_RWX) |
                 GOLDEN_PERM(MM_X) | GOLDEN_PERM(MM_W) |
                 GOLDEN_PERM(MM_WX), /* S2AP = 0b10: write-only */
	.break_before_make = true,   /* D8.14.1 */
	.table_bits = 3,             /* DDI 0487 D8.3.1: 0b11, stage 2 tables have no attributes */
	.decode = decode_stage2,
	.max_hpa_bits = 52,
	.oracle = walk_arm,
};
