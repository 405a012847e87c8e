/* SPDX-License-Identifier: BSD-2-Clause */
/* What machine_init() calls in the other files of this folder, once, on the boot hart. */
#ifndef MACHINE_RISCV64_INIT_H
#define MACHINE_RISCV64_INIT_H

#include "boot_info.h"
#include "fdt.h"

/* Selects the UART that the device tree names. Until then the SBI firmware writes. */
void console_init(const struct fdt *fdt);
/* Finds the device that powers the machine off. */
void power_init(const struct fdt *fdt);
/* Takes the list of harts. */
void start_init(const struct boot_info *info);

#endif
