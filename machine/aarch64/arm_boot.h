/*
 * What the AArch64 machine layer does for its boot path before kernel_main(): the calls come in
 * this order, once, on the boot CPU, with the MMU off until the last one returns.
 */
#ifndef MACHINE_AARCH64_ARM_BOOT_H
#define MACHINE_AARCH64_ARM_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "boot_info.h"
#include "mm/addr.h"
#include "mm/compiler.h"

/* The image in memory, head to stacks. */
struct hpa_range arm_image(void);

/*
 * Learns the board's console, interrupt controller and firmware from the device tree; where
 * there is none (NULL, or no tree at all), from a table of boards, by where the image was loaded.
 * The console works afterwards if any was found.
 */
void arm_board_find(const void *fdt);

/* For a board without a device tree: its RAM and CPUs from the table. False: not in there. */
bool arm_board_describe(struct boot_info *info) MM_MUST_CHECK;

/* Makes this CPU the boot CPU of the machine layer: vectors and per-CPU state. EL2. */
void arm_boot_cpu_init(const struct boot_info *info);

/* Maps all RAM of `info` as Normal memory at virtual = physical and everything else as devices,
 * and turns the MMU and the caches on. EL2. NULL, or what went wrong. */
const char *arm_mmu_start(const struct boot_info *info) MM_MUST_CHECK;

#endif
