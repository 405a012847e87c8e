/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decides what an exit is, by its EXITCODE: APM vol. 2, 15.6 and appendix C. One short function
 * per code.
 *
 * decode_ functions fill *exit and return EXIT_RETURN; handle_ functions may return EXIT_RESUME.
 */
#include "machine/x86_64/cpu.h"
#include "svm/svm.h"

static enum exit_action decode_nested_fault(struct svm_vcpu *v, struct vm_exit *exit)
{
	uint64_t info = v->vmcb->exit_info1;

	if (MM_UNLIKELY(v->vmcb->exit_int_info & EVENT_VALID))
		svm_reinject(v);
	exit->kind = info & NPF_RESERVED ? VM_EXIT_MISCONFIG : VM_EXIT_NESTED_FAULT;
	exit->fault = (struct vm_exit_fault){
		.gpa = mm_gpa_at(v->vmcb->exit_info2),
		.access = info & NPF_FETCH   ? MM_X
	                  : info & NPF_WRITE ? MM_W
	                                     : MM_R,
		.stage1_walk = info & NPF_WALK,
		.present = info & NPF_PRESENT,
	};
	return EXIT_RETURN;
}

static enum exit_action decode_call(struct svm_vcpu *v, struct vm_exit *exit)
{
	/* Only the guest's kernel may make hypercalls. */
	if (MM_UNLIKELY(v->vmcb->cpl != 0)) {
		exit->kind = VM_EXIT_UNDEFINED;
		return EXIT_RETURN;
	}
	/* Prefixes are not looked for: a guest that uses one continues inside the instruction. */
	svm_step_to(v, v->vmcb->rip + LENGTH_VMMCALL);
	return x86_decode_call(&v->x86, exit);
}

static enum exit_action decode_port(const struct svm_vcpu *v, struct vm_exit *exit)
{
	uint64_t info = v->vmcb->exit_info1;
	struct vm_exit_port port = {
		.port = (uint16_t)FIELD_GET(IOIO_PORT, info),
		.width = (uint8_t)FIELD_GET(IOIO_WIDTH, info),
		.write = !(info & IOIO_IN),
		.string = info & IOIO_STRING,
	};

	return x86_decode_port(&v->x86, port, exit);
}

/* The interrupt is still pending. The host takes it here. If it is the timer's, the deadline has
 * probably passed; every other interrupt is a kick. */
static enum exit_action decode_interrupt(uint64_t deadline, struct vm_exit *exit)
{
	__asm__ volatile("sti; nop; cli" : : : "memory");
	svm_this_cpu()->timer_deadline = 0;
	exit->kind = rdtsc() >= deadline ? VM_EXIT_DEADLINE : VM_EXIT_INTERRUPT;
	return EXIT_RETURN;
}

/* #DB and #AC: the exception belongs to the guest, which raised it. */
static enum exit_action handle_exception(struct svm_vcpu *v)
{
	enum x86_exception vector = (enum x86_exception)(v->vmcb->exit_code - SVM_EXCEPTION);

	svm_inject_exception(v, vector, (uint32_t)v->vmcb->exit_info1);
	return EXIT_RESUME;
}

/* The remaining codes: rare ones, and instructions that a guest may not use. */
static enum exit_action handle_other(struct svm_vcpu *v, struct vm_exit *exit)
{
	uint64_t code = v->vmcb->exit_code;

	switch (code) {
	case SVM_NMI:
	case SVM_INIT:
		/* It was held pending until STGI, so the host has taken it. */
		return EXIT_RESUME;
	case SVM_INVD:
	case SVM_WBINVD:
		/* Guest memory is cached and coherent: no line has to be written back. */
		svm_step(v, LENGTH_INVD);
		return EXIT_RESUME;
	case SVM_XSETBV:
		return svm_handle_xsetbv(v);
	case SVM_HLT:
		exit->kind = VM_EXIT_HALT;
		return EXIT_RETURN;
	case SVM_SHUTDOWN:
		exit->kind = VM_EXIT_SHUTDOWN;
		return EXIT_RETURN;
	case SVM_TASK_SWITCH:
		return vm_exit_failure(exit, "a task switch, which Faultline does not emulate");
	case SVM_RDPMC:
	case SVM_INVLPGA:
	case SVM_VMRUN:
	case SVM_VMLOAD:
	case SVM_VMSAVE:
	case SVM_STGI:
	case SVM_CLGI:
	case SVM_SKINIT:
	case SVM_RDTSCP:
	case SVM_MONITOR:
	case SVM_MWAIT:
	case SVM_MWAIT_ARMED:
		exit->kind = VM_EXIT_UNDEFINED;
		return EXIT_RETURN;
	case SVM_INVALID:
		return vm_exit_failure(exit, "VMRUN refused the VMCB (VMEXIT_INVALID)");
	default:
		if (code >= SVM_EXCEPTION && code <= SVM_EXCEPTION_LAST)
			return handle_exception(v);
		return vm_exit_failure(exit, "an exit code that Faultline does not know");
	}
}

enum exit_action svm_handle_exit(struct svm_vcpu *v, uint64_t deadline, struct vm_exit *exit)
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
		return svm_handle_msr(v, exit);
	case SVM_CR_WRITE + 4:
		return svm_handle_cr4_write(v, exit);
	case SVM_CPUID:
		return svm_handle_cpuid(v);
	case SVM_INTR:
		return decode_interrupt(deadline, exit);
	default:
		return handle_other(v, exit);
	}
}
