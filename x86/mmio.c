/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulation of one instruction that accesses a device: its operands, its fetch, its first
 * access, and its completion. See mmio.h.
 */
#include "x86/mmio.h"

#include "machine/x86_64/bits.h"
#include "mm/bits.h"
#include "mm/compiler.h"

static uint64_t mask_of(unsigned width)
{
	return GENMASK(8 * width - 1, 0);
}

/* --- registers by width: SDM vol. 1, 3.4.1.1 --- */

static uint64_t read_register(const struct x86_guest *g, const struct insn *i)
{
	return (g->gpr[i->reg] >> (i->high_byte ? 8 : 0)) & mask_of(i->reg_width);
}

/* A 32-bit result clears the upper half; 8- and 16-bit results keep the other bits. */
static void write_register(struct x86_guest *g, unsigned reg, unsigned width, bool high_byte,
                           uint64_t value)
{
	unsigned shift = high_byte ? 8 : 0;
	uint64_t mask = mask_of(width) << shift;

	if (width >= 4)
		g->gpr[reg] = value & mask;
	else
		g->gpr[reg] = (g->gpr[reg] & ~mask) | (value << shift & mask);
}

/* --- addresses --- */

static uint64_t part(const struct x86_guest *g, uint8_t reg, uint64_t next_rip)
{
	if (reg == INSN_NO_REG)
		return 0;
	return reg == INSN_RIP ? next_rip : g->gpr[reg];
}

/* SDM vol. 1, 3.7.5. In 64-bit code only FS and GS have a base that is not 0. */
static uint64_t linear(const struct x86_guest *g, unsigned segment, uint64_t offset)
{
	if (g->code_width == 8)
		return offset + (segment >= SEGMENT_FS ? g->segment_base[segment] : 0);
	return (uint32_t)(offset + g->segment_base[segment]);
}

static uint64_t operand_address(const struct x86_guest *g, const struct insn *i)
{
	uint64_t offset = part(g, i->base, g->rip + i->length) + part(g, i->index, 0) * i->scale +
	                  (uint64_t)i->displacement;

	return linear(g, i->segment, offset & mask_of(i->address_width));
}

/* ES:[rDI], the destination of STOS and MOVS. No prefix overrides its segment. */
static uint64_t string_destination(const struct x86_guest *g, const struct insn *i)
{
	return linear(g, SEGMENT_ES, g->gpr[GPR_RDI] & mask_of(i->address_width));
}

static bool crosses_page(uint64_t address, unsigned width)
{
	return (address & (MM_PAGE_SIZE - 1)) + width > MM_PAGE_SIZE;
}

/* --- fetch --- */

/* The frequent case, an instruction that does not cross a page, copies a constant size. */
static bool take_bytes(void *ctx, mm_gpa_t gpa, struct mm_aspace_span span)
{
	(void)gpa;
	if (MM_LIKELY(span.bytes == INSN_MAX_BYTES))
		__builtin_memcpy(ctx, span.host, INSN_MAX_BYTES);
	else
		__builtin_memcpy(ctx, span.host, span.bytes);
	return true;
}

/* The bytes lie on one page. */
static enum mm_error fetch_piece(const struct x86_guest *g, uint64_t address, uint8_t *buf,
                                 size_t bytes)
{
	mm_gpa_t gpa;
	enum mm_error err = stage1_translate(&g->stage1, mm_gva_at(address), MM_X, &gpa);

	if (err != MM_OK)
		return err;
	return mm_aspace_for_each_span(g->stage1.as, mm_gpa_range(gpa, bytes), MM_X, take_bytes,
	                               buf);
}

/* insn_decode(), or its last result if all INSN_MAX_BYTES are the same. */
static enum insn_result decode(struct x86_decoded *last, const uint8_t bytes[INSN_MAX_BYTES],
                               unsigned code_width, struct insn *out)
{
	enum insn_result result;
	uint64_t head, tail;

	__builtin_memcpy(&head, bytes, sizeof(head));
	__builtin_memcpy(&tail, bytes + INSN_MAX_BYTES - sizeof(tail), sizeof(tail));
	if (last->first == head && last->last == tail && last->code_width == code_width) {
		*out = last->insn;
		return INSN_OK;
	}
	result = insn_decode(bytes, INSN_MAX_BYTES, code_width, out);
	if (result == INSN_OK)
		*last = (struct x86_decoded){head, tail, code_width, *out};
	return result;
}

/* Reads each byte at most once, because the guest's other CPUs may write to the instruction
 * meanwhile. Reads a second page only if the instruction continues there. */
static enum mm_error fetch(struct x86_mmio *m, const struct x86_guest *g, struct insn *out)
{
	uint8_t bytes[INSN_MAX_BYTES];
	uint64_t address = linear(g, SEGMENT_CS, g->rip);
	size_t first = MM_PAGE_SIZE - (address & (MM_PAGE_SIZE - 1));
	enum insn_result result;
	enum mm_error err;

	/* The CPU has executed the bytes that it reports, even if memory has changed since. If it
	 * does not report the whole instruction, all of it is read from memory. */
	if (g->given_count != 0) {
		result = insn_decode(g->given, g->given_count, g->code_width, out);
		if (result != INSN_CUT_SHORT)
			return result == INSN_OK ? MM_OK : MM_UNSUPPORTED;
	}
	if (first > sizeof(bytes))
		first = sizeof(bytes);
	err = fetch_piece(g, address, bytes, first);
	if (err != MM_OK)
		return err;
	result = first == sizeof(bytes) ? decode(&m->decoded, bytes, g->code_width, out)
	                                : insn_decode(bytes, first, g->code_width, out);
	if (result == INSN_CUT_SHORT) {
		err = fetch_piece(g, address + first, bytes + first, sizeof(bytes) - first);
		if (err != MM_OK)
			return err;
		result = insn_decode(bytes, sizeof(bytes), g->code_width, out);
	}
	return result == INSN_OK ? MM_OK : MM_UNSUPPORTED;
}

/* --- the first access --- */

static bool is_store(const struct insn *i)
{
	return i->op == INSN_STOS || (i->op == INSN_MOV && !i->to_register);
}

static uint64_t source_value(const struct x86_guest *g, const struct insn *i)
{
	return i->immediate ? i->value & mask_of(i->width) : read_register(g, i);
}

/* The CPU has found the device first: it would not raise this fault if the guest ran again. */
static enum mm_error raise_fault(struct x86_mmio *m, const struct x86_guest *g, uint64_t address,
                                 enum mm_perm access, enum mm_error err)
{
	m->fault.kind = stage1_fault(&g->stage1, mm_gva_at(address), access, &m->fault.code);
	m->fault.address = address;
	return err;
}

/* The other operand of MOVS has to be in RAM. It is made accessible before the device is accessed,
 * so that the completion of the access cannot fail. */
static enum mm_error prepare_movs(struct x86_mmio *m, const struct x86_guest *g, bool to_device,
                                  struct mmio_access *access)
{
	const struct insn *i = &m->insn;
	uint64_t address = to_device ? operand_address(g, i) : string_destination(g, i);
	enum mm_perm needed = to_device ? MM_R : MM_W;
	enum mm_error err;

	if (crosses_page(address, i->width))
		return MM_UNSUPPORTED;
	err = stage1_translate(&g->stage1, mm_gva_at(address), needed, &m->other);
	if (err != MM_OK)
		return raise_fault(m, g, address, needed, err);
	if (to_device)
		return mm_aspace_load(g->stage1.as, m->other, i->width, &access->value);
	switch (mm_aspace_fault(g->stage1.as, m->other, MM_W)) {
	case MM_FAULT_MAPPED:
	case MM_FAULT_SPURIOUS:
	case MM_FAULT_UNSHARED:
		return MM_OK;
	default:
		return MM_UNSUPPORTED;
	}
}

/* SVM reports only the guest-physical address. Its offset in the page is that of the linear one. */
static bool is_what_faulted(const struct vm_exit *exit, uint64_t address)
{
	if (exit->fault.gva_valid)
		return address == exit->fault.gva.raw;
	return exit->fault.gpa_is_page || (address ^ exit->fault.gpa.raw) % MM_PAGE_SIZE == 0;
}

static enum mm_error begin(struct x86_mmio *m, const struct x86_guest *g,
                           const struct vm_exit *exit, struct mmio_access *access)
{
	const struct insn *i = &m->insn;
	uint64_t address;
	enum mm_error err = fetch(m, g, &m->insn);

	if (err != MM_OK)
		return err;
	access->write = is_store(i) || (i->op == INSN_MOVS && exit->fault.access == MM_W);
	if (i->op == INSN_MOVS)
		err = prepare_movs(m, g, access->write, access);
	else if (access->write)
		access->value = source_value(g, i);
	if (err != MM_OK)
		return err;

	/* The operand has to lie on the page of the fault, and to be what the instruction in memory
	 * accesses. Otherwise the guest has changed the instruction since the fault, or the operand
	 * is partly in RAM: both are refused. */
	address = i->op == INSN_STOS || (i->op == INSN_MOVS && access->write)
	                  ? string_destination(g, i)
	                  : operand_address(g, i);
	if (crosses_page(address, i->width) || !is_what_faulted(exit, address))
		return MM_UNSUPPORTED;
	return is_store(i) && exit->fault.access != MM_W ? MM_UNSUPPORTED : MM_OK;
}

enum mm_error x86_mmio_decode(struct x86_mmio *m, const struct x86_guest *g,
                              const struct vm_exit *exit, struct mmio_access *access)
{
	*access = (struct mmio_access){.gpa = exit->fault.gpa};
	m->fault.kind = STAGE1_NO_FAULT;
	if (m->write_due) {
		access->write = true;
		access->value = m->result;
	} else {
		enum mm_error err = begin(m, g, exit, access);

		if (err != MM_OK)
			return err;
	}
	access->width = m->insn.width;
	access->sign_extend = m->insn.sign_extend;
	access->reg_width = m->insn.reg_width;
	access->reg = m->insn.reg;
	access->high_byte = m->insn.high_byte;
	access->length = m->insn.length;
	return MM_OK;
}

/* --- completion --- */

static void move_pointer(struct x86_guest *g, const struct insn *i, unsigned reg)
{
	uint64_t step = g->rflags & RFLAGS_DF ? (uint64_t)0 - i->width : i->width;

	write_register(g, reg, i->address_width, false, g->gpr[reg] + step);
}

/* Advances by one element. With REP, RIP stays at the instruction until the count is 0. */
static void finish_string(struct x86_guest *g, const struct insn *i)
{
	move_pointer(g, i, GPR_RDI);
	if (i->op == INSN_MOVS)
		move_pointer(g, i, GPR_RSI);
	if (i->repeat) {
		write_register(g, GPR_RCX, i->address_width, false, g->gpr[GPR_RCX] - 1);
		if (g->gpr[GPR_RCX] & mask_of(i->address_width))
			return;
	}
	g->rip += i->length;
}

/* Completes the read of an instruction that computes. True: a write follows. */
static bool compute(struct x86_mmio *m, struct x86_guest *g, uint64_t value)
{
	const struct insn *i = &m->insn;
	uint64_t other = source_value(g, i);
	uint64_t left = i->to_register ? other : value;
	uint64_t right = i->to_register ? value : other;

	m->rflags = g->rflags;
	if (i->op == INSN_XCHG) {
		m->result = other;
		write_register(g, i->reg, i->width, i->high_byte, value);
		return true;
	}
	m->result = insn_alu(i->op, left, right, i->width, &m->rflags);
	if (i->op != INSN_CMP && i->op != INSN_TEST && !i->to_register)
		return true;
	g->rflags = m->rflags;
	if (i->to_register && i->op != INSN_CMP)
		write_register(g, i->reg, i->width, i->high_byte, m->result);
	return false;
}

/* Completes a read. True: a write follows. */
static bool complete_read(struct x86_mmio *m, struct x86_guest *g, uint64_t value)
{
	const struct insn *i = &m->insn;

	switch (i->op) {
	case INSN_MOV:
		if (i->sign_extend)
			value = (uint64_t)mm_sign_extend(value, 8U * i->width);
		write_register(g, i->reg, i->reg_width, i->high_byte, value);
		break;
	case INSN_MOVS:
		/* See prepare_movs(). If the page was unmapped since, the store has no target. */
		(void)!mm_aspace_store(g->stage1.as, m->other, i->width, value);
		finish_string(g, i);
		return false;
	default:
		m->write_due = compute(m, g, value);
		if (m->write_due)
			return true;
		break;
	}
	g->rip += i->length;
	return false;
}

bool x86_mmio_complete(struct x86_mmio *m, struct x86_guest *g, const struct mmio_access *access,
                       uint64_t value)
{
	const struct insn *i = &m->insn;

	if (!access->write)
		return complete_read(m, g, value);
	if (i->op == INSN_STOS || i->op == INSN_MOVS) {
		finish_string(g, i);
		return false;
	}
	if (m->write_due)
		g->rflags = m->rflags;
	m->write_due = false;
	g->rip += i->length;
	return false;
}
