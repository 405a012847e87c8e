/* SPDX-License-Identifier: BSD-2-Clause */
/* Code of cases in suite/x86_64/published*.c. */
#ifndef SUITE_X86_64_PUBLISHED_H
#define SUITE_X86_64_PUBLISHED_H

#include <stdint.h>

/* Defines the text `name`, position-independent code, and declares its two symbols. */
#define PUBLISHED_TEXT(name, ...)                                                                  \
	extern const uint8_t name[], name##_end[];                                                 \
	__asm__(".section .rdata,\"dr\"\n" #name ":\n" __VA_ARGS__ "\n" #name "_end:\n.text");

/*
 * The code at CODE for all cases of published_trap.c. Runs the code at rdi with its own IDT, in
 * user mode or, if bit 0 of rdi is set, in ring 0. CR0.AM is set, the stack is aligned. Returns how
 * it ended: the vector in bits 7:0, the offset of its RIP in bits 31:8, CPL in 33:32, 16 bits of
 * the error code in 55:40, and bits 47:40 of RIP in 63:56.
 */
extern const uint8_t published_trap[], published_trap_end[];

#define RING0 1U

/* The result of code that ends with an exception at this offset. */
#define ENDED(vector, offset, cpl, code)                                                           \
	((uint64_t)(vector) | ((uint64_t)(offset)&0xffffff) << 8 | (uint64_t)(cpl) << 32 |         \
	 (uint64_t)(code) << 40)

#endif
