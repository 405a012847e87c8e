/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arm ARM C4.1.93, "Loads and stores": its table decides by bits 31:28, 26, 24:23, 21:16 and 11:10.
 * Here is one function for each row that has ordinary accesses.
 *
 *	 31 30 29 28 27 26 25 24 23 22 21              11 10
 *	+-----+-----+--+--+-----+-----+--+------------+-----+
 *	|size |     | 1|V | 0   | opc |  |            |     |
 *	+-----+-----+--+--+-----+-----+--+------------+-----+
 */
#include "decode/aarch64.h"

#include "mm/bits.h"

#define SIZE   GENMASK(31, 30)
#define VECTOR BIT(26)
#define OPC    GENMASK(23, 22)
#define LOAD   BIT(22)
#define RM     GENMASK(20, 16)
#define OPTION GENMASK(15, 13)
#define SCALED BIT(12)
#define RT2    GENMASK(14, 10)
#define RN     GENMASK(9, 5)
#define RT     GENMASK(4, 0)
#define IMM7   GENMASK(21, 15)
#define IMM9   GENMASK(20, 12)
#define IMM12  GENMASK(21, 10)
#define IMM19  GENMASK(23, 5)

#define SP 31

/* opc of the forms with one register: C4.1.93.22 and the sections that follow. */
#define OPC_STORE  0
#define OPC_LOAD   1
#define OPC_SIGN64 2
#define OPC_SIGN32 3

static uint8_t field(uint32_t insn, uint64_t mask)
{
	return (uint8_t)FIELD_GET(mask, insn);
}

/* size and opc of the forms with one general register. */
static enum a64_refusal single_register(uint32_t insn, struct a64_access *out)
{
	unsigned size = field(insn, SIZE), opc = field(insn, OPC);

	if ((insn & VECTOR) != 0)
		return A64_VECTOR;
	if (opc == OPC_SIGN64 && size == 3)
		return A64_NOT_ACCESS; /* PRFM */
	if (opc == OPC_SIGN32 && size >= 2)
		return A64_UNALLOCATED;
	out->width = (uint8_t)(1U << size);
	out->write = opc == OPC_STORE;
	out->sign_extend = opc >= OPC_SIGN64;
	out->reg_width = opc == OPC_SIGN64 || (opc <= OPC_LOAD && size == 3) ? 8 : 4;
	out->rt = field(insn, RT);
	out->rn = field(insn, RN);
	return A64_ACCEPTED;
}

/* C6.1.3: with write-back, the base may not be a register that is transferred. */
static enum a64_refusal check_writeback(const struct a64_access *a)
{
	if (a->writeback == A64_KEEP || a->rn == SP)
		return A64_ACCEPTED;
	return a->rn == a->rt || (a->pair && a->rn == a->rt2) ? A64_UNPREDICTABLE : A64_ACCEPTED;
}

static enum a64_refusal unsigned_immediate(uint32_t insn, struct a64_access *out)
{
	out->imm = (int64_t)(FIELD_GET(IMM12, insn) << field(insn, SIZE));
	return single_register(insn, out);
}

/* LDUR, LDTR, post- and pre-indexed LDR, by bits 11:10. */
static enum a64_refusal signed_immediate(uint32_t insn, struct a64_access *out)
{
	static const enum a64_writeback writeback[] = {A64_KEEP, A64_POST, A64_KEEP, A64_PRE};
	enum a64_refusal refusal = single_register(insn, out);

	if (refusal == A64_NOT_ACCESS && field(insn, GENMASK(11, 10)) != 0)
		refusal = A64_UNALLOCATED; /* in this row only PRFUM has no write-back */
	if (refusal != A64_ACCEPTED)
		return refusal;
	out->imm = mm_sign_extend(FIELD_GET(IMM9, insn), 9);
	out->writeback = writeback[field(insn, GENMASK(11, 10))];
	return check_writeback(out);
}

static enum a64_refusal register_offset(uint32_t insn, struct a64_access *out)
{
	out->offset = A64_OFFSET_REGISTER;
	out->rm = field(insn, RM);
	out->extend = field(insn, OPTION);
	out->shift = (insn & SCALED) != 0 ? field(insn, SIZE) : 0;
	if ((out->extend & 2) == 0) /* only words and doublewords can be an index */
		return A64_UNALLOCATED;
	return single_register(insn, out);
}

/* LDAPR among the atomics: size 111000 101 11111 1 100 00. */
static enum a64_refusal atomic_row(uint32_t insn, struct a64_access *out)
{
	if ((insn & VECTOR) != 0)
		return A64_UNALLOCATED;
	if (FIELD_GET(GENMASK(23, 10), insn) != 0x2ff0)
		return A64_ATOMIC;
	out->width = (uint8_t)(1U << field(insn, SIZE));
	out->reg_width = out->width == 8 ? 8 : 4;
	out->rt = field(insn, RT);
	out->rn = field(insn, RN);
	return A64_ACCEPTED;
}

/* Bits 29:27 are 111: one register, and all forms of addresses. */
static enum a64_refusal one_register(uint32_t insn, struct a64_access *out)
{
	if ((insn & BIT(24)) != 0)
		return unsigned_immediate(insn, out);
	if ((insn & BIT(21)) == 0)
		return signed_immediate(insn, out);
	switch (field(insn, GENMASK(11, 10))) {
	case 0:
		return atomic_row(insn, out);
	case 2:
		return register_offset(insn, out);
	default: /* LDRAA, LDRAB, which authenticate a pointer */
		return (insn & VECTOR) != 0 ? A64_UNALLOCATED : A64_NOT_ACCESS;
	}
}

/* Bits 29:27 are 101: LDP, STP, LDPSW, LDNP, STNP. */
static enum a64_refusal register_pair(uint32_t insn, struct a64_access *out)
{
	static const enum a64_writeback writeback[] = {A64_KEEP, A64_POST, A64_KEEP, A64_PRE};
	unsigned opc = field(insn, SIZE), kind = field(insn, GENMASK(24, 23));
	bool load = (insn & LOAD) != 0;

	if (opc == 3)
		return A64_UNALLOCATED;
	if ((insn & VECTOR) != 0)
		return A64_VECTOR;
	if (opc == 1 && kind == 0)
		return A64_UNALLOCATED;
	if (opc == 1 && !load)
		return A64_NOT_ACCESS; /* STGP */
	out->width = opc == 2 ? 8 : 4;
	out->write = !load;
	out->sign_extend = opc == 1;
	out->reg_width = opc == 0 ? 4 : 8;
	out->rt = field(insn, RT);
	out->pair = true;
	out->rt2 = field(insn, RT2);
	out->rn = field(insn, RN);
	out->imm = mm_sign_extend(FIELD_GET(IMM7, insn), 7) * out->width;
	out->writeback = writeback[kind];
	if (load && out->rt == out->rt2)
		return A64_UNPREDICTABLE;
	return check_writeback(out);
}

/* Bits 29:24 are 001000: exclusives, which are refused, and ordered accesses. */
static enum a64_refusal ordered(uint32_t insn, struct a64_access *out)
{
	if ((insn & BIT(23)) == 0 || (insn & BIT(21)) != 0)
		return A64_ATOMIC;
	out->width = (uint8_t)(1U << field(insn, SIZE));
	out->write = (insn & LOAD) == 0;
	out->reg_width = out->width == 8 ? 8 : 4;
	out->rt = field(insn, RT);
	out->rn = field(insn, RN);
	return A64_ACCEPTED;
}

/* Bits 29:24 are 011001, 21 and 11:10 are 0: LDAPUR, STLUR. */
static enum a64_refusal ordered_unscaled(uint32_t insn, struct a64_access *out)
{
	if ((insn & (BIT(21) | GENMASK(11, 10))) != 0)
		return A64_NOT_ACCESS; /* memory tags */
	out->imm = mm_sign_extend(FIELD_GET(IMM9, insn), 9);
	return single_register(insn, out) == A64_ACCEPTED ? A64_ACCEPTED : A64_UNALLOCATED;
}

/* Bits 29:27 are 011, 25:24 are 0: LDR and LDRSW, relative to the PC. */
static enum a64_refusal literal(uint32_t insn, struct a64_access *out)
{
	unsigned opc = field(insn, SIZE);

	if ((insn & VECTOR) != 0)
		return opc == 3 ? A64_UNALLOCATED : A64_VECTOR;
	if (opc == 3)
		return A64_NOT_ACCESS; /* PRFM */
	out->width = opc == 1 ? 8 : 4;
	out->sign_extend = opc == 2;
	out->reg_width = opc == 0 ? 4 : 8;
	out->rt = field(insn, RT);
	out->offset = A64_OFFSET_PC;
	out->imm = mm_sign_extend(FIELD_GET(IMM19, insn), 19) * 4;
	return A64_ACCEPTED;
}

static enum a64_refusal decode(uint32_t insn, struct a64_access *out)
{
	/* C4.1: op0, bits 28:25, of loads and stores is x1x0. */
	if ((insn & BIT(27)) == 0 || (insn & BIT(25)) != 0)
		return A64_NOT_ACCESS;
	switch (FIELD_GET(GENMASK(29, 27), insn)) {
	case 1:
		if ((insn & VECTOR) != 0)
			return A64_VECTOR; /* LD1 to ST4 */
		return (insn & BIT(24)) == 0 ? ordered(insn, out) : A64_UNALLOCATED;
	case 3:
		if ((insn & BIT(24)) == 0)
			return literal(insn, out);
		return (insn & VECTOR) == 0 ? ordered_unscaled(insn, out) : A64_UNALLOCATED;
	case 5:
		return register_pair(insn, out);
	default:
		return one_register(insn, out);
	}
}

enum a64_refusal a64_decode(uint32_t insn, struct a64_access *out)
{
	struct a64_access access = {0};
	enum a64_refusal refusal = decode(insn, &access);

	if (refusal == A64_ACCEPTED)
		*out = access;
	return refusal;
}

const char *a64_refusal_name(enum a64_refusal refusal)
{
	static const char *const names[A64_REFUSALS] = {
		[A64_ACCEPTED] = "accepted",
		[A64_NOT_ACCESS] = "not a load or store",
		[A64_ATOMIC] = "an exclusive or atomic access",
		[A64_VECTOR] = "a vector access",
		[A64_UNPREDICTABLE] = "an unpredictable use of one register",
		[A64_UNALLOCATED] = "no instruction",
	};

	return (unsigned)refusal < A64_REFUSALS ? names[refusal] : "?";
}

/* DecodeRegExtend and ExtendReg: a signed or unsigned word, or the whole register. */
static uint64_t extend_index(const struct a64_access *access, uint64_t index)
{
	if ((access->extend & 1) == 0)
		index = (access->extend & 4) != 0 ? (uint64_t)mm_sign_extend(index, 32)
		                                  : index & UINT32_MAX;
	return index << access->shift;
}

uint64_t a64_address(const struct a64_access *access, uint64_t base, uint64_t index)
{
	if (access->offset == A64_OFFSET_REGISTER)
		return base + extend_index(access, index);
	return access->writeback == A64_POST ? base : base + (uint64_t)access->imm;
}
