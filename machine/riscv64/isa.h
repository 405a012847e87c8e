/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ISA extensions that the device tree lists for the boot hart: "riscv,isa" or, in newer trees,
 * "riscv,isa-extensions". The list may be wrong: hext/ probes what it needs.
 */
#ifndef MACHINE_RISCV64_ISA_H
#define MACHINE_RISCV64_ISA_H

#include <stdbool.h>
#include <stdint.h>

#include "fdt.h"

void isa_init(const struct fdt *fdt, uint64_t hart);

/* Is an extension listed? Its name is in lower case: "h", "sstc". */
bool isa_has(const char *extension);

/* The bytes that cbo.zero clears: "riscv,cboz-block-size". 0: not given. */
uint32_t isa_zero_block_bytes(void);

#endif
