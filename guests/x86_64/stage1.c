/*
 * The payload's own page tables: four levels, identity, 4 KiB pages, in place of start.S's.
 * SDM vol. 3, 4.5.
 *
 *	gva[47:39]	gva[38:30]	gva[29:21]	gva[20:12]	gva[11:0]
 *	PML4 index	PDPT index	PD index	PT index	offset
 */
#include "guest.h"

#define PAGE_BYTES UINT64_C(4096)
#define PAGE_SHIFT 12
#define INDEX_BITS 9
#define ENTRIES    512
#define ROOT_LEVEL 3

/* P, W, A; and D: no walk has to write to them. */
#define PTE_TABLE   UINT64_C(0x23)
#define PTE_LEAF    UINT64_C(0x63)
#define PTE_ADDRESS UINT64_C(0x000ffffffffff000)

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

static void map_page(struct builder *builder, uint64_t address)
{
	uint64_t table = builder->root;

	for (unsigned level = ROOT_LEVEL; level > 0; level--) {
		uint64_t *entry = entry_at(table, address, level);

		if (*entry == 0)
			*entry = new_table(builder) | PTE_TABLE;
		table = *entry & PTE_ADDRESS;
	}
	*entry_at(table, address, 0) = address | PTE_LEAF;
}

static void map_range(struct builder *builder, uint64_t start, uint64_t bytes)
{
	for (uint64_t done = 0; done < bytes; done += PAGE_BYTES)
		map_page(builder, start + done);
}

uint64_t guest_stage1_on(uint64_t tables, uint64_t arena_base, uint64_t span)
{
	const struct guest_info *info = (const struct guest_info *)(uintptr_t)GUEST_INFO_BASE;
	struct builder builder = {.next = tables};

	builder.root = new_table(&builder);
	map_range(&builder, GUEST_RAM_BASE, info->ram_bytes);
	map_range(&builder, GUEST_INFO_BASE, PAGE_BYTES);
	map_range(&builder, GUEST_UART_BASE, PAGE_BYTES);
	map_range(&builder, GUEST_TEST_BASE, PAGE_BYTES);
	map_range(&builder, arena_base, span);
	__asm__ volatile("movq %0, %%cr3" : : "r"(builder.root) : "memory");
	return builder.next - tables;
}
