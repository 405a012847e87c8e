/*
 * An instruction decoder for what compilers emit when they access a device register: SDM vol. 2,
 * ch. 2 (format) and appendix A (opcode map). Pure: bytes in, meaning out; the host tests it
 * against the assembler.
 *
 * Done: MOV (88-8b, a0-a3, c6, c7), MOVZX, MOVSX, MOVSXD, STOS, MOVS, XCHG, TEST, CMP, ADD, SUB,
 * AND, OR, XOR, each with a memory operand, in 16-, 32- and 64-bit code, with every prefix that
 * they may have but LOCK. Everything else is refused.
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

	/* The other operand: a register, or an immediate, already extended to 64 bits. */
	bool immediate;
	bool to_register; /* the result goes to the register; else to memory (CMP, TEST: nowhere) */
	bool sign_extend; /* MOVSX, MOVSXD: else zero-extended up to reg_width */
	bool high_byte;   /* AH, CH, DH, BH: bits 15:8 of registers 0 to 3 */
	uint8_t reg;
	uint8_t reg_width; /* bytes; 4 clears the upper half, 1 and 2 keep the rest */
	uint64_t value;    /* if immediate */

	/* The memory operand: segment:[base + index * scale + displacement]. STOS writes to
	 * ES:[rDI]; MOVS reads from segment:[rSI] and writes to ES:[rDI]. */
	uint8_t segment; /* enum x86_segment */
	uint8_t base;    /* a register, INSN_RIP, or INSN_NO_REG */
	uint8_t index;   /* a register or INSN_NO_REG */
	uint8_t scale;   /* 1, 2, 4, 8 */
	int64_t displacement;
	uint8_t address_width; /* 2, 4 or 8 bytes: the sum is cut to it */
	bool repeat;           /* REP: rCX, address_width wide, counts */
};

enum insn_result {
	INSN_OK,
	INSN_CUT_SHORT, /* more bytes are needed than were given */
	INSN_REFUSED,   /* not an instruction that is done here */
};

/* `code_width`: the default operand size of the code segment, 2 or 4; 8 for 64-bit code. */
enum insn_result insn_decode(const uint8_t *bytes, size_t count, unsigned code_width,
                             struct insn *out) MM_MUST_CHECK;

#endif
