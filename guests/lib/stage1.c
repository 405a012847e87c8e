/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The payload's own page tables: identity map, 4 KiB pages. The three architectures have the same
 * tree. Their entries and root registers differ: guests/<arch>/stage1.c.
 *
 *	[gva[47:39]	gva[38:30]	gva[29:21]	gva[20:12]	gva[11:0]
 *	 x86 alone]	level 2 index	level 1 index	level 0 index	offset
 */
#include "lib/stage1.h"
#include "guest.h"

#define PAGE_BYTES    UINT64_C(4096)
#define MM_PAGE_SHIFT 12
#define INDEX_BITS    9
#define ENTRIES       512

/* Tables are allocated one after the other. */
struct builder {
	uint64_t root;
	uint64_t next;
};

static uint64_t *entry_at(uint64_t table, uint64_t address, unsigned level)
{
	uint64_t index = (address >> (MM_PAGE_SHIFT + INDEX_BITS * level)) % ENTRIES;

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

static void map_page(struct builder *builder, uint64_t address, enum stage1_kind kind)
{
	uint64_t table = builder->root;

	for (unsigned level = stage1_root_level; level > 0; level--) {
		uint64_t *entry = entry_at(table, address, level);

		if (*entry == 0)
			*entry = stage1_table(new_table(builder));
		table = stage1_target(*entry);
	}
	*entry_at(table, address, 0) = stage1_leaf(address, kind);
}

static void map_range(struct builder *builder, uint64_t start, uint64_t bytes,
                      enum stage1_kind kind)
{
	for (uint64_t done = 0; done < bytes; done += PAGE_BYTES)
		map_page(builder, start + done, kind);
}

uint64_t guest_stage1_on(uint64_t tables, uint64_t arena_base, uint64_t span)
{
	const struct guest_info *info = (const struct guest_info *)(uintptr_t)GUEST_INFO_BASE;
	struct builder builder = {.next = tables};

	builder.root = new_table(&builder);
	map_range(&builder, GUEST_RAM_BASE, info->ram_bytes, STAGE1_MEMORY);
	map_range(&builder, GUEST_INFO_BASE, PAGE_BYTES, STAGE1_MEMORY);
	map_range(&builder, GUEST_UART_BASE, PAGE_BYTES, STAGE1_DEVICE);
	map_range(&builder, GUEST_TEST_BASE, PAGE_BYTES, STAGE1_DEVICE);
	map_range(&builder, arena_base, span, STAGE1_MEMORY);
	stage1_load(builder.root);
	return builder.next - tables;
}
