/*
 * The payload's own page tables: stage 1 of VMSAv8-64, 4 KiB granule, 39 bits of address,
 * identity, pages only. Arm ARM D8.3.
 *
 *	gva[38:30]	gva[29:21]	gva[20:12]	gva[11:0]
 *	level 1 index	level 2 index	level 3 index	offset
 */
#include "guest.h"

#define PAGE_BYTES UINT64_C(4096)
#define PAGE_SHIFT 12
#define INDEX_BITS 9
#define ENTRIES    512
#define ROOT_LEVEL 2 /* counted from the leaves */

#define DESC_TABLE   UINT64_C(0x3) /* valid; at the last level, a page */
#define DESC_NORMAL  (UINT64_C(0) << 2)
#define DESC_DEVICE  (UINT64_C(1) << 2)
#define DESC_SH      (UINT64_C(3) << 8)
#define DESC_AF      (UINT64_C(1) << 10)
#define DESC_XN      (UINT64_C(3) << 53)
#define DESC_ADDRESS UINT64_C(0xfffffffff000)

#define MEMORY (DESC_NORMAL | DESC_SH)
#define DEVICE (DESC_DEVICE | DESC_XN)

/* MAIR_EL1: attribute 0 is Normal write-back, attribute 1 Device-nGnRE. */
#define MAIR UINT64_C(0x04ff)

/* TCR_EL1: T0SZ 25, walks are write-back and inner shareable, no TTBR1, 48-bit outputs. */
#define TCR_T0SZ  UINT64_C(25)
#define TCR_WALKS (UINT64_C(1) << 8 | UINT64_C(1) << 10 | UINT64_C(3) << 12)
#define TCR_EPD1  (UINT64_C(1) << 23)

/* ID_AA64MMFR0_EL1.PARange and TCR_EL1.IPS count alike up to 48 bits. */
#define PARANGE     UINT64_C(0xf)
#define PARANGE_48  UINT64_C(5)
#define IPS_SHIFT   32
#define SCTLR_M_C_I (UINT64_C(1) << 0 | UINT64_C(1) << 2 | UINT64_C(1) << 12)

/* Tables are taken one after the other. */
struct builder {
	uint64_t root;
	uint64_t next;
};

static uint64_t *entry_at(uint64_t table, uint64_t address, unsigned level)
{
	uint64_t index = (address >> (PAGE_SHIFT + INDEX_BITS * level)) % ENTRIES;

	return (uint64_t *)(uintptr_t)table + index;
}

static uint64_t new_table(struct builder *builder)
{
	uint64_t table = builder->next;

	builder->next += PAGE_BYTES;
	for (uint64_t i = 0; i < ENTRIES; i++)
		*((uint64_t *)(uintptr_t)table + i) = 0;
	return table;
}

static void map_page(struct builder *builder, uint64_t address, uint64_t attributes)
{
	uint64_t table = builder->root;

	for (unsigned level = ROOT_LEVEL; level > 0; level--) {
		uint64_t *entry = entry_at(table, address, level);

		if (*entry == 0)
			*entry = new_table(builder) | DESC_TABLE;
		table = *entry & DESC_ADDRESS;
	}
	*entry_at(table, address, 0) = address | attributes | DESC_AF | DESC_TABLE;
}

static void map_range(struct builder *builder, uint64_t start, uint64_t bytes, uint64_t attributes)
{
	for (uint64_t done = 0; done < bytes; done += PAGE_BYTES)
		map_page(builder, start + done, attributes);
}

static void turn_on(uint64_t root)
{
	uint64_t mmfr0, sctlr, ips;

	__asm__ volatile("mrs %0, id_aa64mmfr0_el1" : "=r"(mmfr0));
	ips = (mmfr0 & PARANGE) < PARANGE_48 ? mmfr0 & PARANGE : PARANGE_48;
	__asm__ volatile("msr mair_el1, %0" : : "r"(MAIR));
	__asm__ volatile("msr tcr_el1, %0"
	                 :
	                 : "r"(TCR_T0SZ | TCR_WALKS | TCR_EPD1 | ips << IPS_SHIFT));
	__asm__ volatile("msr ttbr0_el1, %0" : : "r"(root));
	__asm__ volatile("dsb ish\n\tisb\n\ttlbi vmalle1\n\tdsb nsh\n\tisb" : : : "memory");
	__asm__ volatile("mrs %0, sctlr_el1" : "=r"(sctlr));
	__asm__ volatile("msr sctlr_el1, %0\n\tisb" : : "r"(sctlr | SCTLR_M_C_I) : "memory");
}

uint64_t guest_stage1_on(uint64_t tables, uint64_t arena_base, uint64_t span)
{
	const struct guest_info *info = (const struct guest_info *)(uintptr_t)GUEST_INFO_BASE;
	struct builder builder = {.next = tables};

	builder.root = new_table(&builder);
	map_range(&builder, GUEST_RAM_BASE, info->ram_bytes, MEMORY);
	map_range(&builder, GUEST_INFO_BASE, PAGE_BYTES, MEMORY);
	map_range(&builder, GUEST_UART_BASE, PAGE_BYTES, DEVICE);
	map_range(&builder, GUEST_TEST_BASE, PAGE_BYTES, DEVICE);
	map_range(&builder, arena_base, span, MEMORY);
	turn_on(builder.root);
	return builder.next - tables;
}
