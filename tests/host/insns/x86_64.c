/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The encodings of x86_64.h, one in each 16 bytes: its length, and then its bytes. Assembled for
 * x86-64, and linked into the host's test as bytes.
 */
#define CELL(code, text)                                                                           \
	__asm__(".balign 16, 0\n\t.byte 2f - 1f\n\t" code "\n1:\t" text "\n2:\t.code64");

#define INSN(text, ...)   CELL(".code64", text)
#define INSN32(text, ...) CELL(".code32", text)
#define INSN16(text, ...) CELL(".code16", text)
#define REFUSED(text)     CELL(".code64", text)
#define REFUSED32(text)   CELL(".code32", text)

#include "x86_64.h"

__asm__(".balign 16, 0");
