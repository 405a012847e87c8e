/*
 * What a guest is given beside the instructions it runs: exceptions, the interrupt line, and the
 * step past an instruction that was done for it. SDM vol. 3C, 27.6 (event injection), 25.4.2
 * (interruptibility).
 */
#include "machine/x86_64/cpu.h"
#include "vmx/insn.h"
#include "vmx/vmx.h"

#define VECTOR_UD 6U
#define VECTOR_GP 13U

static void queue(struct vmx_vcpu *v, uint64_t event)
{
	vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, event);
	v->event_queued = true;
}

static void queue_exception(struct vmx_vcpu *v, unsigned vector, bool has_error)
{
	uint64_t event = EVENT_VALID | FIELD_PREP(EVENT_TYPE, EVENT_HARDWARE_EXCEPTION) |
	                 FIELD_PREP(EVENT_VECTOR, vector);

	if (has_error) {
		event |= EVENT_ERROR_CODE;
		vmwrite(VMCS_ENTRY_ERROR_CODE, 0);
	}
	queue(v, event);
}

/* INT n, INT3, INTO and INT1 are delivered anew with the length of the instruction, from which
 * the CPU computes the return address: 27.6.1.3. */
static bool is_software(uint64_t event)
{
	switch (FIELD_GET(EVENT_TYPE, event)) {
	case EVENT_SOFTWARE_INTERRUPT:
	case EVENT_PRIVILEGED_SOFTWARE_EXCEPTION:
	case EVENT_SOFTWARE_EXCEPTION:
		return true;
	default:
		return false;
	}
}

void vmx_requeue(struct vmx_vcpu *v, uint64_t event, enum vmcs_field error_code)
{
	if (event & EVENT_ERROR_CODE)
		vmwrite(VMCS_ENTRY_ERROR_CODE, vmread(error_code));
	if (is_software(event))
		vmwrite(VMCS_ENTRY_INSTRUCTION_LENGTH, vmread(VMCS_EXIT_INSTRUCTION_LENGTH));
	queue(v, event & EVENT_REINJECT);
}

static bool can_take_interrupt(void)
{
	return (vmread(VMCS_GUEST_RFLAGS) & RFLAGS_IF) &&
	       !(vmread(VMCS_GUEST_INTERRUPTIBILITY) & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS));
}

static void set_window(struct vmx_vcpu *v, bool open)
{
	uint64_t controls = vmread(VMCS_PROC_CONTROLS);

	vmwrite(VMCS_PROC_CONTROLS,
	        open ? controls | PROC_INTERRUPT_WINDOW : controls & ~PROC_INTERRUPT_WINDOW);
	v->interrupt_window = open;
}

void vmx_close_window(struct vmx_vcpu *v)
{
	if (v->interrupt_window)
		set_window(v, false);
}

void vmx_offer_interrupt(struct vmx_vcpu *v)
{
	if (!v->event_queued && can_take_interrupt()) {
		queue(v, EVENT_VALID | FIELD_PREP(EVENT_TYPE, EVENT_EXTERNAL_INTERRUPT) |
		                 FIELD_PREP(EVENT_VECTOR, GUEST_INTERRUPT_VECTOR));
		vmx_close_window(v);
	} else if (!v->interrupt_window) {
		set_window(v, true);
	}
}

void vmx_move_rip(struct vmx_vcpu *v, uint64_t rip)
{
	uint64_t blocked = vmread(VMCS_GUEST_INTERRUPTIBILITY);

	v->rip = rip;
	vmwrite(VMCS_GUEST_RIP, rip);
	/* STI and MOV SS block for one instruction, and this was it. */
	if (MM_UNLIKELY(blocked & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)))
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
		        blocked & ~(BLOCKED_BY_STI | BLOCKED_BY_MOV_SS));
	/* A guest that steps through its code sees this step too: 27.7.3. */
	if (MM_UNLIKELY(vmread(VMCS_GUEST_RFLAGS) & RFLAGS_TF))
		vmwrite(VMCS_GUEST_PENDING_DEBUG, PENDING_SINGLE_STEP);
}

void vmx_step(struct vmx_vcpu *v)
{
	vmx_move_rip(v, v->rip + vmread(VMCS_EXIT_INSTRUCTION_LENGTH));
}

/* An MSR or control register that is not there raises #GP(0), and an instruction #UD. */
void vmx_inject_undefined(struct vcpu *vcpu)
{
	struct vmx_vcpu *v = vmx_of(vcpu);

	switch (v->reason) {
	case REASON_RDMSR:
	case REASON_WRMSR:
	case REASON_CR_ACCESS:
	case REASON_RDPMC:
		queue_exception(v, VECTOR_GP, true);
		return;
	default:
		queue_exception(v, VECTOR_UD, false);
		return;
	}
}

void vmx_set_interrupt(struct vcpu *vcpu, bool pending)
{
	vmx_of(vcpu)->interrupt_line = pending;
}
