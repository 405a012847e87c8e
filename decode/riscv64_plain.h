/*
 * Integer loads and stores of 4 bytes, decoded in place: what nearly every access to a device is,
 * and waits for. Unprivileged manual, 2.6 "Load and Store Instructions", and 5.3 for RV64. Part
 * of riscv64.h, which says what is done and what refused.
 */
#ifndef DECODE_RISCV64_PLAIN_H
#define DECODE_RISCV64_PLAIN_H

#include "decode/riscv64.h"
#include "mm/bits.h"

#define OPCODE     GENMASK(6, 0)
#define RD         GENMASK(11, 7)
#define FUNCT3     GENMASK(14, 12)
#define RS1        GENMASK(19, 15)
#define RS2        GENMASK(24, 20)
#define IMM_I      GENMASK(31, 20)
#define IMM_S_HIGH GENMASK(31, 25)
#define IMM_S_LOW  GENMASK(11, 7)

#define OPCODE_LOAD  0x03
#define OPCODE_STORE 0x23

/* funct3: bits 1:0 are log2 of the width; bit 2 of a load is "unsigned". */
#define FUNCT3_WIDTH    3
#define FUNCT3_UNSIGNED 4
#define FUNCT3_LDU      7 /* reserved */

static inline int16_t decode_imm_12(uint64_t imm)
{
	return (int16_t)((int16_t)(imm << 4) >> 4);
}

/* What all accesses of the integer registers have in common. */
static MM_ALWAYS_INLINE void decode_set_access(struct mmio_access *access, bool write,
                                               unsigned width, bool sign_extend, unsigned reg)
{
	access->write = write;
	access->width = (uint8_t)width;
	access->sign_extend = sign_extend;
	access->reg_width = sizeof(uint64_t);
	access->reg = (uint8_t)reg;
	access->high_byte = false;
}

/* False: not one of them. */
static MM_ALWAYS_INLINE bool decode_plain(uint32_t insn, struct mmio_access *access,
                                          struct decoded_address *address)
{
	unsigned funct3 = (unsigned)FIELD_GET(FUNCT3, insn);
	unsigned width = 1U << (funct3 & FUNCT3_WIDTH);
	bool is_unsigned = (funct3 & FUNCT3_UNSIGNED) != 0;

	access->length = 4;
	address->base = (uint8_t)FIELD_GET(RS1, insn);
	switch (FIELD_GET(OPCODE, insn)) {
	case OPCODE_LOAD:
		decode_set_access(access, false, width, !is_unsigned,
		                  (unsigned)FIELD_GET(RD, insn));
		address->offset = decode_imm_12(FIELD_GET(IMM_I, insn));
		return funct3 != FUNCT3_LDU;
	case OPCODE_STORE:
		decode_set_access(access, true, width, false, (unsigned)FIELD_GET(RS2, insn));
		address->offset = decode_imm_12(FIELD_GET(IMM_S_HIGH, insn) << 5 |
		                                FIELD_GET(IMM_S_LOW, insn));
		return !is_unsigned;
	default:
		return false;
	}
}

#endif
