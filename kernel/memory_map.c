/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot memory map: checks it, and computes the usable ranges. Pure.
 */
#include "kernel/boot.h"
#include "mm/compiler.h"

static bool is_ram(const struct boot_region *region)
{
	return region->kind == BOOT_RAM;
}

static bool lies_in_ram(const struct boot_info *info, struct mm_hpa_range range)
{
	for (size_t i = 0; i < info->region_count; i++) {
		if (is_ram(&info->regions[i]) && mm_hpa_range_covers(info->regions[i].range, range))
			return true;
	}
	return false;
}

const char *memory_map_check(const struct boot_info *info)
{
	bool any = false;

	if (info->region_count > BOOT_REGIONS)
		return "more memory regions than there is room for";
	for (size_t i = 0; i < info->region_count; i++) {
		const struct boot_region *a = &info->regions[i];

		if (!mm_hpa_range_valid(a->range))
			return "a memory region is empty or wraps";
		any = any || is_ram(a);
		for (size_t j = 0; j < i; j++) {
			const struct boot_region *b = &info->regions[j];

			if (is_ram(a) && is_ram(b) && mm_hpa_range_overlaps(a->range, b->range))
				return "two RAM regions overlap";
		}
	}
	if (!any)
		return "no RAM";
	if (info->guest_image.size != 0 &&
	    (!mm_hpa_range_valid(info->guest_image) || !lies_in_ram(info, info->guest_image)))
		return "the guest image does not lie in RAM";
	return NULL;
}

/* The RAM region with the lowest start that is not below `from`; NULL: none. */
static const struct boot_region *next_ram(const struct boot_info *info, mm_hpa_t from)
{
	const struct boot_region *best = NULL;

	for (size_t i = 0; i < info->region_count; i++) {
		const struct boot_region *r = &info->regions[i];

		if (is_ram(r) && r->range.start.raw >= from.raw &&
		    (best == NULL || r->range.start.raw < best->range.start.raw))
			best = r;
	}
	return best;
}

/* Of the reserved regions that overlap `range`, the one with the lowest start; NULL: none. */
static const struct boot_region *first_reserved(const struct boot_info *info,
                                                struct mm_hpa_range range)
{
	const struct boot_region *best = NULL;

	for (size_t i = 0; i < info->region_count; i++) {
		const struct boot_region *r = &info->regions[i];

		if (!is_ram(r) && mm_hpa_range_overlaps(r->range, range) &&
		    (best == NULL || r->range.start.raw < best->range.start.raw))
			best = r;
	}
	return best;
}

/* The whole frames from byte `first` to byte `last`, both included. Frame 0 is left out, because a
 * physical address of 0 often means "none". */
static size_t add_frames(uint64_t first, uint64_t last, struct mm_hpa_range out[], size_t most)
{
	uint64_t first_frame = (first >> MM_PAGE_SHIFT) + (first % MM_PAGE_SIZE != 0);
	uint64_t end_frame = (last >> MM_PAGE_SHIFT) + (last % MM_PAGE_SIZE == MM_PAGE_SIZE - 1);

	if (first_frame == 0)
		first_frame = 1;
	if (first_frame >= end_frame || most == 0)
		return 0;
	out[0] = mm_hpa_range(mm_hpa_at(first_frame << MM_PAGE_SHIFT), (end_frame - first_frame)
	                                                                       << MM_PAGE_SHIFT);
	return 1;
}

/* One RAM region without the reserved regions in it. */
static size_t cut_region(const struct boot_info *info, struct mm_hpa_range ram,
                         struct mm_hpa_range out[], size_t most)
{
	uint64_t last = mm_hpa_range_last(ram).raw;
	size_t count = 0;

	for (;;) {
		const struct boot_region *hole = first_reserved(info, ram);
		uint64_t hole_last;

		if (hole == NULL)
			return count + add_frames(ram.start.raw, last, out + count, most - count);
		if (hole->range.start.raw > ram.start.raw)
			count += add_frames(ram.start.raw, hole->range.start.raw - 1, out + count,
			                    most - count);
		hole_last = mm_hpa_range_last(hole->range).raw;
		if (hole_last >= last)
			return count;
		ram = mm_hpa_range(mm_hpa_at(hole_last + 1), last - hole_last);
	}
}

size_t memory_map_usable(const struct boot_info *info, struct mm_hpa_range out[], size_t most)
{
	const struct boot_region *ram;
	size_t count = 0;
	mm_hpa_t from = mm_hpa_at(0);

	while ((ram = next_ram(info, from)) != NULL) {
		count += cut_region(info, ram->range, out + count, most - count);
		if (!mm_hpa_add(ram->range.start, ram->range.size, &from))
			break; /* it ended at 2^64 */
	}
	return count;
}
