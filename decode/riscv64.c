/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions of 2 bytes, and htinst. Unprivileged manual: 16 "C", and Zc 1.0 for Zcb. The bits
 * of a compressed offset are not adjacent; a comment has their order as the manual writes it.
 */
#include "decode/riscv64.h"

/* --- instructions of 2 bytes --- */

#define C_QUADRANT  GENMASK(1, 0)
#define C_FUNCT3    GENMASK(15, 13)
#define C_SHORT_RD  GENMASK(4, 2) /* x8 to x15; rs2 of a store */
#define C_SHORT_RS1 GENMASK(9, 7)
#define C_RD        GENMASK(11, 7)
#define C_RS2       GENMASK(6, 2)
#define SHORT_BASE  8 /* register 0 of a three-bit field */
#define SP          2

/* funct3: quadrants 0 and 2 share these. */
enum {
	C_ZCB = 4, /* in quadrant 0 */
	C_LOAD_W = 2,
	C_LOAD_D = 3,
	C_STORE_W = 6,
	C_STORE_D = 7,
};

/* insn[hi:lo], at bit `to`. */
static unsigned bits_to(uint32_t insn, unsigned hi, unsigned lo, unsigned to)
{
	return (unsigned)((insn & GENMASK(hi, lo)) >> lo) << to;
}

/* c.lw: uimm[5:3|2|6]. */
static int16_t offset_w(uint32_t insn)
{
	return (int16_t)(bits_to(insn, 12, 10, 3) | bits_to(insn, 6, 6, 2) |
	                 bits_to(insn, 5, 5, 6));
}

/* c.ld: uimm[5:3|7:6]. */
static int16_t offset_d(uint32_t insn)
{
	return (int16_t)(bits_to(insn, 12, 10, 3) | bits_to(insn, 6, 5, 6));
}

/* c.lwsp: uimm[5|4:2|7:6]; c.ldsp: uimm[5|4:3|8:6]. */
static int16_t offset_lwsp(uint32_t insn)
{
	return (int16_t)(bits_to(insn, 12, 12, 5) | bits_to(insn, 6, 4, 2) |
	                 bits_to(insn, 3, 2, 6));
}

static int16_t offset_ldsp(uint32_t insn)
{
	return (int16_t)(bits_to(insn, 12, 12, 5) | bits_to(insn, 6, 5, 3) |
	                 bits_to(insn, 4, 2, 6));
}

/* c.swsp: uimm[5:2|7:6]; c.sdsp: uimm[5:3|8:6]. */
static int16_t offset_swsp(uint32_t insn)
{
	return (int16_t)(bits_to(insn, 12, 9, 2) | bits_to(insn, 8, 7, 6));
}

static int16_t offset_sdsp(uint32_t insn)
{
	return (int16_t)(bits_to(insn, 12, 10, 3) | bits_to(insn, 9, 7, 6));
}

/* Zcb: insn[12:10] is one of these; insn[6] is 1 for c.lh and 0 for c.lhu; uimm is insn[5|6] or
 * insn[5]. */
enum {
	ZCB_LBU,
	ZCB_LH, /* and c.lhu */
	ZCB_SB,
	ZCB_SH,
};

static bool decode_zcb(uint32_t insn, unsigned reg, struct mmio_access *access,
                       struct decoded_address *address)
{
	unsigned which = bits_to(insn, 12, 10, 0);
	unsigned bit5 = bits_to(insn, 5, 5, 1), bit6 = bits_to(insn, 6, 6, 0);
	bool half = which == ZCB_LH || which == ZCB_SH;

	decode_set_access(access, which >= ZCB_SB, half ? 2 : 1, which == ZCB_LH && bit6 != 0, reg);
	address->offset = (int16_t)(half ? bit5 : bit5 | bit6);
	/* c.sh with bit 6 set is reserved. */
	return which < ZCB_SH || (which == ZCB_SH && bit6 == 0);
}

static bool decode_quadrant_0(uint32_t insn, struct mmio_access *access,
                              struct decoded_address *address)
{
	unsigned reg = SHORT_BASE + (unsigned)FIELD_GET(C_SHORT_RD, insn);

	address->base = (uint8_t)(SHORT_BASE + FIELD_GET(C_SHORT_RS1, insn));
	switch (FIELD_GET(C_FUNCT3, insn)) {
	case C_ZCB:
		return decode_zcb(insn, reg, access, address);
	case C_LOAD_W:
		decode_set_access(access, false, 4, true, reg);
		address->offset = offset_w(insn);
		return true;
	case C_LOAD_D:
		decode_set_access(access, false, 8, true, reg);
		address->offset = offset_d(insn);
		return true;
	case C_STORE_W:
		decode_set_access(access, true, 4, false, reg);
		address->offset = offset_w(insn);
		return true;
	case C_STORE_D:
		decode_set_access(access, true, 8, false, reg);
		address->offset = offset_d(insn);
		return true;
	default: /* c.addi4spn, c.fld, c.fsd */
		return false;
	}
}

static bool decode_quadrant_2(uint32_t insn, struct mmio_access *access,
                              struct decoded_address *address)
{
	unsigned rd = (unsigned)FIELD_GET(C_RD, insn), rs2 = (unsigned)FIELD_GET(C_RS2, insn);

	address->base = SP;
	switch (FIELD_GET(C_FUNCT3, insn)) {
	case C_LOAD_W:
		decode_set_access(access, false, 4, true, rd);
		address->offset = offset_lwsp(insn);
		return rd != 0; /* reserved */
	case C_LOAD_D:
		decode_set_access(access, false, 8, true, rd);
		address->offset = offset_ldsp(insn);
		return rd != 0;
	case C_STORE_W:
		decode_set_access(access, true, 4, false, rs2);
		address->offset = offset_swsp(insn);
		return true;
	case C_STORE_D:
		decode_set_access(access, true, 8, false, rs2);
		address->offset = offset_sdsp(insn);
		return true;
	default: /* c.slli, c.fldsp, c.jr and others, c.fsdsp */
		return false;
	}
}

bool decode_load_store_2(uint32_t insn, struct mmio_access *access, struct decoded_address *address)
{
	access->length = 2;
	switch (FIELD_GET(C_QUADRANT, insn)) {
	case 0:
		return decode_quadrant_0(insn, access, address);
	case 2:
		return decode_quadrant_2(insn, access, address);
	default:
		return false;
	}
}

/* --- htinst --- */

#define HTINST_IS_INSN BIT(0) /* 0: no instruction, or a pseudo-instruction */
#define HTINST_IS_LONG BIT(1) /* 0: the instruction has 2 bytes */

bool decode_transformed(uint64_t htinst, struct mmio_access *access, unsigned *distance)
{
	uint32_t insn = (uint32_t)(htinst | HTINST_IS_LONG);
	struct decoded_address address;

	if ((htinst & HTINST_IS_INSN) == 0 || htinst > UINT32_MAX ||
	    !decode_load_store_4(insn, access, &address))
		return false;
	if (address.offset != 0)
		return false;
	/* rs1 has the distance. */
	*distance = address.base;
	access->length = (htinst & HTINST_IS_LONG) != 0 ? 4 : 2;
	return true;
}
