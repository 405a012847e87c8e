/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RISC-V G-stage: the shapes that machines have, golden entries, and what the hardware
 * does with an entry, all worked out from the manual. Nothing here comes from mm/npt.
 */
#include "golden.h"

#include "mm/bits.h"
#include "mm/compiler.h"

/*
 * RISC-V privileged manual, "Sv39" (entry format), "Two-stage address translation" (G-stage: U
 * must be set), "Svpbmt", "Svadu". V R W X U G A D in bits 0 to 7, PPN 53:10, PBMT 62:61, N 63.
 */
static struct hw_entry decode_gstage(const struct hw_mmu *mmu, uint64_t e, unsigned level,
                                     enum mm_perm access)
{
	struct hw_entry out = {.perm = (enum mm_perm)((e >> 1) & 7)};
	unsigned pbmt = (unsigned)FIELD_GET(GENMASK(62, 61), e);

	if (!(e & BIT(0)))
		return entry_bad(HW_NOT_PRESENT);
	if ((out.perm & MM_RW) == MM_W || (e & GENMASK(60, 54)) || (e & BIT(63)) || pbmt == 3)
		return entry_bad(HW_MISCONFIG);
	/* Without Svpbmt these bits are reserved: a page fault. */
	if (mmu->config.fixed_memtype && pbmt != 0)
		return entry_bad(HW_MISCONFIG);
	out.leaf = out.perm != MM_NONE;
	out.next = mm_hpa_at(FIELD_GET(GENMASK(53, 10), e) << 12);
	if (address_bad(mmu, out.next.raw, level, out.leaf))
		return entry_bad(HW_MISCONFIG);
	if (!out.leaf) {
		bool reserved = level == 0 || pbmt || (e & (BIT(4) | BIT(6) | BIT(7)));
		out.perm = MM_RWX;
		return reserved ? entry_bad(HW_MISCONFIG) : out;
	}
	if (level > mmu->config.max_leaf)
		return entry_bad(HW_MISCONFIG);
	if (!(e & BIT(4)))
		out.perm = MM_NONE;
	out.memtype = pbmt == 0 ? MM_NORMAL : pbmt == 1 ? MM_NONCACHED : MM_DEVICE;
	if (mmu->config.accessed_dirty) {
		out.accessed = BIT(6);
		out.dirty = BIT(7);
	}
	out.flags_by_software =
		!mmu->config.accessed_dirty && (!(e & BIT(6)) || (access == MM_W && !(e & BIT(7))));
	return out;
}

static struct oracle_riscv riscv_of(const struct hw_mmu *mmu)
{
	const struct mm_npt_config *c = &mmu->config;

	return (struct oracle_riscv){
		.hgatp = (uint64_t)(c->levels + 5) << 60 | mmu->root.raw >> 12,
		.physical_width = c->hpa_bits,
		.svadu = c->accessed_dirty,
		.svpbmt = !c->fixed_memtype,
	};
}

static struct oracle_walk walk_riscv(const struct hw_mmu *mmu, const struct oracle_memory *memory,
                                     uint64_t gpa, enum oracle_access access)
{
	const struct oracle_riscv regs = riscv_of(mmu);

	return oracle_riscv_walk(&regs, memory, gpa, access);
}

static const struct geometry shapes[] = {
	{"sv39x4",
         &mm_npt_gstage,
         {.levels = 3,
          .root_bits = 11,
          .hpa_bits = 56,
          .max_leaf = 2,
          .execute_only = true,
          .accessed_dirty = true}},
	{"sv48x4",
         &mm_npt_gstage,
         {.levels = 4, .root_bits = 11, .hpa_bits = 56, .max_leaf = 3, .execute_only = true}},
	{"sv57x4",
         &mm_npt_gstage,
         {.levels = 5,
          .root_bits = 11,
          .hpa_bits = 50,
          .max_leaf = 4,
          .execute_only = true,
          .accessed_dirty = true}},
};

static const struct golden_entry entries[] = {
	/* Privileged manual, "Sv39", Svpbmt: V=1 R=2 W=4 X=8 U=0x10, PPN << 10, NC 1<<61, IO 2<<61.
         */
	{"sv39x4", 0, MM_RWX, MM_NORMAL, 0x12345000, 0x48d141f},
	{"sv39x4", 0, MM_R, MM_NORMAL, 0x12345000, 0x48d1413},
	{"sv39x4", 0, MM_X, MM_DEVICE, 0x12345000, 0x40000000048d1419},
	{"sv39x4", 1, MM_RW, MM_NONCACHED, 0x40000000, 0x2000000010000017},
	{"sv39x4", 2, MM_RX, MM_NORMAL, 0x40000000, 0x1000001b},
	/* Without Svadu: A 0x40 and D 0x80 from the start. */
	{"sv48x4", 0, MM_RW, MM_NORMAL, 0x12345000, 0x48d14d7},
	{"sv48x4", 3, MM_RWX, MM_NORMAL, 0x8000000000, 0x20000000df},
};

const struct golden_format golden_gstage = {
	.format = &mm_npt_gstage,
	.name = "gstage",
	.geometries = shapes,
	.geometry_count = MM_ARRAY_SIZE(shapes),
	.entries = entries,
	.entry_count = MM_ARRAY_SIZE(entries),
	.perms = GOLDEN_PERM(MM_R) | GOLDEN_PERM(MM_RW) | GOLDEN_PERM(MM_RX) | GOLDEN_PERM(MM_RWX) |
                 GOLDEN_PERM(MM_X),
	.caches_absent = true, /* "Memory-Management Fence Instructions" */
	/* V alone: "for non-leaf PTEs D, A and U are reserved" */
	.table_bits = 1,
	.table_shift = 2,
	.decode = decode_gstage,
	.max_hpa_bits = 56,
	.oracle = walk_riscv,
};
