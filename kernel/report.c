/* SPDX-License-Identifier: BSD-2-Clause */
/* The log's lines about the machine and its virtualization extension. */
#include "kernel/boot.h"
#include "log.h"
#include "machine.h"

static uint64_t bytes_of(const struct boot_info *info, enum boot_region_kind kind)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < info->region_count; i++) {
		if (info->regions[i].kind == kind)
			bytes += info->regions[i].range.size;
	}
	return bytes;
}

void report_boot(const struct boot_info *info)
{
	log_line(LOG_INFO,
	         "faultline arch=%s firmware=%s cpus=%u boot_cpu=0x%" PRIx64 " ram=%" PRIu64
	         "M counter=%s",
	         machine_arch, info->firmware, info->cpus, info->boot_cpu,
	         bytes_of(info, BOOT_RAM) >> 20, machine_cycles_unit());
	if (info->cpus_left_out != 0)
		log_line(LOG_INFO, "%u more CPUs are not used: Faultline uses %u at most",
		         info->cpus_left_out, info->cpus);
	/* The address of the image: scripts/gdb.sh relocates the symbols by it. */
	log_line(LOG_INFO, "image kernel_main=0x%" PRIx64, (uint64_t)(uintptr_t)kernel_main);
	if (info->cmdline[0] != '\0')
		log_line(LOG_INFO, "cmdline \"%s\"", info->cmdline);
}

/* "4K", "2M", ... of a leaf level. */
static const char *leaf_name(unsigned level)
{
	static const char *const names[] = {"4K", "2M", "1G", "512G", "256T"};

	return level < MM_ARRAY_SIZE(names) ? names[level] : "?";
}

/* All geometries on one line: name, levels, GPA bits and largest leaf of each. */
static void report_geometries(const struct virt_caps *caps)
{
	char text[256] = "";
	size_t length = 0;

	for (size_t i = 0; i < caps->geometry_count && length < sizeof(text); i++) {
		const struct virt_geometry *g = &caps->geometries[i];

		length += (size_t)format_string(
			text + length, sizeof(text) - length, " %s=%u/%u/%s", g->name,
			g->npt.levels, mm_npt_gpa_bits(&g->npt), leaf_name(g->npt.max_leaf));
	}
	log_line(LOG_INFO, "tables (levels/gpa_bits/largest_leaf)%s", text);
}

/* One line with the names of the features that are (not) present and (not) used. */
static void report_features(const struct virt_caps *caps, const char *title, bool present,
                            bool used)
{
	char text[256] = "";
	size_t length = 0;

	for (size_t i = 0; i < caps->feature_count; i++) {
		const struct virt_feature *f = &caps->features[i];

		if (f->present != present || (present && f->used != used))
			continue;
		if (length < sizeof(text))
			length += (size_t)format_string(text + length, sizeof(text) - length, " %s",
			                                f->name);
	}
	if (length != 0)
		log_line(LOG_INFO, "%s%s", title, text);
}

void report_caps(const struct virt_ops *ops, const struct virt_caps *caps)
{
	const struct mm_npt_config *npt = &caps->geometries[0].npt;

	log_line(LOG_INFO,
	         "virt extension=%s format=%s hpa_bits=%u tag_bits=%u accessed_dirty=%d "
	         "execute_only=%d",
	         ops->name, mm_npt_format_name(caps->format), caps->hpa_bits, caps->tag_bits,
	         npt->accessed_dirty, npt->execute_only);
	report_geometries(caps);
	if (caps->mitigations[0] != '\0')
		log_line(LOG_INFO, "mitigations: %s", caps->mitigations);
	report_features(caps, "used:", true, true);
	report_features(caps, "present, not used:", true, false);
	report_features(caps, "missing:", false, false);
}
