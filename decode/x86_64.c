/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decodes prefixes, opcode, ModRM and SIB, displacement and immediate, in the order in which the
 * instruction has them. All reads go through a cursor, which stops at the last byte given.
 */
#include "decode/x86_64.h"

#include "mm/bits.h"
#include "x86/guest_regs.h"

struct cursor {
	const uint8_t *bytes;
	size_t count;
	size_t at;
	bool cut; /* a read has reached the end */
};

struct prefixes {
	bool operand_size; /* 66 */
	bool address_size; /* 67 */
	bool repeat;       /* f3 */
	bool refused;      /* f0, f2: LOCK; REPNE, which has no meaning for these instructions */
	uint8_t segment;   /* or INSN_NO_REG */
	uint8_t rex;       /* 0, or 40 to 4f */
};

#define REX_W 8U
#define REX_R 4U
#define REX_X 2U
#define REX_B 1U

static uint8_t next(struct cursor *c)
{
	if (c->at == c->count) {
		c->cut = true;
		return 0;
	}
	return c->bytes[c->at++];
}

/* A little-endian number of 1, 2, 4 or 8 bytes, sign-extended. */
static int64_t next_signed(struct cursor *c, unsigned width)
{
	uint64_t value = 0;

	if (c->count - c->at < width) {
		c->cut = true;
		return 0;
	}
	for (unsigned i = width; i-- > 0;)
		value = value << 8 | c->bytes[c->at + i];
	c->at += width;
	return mm_sign_extend(value, 8 * width);
}

/* --- prefixes: SDM vol. 2, 2.1.1 and 2.2.1 --- */

static bool take_prefix(struct prefixes *p, uint8_t byte)
{
	switch (byte) {
	case 0x26:
		p->segment = SEGMENT_ES;
		return true;
	case 0x2e:
		p->segment = SEGMENT_CS;
		return true;
	case 0x36:
		p->segment = SEGMENT_SS;
		return true;
	case 0x3e:
		p->segment = SEGMENT_DS;
		return true;
	case 0x64:
		p->segment = SEGMENT_FS;
		return true;
	case 0x65:
		p->segment = SEGMENT_GS;
		return true;
	case 0x66:
		p->operand_size = true;
		return true;
	case 0x67:
		p->address_size = true;
		return true;
	case 0xf3:
		p->repeat = true;
		return true;
	case 0xf0:
	case 0xf2:
		p->refused = true;
		return true;
	default:
		return false;
	}
}

/* Returns the first byte of the opcode. A REX prefix has an effect only directly before it. */
static uint8_t take_prefixes(struct cursor *c, unsigned code_width, struct prefixes *p)
{
	uint8_t byte;

	*p = (struct prefixes){.segment = INSN_NO_REG};
	for (;;) {
		byte = next(c);
		if (code_width == 8 && (byte & 0xf0) == 0x40)
			p->rex = byte;
		else if (take_prefix(p, byte))
			p->rex = 0;
		else
			return byte;
		if (c->cut)
			return 0;
	}
}

static uint8_t operand_width(const struct prefixes *p, unsigned code_width)
{
	if (p->rex & REX_W)
		return 8;
	if (code_width == 2)
		return p->operand_size ? 4 : 2;
	return p->operand_size ? 2 : 4;
}

static uint8_t address_width(const struct prefixes *p, unsigned code_width)
{
	if (code_width == 8)
		return p->address_size ? 4 : 8;
	if (code_width == 4)
		return p->address_size ? 2 : 4;
	return p->address_size ? 4 : 2;
}

/* --- the memory operand: SDM vol. 2, tables 2-1 to 2-3 --- */

static void take_memory16(struct cursor *c, unsigned mod, unsigned rm, struct insn *out)
{
	static const uint8_t pairs[8][2] = {
		{GPR_RBX, GPR_RSI},     {GPR_RBX, GPR_RDI},     {GPR_RBP, GPR_RSI},
		{GPR_RBP, GPR_RDI},     {GPR_RSI, INSN_NO_REG}, {GPR_RDI, INSN_NO_REG},
		{GPR_RBP, INSN_NO_REG}, {GPR_RBX, INSN_NO_REG},
	};

	out->base = pairs[rm][0];
	out->index = pairs[rm][1];
	out->scale = 1;
	if (mod == 0 && rm == 6) {
		out->base = INSN_NO_REG;
		out->displacement = next_signed(c, 2);
	} else if (mod != 0) {
		out->displacement = next_signed(c, mod == 1 ? 1 : 2);
	}
}

static void take_sib(struct cursor *c, unsigned mod, uint8_t rex, struct insn *out)
{
	uint8_t sib = next(c);
	uint8_t index = (uint8_t)((sib >> 3 & 7) | (rex & REX_X ? 8 : 0));

	out->scale = (uint8_t)(1U << (sib >> 6));
	out->index = index == GPR_RSP ? INSN_NO_REG : index;
	out->base = (uint8_t)((sib & 7) | (rex & REX_B ? 8 : 0));
	if ((sib & 7) == GPR_RBP && mod == 0) {
		out->base = INSN_NO_REG;
		out->displacement = next_signed(c, 4);
	}
}

static void take_memory(struct cursor *c, unsigned mod, unsigned rm, uint8_t rex, bool long_mode,
                        struct insn *out)
{
	out->index = INSN_NO_REG;
	out->scale = 1;
	if (rm == GPR_RSP) {
		take_sib(c, mod, rex, out);
	} else if (mod == 0 && rm == GPR_RBP) {
		out->base = long_mode ? INSN_RIP : INSN_NO_REG;
		out->displacement = next_signed(c, 4);
	} else {
		out->base = (uint8_t)(rm | (rex & REX_B ? 8 : 0));
	}
	if (mod != 0)
		out->displacement = next_signed(c, mod == 1 ? 1 : 4);
}

/* The default segment is SS for the base registers SP and BP, and DS for all others. */
static uint8_t default_segment(const struct insn *out)
{
	return out->base == GPR_RSP || out->base == GPR_RBP ? SEGMENT_SS : SEGMENT_DS;
}

/* Returns the reg field of the ModRM byte. Refused: a register in place of the memory operand. */
static bool take_modrm(struct cursor *c, unsigned code_width, const struct prefixes *p,
                       struct insn *out)
{
	uint8_t modrm = next(c);
	unsigned mod = modrm >> 6, rm = modrm & 7;

	if (mod == 3)
		return false;
	out->reg = modrm >> 3 & 7;
	if (out->address_width == 2)
		take_memory16(c, mod, rm, out);
	else
		take_memory(c, mod, rm, p->rex, code_width == 8, out);
	out->segment = default_segment(out);
	return true;
}

/* The register of a ModRM byte as an operand: 3.1.1.1 and table 3-1. */
static void name_register(const struct prefixes *p, struct insn *out)
{
	if (out->reg_width == 1 && p->rex == 0 && out->reg >= 4) {
		out->high_byte = true;
		out->reg -= 4;
	} else if (p->rex & REX_R) {
		out->reg += 8;
	}
}

/* --- opcodes --- */

/* ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, as opcodes and ModRM fields number them. ADC and SBB are
 * refused. */
static bool arithmetic(unsigned number, struct insn *out)
{
	static const uint8_t ops[8] = {INSN_ADD, INSN_OR,  INSN_NO_REG, INSN_NO_REG,
	                               INSN_AND, INSN_SUB, INSN_XOR,    INSN_CMP};

	if (ops[number] == INSN_NO_REG)
		return false;
	out->op = (enum insn_op)ops[number];
	return true;
}

/* Bit 0 of the opcode: 0 for byte width, 1 for full width. */
static uint8_t width_of(uint8_t opcode, uint8_t full)
{
	return opcode & 1 ? full : 1;
}

static void set_immediate(struct cursor *c, unsigned bytes, struct insn *out)
{
	out->immediate = true;
	out->value = (uint64_t)next_signed(c, bytes < 8 ? bytes : 4);
}

struct decoding {
	struct cursor c;
	struct prefixes p;
	unsigned code_width;
	uint8_t full; /* operand width, except of byte forms */
};

static bool register_form(struct decoding *d, enum insn_op op, uint8_t width, bool to_register,
                          struct insn *out)
{
	out->op = op;
	out->width = width;
	out->reg_width = width;
	out->to_register = to_register;
	if (!take_modrm(&d->c, d->code_width, &d->p, out))
		return false;
	name_register(&d->p, out);
	return true;
}

static bool extending_move(struct decoding *d, uint8_t width, bool sign, struct insn *out)
{
	if (!register_form(d, INSN_MOV, width, true, out))
		return false;
	/* The register has full width, so 4 to 7 do not mean AH to BH. */
	if (out->high_byte)
		out->reg += 4;
	out->high_byte = false;
	out->reg_width = d->full;
	out->sign_extend = sign;
	return true;
}

static bool immediate_form(struct decoding *d, uint8_t opcode, unsigned imm_bytes, struct insn *out)
{
	out->width = width_of(opcode, d->full);
	if (!take_modrm(&d->c, d->code_width, &d->p, out))
		return false;
	set_immediate(&d->c, imm_bytes, out);
	return true;
}

/* a0 to a3: an absolute address of address_width, and the accumulator. */
static bool offset_form(struct decoding *d, uint8_t opcode, struct insn *out)
{
	out->op = INSN_MOV;
	out->width = width_of(opcode, d->full);
	out->reg_width = out->width;
	out->to_register = !(opcode & 2);
	out->reg = GPR_RAX;
	out->base = INSN_NO_REG;
	out->index = INSN_NO_REG;
	out->scale = 1;
	out->segment = SEGMENT_DS;
	out->displacement = next_signed(&d->c, out->address_width);
	return true;
}

static bool string_form(struct decoding *d, uint8_t opcode, enum insn_op op, struct insn *out)
{
	out->op = op;
	out->width = width_of(opcode, d->full);
	out->reg_width = out->width;
	out->reg = GPR_RAX;
	out->index = INSN_NO_REG;
	out->scale = 1;
	out->repeat = d->p.repeat;
	out->base = op == INSN_MOVS ? GPR_RSI : GPR_RDI;
	out->segment = op == INSN_MOVS ? SEGMENT_DS : SEGMENT_ES;
	return true;
}

static bool two_byte_opcode(struct decoding *d, struct insn *out)
{
	uint8_t opcode = next(&d->c);

	switch (opcode) {
	case 0xb6: /* MOVZX */
	case 0xb7:
		return extending_move(d, opcode & 1 ? 2 : 1, false, out);
	case 0xbe: /* MOVSX */
	case 0xbf:
		return extending_move(d, opcode & 1 ? 2 : 1, true, out);
	default:
		return false;
	}
}

static bool group1(struct decoding *d, uint8_t opcode, struct insn *out)
{
	unsigned imm_bytes = opcode == 0x81 ? d->full : 1;

	if (opcode == 0x82)
		return false;
	return immediate_form(d, opcode, imm_bytes, out) && arithmetic(out->reg, out);
}

static bool one_byte_opcode(struct decoding *d, uint8_t opcode, struct insn *out)
{
	uint8_t width = width_of(opcode, d->full);

	if (opcode < 0x40 && (opcode & 7) < 4) {
		if (!arithmetic(opcode >> 3, out))
			return false;
		return register_form(d, out->op, width, opcode & 2, out);
	}
	switch (opcode) {
	case 0x0f:
		return two_byte_opcode(d, out);
	case 0x63: /* MOVSXD; ARPL outside 64-bit code */
		return d->code_width == 8 && extending_move(d, d->full == 2 ? 2 : 4, true, out);
	case 0x80:
	case 0x81:
	case 0x82:
	case 0x83:
		return group1(d, opcode, out);
	case 0x84:
	case 0x85:
		return register_form(d, INSN_TEST, width, false, out);
	case 0x86:
	case 0x87:
		return register_form(d, INSN_XCHG, width, false, out);
	case 0x88:
	case 0x89:
	case 0x8a:
	case 0x8b:
		return register_form(d, INSN_MOV, width, opcode & 2, out);
	case 0xa0:
	case 0xa1:
	case 0xa2:
	case 0xa3:
		return offset_form(d, opcode, out);
	case 0xa4:
	case 0xa5:
		return string_form(d, opcode, INSN_MOVS, out);
	case 0xaa:
	case 0xab:
		return string_form(d, opcode, INSN_STOS, out);
	case 0xc6:
	case 0xc7: /* /0: MOV */
		out->op = INSN_MOV;
		return immediate_form(d, opcode, width, out) && out->reg == 0;
	case 0xf6:
	case 0xf7: /* /0 and its alias /1: TEST; the others are refused */
		out->op = INSN_TEST;
		return immediate_form(d, opcode, width, out) && out->reg < 2;
	default:
		return false;
	}
}

enum insn_result insn_decode(const uint8_t *bytes, size_t count, unsigned code_width,
                             struct insn *out)
{
	struct decoding d = {.code_width = code_width};
	uint8_t opcode;
	bool done;

	d.c.bytes = bytes;
	d.c.count = count < INSN_MAX_BYTES ? count : INSN_MAX_BYTES;
	*out = (struct insn){.base = INSN_NO_REG, .index = INSN_NO_REG, .scale = 1};

	opcode = take_prefixes(&d.c, code_width, &d.p);
	d.full = operand_width(&d.p, code_width);
	out->address_width = address_width(&d.p, code_width);
	done = !d.p.refused && one_byte_opcode(&d, opcode, out);

	/* INSN_CUT_SHORT: the missing bytes may make it any instruction. */
	if (d.c.cut)
		return d.c.count == INSN_MAX_BYTES ? INSN_REFUSED : INSN_CUT_SHORT;
	if (!done)
		return INSN_REFUSED;
	if (d.p.segment != INSN_NO_REG && out->op != INSN_STOS)
		out->segment = d.p.segment;
	out->length = (uint8_t)d.c.at;
	return INSN_OK;
}
