/*
 * UEFI's memory map (UEFI 2.10, 7.2.3) as boot_info's regions.
 *
 * RAM is what firmware calls conventional memory and what its boot services used. Memory of type
 * loader is ours (this image, what files.c and paging.c took) or an earlier loader's: no region
 * names it, so nobody takes it. Below 1 MiB lies real-mode history, and a page that other CPUs
 * start at: not handed on either.
 */
#include "boot/x86_64/boot.h"
#include "mm/compiler.h"

#define MAP_BYTES   65536U
#define LOWEST_BYTE UINT64_C(0x100000)

static UINT8 buffer[MAP_BYTES] aligned_to(16);

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

/* The bytes of a descriptor; size 0 if it makes no sense. */
static struct hpa_range range_of(const EFI_MEMORY_DESCRIPTOR *d)
{
	struct hpa_range range = {hpa_at(d->PhysicalStart), d->NumberOfPages << PAGE_SHIFT};

	if (d->NumberOfPages > UINT64_MAX >> PAGE_SHIFT || !hpa_range_valid(range))
		range.size = 0;
	return range;
}

static bool is_ram(const EFI_MEMORY_DESCRIPTOR *d)
{
	switch (d->Type) {
	case EfiConventionalMemory:
	case EfiBootServicesCode:
	case EfiBootServicesData:
		return true;
	default:
		return false;
	}
}

/* RAM or what is stored in RAM: everything that our tables have to map. */
static bool is_stored(const EFI_MEMORY_DESCRIPTOR *d)
{
	switch (d->Type) {
	case EfiLoaderCode:
	case EfiLoaderData:
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
		struct hpa_range range = range_of(d);

		if (range.size != 0 && is_stored(d) && hpa_range_last(range).raw >= top)
			top = hpa_range_last(range).raw + 1;
	}
	return top;
}

/* Joins the range with the region that ends where it begins, or adds it; firmware's maps are
 * sorted as a rule, and a map that is not only costs regions. */
static void add_ram(struct boot_info *info, struct hpa_range range)
{
	struct boot_region *last = &info->regions[info->region_count];

	if (info->region_count != 0) {
		last--;
		if (last->range.start.raw + last->range.size == range.start.raw) {
			last->range.size += range.size;
			return;
		}
	}
	if (info->region_count < BOOT_REGIONS)
		info->regions[info->region_count++] = (struct boot_region){range, BOOT_RAM};
}

void memory_map_regions(const struct memory_map *map, struct boot_info *info)
{
	const struct hpa_range usable = {hpa_at(LOWEST_BYTE), UINT64_MAX - LOWEST_BYTE + 1};

	for (UINTN i = 0; i < map->bytes / map->stride; i++) {
		const EFI_MEMORY_DESCRIPTOR *d = descriptor(map, i);
		struct hpa_range range = range_of(d);

		if (range.size == 0 || !is_ram(d))
			continue;
		range = hpa_range_intersect(range, usable);
		if (range.size != 0)
			add_ram(info, range);
	}
}
