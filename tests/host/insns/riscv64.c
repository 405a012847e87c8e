/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The encodings of riscv64.h, one in each 8 bytes, zeros after it. Assembled for RISC-V, and
 * linked into the host's test as bytes.
 */
#define CELL(option, text)                                                                         \
	__asm__(".balign 8, 0\n\t.option push\n\t.option " option "\n\t" text "\n\t.option pop");

#define INSN(text, ...)   CELL("norvc", text)
#define REFUSED(text)     CELL("norvc", text)
#define C_INSN(text, ...) CELL("rvc", text)
#define C_REFUSED(text)   CELL("rvc", text)

#include "riscv64.h"

__asm__(".balign 8, 0");
