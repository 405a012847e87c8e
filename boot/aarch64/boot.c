/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From Linux's arm64 boot protocol to kernel_main(): reads the device tree, or the table of boards
 * without one, and turns the MMU on. Code that runs before arm_mmu_start() may use neither atomic
 * operations nor unaligned accesses.
 */
#include <stddef.h>
#include <stdint.h>

#include "boot_info.h"
#include "fdt.h"
#include "machine.h"
#include "machine/aarch64/arm_boot.h"
#include "mm/bits.h"

/* A tree larger than this is refused: the boot protocol allows 2 MiB. */
#define FDT_MAX_BYTES (2U << 20)

/* Arm ARM D17.2.99: the affinity fields of MPIDR_EL1. Device trees and PSCI name a CPU by them. */
#define MPIDR_AFFINITY (GENMASK(39, 32) | GENMASK(23, 0))

_Noreturn void boot_main(const void *fdt, uint64_t el, uint64_t start);

extern const char el1_vectors[];

static void say(const char *text)
{
	for (; *text != '\0'; text++)
		machine_console_put(*text);
}

/* The image was not entered at EL2. Reports that in the same form as kernel_main(). */
_Noreturn static void stop_without_el2(void)
{
	__asm__ volatile("msr vbar_el1, %0\n\tisb" : : "r"(el1_vectors));
	say("TAP version 13\n"
	    "# missing extension=el2 reason=\"no EL2: start QEMU with virtualization=on\"\n"
	    "# RESULT: FAIL\n");
	machine_console_drain();
	machine_power_off(STATUS_NO_VIRT);
}

static void read_firmware(const void *fdt, struct boot_info *info)
{
	enum fdt_error error;

	info->regions[info->region_count++] = (struct boot_region){arm_image(), BOOT_RESERVED};
	error = fdt == NULL ? FDT_BAD_MAGIC : fdt_read_boot(fdt, FDT_MAX_BYTES, info);
	if (error == FDT_BAD_MAGIC && arm_board_describe(info))
		return;
	if (error != FDT_OK)
		info->error = fdt_error_name(error);
}

void boot_main(const void *fdt, uint64_t el, uint64_t start)
{
	static struct boot_info info;
	uint64_t mpidr;
	const char *error;

	arm_board_find(fdt);
	if (el != 2)
		stop_without_el2();

	__asm__("mrs %0, mpidr_el1" : "=r"(mpidr));
	info.firmware = "linux-image";
	info.boot_cpu = mpidr & MPIDR_AFFINITY;
	info.start_cycles = start;
	read_firmware(fdt, &info);

	arm_boot_cpu_init(&info);
	error = arm_mmu_start(&info);
	if (info.error == NULL)
		info.error = error;
	kernel_main(&info);
}
