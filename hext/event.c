/* SPDX-License-Identifier: BSD-2-Clause */
/* Injects an exception or the timer interrupt. */
#include "hext/hext.h"

/*
 * Does what the hart does when VS-mode takes an illegal-instruction exception (4.1.1, 4.1.2).
 * Exceptions go to vstvec.BASE in both of its modes.
 */
void hext_inject_undefined(struct vcpu *vcpu)
{
	struct hext_vcpu *v = hext_of(vcpu);
	struct hext_csrs *csr = &v->csr;
	bool from_vs, enabled;

	hext_unload(v);
	from_vs = (csr->sstatus & SSTATUS_SPP) != 0;
	enabled = (csr->vsstatus & SSTATUS_SIE) != 0;
	csr->vsstatus &= ~(SSTATUS_SPP | SSTATUS_SPIE | SSTATUS_SIE);
	csr->vsstatus |= (from_vs ? SSTATUS_SPP : 0) | (enabled ? SSTATUS_SPIE : 0);
	csr->vsepc = csr->sepc;
	csr->vscause = CAUSE_ILLEGAL;
	csr->vstval = 0;
	csr->sepc = csr->vstvec & ~UINT64_C(3);
	csr->sstatus |= SSTATUS_SPP;
	csr->hstatus |= HSTATUS_SPVP;
}

/* hvip.VSTIP. With Sstc the guest has a second timer, vstimecmp. */
void hext_set_interrupt(struct vcpu *vcpu, bool pending)
{
	struct hext_vcpu *v = hext_of(vcpu);

	hext_unload(v);
	v->csr.hvip &= ~INTERRUPT_VS_TIMER;
	if (pending)
		v->csr.hvip |= INTERRUPT_VS_TIMER;
}
