/*
 * What an exit says: SDM vol. 3C, 28.2 (what the VMCS records) and appendix C (reasons). One
 * short function per reason; each reads what it needs of the VMCS and nothing more, because a
 * VMREAD is not free.
 */
#include "guests/abi.h"
#include "machine/x86_64/cpu.h"
#include "machine/x86_64/traps.h"
#include "vmx/insn.h"
#include "vmx/vmx.h"

/* With accessed and dirty flags on, a walk of the guest's tables counts as a write whatever it
 * does to them (29.3.3.2), and both bits may be set; so may they for a read-modify-write. */
static enum mm_perm access_of(uint64_t qualification)
{
	if (qualification & QUAL_EPT_FETCH)
		return MM_X;
	return qualification & QUAL_EPT_WRITE ? MM_W : MM_R;
}

static bool decode_violation(struct vmx_vcpu *v, struct vm_exit *exit)
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
		.gpa = gpa_at(gpa),
		.gva = gva_at(exit->raw[3]),
		.access = access_of(qualification),
		.gva_valid = linear,
		.stage1_walk = linear && !(qualification & QUAL_EPT_FINAL),
		.present = qualification & QUAL_EPT_ENTRY_RWX,
	};
	if (MM_UNLIKELY(vectoring & EVENT_VALID))
		vmx_requeue(v, vectoring, VMCS_IDT_VECTORING_ERROR_CODE);
	return false;
}

static bool decode_misconfiguration(struct vm_exit *exit)
{
	exit->kind = VM_EXIT_MISCONFIG;
	exit->raw[2] = vmread(VMCS_GUEST_PHYSICAL_ADDRESS);
	exit->fault = (struct vm_exit_fault){.gpa = gpa_at(exit->raw[2]), .access = MM_R};
	return false;
}

/* guests/abi.h: the number in EAX. What is not Faultline's own comes out far above its calls. */
static bool decode_call(struct vmx_vcpu *v, uint64_t rip, struct vm_exit *exit)
{
	v->rip = rip + vmread(VMCS_EXIT_INSTRUCTION_LENGTH);
	vmwrite(VMCS_GUEST_RIP, v->rip);
	exit->kind = VM_EXIT_HYPERCALL;
	exit->call.function = (uint32_t)v->gpr[GPR_RAX] ^ GUEST_X86_BASE;
	exit->call.args[0] = v->gpr[GPR_RDI];
	exit->call.args[1] = v->gpr[GPR_RSI];
	exit->call.args[2] = v->gpr[GPR_RDX];
	return false;
}

static bool decode_port(const struct vmx_vcpu *v, struct vm_exit *exit)
{
	uint64_t qualification = vmread(VMCS_EXIT_QUALIFICATION);
	uint8_t width = (uint8_t)(FIELD_GET(QUAL_IO_SIZE, qualification) + 1);

	exit->kind = VM_EXIT_PORT;
	exit->raw[1] = qualification;
	exit->port = (struct vm_exit_port){
		.port = (uint16_t)FIELD_GET(QUAL_IO_PORT, qualification),
		.width = width,
		.write = !(qualification & QUAL_IO_IN),
		.string = qualification & QUAL_IO_STRING,
		.value = (uint32_t)(v->gpr[GPR_RAX] & GENMASK(8 * width - 1, 0)),
	};
	return false;
}

static bool decode_control_register(const struct vmx_vcpu *v, struct vm_exit *exit)
{
	uint64_t qualification = vmread(VMCS_EXIT_QUALIFICATION);
	uint8_t gpr = (uint8_t)FIELD_GET(QUAL_CR_GPR, qualification);

	exit->kind = VM_EXIT_SYSREG;
	exit->raw[1] = qualification;
	exit->sysreg = (struct vm_exit_sysreg){
		.reg = SYSREG_CR(FIELD_GET(QUAL_CR_NUMBER, qualification)),
		.write = FIELD_GET(QUAL_CR_TYPE, qualification) != CR_TYPE_READ,
		.value = gpr == GPR_RSP ? vmread(VMCS_GUEST_RSP) : v->gpr[gpr],
		.gpr = gpr,
	};
	return false;
}

static bool answer_cpuid(struct vmx_vcpu *v)
{
	guest_cpuid(v->gpr, "FaultlineVMX");
	vmx_step(v);
	return true;
}

/* An NMI blocks further ones until an IRET, which the host's own handler ends with: so take it
 * by the interrupt table. Exceptions go to the guest, which made them. */
static bool decode_exception(struct vmx_vcpu *v)
{
	uint64_t info = vmread(VMCS_EXIT_INTERRUPTION_INFO);

	if (FIELD_GET(EVENT_TYPE, info) == EVENT_NMI) {
		__asm__ volatile("int $2" : : : "memory");
		return true;
	}
	vmx_requeue(v, info, VMCS_EXIT_ERROR_CODE);
	return true;
}

/* Either timer: the deadline, unless it came early. */
static bool decode_timer(struct vmx_vcpu *v, uint64_t deadline, struct vm_exit *exit)
{
	v->deadline = 0;
	exit->kind = VM_EXIT_DEADLINE;
	return rdtsc() < deadline;
}

/* Anything but the timer's interrupt is a kick. */
static bool decode_interrupt(struct vmx_vcpu *v, uint64_t deadline, struct vm_exit *exit)
{
	unsigned vector = (unsigned)FIELD_GET(EVENT_VECTOR, vmread(VMCS_EXIT_INTERRUPTION_INFO));

	traps_external_interrupt(vector);
	exit->kind = VM_EXIT_INTERRUPT;
	if (vector != VECTOR_TIMER)
		return false;
	return decode_timer(v, deadline, exit);
}

/* The write that found the buffer full has not been done; it may have been part of an event's
 * delivery. */
static bool empty_log(struct vmx_vcpu *v)
{
	uint64_t vectoring = vmread(VMCS_IDT_VECTORING_INFO);

	vmx_pml_full(v);
	if (vectoring & EVENT_VALID)
		vmx_requeue(v, vectoring, VMCS_IDT_VECTORING_ERROR_CODE);
	return true;
}

static bool fail(struct vm_exit *exit, const char *text)
{
	exit->kind = VM_EXIT_FAILURE;
	exit->failure = text;
	return false;
}

static bool decode_entry_failure(const struct vmx_vcpu *v, struct vm_exit *exit)
{
	exit->raw[1] = vmread(VMCS_EXIT_QUALIFICATION);
	switch (v->reason & REASON_BASIC) {
	case REASON_BAD_GUEST_STATE:
		return fail(exit, "VM-entry failure: invalid guest state");
	case REASON_MSR_LOADING:
		return fail(exit, "VM-entry failure: MSR loading");
	case REASON_MACHINE_CHECK:
		return fail(exit, "VM-entry failure: machine-check event");
	default:
		return fail(exit, "VM-entry failure");
	}
}

/* The rest: rare, or not the guest's to do. */
static bool decode_other(struct vmx_vcpu *v, struct vm_exit *exit)
{
	switch (v->reason) {
	case REASON_INTERRUPT_WINDOW:
		vmx_close_window(v);
		return true;
	case REASON_INVD:
	case REASON_WBINVD:
		/* Guest memory is coherent: there is nothing to write back. */
		vmx_step(v);
		return true;
	case REASON_HLT:
		exit->kind = VM_EXIT_HALT;
		return false;
	case REASON_TRIPLE_FAULT:
		exit->kind = VM_EXIT_SHUTDOWN;
		return false;
	case REASON_TASK_SWITCH:
		return fail(exit, "a task switch, which Faultline does not do for its guests");
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
	case REASON_MOV_DR:
	case REASON_MWAIT:
	case REASON_MONITOR:
	case REASON_INVEPT:
	case REASON_INVVPID:
	case REASON_XSETBV:
	case REASON_INVPCID:
	case REASON_VMFUNC:
		exit->kind = VM_EXIT_UNDEFINED;
		return false;
	default:
		return fail(exit, "an exit reason that Faultline does not know");
	}
}

/* All but the two exits below, which a guest's speed depends on. */
static MM_NOINLINE bool decode_seldom(struct vmx_vcpu *v, uint64_t deadline, struct vm_exit *exit)
{
	switch (v->reason) {
	case REASON_EPT_MISCONFIGURATION:
		return decode_misconfiguration(exit);
	case REASON_IO:
		return decode_port(v, exit);
	case REASON_RDMSR:
	case REASON_WRMSR:
		x86_msr_exit(v->gpr, v->reason == REASON_WRMSR, exit);
		return false;
	case REASON_CR_ACCESS:
		return decode_control_register(v, exit);
	case REASON_CPUID:
		return answer_cpuid(v);
	case REASON_EXCEPTION_OR_NMI:
		return decode_exception(v);
	case REASON_EXTERNAL_INTERRUPT:
		return decode_interrupt(v, deadline, exit);
	case REASON_PREEMPTION_TIMER:
		return decode_timer(v, deadline, exit);
	case REASON_PML_FULL:
		return empty_log(v);
	default:
		return v->reason & REASON_ENTRY_FAILURE ? decode_entry_failure(v, exit)
		                                        : decode_other(v, exit);
	}
}

bool vmx_decode(struct vmx_vcpu *v, uint64_t deadline, struct vm_exit *exit)
{
	uint32_t reason = (uint32_t)vmread(VMCS_EXIT_REASON);
	uint64_t rip = vmread(VMCS_GUEST_RIP);

	v->reason = reason;
	v->rip = rip;
	v->event_queued = false;
	exit->pc = rip;
	exit->raw[0] = reason;
	if (MM_LIKELY(reason == REASON_EPT_VIOLATION))
		return decode_violation(v, exit);
	exit->raw[1] = exit->raw[2] = exit->raw[3] = 0;
	if (MM_LIKELY(reason == REASON_VMCALL))
		return decode_call(v, rip, exit);
	return decode_seldom(v, deadline, exit);
}

/* VM-instruction errors: 31.4. */
static const char *const instruction_errors[] = {
	[3] = "VMPTRLD of an invalid address",
	[4] = "VMLAUNCH with a VMCS that is not clear",
	[5] = "VMRESUME with a VMCS that was not launched",
	[7] = "VM entry with invalid control fields",
	[8] = "VM entry with invalid host-state fields",
	[26] = "VM entry blocked by MOV SS",
};

void vmx_decode_refusal(struct vm_exit *exit, bool no_vmcs)
{
	uint64_t error = no_vmcs ? 0 : vmread(VMCS_INSTRUCTION_ERROR);

	exit->pc = 0;
	exit->raw[0] = 0;
	exit->raw[1] = error;
	fail(exit, no_vmcs ? "VM entry without a current VMCS"
	           : error < MM_ARRAY_SIZE(instruction_errors) && instruction_errors[error] != NULL
	                   ? instruction_errors[error]
	                   : "VM entry refused");
}
