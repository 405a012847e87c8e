/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stage-1 translation of EL2: virtual = physical in one 48-bit range, 4 KiB granule.
 *
 *	RAM			Normal write-back, read-write, never executed
 *	the image's text	read-only, executable
 *	the image's rodata	read-only
 *	below each stack	not mapped: an overflow traps
 *	the rest, to 512 GiB	Device-nGnRE, never executed. No speculative access is made to
 * Device memory, so absent memory may be mapped
 *
 * The tables are in .bss and are built with the MMU off. They do not change afterwards, so neither
 * TLB invalidation nor break-before-make is needed.
 */
#include "machine/aarch64/cpu.h"

#include "machine/aarch64/arm_boot.h"
#include "machine/aarch64/board.h"
#include "machine/aarch64/sysreg.h"
#include "mm/addr.h"
#include "mm/bits.h"
#include "mm/compiler.h"

SYSREG_WRITE(mair_el2, "mair_el2")
SYSREG_WRITE(tcr_el2, "tcr_el2")
SYSREG_WRITE(ttbr0_el2, "ttbr0_el2")
SYSREG_WRITE(sctlr_el2, "sctlr_el2")
SYSREG_READ(id_aa64mmfr0_el1, "id_aa64mmfr0_el1")
SYSREG_READ(ctr_el0, "ctr_el0")

#define ENTRIES 512U
#define TOP     3U /* level of the root, counted from the leaves as mm/ does */
#define TABLES  32U

/* Arm ARM D8.3: VMSAv8-64 stage 1 descriptors; EL2 without VHE has no user, so AP[1] is 1. */
#define DESC_VALID    BIT(0)
#define DESC_TABLE    BIT(1) /* at level 0 here: a page */
#define DESC_ATTR     GENMASK(4, 2)
#define DESC_AP_RES1  BIT(6)
#define DESC_AP_RO    BIT(7)
#define DESC_SH_INNER FIELD_PREP(GENMASK(9, 8), 3)
#define DESC_AF       BIT(10)
#define DESC_XN       BIT(54)
#define DESC_ADDRESS  GENMASK(47, 12)

/* D17.2.97: MAIR_EL2, attributes 0 and 1. */
#define MAIR_DEVICE_nGnRE UINT64_C(0x04)
#define MAIR_NORMAL_WB    UINT64_C(0xff)
#define ATTR_DEVICE       0U
#define ATTR_NORMAL       1U

/* D17.2.131: TCR_EL2 with E2H 0. */
#define TCR_T0SZ       GENMASK(5, 0)
#define TCR_WALK_WB    (FIELD_PREP(GENMASK(9, 8), 1) | FIELD_PREP(GENMASK(11, 10), 1))
#define TCR_WALK_INNER FIELD_PREP(GENMASK(13, 12), 3)
#define TCR_PS         GENMASK(18, 16)
#define TCR_RES1       (BIT(31) | BIT(23))

/* D17.2.119: SCTLR_EL2 with E2H 0. */
#define SCTLR_RES1                                                                                 \
	(BIT(29) | BIT(28) | BIT(23) | BIT(22) | BIT(18) | BIT(16) | BIT(11) | BIT(5) | BIT(4))
#define SCTLR_M   BIT(0)
#define SCTLR_C   BIT(2)
#define SCTLR_SA  BIT(3)
#define SCTLR_I   BIT(12)
#define SCTLR_WXN BIT(19)

#define DEVICE (DESC_AF | FIELD_PREP(DESC_ATTR, ATTR_DEVICE) | DESC_AP_RES1 | DESC_XN)
#define NORMAL (DESC_AF | FIELD_PREP(DESC_ATTR, ATTR_NORMAL) | DESC_AP_RES1 | DESC_SH_INNER)
#define RAM    (NORMAL | DESC_XN)
#define RODATA (NORMAL | DESC_AP_RO | DESC_XN)
#define TEXT   (NORMAL | DESC_AP_RO)
#define ABSENT UINT64_C(0)

struct table {
	uint64_t entry[ENTRIES];
} MM_ALIGNED_TO(4096);

struct mmu_registers mmu_registers;

static struct table tables[TABLES];
static unsigned tables_used;

extern char _image_start[], _text_end[], _rodata_end[], _image_end[];

static uint64_t address_of(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static struct table *table_at(uint64_t entry)
{
	return (struct table *)(uintptr_t)(entry & DESC_ADDRESS);
}

/* The table that `*entry` points at. If there is none, it is created, and a leaf in `*entry` is
 * split into it. */
static struct table *descend(uint64_t *entry, unsigned level)
{
	struct table *table;

	if ((*entry & (DESC_VALID | DESC_TABLE)) == (DESC_VALID | DESC_TABLE))
		return table_at(*entry);
	if (tables_used == TABLES)
		return NULL;
	table = &tables[tables_used++];
	for (unsigned i = 0; i < ENTRIES && (*entry & DESC_VALID) != 0; i++) {
		table->entry[i] = *entry + i * MM_LEVEL_SIZE(level - 1);
		if (level == 1)
			table->entry[i] |= DESC_TABLE;
	}
	*entry = address_of(table) | DESC_VALID | DESC_TABLE;
	return table;
}

/* Maps [at, end) with the largest leaves that fit. Replaces previous mappings. */
static bool map(struct table *root, uint64_t at, uint64_t end, uint64_t attributes)
{
	while (at < end) {
		struct table *table = root;
		unsigned level = TOP;
		uint64_t *entry;

		for (;;) {
			entry = &table->entry[(at >> MM_LEVEL_SHIFT(level)) % ENTRIES];
			if (level == 0 || (level < TOP && mm_is_aligned(at, MM_LEVEL_SIZE(level)) &&
			                   end - at >= MM_LEVEL_SIZE(level)))
				break;
			table = descend(entry, level);
			if (table == NULL)
				return false;
			level--;
		}
		*entry = ABSENT;
		if (attributes != ABSENT)
			*entry = at | attributes | DESC_VALID | (level == 0 ? DESC_TABLE : 0);
		at += MM_LEVEL_SIZE(level);
	}
	return true;
}

/* Maps the whole pages inside of a range. */
static bool map_inside(struct table *root, struct mm_hpa_range range, uint64_t attributes)
{
	uint64_t end = mm_align_down(mm_hpa_range_last(range).raw + 1, MM_PAGE_SIZE);

	return end == 0 || end > BIT(48) ||
	       map(root, mm_align_up(range.start.raw, MM_PAGE_SIZE), end, attributes);
}

static bool map_everything(struct table *root, const struct boot_info *info)
{
	bool good = map(root, 0, MM_LEVEL_SIZE(TOP), DEVICE);

	for (size_t i = 0; i < info->region_count; i++) {
		if (info->regions[i].kind == BOOT_RAM)
			good = good && map_inside(root, info->regions[i].range, RAM);
	}
	good = good && map(root, address_of(_image_start), address_of(_text_end), TEXT) &&
	       map(root, address_of(_text_end), address_of(_rodata_end), RODATA) &&
	       map(root, address_of(_rodata_end), address_of(_image_end), RAM);
	for (unsigned i = 0; i < MACHINE_MAX_CPUS; i++) {
		uint64_t guard = address_of(cpu_stack_guard(i));

		good = good && map(root, guard, guard + MM_PAGE_SIZE, ABSENT);
	}
	for (unsigned i = 0; i < board.device_count; i++) {
		uint64_t at = mm_align_down(board.devices[i].start.raw, MM_PAGE_SIZE);
		uint64_t end = mm_align_up(mm_hpa_range_last(board.devices[i]).raw, MM_PAGE_SIZE);

		if (at >= MM_LEVEL_SIZE(TOP))
			good = good && map(root, at, end, DEVICE);
	}
	return good;
}

/*
 * Invalidates the cache lines of memory that was written since the start: the image up to its
 * stacks, and this CPU's stack. The lines are not dirty: the loader has cleaned the image (boot
 * protocol), and writes with the MMU off do not go to the caches. But a stale line would hide
 * those writes when the caches are on.
 */
static void invalidate_cached(uint64_t start, uint64_t end)
{
	uint64_t line = UINT64_C(4) << FIELD_GET(GENMASK(19, 16), read_ctr_el0());

	dsb_sy();
	for (uint64_t at = start; at < end; at += line)
		__asm__ volatile("dc ivac, %0" : : "r"(at) : "memory");
	dsb_sy();
}

const char *arm_mmu_start(const struct boot_info *info)
{
	/* PARange 6 (52 bits) needs a larger granule or LPA2. These tables have 48 bits. */
	uint64_t pa_range = FIELD_GET(GENMASK(3, 0), read_id_aa64mmfr0_el1());
	struct table *root = &tables[tables_used++];

	if (!map_everything(root, info))
		return "the memory map needs more page tables than the hypervisor has";

	mmu_registers = (struct mmu_registers){
		.mair = MAIR_DEVICE_nGnRE << (8 * ATTR_DEVICE) | MAIR_NORMAL_WB
	                                                                 << (8 * ATTR_NORMAL),
		.tcr = TCR_RES1 | FIELD_PREP(TCR_PS, pa_range < 5 ? pa_range : 5) | TCR_WALK_INNER |
	               TCR_WALK_WB | FIELD_PREP(TCR_T0SZ, 64 - 48),
		.ttbr = address_of(root),
		.sctlr = SCTLR_RES1 | SCTLR_M | SCTLR_C | SCTLR_SA | SCTLR_I | SCTLR_WXN,
	};
	invalidate_cached(address_of(_image_start), address_of(cpu_stack_guard(1)));

	write_mair_el2(mmu_registers.mair);
	write_tcr_el2(mmu_registers.tcr);
	write_ttbr0_el2(mmu_registers.ttbr);
	isb();
	__asm__ volatile("tlbi alle2\n\tic iallu\n\tdsb sy\n\tisb" : : : "memory");
	write_sctlr_el2(mmu_registers.sctlr);
	isb();
	return NULL;
}

struct mm_hpa_range arm_image(void)
{
	return mm_hpa_range(mm_hpa_at(address_of(_image_start)),
	                    (uint64_t)(_image_end - _image_start));
}
