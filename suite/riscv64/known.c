/* SPDX-License-Identifier: BSD-2-Clause */
/* See suite/known.h. */
#include "suite/known.h"

#include "mm/compiler.h"

extern const uint8_t known_start[], known_store[], known_loop[], known_end[];

__asm__(".pushsection .rodata\n"
        "	.balign 8\n"
        "	.macro known n\n"
        "	li x\\n, 0x8000400020001000 + \\n * 0x0101010101010101\n"
        "	.endm\n"
        "	.globl known_start, known_store, known_loop, known_end\n"
        "known_start:\n"
        "	.irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21\n"
        "	known \\n\n"
        "	.endr\n"
        "	.irp n, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
        "	known \\n\n"
        "	.endr\n"
        "known_store:\n"
        "	sd x11, 0(a0)\n"
        "known_loop:\n"
        "	j known_loop\n"
        "known_end:\n"
        "	.popsection\n");

static const struct known_register registers[] = {
	{"ra", KNOWN(1)},   {"sp", KNOWN(2)},   {"gp", KNOWN(3)},  {"tp", KNOWN(4)},
	{"t0", KNOWN(5)},   {"t1", KNOWN(6)},   {"t2", KNOWN(7)},  {"s0", KNOWN(8)},
	{"s1", KNOWN(9)},   {"a1", KNOWN(11)},  {"a2", KNOWN(12)}, {"a3", KNOWN(13)},
	{"a4", KNOWN(14)},  {"a5", KNOWN(15)},  {"a6", KNOWN(16)}, {"a7", KNOWN(17)},
	{"s2", KNOWN(18)},  {"s3", KNOWN(19)},  {"s4", KNOWN(20)}, {"s5", KNOWN(21)},
	{"s6", KNOWN(22)},  {"s7", KNOWN(23)},  {"s8", KNOWN(24)}, {"s9", KNOWN(25)},
	{"s10", KNOWN(26)}, {"s11", KNOWN(27)}, {"t3", KNOWN(28)}, {"t4", KNOWN(29)},
	{"t5", KNOWN(30)},  {"t6", KNOWN(31)},
};

const struct known_code suite_known = {
	known_start, known_store, known_loop, known_end, "a0", registers, MM_ARRAY_SIZE(registers)};
