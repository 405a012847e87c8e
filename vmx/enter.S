/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world switch of VMX.
 *
 *	unsigned vmx_enter(struct vmx_vcpu *v, bool launched)
 *
 * Returns 0 after an exit. If VMLAUNCH or VMRESUME fails (VMfail: SDM vol. 3C, 31.2), no guest
 * instruction was executed; returns 1 if there is no current VMCS, and 2 if the VMCS has the
 * error number.
 *
 * Microsoft ABI: v is in %rcx, launched in %dl; RBX, RBP, RDI, RSI and R12 to R15 belong to the
 * caller. The CPU switches RSP, RIP, RFLAGS and the segment registers by the VMCS; this code
 * switches all other general registers.
 */
#include "vmx/offsets.h"
#include "x86/enter.inc"

	.text
	.globl vmx_enter, vmx_exit_point
	.balign 16
vmx_enter:
	/* 1. Save the caller's registers, and v for step 5. */
	push_host
	pushq %rcx

	/* 2. An exit loads RSP from the VMCS. Write it only if it has changed: step 6. */
	cmpq %rsp, VMX_HOST_RSP(%rcx)
	jne 3f
1:
	/* 3. Load the guest's registers. MOV leaves the flag of TEST unchanged. */
	testb %dl, %dl
	movq GPR(0)(%rcx), %rax
	load_guest
	jz 2f
	vmresume
	jmp vmfail
2:	vmlaunch

	/* 4. VMfail: CF is set if there is no current VMCS, ZF if the VMCS has the error number. */
vmfail:
	popq %rcx
	movl $1, %eax
	movl $2, %ecx
	cmovzl %ecx, %eax
	jmp restore

	/* 5. An exit: RSP is as in step 2, all other general registers are the guest's. */
	.balign 16
vmx_exit_point:
	save_guest
	movq %rax, GPR(0)(%rcx)
	xorl %eax, %eax

restore:
	pop_host
	ret

	/* 6. The stack has moved since the last entry. */
3:	movq %rsp, VMX_HOST_RSP(%rcx)
	movl $VMX_FIELD_HOST_RSP, %eax
	vmwrite %rsp, %rax
	jmp 1b
