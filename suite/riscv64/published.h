/* SPDX-License-Identifier: BSD-2-Clause */
/* Code of cases in suite/riscv64/published*.c. */
#ifndef SUITE_RISCV64_PUBLISHED_H
#define SUITE_RISCV64_PUBLISHED_H

#include <stdint.h>

#include "machine/riscv64/csr.h"

/* Privileged manual, chapter 8. */
#define HSTATUS_GVA   BIT(6)
#define HENVCFG_STCE  BIT(63)
#define HCOUNTEREN_CY BIT(0)
#define HCOUNTEREN_TM BIT(1)

#define HLV_D(rd, rs1)   ".insn r 0x73, 4, 0x36, " rd ", " rs1 ", x0"
#define HLVX_WU(rd, rs1) ".insn r 0x73, 4, 0x34, " rd ", " rs1 ", x3"

/* All VS-stage translations of the VMID in hgatp. */
static inline void hfence_vvma_all(void)
{
	__asm__ volatile(".insn r 0x73, 0, 0x11, x0, x0, x0" ::: "memory");
}

/* Defines the text `name`, position-independent code, and declares its two symbols. */
#define PUBLISHED_TEXT(name, ...)                                                                  \
	extern const uint8_t name[], name##_end[];                                                 \
	__asm__(".section .rodata\n.balign 4\n.option push\n.option norvc\n" #name                 \
	        ":\n" __VA_ARGS__ "\n" #name "_end:\n.option pop\n.text");

#endif
