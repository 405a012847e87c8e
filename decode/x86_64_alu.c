/* SPDX-License-Identifier: BSD-2-Clause */
/* The arithmetic of an emulated instruction on a device's value. */
#include "decode/x86_64.h"

#include "mm/bits.h"

#define FLAG_CF BIT(0)
#define FLAG_PF BIT(2)
#define FLAG_AF BIT(4)
#define FLAG_ZF BIT(6)
#define FLAG_SF BIT(7)
#define FLAG_OF BIT(11)
#define STATUS  (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

/* PF is 1 if the lowest byte has an even number of ones. */
static uint64_t parity(uint64_t value)
{
	value ^= value >> 4;
	value ^= value >> 2;
	value ^= value >> 1;
	return value & 1 ? 0 : FLAG_PF;
}

/* Bit `top` of the two words is CF and OF; bit 3 of `carry` is AF. */
static uint64_t carries(uint64_t carry, uint64_t overflow, unsigned top)
{
	return (carry >> top & 1 ? FLAG_CF : 0) | (overflow >> top & 1 ? FLAG_OF : 0) |
	       (carry & BIT(3) ? FLAG_AF : 0);
}

uint64_t insn_alu(enum insn_op op, uint64_t left, uint64_t right, unsigned width, uint64_t *rflags)
{
	unsigned top = 8 * width - 1;
	uint64_t result, flags = 0;

	switch (op) {
	case INSN_ADD:
		result = left + right;
		flags = carries((left & right) | ((left | right) & ~result),
		                (left ^ result) & (right ^ result), top);
		break;
	case INSN_SUB:
	case INSN_CMP:
		result = left - right;
		flags = carries((~left & right) | ((~left | right) & result),
		                (left ^ right) & (left ^ result), top);
		break;
	case INSN_OR:
		result = left | right;
		break;
	case INSN_XOR:
		result = left ^ right;
		break;
	default: /* AND, TEST */
		result = left & right;
		break;
	}
	result &= GENMASK(top, 0);
	flags |= parity(result & 0xff);
	if (result == 0)
		flags |= FLAG_ZF;
	if (result >> top)
		flags |= FLAG_SF;
	*rflags = (*rflags & ~STATUS) | flags;
	return result;
}
