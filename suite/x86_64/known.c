/* SPDX-License-Identifier: BSD-2-Clause */
/* See suite/known.h. */
#include "suite/known.h"

#include "mm/compiler.h"

extern const uint8_t known_start[], known_store[], known_loop[], known_end[];

/* rdi has the argument. The numbers are those of the order below. */
__asm__(".section .rdata, \"dr\"\n"
        "	.balign 8\n"
        "	.macro known register, n\n"
        "	movabsq $(0x8000400020001000 + \\n * 0x0101010101010101), %\\register\n"
        "	.endm\n"
        "	.globl known_start, known_store, known_loop, known_end\n"
        "known_start:\n"
        "	known rax, 0\n"
        "	known rcx, 1\n"
        "	known rdx, 2\n"
        "	known rbx, 3\n"
        "	known rsp, 4\n"
        "	known rbp, 5\n"
        "	known rsi, 6\n"
        "	known r8, 8\n"
        "	known r9, 9\n"
        "	known r10, 10\n"
        "	known r11, 11\n"
        "	known r12, 12\n"
        "	known r13, 13\n"
        "	known r14, 14\n"
        "	known r15, 15\n"
        "known_store:\n"
        "	movq %r11, (%rdi)\n"
        "known_loop:\n"
        "	jmp known_loop\n"
        "known_end:\n"
        "	.text\n");

static const struct known_register registers[] = {
	{"rax", KNOWN(0)},  {"rcx", KNOWN(1)},  {"rdx", KNOWN(2)},  {"rbx", KNOWN(3)},
	{"rsp", KNOWN(4)},  {"rbp", KNOWN(5)},  {"rsi", KNOWN(6)},  {"r8", KNOWN(8)},
	{"r9", KNOWN(9)},   {"r10", KNOWN(10)}, {"r11", KNOWN(11)}, {"r12", KNOWN(12)},
	{"r13", KNOWN(13)}, {"r14", KNOWN(14)}, {"r15", KNOWN(15)},
};

const struct known_code suite_known = {known_start,
                                       known_store,
                                       known_loop,
                                       known_end,
                                       "rdi",
                                       registers,
                                       MM_ARRAY_SIZE(registers)};
