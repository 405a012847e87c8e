/* SPDX-License-Identifier: BSD-2-Clause */
/* See suite/known.h. */
#include "suite/known.h"

#include "mm/compiler.h"

extern const uint8_t known_start[], known_store[], known_loop[], known_end[];

__asm__(".pushsection .rodata\n"
        "	.balign 8\n"
        "	.macro known n\n"
        "	.set known_value, 0x8000400020001000 + \\n * 0x0101010101010101\n"
        "	movz x\\n, #(known_value & 0xffff)\n"
        "	movk x\\n, #(known_value >> 16 & 0xffff), lsl #16\n"
        "	movk x\\n, #(known_value >> 32 & 0xffff), lsl #32\n"
        "	movk x\\n, #(known_value >> 48 & 0xffff), lsl #48\n"
        "	.endm\n"
        "	.globl known_start, known_store, known_loop, known_end\n"
        "known_start:\n"
        "	.irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20\n"
        "	known \\n\n"
        "	.endr\n"
        "	.irp n, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30\n"
        "	known \\n\n"
        "	.endr\n"
        "known_store:\n"
        "	str x11, [x0]\n"
        "known_loop:\n"
        "	b known_loop\n"
        "known_end:\n"
        "	.popsection\n");

static const struct known_register registers[] = {
	{"x1", KNOWN(1)},   {"x2", KNOWN(2)},   {"x3", KNOWN(3)},   {"x4", KNOWN(4)},
	{"x5", KNOWN(5)},   {"x6", KNOWN(6)},   {"x7", KNOWN(7)},   {"x8", KNOWN(8)},
	{"x9", KNOWN(9)},   {"x10", KNOWN(10)}, {"x11", KNOWN(11)}, {"x12", KNOWN(12)},
	{"x13", KNOWN(13)}, {"x14", KNOWN(14)}, {"x15", KNOWN(15)}, {"x16", KNOWN(16)},
	{"x17", KNOWN(17)}, {"x18", KNOWN(18)}, {"x19", KNOWN(19)}, {"x20", KNOWN(20)},
	{"x21", KNOWN(21)}, {"x22", KNOWN(22)}, {"x23", KNOWN(23)}, {"x24", KNOWN(24)},
	{"x25", KNOWN(25)}, {"x26", KNOWN(26)}, {"x27", KNOWN(27)}, {"x28", KNOWN(28)},
	{"x29", KNOWN(29)}, {"x30", KNOWN(30)},
};

const struct known_code suite_known = {
	known_start, known_store, known_loop, known_end, "x0", registers, MM_ARRAY_SIZE(registers)};
