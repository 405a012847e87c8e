/*
 * Unprivileged manual: 2.6 "Load and Store Instructions", 5.3 for RV64, 16 "C", and Zc 1.0 for
 * Zcb. The fields of a compressed offset are scattered; each is named by where it comes from.
 */
#include "hext/decode.h"

#include "mm/bits.h"

/* --- 32-bit forms --- */

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

static int16_t sign_extend_12(uint64_t imm)
{
	return (int16_t)((int16_t)(imm << 4) >> 4);
}

static bool decode_32(uint32_t insn, struct decoded_access *out)
{
	unsigned funct3 = (unsigned)FIELD_GET(FUNCT3, insn);

	out->length = 4;
	out->width = (uint8_t)(1U << (funct3 & FUNCT3_WIDTH));
	out->base = (uint8_t)FIELD_GET(RS1, insn);
	switch (FIELD_GET(OPCODE, insn)) {
	case OPCODE_LOAD:
		out->write = false;
		out->sign_extend = (funct3 & FUNCT3_UNSIGNED) == 0;
		out->reg = (uint8_t)FIELD_GET(RD, insn);
		out->offset = sign_extend_12(FIELD_GET(IMM_I, insn));
		return funct3 != FUNCT3_LDU;
	case OPCODE_STORE:
		out->write = true;
		out->sign_extend = false;
		out->reg = (uint8_t)FIELD_GET(RS2, insn);
		out->offset = sign_extend_12(FIELD_GET(IMM_S_HIGH, insn) << 5 |
		                             FIELD_GET(IMM_S_LOW, insn));
		return (funct3 & FUNCT3_UNSIGNED) == 0;
	default:
		return false;
	}
}

/* --- 16-bit forms --- */

#define C_QUADRANT  GENMASK(1, 0)
#define C_FUNCT3    GENMASK(15, 13)
#define C_SHORT_RD  GENMASK(4, 2) /* x8 to x15; rs2 of a store */
#define C_SHORT_RS1 GENMASK(9, 7)
#define C_RD        GENMASK(11, 7)
#define C_RS2       GENMASK(6, 2)
#define SHORT_BASE  8 /* register 0 of a three-bit field */
#define SP          2

/* Quadrant 0 and 2 share these: bit 2 is "store", bits 1:0 the width, 2 or 3. */
enum {
	C_ZCB = 4, /* in quadrant 0 */
	C_LOAD_W = 2,
	C_LOAD_D = 3,
	C_STORE_W = 6,
	C_STORE_D = 7,
};

/* insn[from] as bit `to`, for one bit; and for a run of bits, insn[hi:lo] from bit `to` on. */
static unsigned bits_to(uint32_t insn, unsigned hi, unsigned lo, unsigned to)
{
	return (unsigned)((insn & GENMASK(hi, lo)) >> lo) << to;
}

/* c.lw: uimm[5:3|2|6]. */
static unsigned offset_w(uint32_t insn)
{
	return bits_to(insn, 12, 10, 3) | bits_to(insn, 6, 6, 2) | bits_to(insn, 5, 5, 6);
}

/* c.ld: uimm[5:3|7:6]. */
static unsigned offset_d(uint32_t insn)
{
	return bits_to(insn, 12, 10, 3) | bits_to(insn, 6, 5, 6);
}

/* c.lwsp: uimm[5|4:2|7:6]; c.ldsp: uimm[5|4:3|8:6]. */
static unsigned offset_lwsp(uint32_t insn)
{
	return bits_to(insn, 12, 12, 5) | bits_to(insn, 6, 4, 2) | bits_to(insn, 3, 2, 6);
}

static unsigned offset_ldsp(uint32_t insn)
{
	return bits_to(insn, 12, 12, 5) | bits_to(insn, 6, 5, 3) | bits_to(insn, 4, 2, 6);
}

/* c.swsp: uimm[5:2|7:6]; c.sdsp: uimm[5:3|8:6]. */
static unsigned offset_swsp(uint32_t insn)
{
	return bits_to(insn, 12, 9, 2) | bits_to(insn, 8, 7, 6);
}

static unsigned offset_sdsp(uint32_t insn)
{
	return bits_to(insn, 12, 10, 3) | bits_to(insn, 9, 7, 6);
}

/* Zcb: insn[12:10] says which; insn[6] tells c.lh from c.lhu; uimm is insn[6|5] or insn[5]. */
static bool decode_zcb(uint32_t insn, struct decoded_access *out)
{
	unsigned which = bits_to(insn, 12, 10, 0);
	unsigned byte_offset = bits_to(insn, 6, 6, 0) | bits_to(insn, 5, 5, 1);
	bool half = (which & 1) != 0;

	if (which > 3)
		return false;
	out->write = which >= 2;
	out->width = half ? 2 : 1;
	out->sign_extend = which == 1 && bits_to(insn, 6, 6, 0) != 0;
	out->offset = (int16_t)(half ? bits_to(insn, 5, 5, 1) : byte_offset);
	/* c.sh with bit 6 set is reserved. */
	return which != 3 || bits_to(insn, 6, 6, 0) == 0;
}

static bool decode_quadrant_0(uint32_t insn, struct decoded_access *out)
{
	unsigned funct3 = (unsigned)FIELD_GET(C_FUNCT3, insn);

	out->reg = (uint8_t)(SHORT_BASE + FIELD_GET(C_SHORT_RD, insn));
	out->base = (uint8_t)(SHORT_BASE + FIELD_GET(C_SHORT_RS1, insn));
	switch (funct3) {
	case C_ZCB:
		return decode_zcb(insn, out);
	case C_LOAD_W:
	case C_STORE_W:
		out->offset = (int16_t)offset_w(insn);
		out->width = 4;
		break;
	case C_LOAD_D:
	case C_STORE_D:
		out->offset = (int16_t)offset_d(insn);
		out->width = 8;
		break;
	default: /* c.addi4spn, c.fld, c.fsd */
		return false;
	}
	out->write = funct3 >= C_STORE_W;
	out->sign_extend = !out->write;
	return true;
}

static bool decode_quadrant_2(uint32_t insn, struct decoded_access *out)
{
	unsigned funct3 = (unsigned)FIELD_GET(C_FUNCT3, insn);

	out->base = SP;
	out->write = funct3 >= C_STORE_W;
	out->sign_extend = !out->write;
	out->reg = (uint8_t)(out->write ? FIELD_GET(C_RS2, insn) : FIELD_GET(C_RD, insn));
	switch (funct3) {
	case C_LOAD_W:
		out->offset = (int16_t)offset_lwsp(insn);
		out->width = 4;
		return out->reg != 0; /* rd 0 is reserved */
	case C_LOAD_D:
		out->offset = (int16_t)offset_ldsp(insn);
		out->width = 8;
		return out->reg != 0;
	case C_STORE_W:
		out->offset = (int16_t)offset_swsp(insn);
		out->width = 4;
		return true;
	case C_STORE_D:
		out->offset = (int16_t)offset_sdsp(insn);
		out->width = 8;
		return true;
	default: /* c.slli, c.fldsp, c.jr and others, c.fsdsp */
		return false;
	}
}

static bool decode_16(uint32_t insn, struct decoded_access *out)
{
	out->length = 2;
	switch (FIELD_GET(C_QUADRANT, insn)) {
	case 0:
		return decode_quadrant_0(insn, out);
	case 2:
		return decode_quadrant_2(insn, out);
	default:
		return false;
	}
}

bool decode_load_store(uint32_t insn, struct decoded_access *out)
{
	return FIELD_GET(C_QUADRANT, insn) == 3 ? decode_32(insn, out) : decode_16(insn, out);
}

/* --- transformed --- */

#define HTINST_IS_INSN BIT(0) /* 0: nothing, or a pseudo-instruction */
#define HTINST_IS_LONG BIT(1) /* 0: the instruction was a compressed one */

bool decode_transformed(uint64_t htinst, struct decoded_access *out)
{
	uint32_t insn = (uint32_t)(htinst | HTINST_IS_LONG);

	if ((htinst & HTINST_IS_INSN) == 0 || !decode_32(insn, out))
		return false;
	/* What rs1 and the immediate were is gone: rs1's field is the address offset, and the
	 * immediate is zero. */
	out->offset = (int16_t)FIELD_GET(RS1, insn);
	out->base = 0;
	out->length = (htinst & HTINST_IS_LONG) != 0 ? 4 : 2;
	return true;
}
