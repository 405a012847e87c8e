/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page tables of the hypervisor: virtual = physical for all RAM and the first 4 GiB, in 2 MiB
 * pages, readable, writable and executable. Devices are uncached by the MTRRs, which firmware has
 * set and which override the write-back of the tables (SDM vol. 3, table 11-7).
 *
 *	[PML5, if firmware runs with 5 levels]
 *	PML4 -> one PDPT per 512 GiB -> one PD per 1 GiB -> 512 pages of 2 MiB
 */
#include "boot/x86_64/boot.h"
#include "mm/bits.h"

#define ENTRY_PRESENT BIT(0)
#define ENTRY_WRITE   BIT(1)
#define ENTRY_LARGE   BIT(7)
#define TABLE_ENTRY   (ENTRY_PRESENT | ENTRY_WRITE)
#define LARGE_ENTRY   (ENTRY_PRESENT | ENTRY_WRITE | ENTRY_LARGE)
#define CR4_LA57      BIT(12)

#define ENTRIES  UINT64_C(512)
#define LOW_GIBS UINT64_C(4)
/* What one PML4 maps: 256 TiB. Its lower half has canonical addresses. */
#define HIGHEST_GIB (ENTRIES * ENTRIES)

static uint64_t div_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) / unit;
}

static uint64_t *table_at(uint64_t base, uint64_t index)
{
	return (uint64_t *)(uintptr_t)(base + index * MM_PAGE_SIZE);
}

/* Entry i of the contiguous tables at `base` points at table i of those at `next`. */
static void link_tables(uint64_t base, uint64_t next, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		table_at(base, 0)[i] = (next + i * MM_PAGE_SIZE) | TABLE_ENTRY;
}

static bool five_levels(void)
{
	uint64_t cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	return cr4 & CR4_LA57;
}

uint64_t paging_build(EFI_SYSTEM_TABLE *system, uint64_t top)
{
	uint64_t gibs = div_up(top, MM_LEVEL_SIZE(2));
	uint64_t pds = gibs < LOW_GIBS ? LOW_GIBS : gibs;
	uint64_t pdpts = div_up(pds, ENTRIES);
	uint64_t total = 1 + 1 + pdpts + pds;
	EFI_PHYSICAL_ADDRESS pml5 = UINT32_MAX;
	uint64_t pml4, pdpt, pd;

	if (gibs > HIGHEST_GIB / 2 || EFI_ERROR(system->BootServices->AllocatePages(
					      AllocateMaxAddress, EfiLoaderData, total, &pml5)))
		return 0;
	pml4 = pml5 + MM_PAGE_SIZE;
	pdpt = pml4 + MM_PAGE_SIZE;
	pd = pdpt + pdpts * MM_PAGE_SIZE;

	for (uint64_t i = 0; i < (1 + 1 + pdpts) * ENTRIES; i++)
		table_at(pml5, 0)[i] = 0;
	link_tables(pml5, pml4, 1);
	link_tables(pml4, pdpt, pdpts);
	link_tables(pdpt, pd, pds); /* the PDPTs are contiguous, so their entries are, too */
	for (uint64_t i = 0; i < pds * ENTRIES; i++)
		table_at(pd, 0)[i] = i * MM_LEVEL_SIZE(1) | LARGE_ENTRY;
	return five_levels() ? pml5 : pml4;
}
