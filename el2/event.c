/* SPDX-License-Identifier: BSD-2-Clause */
/* Injects an exception or an interrupt. */
#include "el2/el2.h"

/* D1.3.1: offsets into the table at VBAR_EL1, by the guest's exception level and stack pointer. */
#define OFFSET_EL1T 0x000
#define OFFSET_EL1H 0x200
#define OFFSET_EL0  0x400

static uint64_t vector_offset(uint64_t pstate)
{
	switch (FIELD_GET(PSTATE_MODE, pstate)) {
	case PSTATE_EL1H:
		return OFFSET_EL1H;
	case PSTATE_EL1T:
		return OFFSET_EL1T;
	default:
		return OFFSET_EL0;
	}
}

/* D1.3.1: the flags, DIT and PAN stay; SCTLR_EL1 sets PAN and SSBS; the other bits are 0. */
static uint64_t pstate_of_handler(uint64_t pstate)
{
	uint64_t sctlr = read_sctlr_el1();

	pstate = (pstate & (PSTATE_NZCV | PSTATE_DIT | PSTATE_PAN)) | PSTATE_DAIF | PSTATE_EL1H;
	if ((sctlr & SCTLR_EL1_SPAN) == 0)
		pstate |= PSTATE_PAN;
	if ((sctlr & SCTLR_EL1_DSSBS) != 0)
		pstate |= PSTATE_SSBS;
	return pstate;
}

/* Does what the CPU does (D1.3.1): exception class 0, of a 32-bit instruction. */
void el2_inject_undefined(struct vcpu *vcpu)
{
	struct el2_vcpu *v = el2_of(vcpu);

	el2_load(v);
	write_esr_el1(ESR_IL);
	write_elr_el1(v->pc);
	write_spsr_el1(v->pstate);
	v->pc = (read_vbar_el1() & VBAR_EL1_BASE) + vector_offset(v->pstate);
	v->pstate = pstate_of_handler(v->pstate);
	v->mmio.second = false;
}

/* HCR_EL2.VI is a level: the guest takes the interrupt as soon as it is not masked. */
void el2_update_interrupt(struct el2_vcpu *v)
{
	v->hcr = v->line || v->vtimer ? v->hcr | HCR_VI : v->hcr & ~HCR_VI;
	el2_update_hcr(v);
}

void el2_set_interrupt(struct vcpu *vcpu, bool pending)
{
	struct el2_vcpu *v = el2_of(vcpu);

	v->line = pending;
	el2_update_interrupt(v);
}
