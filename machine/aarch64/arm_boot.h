/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the boot path calls in the AArch64 machine layer before kernel_main(): in this order, once,
 * on the boot CPU, at EL2. The MMU is off until arm_mmu_start() returns.
 */
#ifndef MACHINE_AARCH64_ARM_BOOT_H
#define MACHINE_AARCH64_ARM_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "boot_info.h"
#include "mm/addr.h"
#include "mm/compiler.h"

/* The image in memory, from its header to the end of its stacks. */
struct mm_hpa_range arm_image(void);

/*
 * Finds the board's console, interrupt controller and firmware: in the device tree, or, if there is
 * none (NULL, or not a tree), in a table of boards, by the image's load address. Afterwards the
 * console works, if one was found.
 */
void arm_board_find(const void *fdt);

/* For a board without a device tree: its RAM and CPUs from the table. False: not in it. */
bool arm_board_describe(struct boot_info *info) MM_MUST_CHECK;

/* Sets the vectors and the per-CPU data of the boot CPU. */
void arm_boot_cpu_init(const struct boot_info *info);

/* Maps all RAM of `info` as Normal memory at virtual = physical, and everything else as Device
 * memory. Then turns the MMU and the caches on. NULL, or what went wrong. */
const char *arm_mmu_start(const struct boot_info *info) MM_MUST_CHECK;

#endif
