/*
 * Into the guest and out of it.
 *
 *	unsigned vmx_enter(struct vmx_vcpu *v, bool launched)
 *
 * answers 0 after an exit; 1 if there was no current VMCS, 2 if the entry was refused (VMfail:
 * SDM vol. 3C, 31.2), and then no guest instruction has run. Microsoft ABI: v in %rcx, launched
 * in %dl; RBX, RBP, RDI, RSI and R12 to R15 are the caller's. A VMCS switches RSP, RIP, RFLAGS
 * and the segments; all other registers are ours to switch.
 */
#include "x86/enter.inc"

#define HOST_RSP (8 * 16)
#define VMCS_HOST_RSP 0x6c14

	.text
	.globl vmx_enter, vmx_exit_point
	.balign 16
vmx_enter:
	/* 1. The caller's registers, and v, which the exit needs to find. */
	push_host
	pushq %rcx

	/* 2. The exit comes back on this stack. It seldom differs from last time's. */
	cmpq %rsp, HOST_RSP(%rcx)
	jne 3f
1:
	/* 3. The guest's registers; none of these moves touches the flag that chooses. */
	testb %dl, %dl
	movq GPR(0)(%rcx), %rax
	load_guest
	jz 2f
	vmresume
	jmp refused
2:	vmlaunch

	/* 4. Still here: VMfail. CF says no current VMCS, ZF says why is in the VMCS. */
refused:
	popq %rcx
	movl $1, %eax
	movl $2, %ecx
	cmovzl %ecx, %eax
	jmp restore

3:	movq %rsp, HOST_RSP(%rcx)
	movl $VMCS_HOST_RSP, %eax
	vmwrite %rsp, %rax
	jmp 1b

	/* 5. An exit: RSP is as in step 2, everything else is the guest's. */
	.balign 16
vmx_exit_point:
	save_guest
	movq %rax, GPR(0)(%rcx)
	xorl %eax, %eax

restore:
	pop_host
	ret
