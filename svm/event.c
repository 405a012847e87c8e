/*
 * What a guest is given beside the instructions it runs: exceptions and the interrupt line. APM
 * vol. 2, 15.20 (event injection), 15.21 (virtual interrupts).
 */
#include "machine/x86_64/cpu.h"
#include "svm/state.h"
#include "svm/svm.h"

#define VECTOR_BP 3U
#define VECTOR_OF 4U
#define VECTOR_UD 6U
#define VECTOR_GP 13U

void svm_queue_exception(struct svm_vcpu *v, unsigned vector, bool has_error, uint32_t error)
{
	v->vmcb->event_injection =
		EVENT_VALID | FIELD_PREP(EVENT_TYPE, EVENT_EXCEPTION) |
		FIELD_PREP(EVENT_VECTOR, vector) |
		(has_error ? EVENT_ERROR_CODE | FIELD_PREP(EVENT_ERROR, error) : 0);
}

/* INT n, INT3 and INTO are not given again: RIP is still at the instruction, which the guest
 * executes once more. */
static bool is_software(uint64_t event)
{
	uint64_t vector = FIELD_GET(EVENT_VECTOR, event);

	return FIELD_GET(EVENT_TYPE, event) == EVENT_SOFTWARE ||
	       (FIELD_GET(EVENT_TYPE, event) == EVENT_EXCEPTION &&
	        (vector == VECTOR_BP || vector == VECTOR_OF));
}

void svm_requeue(struct svm_vcpu *v)
{
	uint64_t event = v->vmcb->exit_int_info;

	if (!is_software(event))
		v->vmcb->event_injection = event;
}

/* Can the guest take an interrupt before its next instruction, with nothing else on its way? */
static bool is_open(const struct vmcb *vmcb)
{
	return (vmcb->rflags & RFLAGS_IF) && !(vmcb->interrupt_shadow & INTERRUPT_SHADOW) &&
	       !(vmcb->event_injection & EVENT_VALID);
}

/*
 * Injected where the guest can take it at once (15.20). Otherwise V_IRQ waits in hardware until
 * it can, and falls when it has (15.21.4). A line that is still up raises it anew at the next
 * entry. Bochs 2.7 looks at V_IRQ only after the guest has changed IF, so that a guest which was
 * entered with IF set would never get it that way.
 */
void svm_offer_interrupt(struct svm_vcpu *v)
{
	struct vmcb *vmcb = v->vmcb;
	uint64_t wanted = V_INTR_MASKING;

	if (MM_UNLIKELY(v->interrupt_line)) {
		if (is_open(vmcb))
			vmcb->event_injection = EVENT_VALID |
			                        FIELD_PREP(EVENT_TYPE, EVENT_INTERRUPT) |
			                        FIELD_PREP(EVENT_VECTOR, GUEST_INTERRUPT_VECTOR);
		else
			wanted |= V_IRQ | V_IGNORE_TPR | V_PRIORITY |
			          FIELD_PREP(V_VECTOR, GUEST_INTERRUPT_VECTOR);
	}
	if (vmcb->virtual_interrupt != wanted) {
		vmcb->virtual_interrupt = wanted;
		vmcb->clean &= ~CLEAN_TPR;
	}
}

/* An MSR or control register that is not there raises #GP(0), and an instruction #UD. */
void svm_inject_undefined(struct vcpu *vcpu)
{
	struct svm_vcpu *v = svm_of(vcpu);

	switch (v->vmcb->exit_code) {
	case SVM_MSR:
	case SVM_RDPMC:
	case SVM_CR_WRITE + 4:
		svm_queue_exception(v, VECTOR_GP, true, 0);
		return;
	default:
		svm_queue_exception(v, VECTOR_UD, false, 0);
		return;
	}
}

void svm_set_interrupt(struct vcpu *vcpu, bool pending)
{
	svm_of(vcpu)->interrupt_line = pending;
}
