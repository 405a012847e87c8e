/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world switch of SVM.
 *
 *	void svm_enter(struct svm_vcpu *v, uint64_t vmcb, uint64_t host_area)
 *
 * Microsoft ABI: v is in %rcx, the VMCB's physical address in %rdx, that of this CPU's VMSAVE area
 * in %r8; RBX, RBP, RDI, RSI and R12 to R15 belong to the caller. VMRUN switches RAX, RSP, RIP,
 * RFLAGS and the visible segment registers. VMLOAD and VMSAVE switch the rest: FS, GS, TR, LDTR
 * and the MSRs of SYSCALL and SYSENTER (APM vol. 2, 15.5). This code switches the other general
 * registers.
 */
#include "svm/offsets.h"
#include "x86/enter.inc"

	.text
	.globl svm_enter
	.balign 16
svm_enter:
	/* 1. Save the caller's registers, and v and host_area for steps 4 and 5. */
	push_host
	pushq %r8
	pushq %rcx

	/* 2. CLGI holds interrupts back until STGI or VMRUN. In the guest, V_INTR_MASKING makes the
	 *    host's IF the mask of physical interrupts: they exit, whatever the guest's IF is
	 *    (15.21.1). */
	clgi
	sti

	/* 3. Load the guest's registers. VMRUN loads RAX from the VMCB. */
	movq GPR(0)(%rcx), %rax
	movq %rax, VMCB_RAX(%rdx)
	movq %rdx, %rax
	load_guest
	vmload
	vmrun
	vmsave

	/* 4. An exit: RAX is the VMCB's address and RSP as in step 2; all other general registers
	 *    are the guest's. */
	save_guest
	movq VMCB_RAX(%rax), %rdx
	movq %rdx, GPR(0)(%rcx)

	/* 5. Load the rest of the host's state. Then mask interrupts, and stop holding them back. */
	popq %rax
	vmload
	cli
	stgi

	pop_host
	ret
