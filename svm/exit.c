/*
 * What an exit says: APM vol. 2, 15.6 and appendix C. One short function per EXITCODE.
 */
#include "guests/abi.h"
#include "machine/x86_64/cpu.h"
#include "machine/x86_64/traps.h"
#include "svm/state.h"
#include "svm/svm.h"

/* Bytes of the instructions that are stepped over, without prefixes. */
#define LENGTH_CPUID   2U
#define LENGTH_INVD    2U
#define LENGTH_MSR     2U
#define LENGTH_MOV_CR  3U
#define LENGTH_VMMCALL 3U

static bool decode_nested_fault(struct svm_vcpu *v, struct vm_exit *exit)
{
	uint64_t info = v->vmcb->exit_info1;

	if (MM_UNLIKELY(v->vmcb->exit_int_info & EVENT_VALID))
		svm_requeue(v);
	exit->kind = info & NPF_RESERVED ? VM_EXIT_MISCONFIG : VM_EXIT_NESTED_FAULT;
	exit->fault = (struct vm_exit_fault){
		.gpa = gpa_at(v->vmcb->exit_info2),
		.access = info & NPF_FETCH   ? MM_X
	                  : info & NPF_WRITE ? MM_W
	                                     : MM_R,
		.stage1_walk = info & NPF_WALK,
		.present = info & NPF_PRESENT,
	};
	return false;
}

/* guests/abi.h: the number in EAX. What is not Faultline's own comes out far above its calls. */
static bool decode_call(struct svm_vcpu *v, struct vm_exit *exit)
{
	/* Nobody writes a prefix before VMMCALL; a guest that does continues inside it. */
	svm_step_to(v, v->vmcb->rip + LENGTH_VMMCALL);
	exit->kind = VM_EXIT_HYPERCALL;
	exit->call.function = (uint32_t)v->gpr[GPR_RAX] ^ GUEST_X86_BASE;
	exit->call.args[0] = v->gpr[GPR_RDI];
	exit->call.args[1] = v->gpr[GPR_RSI];
	exit->call.args[2] = v->gpr[GPR_RDX];
	return false;
}

static bool decode_port(const struct svm_vcpu *v, struct vm_exit *exit)
{
	uint64_t info = v->vmcb->exit_info1;
	uint8_t width = (uint8_t)FIELD_GET(IOIO_WIDTH, info);

	exit->kind = VM_EXIT_PORT;
	exit->port = (struct vm_exit_port){
		.port = (uint16_t)FIELD_GET(IOIO_PORT, info),
		.width = width,
		.write = !(info & IOIO_IN),
		.string = info & IOIO_STRING,
		.value = (uint32_t)(v->gpr[GPR_RAX] & GENMASK(8 * width - 1, 0)),
	};
	return false;
}

#define EFER_GUEST (EFER_SCE | EFER_LME | EFER_NXE)

/* The guest's EFER, which has SVME set behind its back. LMA is the CPU's to set. */
static bool do_efer(struct svm_vcpu *v, bool write)
{
	uint64_t value = v->gpr[GPR_RDX] << 32 | (uint32_t)v->gpr[GPR_RAX];
	uint64_t old = v->vmcb->efer;

	if (!write) {
		v->gpr[GPR_RAX] = (uint32_t)(old & ~EFER_SVME);
		v->gpr[GPR_RDX] = 0;
	} else if ((value & ~(EFER_GUEST | EFER_LMA)) != 0 ||
	           ((value ^ old) & EFER_LME && v->vmcb->cr0 & CR0_PG)) {
		return false;
	} else {
		v->vmcb->efer = (value & EFER_GUEST) | (old & EFER_LMA) | EFER_SVME;
		v->vmcb->clean &= ~CLEAN_CRX;
	}
	svm_step(v, LENGTH_MSR);
	return true;
}

static bool decode_msr(struct svm_vcpu *v, struct vm_exit *exit)
{
	bool write = v->vmcb->exit_info1 & MSR_IS_WRITE;

	if ((uint32_t)v->gpr[GPR_RCX] == MSR_EFER && do_efer(v, write))
		return true;
	x86_msr_exit(v->gpr, write, exit);
	return false;
}

/* MOV to CR4, 0f 22 /4: the one that exits. What a guest may have is done here. */
static bool decode_cr4(struct svm_vcpu *v, struct vm_exit *exit)
{
	uint8_t gpr;
	uint64_t value;

	if (svm_mov_cr_source(v, &gpr) != MM_OK) {
		exit->kind = VM_EXIT_FAILURE;
		exit->failure = "a write to CR4 whose instruction cannot be fetched again";
		return false;
	}
	value = gpr == GPR_RSP ? v->vmcb->rsp : v->gpr[gpr];
	if ((value & ~guest_cr4_allowed()) == 0 &&
	    (value & CR4_PAE || !(v->vmcb->efer & EFER_LMA))) {
		v->vmcb->cr4 = value;
		v->vmcb->clean &= ~CLEAN_CRX;
		v->vmcb->tlb_control = svm_caps.flush_by_asid ? TLB_FLUSH_ASID : TLB_FLUSH_ALL;
		svm_step(v, LENGTH_MOV_CR);
		return true;
	}
	exit->kind = VM_EXIT_SYSREG;
	exit->sysreg = (struct vm_exit_sysreg){
		.reg = SYSREG_CR(4), .write = true, .value = value, .gpr = gpr};
	return false;
}

static bool answer_cpuid(struct svm_vcpu *v)
{
	guest_cpuid(v->gpr, "FaultlineSVM");
	svm_step(v, LENGTH_CPUID);
	return true;
}

/* The interrupt is still pending: taken as soon as the host lets it. The timer's is the
 * deadline, unless it came early; anything else is a kick. */
static bool decode_interrupt(uint64_t deadline, struct vm_exit *exit)
{
	__asm__ volatile("sti; nop; cli" : : : "memory");
	svm_this_cpu()->timer_deadline = 0;
	exit->kind = rdtsc() >= deadline ? VM_EXIT_DEADLINE : VM_EXIT_INTERRUPT;
	return false;
}

static bool decode_exception(struct svm_vcpu *v)
{
	unsigned vector = (unsigned)(v->vmcb->exit_code - SVM_EXCEPTION);
	bool has_error = vector == 17; /* of the two that are intercepted: #AC */

	svm_queue_exception(v, vector, has_error, (uint32_t)v->vmcb->exit_info1);
	return true;
}

static bool fail(struct vm_exit *exit, const char *text)
{
	exit->kind = VM_EXIT_FAILURE;
	exit->failure = text;
	return false;
}

/* The rest: rare, or not the guest's to do. */
static bool decode_other(struct svm_vcpu *v, struct vm_exit *exit)
{
	uint64_t code = v->vmcb->exit_code;

	switch (code) {
	case SVM_NMI:
	case SVM_INIT:
		/* Held pending until STGI: the host has taken it by now. */
		return true;
	case SVM_INVD:
	case SVM_WBINVD:
		/* Guest memory is coherent: there is nothing to write back. */
		svm_step(v, LENGTH_INVD);
		return true;
	case SVM_HLT:
		exit->kind = VM_EXIT_HALT;
		return false;
	case SVM_SHUTDOWN:
		exit->kind = VM_EXIT_SHUTDOWN;
		return false;
	case SVM_TASK_SWITCH:
		return fail(exit, "a task switch, which Faultline does not do for its guests");
	case SVM_RDPMC:
	case SVM_INVLPGA:
	case SVM_VMRUN:
	case SVM_VMLOAD:
	case SVM_VMSAVE:
	case SVM_STGI:
	case SVM_CLGI:
	case SVM_SKINIT:
	case SVM_MONITOR:
	case SVM_MWAIT:
	case SVM_MWAIT_ARMED:
	case SVM_XSETBV:
		exit->kind = VM_EXIT_UNDEFINED;
		return false;
	case SVM_INVALID:
		return fail(exit, "VMRUN refused the VMCB (VMEXIT_INVALID)");
	default:
		if (code >= SVM_EXCEPTION && code <= SVM_EXCEPTION_LAST)
			return decode_exception(v);
		if (code >= SVM_DR && code <= SVM_DR_LAST) {
			exit->kind = VM_EXIT_UNDEFINED;
			return false;
		}
		return fail(exit, "an exit code that Faultline does not know");
	}
}

bool svm_decode(struct svm_vcpu *v, uint64_t deadline, struct vm_exit *exit)
{
	const struct vmcb *vmcb = v->vmcb;

	exit->pc = vmcb->rip;
	exit->raw[0] = vmcb->exit_code;
	exit->raw[1] = vmcb->exit_info1;
	exit->raw[2] = vmcb->exit_info2;
	exit->raw[3] = vmcb->exit_int_info;

	switch (vmcb->exit_code) {
	case SVM_NPF:
		return decode_nested_fault(v, exit);
	case SVM_VMMCALL:
		return decode_call(v, exit);
	case SVM_IOIO:
		return decode_port(v, exit);
	case SVM_MSR:
		return decode_msr(v, exit);
	case SVM_CR_WRITE + 4:
		return decode_cr4(v, exit);
	case SVM_CPUID:
		return answer_cpuid(v);
	case SVM_INTR:
		return decode_interrupt(deadline, exit);
	default:
		return decode_other(v, exit);
	}
}
