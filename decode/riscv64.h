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
#ifndef DECODE_RISCV64_H
#define DECODE_RISCV64_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/compiler.h"
#include "vm_exit.h"

/* What the instruction makes its address of. */
struct decoded_address {
	uint8_t base;   /* x register... */
	int16_t offset; /* ...and what is added to it */
};

/* An instruction as it is in memory: 2 bytes in the low half, what is above ignored, or 4. Fills
 * all of *access but gpa and value. False: not in the list. */
bool decode_load_store(uint32_t insn, struct mmio_access *access,
                       struct decoded_address *address) MM_MUST_CHECK;

/*
 * htinst as the hardware may give it (privileged manual, 8.6.3, "transformed standard
 * instruction"): the 32-bit form, with bit 1 telling a compressed one. *distance is that of the
 * faulting part from the access's first byte. False: as above, or nothing of the kind.
 */
bool decode_transformed(uint64_t htinst, struct mmio_access *access,
                        unsigned *distance) MM_MUST_CHECK;

#endif
