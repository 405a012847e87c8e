/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Injection of exceptions and of the interrupt line: APM vol. 2, 15.20 (event injection) and 15.21
 * (virtual interrupts). A VMCB holds one event to inject at the next entry; the interrupt waits
 * for an entry without another event.
 */
#include "machine/x86_64/cpu.h"
#include "svm/svm.h"

/* Of the exceptions that Faultline injects: APM vol. 2, table 8-1. */
static bool has_error_code(enum x86_exception vector)
{
	return vector == EXCEPTION_GP || vector == EXCEPTION_PF || vector == EXCEPTION_AC;
}

void svm_inject_exception(struct svm_vcpu *v, enum x86_exception vector, uint32_t code)
{
	uint64_t event = x86_event(EVENT_EXCEPTION, vector);

	if (has_error_code(vector))
		event |= EVENT_ERROR_CODE | FIELD_PREP(EVENT_ERROR, code);
	v->vmcb->event_injection = event;
}

/* INT n, INT3 and INTO are not injected again: RIP still points at the instruction, and the guest
 * executes it again. */
static bool is_software(uint64_t event)
{
	uint64_t vector = FIELD_GET(EVENT_VECTOR, event);

	return FIELD_GET(EVENT_TYPE, event) == EVENT_SOFTWARE_INTERRUPT ||
	       (FIELD_GET(EVENT_TYPE, event) == EVENT_EXCEPTION &&
	        (vector == EXCEPTION_BP || vector == EXCEPTION_OF));
}

/* Exceptions have vectors below 32. QEMU (7.2) reports each interrupt as an exception. */
static uint64_t corrected(uint64_t event)
{
	uint64_t vector = FIELD_GET(EVENT_VECTOR, event);

	if (FIELD_GET(EVENT_TYPE, event) == EVENT_EXCEPTION && vector >= EXCEPTIONS)
		return x86_event(EVENT_INTERRUPT, (unsigned)vector);
	return event;
}

void svm_reinject(struct svm_vcpu *v)
{
	uint64_t event = corrected(v->vmcb->exit_int_info);

	if (!is_software(event))
		v->vmcb->event_injection = event;
}

/* The guest can take an interrupt before its next instruction, and no other event is injected. */
static bool can_take_interrupt(const struct vmcb *vmcb)
{
	return (vmcb->rflags & RFLAGS_IF) && !(vmcb->interrupt_shadow & INTERRUPT_SHADOW) &&
	       !(vmcb->event_injection & EVENT_VALID);
}

/*
 * If the guest can take the interrupt at once, it is injected (15.20). If not, V_IRQ is set: the
 * CPU delivers the interrupt as soon as the guest can take it, and clears V_IRQ (15.21.4). If the
 * line is still raised then, the next entry sets V_IRQ again. V_IRQ alone would not do: Bochs 2.7
 * tests it only after the guest has changed IF, so a guest that is entered with IF set would never
 * get the interrupt.
 */
void svm_inject_interrupt(struct svm_vcpu *v)
{
	struct vmcb *vmcb = v->vmcb;
	uint64_t wanted = V_INTR_MASKING | (vmcb->virtual_interrupt & V_TPR);

	if (MM_UNLIKELY(v->x86.interrupt_line)) {
		if (can_take_interrupt(vmcb))
			vmcb->event_injection = x86_event(EVENT_INTERRUPT, X86_INTERRUPT_VECTOR);
		else
			wanted |= V_IRQ | V_IGNORE_TPR | V_PRIORITY |
			          FIELD_PREP(V_VECTOR, X86_INTERRUPT_VECTOR);
	}
	if (vmcb->virtual_interrupt != wanted) {
		vmcb->virtual_interrupt = wanted;
		vmcb->clean &= ~CLEAN_TPR;
	}
}

/* An access to an MSR or control register that does not exist raises #GP(0). */
static bool raises_gp(uint64_t exit_code)
{
	switch (exit_code) {
	case SVM_MSR:
	case SVM_RDPMC:
	case SVM_CR_WRITE + 4:
		return true;
	default:
		return false;
	}
}

void svm_inject_undefined(struct vcpu *vcpu)
{
	struct svm_vcpu *v = svm_of(vcpu);

	svm_inject_exception(v, raises_gp(v->vmcb->exit_code) ? EXCEPTION_GP : EXCEPTION_UD, 0);
}
