/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads what a boot path needs from a device tree: memory, reservations, CPUs, the command line and
 * the initrd. If any of them is invalid, the whole tree is refused.
 */
#include "fdt.h"

#include "kernel/string.h"

static enum fdt_error add_region(struct boot_info *info, struct mm_hpa_range range,
                                 enum boot_region_kind kind)
{
	if (range.size == 0)
		return FDT_OK;
	if (info->region_count == BOOT_REGIONS)
		return FDT_TOO_MANY;
	info->regions[info->region_count++] = (struct boot_region){range, kind};
	return FDT_OK;
}

/* Adds all entries of a node's reg as regions of this kind. Without reg it adds none. */
static enum fdt_error add_reg(const struct fdt *fdt, const struct fdt_node *node,
                              struct boot_info *info, enum boot_region_kind kind)
{
	unsigned address = node->cells[node->depth - 1].address_cells;
	unsigned size = node->cells[node->depth - 1].size_cells;
	enum fdt_error error = FDT_OK;
	struct fdt_property reg;
	struct mm_hpa_range range;

	if (!fdt_get(fdt, node, "reg", &reg))
		return FDT_OK;
	if (address < 1 || address > 2 || size < 1 || size > 2)
		return FDT_BAD_CELLS;
	if (reg.bytes % (4 * (address + size)) != 0)
		return FDT_BAD_PROPERTY;
	for (unsigned i = 0; error == FDT_OK && i < reg.bytes / (4 * (address + size)); i++) {
		if (!fdt_reg(fdt, node, i, &range))
			return FDT_BAD_RANGE;
		error = add_region(info, range, kind);
	}
	return error;
}

/* --- memory --- */

static enum fdt_error read_memory(const struct fdt *fdt, struct boot_info *info)
{
	for (struct fdt_node node = fdt_start(fdt); fdt_next(fdt, &node);) {
		enum fdt_error error;

		if (!fdt_has_string(fdt, &node, "device_type", "memory") ||
		    !fdt_is_enabled(fdt, &node))
			continue;
		error = add_reg(fdt, &node, info, BOOT_RAM);
		if (error != FDT_OK)
			return error;
	}
	return FDT_OK;
}

static enum fdt_error read_reserved_memory(const struct fdt *fdt, struct boot_info *info)
{
	struct fdt_node node;
	unsigned parent;

	if (!fdt_find_path(fdt, "/reserved-memory", &node))
		return FDT_OK;
	parent = node.depth;
	while (fdt_next(fdt, &node) && node.depth > parent) {
		enum fdt_error error = add_reg(fdt, &node, info, BOOT_RESERVED);

		if (error != FDT_OK)
			return error;
	}
	return FDT_OK;
}

static enum fdt_error read_reservations(const struct fdt *fdt, struct boot_info *info)
{
	enum fdt_error error = FDT_OK;
	struct mm_hpa_range range;

	for (unsigned i = 0; error == FDT_OK && fdt_next_reservation(fdt, &i, &range);)
		error = add_region(info, range, BOOT_RESERVED);
	return error;
}

static enum fdt_error check_memory(const struct boot_info *info)
{
	bool any = false;

	for (size_t i = 0; i < info->region_count; i++) {
		if (info->regions[i].kind != BOOT_RAM)
			continue;
		any = true;
		for (size_t j = 0; j < i; j++) {
			if (info->regions[j].kind == BOOT_RAM &&
			    mm_hpa_range_overlaps(info->regions[i].range, info->regions[j].range))
				return FDT_MEMORY_OVERLAPS;
		}
	}
	return any ? FDT_OK : FDT_NO_MEMORY;
}

/* --- CPUs --- */

static bool cpu_known(const struct boot_info *info, uint64_t id)
{
	for (unsigned i = 1; i < info->cpus; i++) {
		if (info->cpu_ids[i] == id)
			return true;
	}
	return false;
}

/* By its device_type, which the specification demands; or by its name, if firmware omits that.
 */
static bool is_cpu(const struct fdt *fdt, const struct fdt_node *node)
{
	struct fdt_property type;

	if (!fdt_get(fdt, node, "device_type", &type))
		return strnlen(node->name, 4) == 4 && memcmp(node->name, "cpu@", 4) == 0;
	return fdt_has_string(fdt, node, "device_type", "cpu");
}

/* CPUs for which boot_info has no room are counted, and not used. */
static enum fdt_error read_cpus(const struct fdt *fdt, struct boot_info *info)
{
	bool boot_cpu_seen = false;

	info->cpu_ids[0] = info->boot_cpu;
	info->cpus = 1;
	for (struct fdt_node node = fdt_start(fdt); fdt_next(fdt, &node);) {
		struct mm_hpa_range reg;

		if (!is_cpu(fdt, &node) || !fdt_is_enabled(fdt, &node))
			continue;
		if (!fdt_reg(fdt, &node, 0, &reg))
			return FDT_BAD_CPU;
		if (reg.start.raw == info->boot_cpu) {
			if (boot_cpu_seen)
				return FDT_BAD_CPU;
			boot_cpu_seen = true;
			continue;
		}
		if (cpu_known(info, reg.start.raw))
			return FDT_BAD_CPU;
		if (info->cpus < MM_ARRAY_SIZE(info->cpu_ids))
			info->cpu_ids[info->cpus++] = reg.start.raw;
		else
			info->cpus_left_out++;
	}
	return boot_cpu_seen ? FDT_OK : FDT_BAD_CPU;
}

/* --- /chosen --- */

static enum fdt_error read_cmdline(const struct fdt *fdt, const struct fdt_node *chosen,
                                   struct boot_info *info)
{
	struct fdt_property args;
	size_t length;

	if (!fdt_get(fdt, chosen, "bootargs", &args) || args.bytes == 0)
		return FDT_OK;
	length = strnlen((const char *)args.data, args.bytes);
	if (length == args.bytes)
		return FDT_BAD_PROPERTY;
	if (length >= BOOT_CMDLINE) {
		info->cmdline_cut = true;
		length = BOOT_CMDLINE - 1;
	}
	memcpy(info->cmdline, args.data, length);
	info->cmdline[length] = '\0';
	return FDT_OK;
}

static enum fdt_error read_initrd(const struct fdt *fdt, const struct fdt_node *chosen,
                                  struct boot_info *info)
{
	uint64_t start, end;

	if (!fdt_get_u64(fdt, chosen, "linux,initrd-start", &start) ||
	    !fdt_get_u64(fdt, chosen, "linux,initrd-end", &end) || start == end)
		return FDT_OK;
	if (end < start)
		return FDT_BAD_RANGE;
	info->guest_image = mm_hpa_range(mm_hpa_at(start), end - start);
	return add_region(info, info->guest_image, BOOT_RESERVED);
}

static enum fdt_error read_chosen(const struct fdt *fdt, struct boot_info *info)
{
	struct fdt_node chosen;
	enum fdt_error error;

	if (!fdt_find_path(fdt, "/chosen", &chosen))
		return FDT_OK;
	error = read_cmdline(fdt, &chosen, info);
	return error != FDT_OK ? error : read_initrd(fdt, &chosen, info);
}

enum fdt_error fdt_read_boot(const void *blob, size_t max_bytes, struct boot_info *info)
{
	struct fdt fdt;
	enum fdt_error error = fdt_open(&fdt, blob, max_bytes);

	if (error == FDT_OK)
		error = read_memory(&fdt, info);
	if (error == FDT_OK)
		error = check_memory(info);
	if (error == FDT_OK)
		error = read_reservations(&fdt, info);
	if (error == FDT_OK)
		error = read_reserved_memory(&fdt, info);
	if (error == FDT_OK)
		error = read_cpus(&fdt, info);
	if (error == FDT_OK)
		error = read_chosen(&fdt, info);
	if (error != FDT_OK)
		return error;

	info->fdt = blob;
	return add_region(info, mm_hpa_range(mm_hpa_at((uint64_t)(uintptr_t)blob), fdt.total_size),
	                  BOOT_RESERVED);
}
