/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel EPT: the shapes that machines have, golden entries, and what the hardware
 * does with an entry, all worked out from the manual. Nothing here comes from mm/npt.
 */
#include "golden.h"

#include "mm/bits.h"
#include "mm/compiler.h"

/*
 * Intel SDM vol. 3C, 29.3.2 "EPT Translation Mechanism", tables 29-1 to 29-7, and 29.3.3.1 "EPT
 * Misconfigurations". Bit 0 R, 1 W, 2 X; 5:3 memory type, 6 ignore-PAT, 7 leaf, 8 A, 9 D.
 */
static struct hw_entry decode_ept(const struct hw_mmu *mmu, uint64_t e, unsigned level,
                                  enum mm_perm access)
{
	(void)access;
	struct hw_entry out = {.perm = (enum mm_perm)(e & 7)};
	unsigned type = (unsigned)FIELD_GET(GENMASK(5, 3), e);

	if (out.perm == MM_NONE)
		return entry_bad(HW_NOT_PRESENT);
	if ((e & 3) == 2 || (out.perm == MM_X && !mmu->config.execute_only))
		return entry_bad(HW_MISCONFIG);
	out.leaf = level == 0 || (e & BIT(7));
	if (out.leaf && level > mmu->config.max_leaf)
		return entry_bad(HW_MISCONFIG);
	if (!out.leaf && (e & GENMASK(7, 3)))
		return entry_bad(HW_MISCONFIG);
	if (out.leaf && (type == 2 || type == 3 || type == 7))
		return entry_bad(HW_MISCONFIG);
	out.next = mm_hpa_at(e & GENMASK(51, 12));
	if (address_bad(mmu, out.next.raw, level, out.leaf))
		return entry_bad(HW_MISCONFIG);
	static const enum mm_memtype types[] = {
		[0] = MM_DEVICE,   [1] = MM_NONCACHED, [4] = MM_MEMTYPES,
		[5] = MM_MEMTYPES, [6] = MM_NORMAL,    [7] = MM_MEMTYPES};
	out.memtype = types[type];
	out.ignore_pat = out.leaf && (e & BIT(6));
	if (mmu->config.accessed_dirty) {
		out.accessed = BIT(8);
		out.dirty = out.leaf ? BIT(9) : 0;
	}
	return out;
}

static struct oracle_ept ept_of(const struct hw_mmu *mmu)
{
	const struct mm_npt_config *c = &mmu->config;

	return (struct oracle_ept){
		/* Write-back, the length of the walk less 1, A/D flags. */
		.eptp = mmu->root.raw | 6 | (uint64_t)(c->levels - 1) << 3 |
	                (c->accessed_dirty ? 0x40 : 0),
		.maxphyaddr = c->hpa_bits,
		.execute_only = c->execute_only,
		.page_2m = c->max_leaf >= 1,
		.page_1g = c->max_leaf >= 2,
		.five_level = c->levels == 5,
		.accessed_dirty = c->accessed_dirty,
	};
}

static struct oracle_walk walk_ept(const struct hw_mmu *mmu, const struct oracle_memory *memory,
                                   uint64_t gpa, enum oracle_access access)
{
	const struct oracle_ept regs = ept_of(mmu);

	return oracle_ept_walk(&regs, memory, gpa, access);
}

static const struct geometry shapes[] = {
	{"ept4",
         &mm_npt_ept,
         {.levels = 4,
          .root_bits = 9,
          .hpa_bits = 46,
          .max_leaf = 2,
          .execute_only = true,
          .accessed_dirty = true}},
	/* A Sandy Bridge: no 1 GiB leaves, no execute-only, no A/D. */
	{"ept4-old", &mm_npt_ept, {.levels = 4, .root_bits = 9, .hpa_bits = 40, .max_leaf = 1}},
	{"ept5",
         &mm_npt_ept,
         {.levels = 5, .root_bits = 9, .hpa_bits = 52, .max_leaf = 2, .accessed_dirty = true}},
};

static const struct golden_entry entries[] = {
	/* SDM vol. 3C table 29-7 (4 KiB): R=1 W=2 X=4, type 6 (WB) in 5:3 = 0x30, ignore-PAT 0x40.
         */
	{"ept4", 0, MM_RWX, MM_NORMAL, 0x12345000, 0x12345077},
	{"ept4", 0, MM_R, MM_NORMAL, 0x12345000, 0x12345071},
	{"ept4", 0, MM_X, MM_NORMAL, 0x12345000, 0x12345074},
	{"ept4", 0, MM_RW, MM_DEVICE, 0x12345000, 0x12345043},    /* type 0 (UC) */
	{"ept4", 0, MM_RX, MM_NONCACHED, 0x12345000, 0x1234504d}, /* type 1 (WC) */
	/* Table 29-6 (2 MiB), 29-4 (1 GiB): bit 7. */
	{"ept4", 1, MM_RW, MM_NORMAL, 0x40000000, 0x400000f3},
	{"ept4", 2, MM_RWX, MM_DEVICE, 0x40000000, 0x400000c7},
};

const struct golden_format golden_ept = {
	.format = &mm_npt_ept,
	.name = "ept",
	.geometries = shapes,
	.geometry_count = MM_ARRAY_SIZE(shapes),
	.entries = entries,
	.entry_count = MM_ARRAY_SIZE(entries),
	.perms = GOLDEN_PERM(MM_R) | GOLDEN_PERM(MM_RW) | GOLDEN_PERM(MM_RX) | GOLDEN_PERM(MM_RWX) |
                 GOLDEN_PERM(MM_X),
	.table_bits = 7, /* SDM table 29-2: R W X, 7:3 reserved */
	.decode = decode_ept,
	.max_hpa_bits = 52,
	.oracle = walk_ept,
};
