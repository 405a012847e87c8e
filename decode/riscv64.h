/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads and stores of the integer registers, decoded from their encoding: for accesses to
 * emulated devices, where the hardware reports only the address. Pure functions; tests/host
 * compares them with the assembler.
 *
 *	decoded		lb lbu lh lhu lw lwu ld, sb sh sw sd
 *			c.lw c.ld c.sw c.sd, c.lwsp c.ldsp c.swsp c.sdsp
 *			Zcb: c.lbu c.lhu c.lh c.sb c.sh
 *	refused		lr, sc and AMOs; floating-point and vector registers; everything else
 *
 * Nearly every access to a device is one of the 4-byte instructions, and its guest waits for the
 * decoding. So these are decoded inline, and the others in riscv64.c.
 */
#ifndef DECODE_RISCV64_H
#define DECODE_RISCV64_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/bits.h"
#include "mm/compiler.h"
#include "vm_exit.h"

/* Unprivileged manual, 1.5: instructions of 4 bytes have 3 in their lowest bits. */
#define INSN_LENGTH   GENMASK(1, 0)
#define INSN_LENGTH_4 3

/* 2.2: fields of the base formats. */
#define INSN_OPCODE     GENMASK(6, 0)
#define INSN_RD         GENMASK(11, 7)
#define INSN_FUNCT3     GENMASK(14, 12)
#define INSN_RS1        GENMASK(19, 15)
#define INSN_RS2        GENMASK(24, 20)
#define INSN_IMM_I      GENMASK(31, 20)
#define INSN_IMM_S_HIGH GENMASK(31, 25)
#define INSN_IMM_S_LOW  GENMASK(11, 7)

#define OPCODE_LOAD   0x03
#define OPCODE_STORE  0x23
#define OPCODE_SYSTEM 0x73

/* 2.6 "Load and Store Instructions", 5.3 for RV64. funct3: bits 1:0 are log2 of the width; bit 2
 * of a load is "unsigned". */
#define FUNCT3_WIDTH    3
#define FUNCT3_UNSIGNED 4
#define FUNCT3_LDU      7 /* reserved */

/* The address is x[base] + offset. */
struct decoded_address {
	uint8_t base;
	int16_t offset;
};

/* The fields that all accesses of the integer registers set alike. */
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

/* The instructions of 4 bytes. False: not in the list. */
static MM_ALWAYS_INLINE MM_MUST_CHECK bool decode_load_store_4(uint32_t insn,
                                                               struct mmio_access *access,
                                                               struct decoded_address *address)
{
	unsigned funct3 = (unsigned)FIELD_GET(INSN_FUNCT3, insn);
	unsigned width = 1U << (funct3 & FUNCT3_WIDTH);
	bool is_unsigned = (funct3 & FUNCT3_UNSIGNED) != 0;

	access->length = 4;
	address->base = (uint8_t)FIELD_GET(INSN_RS1, insn);
	switch (FIELD_GET(INSN_OPCODE, insn)) {
	case OPCODE_LOAD:
		decode_set_access(access, false, width, !is_unsigned,
		                  (unsigned)FIELD_GET(INSN_RD, insn));
		address->offset = (int16_t)mm_sign_extend(FIELD_GET(INSN_IMM_I, insn), 12);
		return funct3 != FUNCT3_LDU;
	case OPCODE_STORE:
		decode_set_access(access, true, width, false, (unsigned)FIELD_GET(INSN_RS2, insn));
		address->offset = (int16_t)mm_sign_extend(FIELD_GET(INSN_IMM_S_HIGH, insn) << 5 |
		                                                  FIELD_GET(INSN_IMM_S_LOW, insn),
		                                          12);
		return !is_unsigned;
	default:
		return false;
	}
}

/* Those of 2 bytes, which are in the low half; the high half is ignored. */
bool decode_load_store_2(uint32_t insn, struct mmio_access *access,
                         struct decoded_address *address) MM_MUST_CHECK;

/* Fills all of *access except gpa and value. False: not in the list. */
static MM_ALWAYS_INLINE MM_MUST_CHECK bool decode_load_store(uint32_t insn,
                                                             struct mmio_access *access,
                                                             struct decoded_address *address)
{
	return MM_LIKELY(decode_load_store_4(insn, access, address)) ||
	       decode_load_store_2(insn, access, address);
}

/*
 * htinst as a "transformed standard instruction" (privileged manual, 8.6.3): the 4-byte form, with
 * bit 1 clear if the instruction has 2 bytes. *distance is that of the byte that faulted from the
 * first byte of the access. False: not in the list, or htinst has another form.
 */
bool decode_transformed(uint64_t htinst, struct mmio_access *access,
                        unsigned *distance) MM_MUST_CHECK;

#endif
