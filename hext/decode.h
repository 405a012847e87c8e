/*
 * Loads and stores of the integer registers, decoded from their encoding: for accesses to
 * emulated devices, where the hardware tells no more than the address. Pure: no state, no
 * machine; tests/host checks it against what the assembler emits.
 *
 *	done		lb lbu lh lhu lw lwu ld, sb sh sw sd
 *			c.lw c.ld c.sw c.sd, c.lwsp c.ldsp c.swsp c.sdsp
 *			Zcb: c.lbu c.lhu c.lh c.sb c.sh
 *	refused		lr, sc and AMOs; floating-point and vector registers; everything else
 */
#ifndef HEXT_DECODE_H
#define HEXT_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/compiler.h"

struct decoded_access {
	bool write;
	bool sign_extend;
	uint8_t width;  /* 1, 2, 4 or 8 bytes */
	uint8_t reg;    /* x register that takes or gives the value */
	uint8_t base;   /* x register of the address... */
	int16_t offset; /* ...and what is added to it */
	uint8_t length; /* of the instruction: 2 or 4 bytes */
};

/* An instruction as it is in memory: 2 bytes in the low half, or 4. False: not in the list. */
bool decode_load_store(uint32_t insn, struct decoded_access *out) must_check;

/*
 * htinst as the hardware may give it (privileged manual, 8.6.3, "transformed standard
 * instruction"): the 32-bit form, with bit 1 telling a compressed one. base is 0, and offset the
 * distance of the faulting part from the access's first byte.
 */
bool decode_transformed(uint64_t htinst, struct decoded_access *out) must_check;

#endif
