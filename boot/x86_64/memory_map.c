/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UEFI's memory map (UEFI 2.10, 7.2.3) as boot_info's regions.
 *
 * RAM is conventional memory, memory of boot services, and loader memory. Loader memory is
 * reserved: it is used by this image, by what files.c and paging.c have allocated, or by an earlier
 * loader. Memory below 1 MiB is left out: it has real-mode data, and the page where other CPUs
 * start.
 */
#include "boot/x86_64/boot.h"
#include "mm/compiler.h"

#define MAP_BYTES   65536U
#define LOWEST_BYTE UINT64_C(0x100000)

static UINT8 buffer[MAP_BYTES] MM_ALIGNED_TO(16);

bool memory_map_get(EFI_SYSTEM_TABLE *system, struct memory_map *map)
{
	UINT32 version;

	map->descriptors = buffer;
	map->bytes = sizeof(buffer);
	return !EFI_ERROR(system->BootServices->GetMemoryMap(&map->bytes,
	                                                     (EFI_MEMORY_DESCRIPTOR *)buffer,
	                                                     &map->key, &map->stride, &version)) &&
	       map->stride >= sizeof(EFI_MEMORY_DESCRIPTOR);
}

static const EFI_MEMORY_DESCRIPTOR *descriptor(const struct memory_map *map, UINTN index)
{
	return (const EFI_MEMORY_DESCRIPTOR *)(map->descriptors + index * map->stride);
}

/* The range of a descriptor; size 0 if it is invalid. */
static struct mm_hpa_range range_of(const EFI_MEMORY_DESCRIPTOR *d)
{
	struct mm_hpa_range range = {mm_hpa_at(d->PhysicalStart),
	                             d->NumberOfPages << MM_PAGE_SHIFT};

	if (d->NumberOfPages > UINT64_MAX >> MM_PAGE_SHIFT || !mm_hpa_range_valid(range))
		range.size = 0;
	return range;
}

static bool is_loaded(const EFI_MEMORY_DESCRIPTOR *d)
{
	return d->Type == EfiLoaderCode || d->Type == EfiLoaderData;
}

static bool is_ram(const EFI_MEMORY_DESCRIPTOR *d)
{
	switch (d->Type) {
	case EfiConventionalMemory:
	case EfiBootServicesCode:
	case EfiBootServicesData:
		return true;
	default:
		return is_loaded(d);
	}
}

/* RAM, or memory of firmware in RAM: everything that the page tables must map. */
static bool is_stored(const EFI_MEMORY_DESCRIPTOR *d)
{
	switch (d->Type) {
	case EfiRuntimeServicesCode:
	case EfiRuntimeServicesData:
	case EfiACPIReclaimMemory:
	case EfiACPIMemoryNVS:
		return true;
	default:
		return is_ram(d);
	}
}

uint64_t memory_map_top(const struct memory_map *map)
{
	uint64_t top = 0;

	for (UINTN i = 0; i < map->bytes / map->stride; i++) {
		const EFI_MEMORY_DESCRIPTOR *d = descriptor(map, i);
		struct mm_hpa_range range = range_of(d);

		if (range.size != 0 && is_stored(d) && mm_hpa_range_last(range).raw >= top)
			top = mm_hpa_range_last(range).raw + 1;
	}
	return top;
}

/* Merges the range with the last region if they are adjacent, else adds a region. Firmware's maps
 * are usually sorted; other maps need more regions. False: no region is left. */
static bool add(struct boot_info *info, struct mm_hpa_range range, enum boot_region_kind kind)
{
	struct boot_region *last = &info->regions[info->region_count];

	if (info->region_count != 0) {
		last--;
		if (last->kind == kind &&
		    last->range.start.raw + last->range.size == range.start.raw) {
			last->range.size += range.size;
			return true;
		}
	}
	if (info->region_count == BOOT_REGIONS)
		return false;
	info->regions[info->region_count++] = (struct boot_region){range, kind};
	return true;
}

static bool add_all(struct boot_info *info, const struct memory_map *map,
                    enum boot_region_kind kind, bool (*wanted)(const EFI_MEMORY_DESCRIPTOR *d))
{
	const struct mm_hpa_range usable = {mm_hpa_at(LOWEST_BYTE), UINT64_MAX - LOWEST_BYTE + 1};
	bool done = true;

	for (UINTN i = 0; done && i < map->bytes / map->stride; i++) {
		const EFI_MEMORY_DESCRIPTOR *d = descriptor(map, i);
		struct mm_hpa_range range = range_of(d);

		if (range.size == 0 || !wanted(d))
			continue;
		range = mm_hpa_range_intersect(range, usable);
		if (range.size != 0)
			done = add(info, range, kind);
	}
	return done;
}

void memory_map_regions(const struct memory_map *map, struct boot_info *info)
{
	/* Reserved ranges first: without a region, RAM is only not used, but reserved memory would
	 * be overwritten. */
	if (!add_all(info, map, BOOT_RESERVED, is_loaded))
		info->error = "firmware's memory map is in too many pieces";
	(void)add_all(info, map, BOOT_RAM, is_ram);
}
