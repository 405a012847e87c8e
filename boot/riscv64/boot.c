/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the SBI firmware to kernel_main(): fills struct boot_info from the device tree.
 */
#include "boot_info.h"
#include "fdt.h"

/* image.ld */
extern const char image_start[], image_end[];

/* The largest device trees of known firmware are smaller. */
#define FDT_MAX_BYTES (UINT64_C(2) << 20)

_Noreturn void boot_main(uint64_t hart, const void *blob, uint64_t start_cycles);

/* Too large for the stack. */
static struct boot_info info;

void boot_main(uint64_t hart, const void *blob, uint64_t start_cycles)
{
	enum fdt_error error;

	info.firmware = "sbi";
	info.boot_cpu = hart;
	info.start_cycles = start_cycles;
	info.regions[info.region_count++] = (struct boot_region){
		.range = mm_hpa_range(mm_hpa_at((uint64_t)(uintptr_t)image_start),
	                              (uint64_t)(image_end - image_start)),
		.kind = BOOT_RESERVED,
	};

	error = fdt_read_boot(blob, FDT_MAX_BYTES, &info);
	if (error != FDT_OK)
		info.error = fdt_error_name(error);
	kernel_main(&info);
}
