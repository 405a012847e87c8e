/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instructions that compilers emit to access a device register, decoded from their encoding:
 * SDM vol. 2, ch. 2 (format) and appendix A (opcode map). Pure functions; tests/host compares them
 * with the assembler.
 *
 * Decoded: MOV (88-8b, a0-a3, c6, c7), MOVZX, MOVSX, MOVSXD, STOS, MOVS, XCHG, TEST, CMP, ADD, SUB,
 * AND, OR, XOR, each with a memory operand, in 16-, 32- and 64-bit code, with all prefixes that
 * they may have except LOCK. All others are refused.
 */
#ifndef DECODE_X86_64_H
#define DECODE_X86_64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/compiler.h"

#define INSN_MAX_BYTES 15U /* SDM vol. 2, 2.3.11 */

enum insn_op {
	INSN_MOV,
	INSN_ADD,
	INSN_OR,
	INSN_AND,
	INSN_SUB,
	INSN_XOR,
	INSN_CMP,
	INSN_TEST,
	INSN_XCHG,
	INSN_STOS,
	INSN_MOVS,
};

#define INSN_NO_REG 0xffU
#define INSN_RIP    0x10U /* as a base: the address of the next instruction */

struct insn {
	enum insn_op op;
	uint8_t length;
	uint8_t width; /* of the memory operand, in bytes */

	/* The other operand: a register, or an immediate, extended to 64 bits. */
	bool immediate;
	bool to_register; /* the destination is the register; else memory (CMP, TEST: none) */
	bool sign_extend; /* MOVSX, MOVSXD; else zero-extended to reg_width */
	bool high_byte;   /* AH, CH, DH, BH: bits 15:8 of registers 0 to 3 */
	uint8_t reg;
	uint8_t reg_width; /* bytes; 4 clears the upper half, 1 and 2 keep the other bits */
	uint64_t value;    /* if immediate */

	/* The memory operand: segment:[base + index * scale + displacement]. STOS writes to
	 * ES:[rDI]; MOVS reads from segment:[rSI] and writes to ES:[rDI]. */
	uint8_t segment; /* enum x86_segment */
	uint8_t base;    /* a register, INSN_RIP, or INSN_NO_REG */
	uint8_t index;   /* a register or INSN_NO_REG */
	uint8_t scale;   /* 1, 2, 4, 8 */
	int64_t displacement;
	uint8_t address_width; /* 2, 4 or 8 bytes: the sum is truncated to it */
	bool repeat;           /* REP: rCX, of address_width, is the count */
};

enum insn_result {
	INSN_OK,
	INSN_CUT_SHORT, /* the instruction has more bytes than `count` */
	INSN_REFUSED,   /* not in the list above */
};

/* `code_width`: the default operand size of the code segment, 2 or 4; 8 for 64-bit code. */
enum insn_result insn_decode(const uint8_t *bytes, size_t count, unsigned code_width,
                             struct insn *out) MM_MUST_CHECK;

/* --- x86_64_alu.c --- */

/* left `op` right, truncated to `width` bytes; *rflags gets the six status flags (SDM vol. 1,
 * 3.4.3.1 and appendix A). For INSN_ADD, OR, AND, SUB, XOR, CMP and TEST. */
uint64_t insn_alu(enum insn_op op, uint64_t left, uint64_t right, unsigned width, uint64_t *rflags);

#endif
