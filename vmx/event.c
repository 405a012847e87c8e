/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Injection of exceptions and of the interrupt line (SDM vol. 3C, 27.6), and the step over an
 * instruction that was emulated. A VMCS holds one event to inject at the next entry; the
 * interrupt waits for an entry without another event.
 */
#include "machine/x86_64/cpu.h"
#include "vmx/vmx.h"

/* The bits of IDT-vectoring information that may be written to the entry's interruption
 * information: bit 12 is undefined in the former. Tables 25-17 and 25-20. */
#define EVENT_REINJECT (EVENT_VALID | EVENT_ERROR_CODE | EVENT_TYPE | EVENT_VECTOR)

static void queue(struct vmx_vcpu *v, uint64_t event)
{
	vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, event);
	v->event_queued = true;
}

/* INT n, INT1, INT3 and INTO: the CPU computes the return address from the length of the
 * instruction, which the entry has to repeat (27.6.1.3). */
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

/*
 * With TF set and interrupts blocked by STI or MOV SS, VM entry demands a pending single step
 * (27.3.1.5). An exit for #DB does not record one.
 */
static void keep_single_step(void)
{
	if (MM_UNLIKELY(vmread(VMCS_GUEST_RFLAGS) & RFLAGS_TF) &&
	    (vmread(VMCS_GUEST_INTERRUPTIBILITY) & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)))
		vmwrite(VMCS_GUEST_PENDING_DEBUG, PENDING_SINGLE_STEP);
}

void vmx_reinject(struct vmx_vcpu *v, uint64_t event, enum vmcs_field error_code)
{
	if (event & EVENT_ERROR_CODE)
		vmwrite(VMCS_ENTRY_ERROR_CODE, vmread(error_code));
	if (is_software(event))
		vmwrite(VMCS_ENTRY_INSTRUCTION_LENGTH, vmread(VMCS_EXIT_INSTRUCTION_LENGTH));
	keep_single_step();
	queue(v, event & EVENT_REINJECT);
}

/* Blocking by STI and by MOV SS ends with the next instruction (25.4.2), but not if that exits. */
static void end_blocking(void)
{
	uint64_t blocked = vmread(VMCS_GUEST_INTERRUPTIBILITY);

	if (MM_UNLIKELY(blocked & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)))
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
		        blocked & ~(BLOCKED_BY_STI | BLOCKED_BY_MOV_SS));
}

/* A hypercall does not end the blocking by itself, because it is frequent and this is not. */
static bool can_take_interrupt(const struct vmx_vcpu *v)
{
	if (v->reason == REASON_VMCALL)
		end_blocking();
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

void vmx_inject_interrupt(struct vmx_vcpu *v)
{
	if (!v->event_queued && can_take_interrupt(v)) {
		queue(v, x86_event(EVENT_INTERRUPT, X86_INTERRUPT_VECTOR));
		vmx_close_window(v);
	} else if (!v->interrupt_window) {
		set_window(v, true);
	}
}

void vmx_step_to(struct vmx_vcpu *v, uint64_t rip)
{
	v->rip = rip;
	vmwrite(VMCS_GUEST_RIP, rip);
	end_blocking();
	/* The emulated instruction ends with a single-step trap, as any other does: 27.7.3. */
	if (MM_UNLIKELY(vmread(VMCS_GUEST_RFLAGS) & RFLAGS_TF))
		vmwrite(VMCS_GUEST_PENDING_DEBUG, PENDING_SINGLE_STEP);
}

void vmx_step(struct vmx_vcpu *v)
{
	vmx_step_to(v, v->rip + vmread(VMCS_EXIT_INSTRUCTION_LENGTH));
}

/* An access to an MSR or control register that does not exist raises #GP(0). */
static bool raises_gp(uint32_t reason)
{
	switch (reason) {
	case REASON_RDMSR:
	case REASON_WRMSR:
	case REASON_CR_ACCESS:
	case REASON_RDPMC:
	case REASON_XSETBV:
		return true;
	default:
		return false;
	}
}

void vmx_inject_exception(struct vmx_vcpu *v, enum x86_exception vector, uint32_t code)
{
	vmwrite(VMCS_ENTRY_ERROR_CODE, code);
	queue(v, x86_event(EVENT_EXCEPTION, vector) | EVENT_ERROR_CODE);
}

void vmx_inject_undefined(struct vcpu *vcpu)
{
	struct vmx_vcpu *v = vmx_of(vcpu);

	if (raises_gp(v->reason))
		vmx_inject_exception(v, EXCEPTION_GP, 0);
	else
		queue(v, x86_event(EVENT_EXCEPTION, EXCEPTION_UD));
}
