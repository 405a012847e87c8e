/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decodes and completes a device access. ESR_EL2 describes the simple loads and stores (ISV). For
 * others (pairs, write-back), and if an access may have begun on the page before, the instruction
 * is fetched once, through the guest's tables.
 */
#include "el2/el2.h"
#include "frame.h"
#include "log.h"
#include "mm/aspace.h"

/* Without the tag, which FAR_EL2 may have in its highest byte. */
#define UNTAGGED GENMASK(55, 0)

/* Is the guest's data big-endian? SCTLR_EL1.E0E decides for EL0, and EE for EL1. */
static bool is_big_endian(const struct el2_vcpu *v)
{
	bool el0 = FIELD_GET(PSTATE_MODE, v->pstate) == PSTATE_EL0T;

	return (read_sctlr_el1() & (el0 ? SCTLR_EL1_E0E : SCTLR_EL1_EE)) != 0;
}

/* Between a register of the guest and a device, whose registers are little-endian. */
static uint64_t in_order(const struct el2_vcpu *v, uint64_t value, unsigned width)
{
	if (MM_LIKELY(!is_big_endian(v)))
		return value;
	return __builtin_bswap64(value) >> (64 - 8 * width);
}

static uint64_t transferred(const struct el2_vcpu *v, unsigned reg, unsigned width)
{
	return in_order(v, mm_zero_extend(el2_x(v, reg), 8 * width), width);
}

/* --- the base register: 31 is the stack pointer that PSTATE.SP selects --- */

static bool uses_sp_el1(const struct el2_vcpu *v)
{
	return FIELD_GET(PSTATE_MODE, v->pstate) == PSTATE_EL1H;
}

static uint64_t read_base(const struct el2_vcpu *v, unsigned reg)
{
	if (reg < 31)
		return v->x[reg];
	return uses_sp_el1(v) ? read_sp_el1() : read_sp_el0();
}

static void write_base(struct el2_vcpu *v, unsigned reg, uint64_t value)
{
	if (reg < 31)
		v->x[reg] = value;
	else if (uses_sp_el1(v))
		write_sp_el1(value);
	else
		write_sp_el0(value);
}

static uint64_t address_of(const struct el2_vcpu *v, const struct a64_access *insn)
{
	uint64_t base = insn->offset == A64_OFFSET_PC ? v->pc : read_base(v, insn->rn);

	return a64_address(insn, base, el2_x(v, insn->rm));
}

/* --- decoding --- */

/*
 * Reads the instruction. AT for both stages gives the host-physical address (D8.8, AT S12E1R). It
 * fails on a page that the guest may execute and not read; then the library reads it. The word is
 * not trusted: another vCPU may have changed it.
 */
static enum mm_error fetch_word(struct vcpu *vcpu, uint64_t pc, uint32_t *word)
{
	uint64_t par = el2_at_both_stages(el2_of(vcpu), pc);
	enum mm_error error;
	mm_gpa_t at;

	if (MM_LIKELY((par & PAR_F) == 0)) {
		*word = *(const uint32_t *)frame_ptr(mm_hpa_at((par & PAR_PA) | pc % MM_PAGE_SIZE));
		return MM_OK;
	}
	error = el2_translate(vcpu, mm_gva_at(pc), MM_X, &at);
	return error != MM_OK ? error : mm_aspace_fetch(vcpu->as, at, word, sizeof(*word));
}

static enum mm_error fetch(struct vcpu *vcpu, uint64_t pc, struct a64_access *insn)
{
	enum a64_refusal refusal;
	enum mm_error error;
	uint32_t word;

	error = fetch_word(vcpu, pc, &word);
	if (error != MM_OK)
		return error;
	refusal = a64_decode(word, insn);
	if (refusal == A64_ACCEPTED)
		return MM_OK;
	log_line(LOG_INFO, "mmio refused vcpu=%u pc=0x%llx insn=0x%08x reason=\"%s\"", vcpu->index,
	         (unsigned long long)pc, word, a64_refusal_name(refusal));
	return MM_UNSUPPORTED;
}

/* Does the whole access, with both halves of a pair, begin where it faulted and lie in one page?
 * The parts of an access to two pages may be to different devices. */
static bool in_one_page(const struct el2_vcpu *v, const struct a64_access *insn, uint64_t far)
{
	uint64_t bytes = (uint64_t)insn->width * (insn->pair ? 2 : 1);

	return ((address_of(v, insn) ^ far) & UNTAGGED) == 0 &&
	       far % MM_PAGE_SIZE + bytes <= MM_PAGE_SIZE;
}

static MM_NOINLINE enum mm_error decode_instruction(struct vcpu *vcpu, const struct vm_exit *exit,
                                                    struct mmio_access *access)
{
	struct el2_vcpu *v = el2_of(vcpu);
	const struct a64_access *insn = &v->mmio.insn;
	enum mm_error error = MM_OK;
	unsigned reg;

	if (exit->fault.access == MM_X)
		return MM_UNSUPPORTED;
	if (!v->mmio.second)
		error = fetch(vcpu, exit->pc, &v->mmio.insn);
	if (error != MM_OK)
		return error;
	/* The instruction may have been changed since the fault, into another access. */
	if (insn->write != (exit->fault.access == MM_W) ||
	    !in_one_page(v, insn, exit->fault.gva.raw))
		return MM_UNSUPPORTED;

	v->mmio.decoded = true;
	reg = v->mmio.second ? insn->rt2 : insn->rt;
	*access = (struct mmio_access){
		.gpa = mm_gpa_plus(exit->fault.gpa, v->mmio.second ? insn->width : 0),
		.width = insn->width,
		.write = insn->write,
		.sign_extend = insn->sign_extend,
		.reg_width = insn->reg_width,
		.reg = (uint8_t)reg,
		.length = EL2_INSN_BYTES,
		.value = insn->write ? transferred(v, reg, insn->width) : 0,
	};
	return MM_OK;
}

/* An access that faulted on the first byte of a page may have begun on the page before. If the
 * guest may not read that page, it would have faulted there. */
static bool began_here(const struct el2_vcpu *v, uint64_t far)
{
	return far % MM_PAGE_SIZE != 0 || (el2_at_both_stages(v, far - 1) & PAR_F) != 0;
}

/* Does the syndrome describe the whole access? Not if it may lie in two pages. */
static MM_ALWAYS_INLINE bool syndrome_is_complete(const struct el2_vcpu *v,
                                                  const struct vm_exit *exit)
{
	uint64_t esr = exit->raw[0], far = exit->raw[1];
	uint64_t size = FIELD_GET(ISS_SAS, esr);

	return (esr & ISS_ISV) != 0 && (far & (BIT(size) - 1)) == 0 &&
	       (size == 0 || began_here(v, far));
}

/* D17.2.37, ISS of a data abort with ISV. */
static void decode_syndrome(struct el2_vcpu *v, const struct vm_exit *exit,
                            struct mmio_access *access)
{
	uint64_t esr = exit->raw[0];
	unsigned width = 1U << FIELD_GET(ISS_SAS, esr);
	unsigned reg = (unsigned)FIELD_GET(ISS_SRT, esr);

	v->mmio.decoded = false;
	access->gpa = exit->fault.gpa;
	access->width = (uint8_t)width;
	access->write = (esr & ISS_WNR) != 0;
	access->sign_extend = (esr & ISS_SSE) != 0;
	access->reg_width = (esr & ISS_SF) != 0 ? 8 : 4;
	access->reg = (uint8_t)reg;
	access->high_byte = false;
	access->length = EL2_INSN_BYTES;
	access->value = access->write ? transferred(v, reg, width) : 0;
}

enum mm_error el2_mmio_decode(struct vcpu *vcpu, const struct vm_exit *exit,
                              struct mmio_access *access)
{
	if (MM_UNLIKELY(!syndrome_is_complete(el2_of(vcpu), exit)))
		return decode_instruction(vcpu, exit, access);
	decode_syndrome(el2_of(vcpu), exit, access);
	return MM_OK;
}

/* --- completing --- */

/* No register is narrower than its access, so zero-extension to 64 bits is right for W registers,
 * too. */
static uint64_t extended(const struct mmio_access *access, uint64_t value)
{
	unsigned bits = 8U * access->width;

	if (MM_LIKELY(!access->sign_extend))
		return mm_zero_extend(value, bits);
	value = (uint64_t)mm_sign_extend(value, bits);
	return access->reg_width == 4 ? value & UINT32_MAX : value;
}

/* The first access of a pair. Its value is kept until the second access, because its register may
 * be the base of the address. */
static bool first_of_pair(struct el2_vcpu *v, uint64_t value)
{
	if (!v->mmio.decoded || !v->mmio.insn.pair || v->mmio.second)
		return false;
	v->mmio.first = value;
	v->mmio.second = true;
	return true;
}

static void finish_decoded(struct el2_vcpu *v)
{
	const struct a64_access *insn = &v->mmio.insn;

	if (v->mmio.second && !insn->write)
		el2_set_x(v, insn->rt, v->mmio.first);
	v->mmio.second = false;
	if (insn->writeback != A64_KEEP)
		write_base(v, insn->rn, read_base(v, insn->rn) + (uint64_t)insn->imm);
}

bool el2_mmio_complete(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value)
{
	struct el2_vcpu *v = el2_of(vcpu);

	value = extended(access, in_order(v, value, access->width));
	if (first_of_pair(v, value))
		return true;
	if (v->mmio.decoded)
		finish_decoded(v);
	if (!access->write)
		el2_set_x(v, access->reg, value);
	v->pc += EL2_INSN_BYTES;
	return false;
}
