/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decides what an exit is, by its reason: SDM vol. 3C, 28.2 (the fields that the VMCS records)
 * and appendix C (reasons). One short function per reason. Each reads only the VMCS fields that
 * it uses, because a VMREAD takes tens of cycles.
 *
 * decode_ functions fill *exit and return EXIT_RETURN; handle_ functions may return EXIT_RESUME.
 */
#include "machine/x86_64/cpu.h"
#include "machine/x86_64/trap.h"
#include "vmx/vmx.h"

/* QUAL_EPT_READ and QUAL_EPT_WRITE may both be set: for a read-modify-write, and for a walk of
 * the guest's tables while accessed and dirty flags are on, which counts as a write (29.3.3.2). */
static enum mm_perm access_of(uint64_t qualification)
{
	if (qualification & QUAL_EPT_FETCH)
		return MM_X;
	return qualification & QUAL_EPT_WRITE ? MM_W : MM_R;
}

static enum exit_action decode_ept_violation(struct vmx_vcpu *v, struct vm_exit *exit)
{
	uint64_t qualification = vmread(VMCS_EXIT_QUALIFICATION);
	uint64_t gpa = vmread(VMCS_GUEST_PHYSICAL_ADDRESS);
	uint64_t vectoring = vmread(VMCS_IDT_VECTORING_INFO);
	bool linear = qualification & QUAL_EPT_LINEAR_VALID;

	exit->kind = VM_EXIT_NESTED_FAULT;
	exit->raw[1] = qualification;
	exit->raw[2] = gpa;
	exit->raw[3] = linear ? vmread(VMCS_GUEST_LINEAR_ADDRESS) : 0;
	exit->fault = (struct vm_exit_fault){
		.gpa = mm_gpa_at(gpa),
		.gva = mm_gva_at(exit->raw[3]),
		.access = access_of(qualification),
		.gva_valid = linear,
		.stage1_walk = linear && !(qualification & QUAL_EPT_FINAL),
		.present = qualification & QUAL_EPT_ENTRY_RWX,
	};
	if (MM_UNLIKELY(vectoring & EVENT_VALID))
		vmx_reinject(v, vectoring, VMCS_IDT_VECTORING_ERROR_CODE);
	return EXIT_RETURN;
}

static enum exit_action decode_ept_misconfiguration(struct vm_exit *exit)
{
	exit->kind = VM_EXIT_MISCONFIG;
	exit->raw[2] = vmread(VMCS_GUEST_PHYSICAL_ADDRESS);
	exit->fault = (struct vm_exit_fault){.gpa = mm_gpa_at(exit->raw[2]), .access = MM_R};
	return EXIT_RETURN;
}

static enum exit_action decode_call(struct vmx_vcpu *v, uint64_t rip, struct vm_exit *exit)
{
	/* Only the guest's kernel may make hypercalls. */
	if (MM_UNLIKELY(FIELD_GET(SEGMENT_DPL, vmread(VMCS_GUEST_SS_ACCESS)) != 0)) {
		exit->kind = VM_EXIT_UNDEFINED;
		return EXIT_RETURN;
	}
	vmx_step_to(v, rip + vmread(VMCS_EXIT_INSTRUCTION_LENGTH));
	return x86_decode_call(&v->x86, exit);
}

static enum exit_action decode_port(const struct vmx_vcpu *v, struct vm_exit *exit)
{
	uint64_t qualification = vmread(VMCS_EXIT_QUALIFICATION);
	struct vm_exit_port port = {
		.port = (uint16_t)FIELD_GET(QUAL_IO_PORT, qualification),
		.width = (uint8_t)(FIELD_GET(QUAL_IO_SIZE, qualification) + 1),
		.write = !(qualification & QUAL_IO_IN),
		.string = qualification & QUAL_IO_STRING,
	};

	exit->raw[1] = qualification;
	return x86_decode_port(&v->x86, port, exit);
}

/* Neither the exit nor the injection of #DB changes DR6 and DR7, which a guest's own #DB does: SDM
 * vol. 3C, 28.2.1 and vol. 3B, 18.2. The qualification has the new bits of DR6. */
static void complete_debug_exception(void)
{
	uint64_t dr6;

	__asm__ volatile("mov %%db6, %0" : "=r"(dr6));
	dr6 = (dr6 & ~DR6_CAUSES) | (vmread(VMCS_EXIT_QUALIFICATION) & DR6_CAUSES);
	__asm__ volatile("mov %0, %%db6" : : "r"(dr6));
	vmwrite(VMCS_GUEST_DR7, vmread(VMCS_GUEST_DR7) & ~DR7_GD);
}

/*
 * #DB, #AC and NMIs exit. An exception belongs to the guest, which raised it. An NMI belongs to
 * the host: INT 2 calls its handler, whose IRET ends the blocking of further NMIs.
 */
static enum exit_action handle_exception_or_nmi(struct vmx_vcpu *v)
{
	uint64_t info = vmread(VMCS_EXIT_INTERRUPTION_INFO);

	if (FIELD_GET(EVENT_TYPE, info) == EVENT_NMI)
		__asm__ volatile("int $2" : : : "memory");
	else
		vmx_reinject(v, info, VMCS_EXIT_ERROR_CODE);
	if (FIELD_GET(EVENT_TYPE, info) != EVENT_NMI &&
	    FIELD_GET(EVENT_VECTOR, info) == EXCEPTION_DB)
		complete_debug_exception();
	return EXIT_RESUME;
}

/* The preemption timer or the local APIC's. It may expire before the deadline. */
static enum exit_action handle_timer(struct vmx_vcpu *v, uint64_t deadline, struct vm_exit *exit)
{
	v->deadline = 0;
	exit->kind = VM_EXIT_DEADLINE;
	return rdtsc() < deadline ? EXIT_RESUME : EXIT_RETURN;
}

/* The exit has acknowledged the interrupt. Each one but the timer's is a kick. */
static enum exit_action handle_interrupt(struct vmx_vcpu *v, uint64_t deadline,
                                         struct vm_exit *exit)
{
	unsigned vector = (unsigned)FIELD_GET(EVENT_VECTOR, vmread(VMCS_EXIT_INTERRUPTION_INFO));

	trap_external_interrupt(vector);
	exit->kind = VM_EXIT_INTERRUPT;
	if (vector != VECTOR_TIMER)
		return EXIT_RETURN;
	return handle_timer(v, deadline, exit);
}

/* The write that found the buffer full was not executed. It may have been part of the delivery of
 * an event. */
static enum exit_action handle_pml_full(struct vmx_vcpu *v)
{
	uint64_t vectoring = vmread(VMCS_IDT_VECTORING_INFO);

	vmx_pml_full(v);
	if (vectoring & EVENT_VALID)
		vmx_reinject(v, vectoring, VMCS_IDT_VECTORING_ERROR_CODE);
	return EXIT_RESUME;
}

static enum exit_action decode_entry_failure(const struct vmx_vcpu *v, struct vm_exit *exit)
{
	exit->raw[1] = vmread(VMCS_EXIT_QUALIFICATION);
	switch (v->reason & REASON_BASIC) {
	case REASON_BAD_GUEST_STATE:
		return vm_exit_failure(exit, "VM-entry failure: invalid guest state");
	case REASON_MSR_LOADING:
		return vm_exit_failure(exit, "VM-entry failure: MSR loading");
	case REASON_MACHINE_CHECK:
		return vm_exit_failure(exit, "VM-entry failure: machine-check event");
	default:
		return vm_exit_failure(exit, "VM-entry failure");
	}
}

/* The remaining reasons: rare ones, and instructions that a guest may not use. */
static enum exit_action handle_other(struct vmx_vcpu *v, struct vm_exit *exit)
{
	switch (v->reason) {
	case REASON_INTERRUPT_WINDOW:
		vmx_close_window(v);
		return EXIT_RESUME;
	case REASON_XSETBV:
		if (!x86_xsetbv(&v->x86)) {
			exit->kind = VM_EXIT_UNDEFINED;
			return EXIT_RETURN;
		}
		vmx_step(v);
		return EXIT_RESUME;
	case REASON_INVD:
	case REASON_WBINVD:
		/* Guest memory is cached and coherent: no line has to be written back. */
		vmx_step(v);
		return EXIT_RESUME;
	case REASON_HLT:
		exit->kind = VM_EXIT_HALT;
		return EXIT_RETURN;
	case REASON_TRIPLE_FAULT:
		exit->kind = VM_EXIT_SHUTDOWN;
		return EXIT_RETURN;
	case REASON_TASK_SWITCH:
		return vm_exit_failure(exit, "a task switch, which Faultline does not emulate");
	case REASON_GETSEC:
	case REASON_RDPMC:
	case REASON_VMCLEAR:
	case REASON_VMLAUNCH:
	case REASON_VMPTRLD:
	case REASON_VMPTRST:
	case REASON_VMREAD:
	case REASON_VMRESUME:
	case REASON_VMWRITE:
	case REASON_VMXOFF:
	case REASON_VMXON:
	case REASON_MWAIT:
	case REASON_MONITOR:
	case REASON_INVEPT:
	case REASON_INVVPID:
	case REASON_INVPCID:
	case REASON_VMFUNC:
		exit->kind = VM_EXIT_UNDEFINED;
		return EXIT_RETURN;
	default:
		return vm_exit_failure(exit, "an exit reason that Faultline does not know");
	}
}

/* Every exit but the two frequent ones in vmx_handle_exit(). */
static MM_NOINLINE enum exit_action handle_rare(struct vmx_vcpu *v, uint64_t deadline,
                                                struct vm_exit *exit)
{
	switch (v->reason) {
	case REASON_EPT_MISCONFIGURATION:
		return decode_ept_misconfiguration(exit);
	case REASON_IO:
		return decode_port(v, exit);
	case REASON_RDMSR:
	case REASON_WRMSR:
		return x86_decode_msr(&v->x86, v->reason == REASON_WRMSR, exit);
	case REASON_CR_ACCESS:
		return vmx_decode_cr_access(v, exit);
	case REASON_CPUID:
		return vmx_handle_cpuid(v);
	case REASON_EXCEPTION_OR_NMI:
		return handle_exception_or_nmi(v);
	case REASON_EXTERNAL_INTERRUPT:
		return handle_interrupt(v, deadline, exit);
	case REASON_PREEMPTION_TIMER:
		return handle_timer(v, deadline, exit);
	case REASON_PML_FULL:
		return handle_pml_full(v);
	default:
		return v->reason & REASON_ENTRY_FAILURE ? decode_entry_failure(v, exit)
		                                        : handle_other(v, exit);
	}
}

enum exit_action vmx_handle_exit(struct vmx_vcpu *v, uint64_t deadline, struct vm_exit *exit)
{
	uint32_t reason = (uint32_t)vmread(VMCS_EXIT_REASON);
	uint64_t rip = vmread(VMCS_GUEST_RIP);

	v->reason = reason;
	v->rip = rip;
	v->event_queued = false;
	exit->pc = rip;
	exit->raw[0] = reason;
	if (MM_LIKELY(reason == REASON_EPT_VIOLATION))
		return decode_ept_violation(v, exit);
	exit->raw[1] = exit->raw[2] = exit->raw[3] = 0;
	if (MM_LIKELY(reason == REASON_VMCALL))
		return decode_call(v, rip, exit);
	return handle_rare(v, deadline, exit);
}

/* VM-instruction error numbers: 31.4. */
static const char *const instruction_errors[] = {
	[3] = "VMPTRLD of an invalid address",
	[4] = "VMLAUNCH with a VMCS that is not clear",
	[5] = "VMRESUME with a VMCS that was not launched",
	[7] = "VM entry with invalid control fields",
	[8] = "VM entry with invalid host-state fields",
	[26] = "VM entry blocked by MOV SS",
};

static const char *instruction_error_text(uint64_t error)
{
	if (error < MM_ARRAY_SIZE(instruction_errors) && instruction_errors[error] != NULL)
		return instruction_errors[error];
	return "VM entry refused";
}

void vmx_decode_vmfail(struct vm_exit *exit, bool no_vmcs)
{
	uint64_t error = no_vmcs ? 0 : vmread(VMCS_INSTRUCTION_ERROR);

	exit->pc = 0;
	exit->raw[0] = 0;
	exit->raw[1] = error;
	vm_exit_failure(exit, no_vmcs ? "VM entry without a current VMCS"
	                              : instruction_error_text(error));
}
