/*
 * The payload's own page tables: Sv39, identity, 4 KiB leaves. Privileged manual, 4.4.
 *
 *	gva[38:30]	gva[29:21]	gva[20:12]	gva[11:0]
 *	root index	middle index	leaf index	offset
 */
#include "guest.h"

#define PAGE_BYTES  UINT64_C(4096)
#define PAGE_SHIFT  12
#define INDEX_BITS  9
#define ENTRIES     512
#define ROOT_LEVEL  2
#define SATP_SV39   (UINT64_C(8) << 60)
#define PTE_PPN_LOW 10

/* V, R, W, X, A, D: for the supervisor, which is what a payload runs as. */
#define PTE_TABLE UINT64_C(0x01)
#define PTE_LEAF  UINT64_C(0xcf)

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
			*entry = new_table(builder) >> PAGE_SHIFT << PTE_PPN_LOW | PTE_TABLE;
		table = *entry >> PTE_PPN_LOW << PAGE_SHIFT;
	}
	*entry_at(table, address, 0) = address >> PAGE_SHIFT << PTE_PPN_LOW | PTE_LEAF;
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
	__asm__ volatile("sfence.vma\n\tcsrw satp, %0\n\tsfence.vma" ::"r"(
				 SATP_SV39 | builder.root >> PAGE_SHIFT)
	                 : "memory");
	return builder.next - tables;
}
