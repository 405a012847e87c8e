/*
 * Into the guest and out of it.
 *
 *	void svm_enter(struct svm_vcpu *v, uint64_t vmcb, uint64_t host)
 *
 * Microsoft ABI: v in %rcx, the VMCB's physical address in %rdx, this CPU's VMSAVE area in %r8;
 * RBX, RBP, RDI, RSI and R12 to R15 are the caller's. VMRUN switches RAX, RSP, RIP, RFLAGS and
 * the segments that a program sees; VMLOAD and VMSAVE the hidden rest: FS, GS, TR, LDTR and the
 * MSRs of SYSCALL and SYSENTER (APM vol. 2, 15.5). The other general registers are ours.
 */
#include "x86/enter.inc"

#define VMCB_RAX 0x5f8

	.text
	.globl svm_enter
	.balign 16
svm_enter:
	/* 1. The caller's registers, and what the exit needs to find. */
	push_host
	pushq %r8
	pushq %rcx

	/* 2. No interrupt from here to the guest; in it, V_INTR_MASKING makes the host's IF the
	 *    mask of real ones, so that they exit whatever the guest's own IF says (15.21.1). */
	clgi
	sti

	/* 3. The guest's registers: RAX by way of the VMCB. */
	movq GPR(0)(%rcx), %rax
	movq %rax, VMCB_RAX(%rdx)
	movq %rdx, %rax
	load_guest
	vmload
	vmrun
	vmsave

	/* 4. An exit: RAX is the VMCB again and RSP as in step 2; the rest is the guest's. */
	save_guest
	movq VMCB_RAX(%rax), %rdx
	movq %rdx, GPR(0)(%rcx)

	/* 5. The host's hidden state, and then its interrupts: masked, but no longer held back. */
	popq %rax
	vmload
	cli
	stgi

	pop_host
	ret
