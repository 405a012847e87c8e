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
#define GPR(n)   (8 * (n))
#define HOST_RSP (8 * 16)
#define VMCS_HOST_RSP 0x6c14

	.text
	.globl vmx_enter, vmx_exit_point
	.balign 16
vmx_enter:
	/* 1. The caller's registers, and v, which the exit needs to find. */
	pushq %rbx
	pushq %rbp
	pushq %rdi
	pushq %rsi
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushq %rcx

	/* 2. The exit comes back on this stack. It seldom differs from last time's. */
	cmpq %rsp, HOST_RSP(%rcx)
	jne 3f
1:
	/* 3. The guest's registers; none of these moves touches the flag that chooses. */
	testb %dl, %dl
	movq GPR(0)(%rcx), %rax
	movq GPR(2)(%rcx), %rdx
	movq GPR(3)(%rcx), %rbx
	movq GPR(5)(%rcx), %rbp
	movq GPR(6)(%rcx), %rsi
	movq GPR(7)(%rcx), %rdi
	movq GPR(8)(%rcx), %r8
	movq GPR(9)(%rcx), %r9
	movq GPR(10)(%rcx), %r10
	movq GPR(11)(%rcx), %r11
	movq GPR(12)(%rcx), %r12
	movq GPR(13)(%rcx), %r13
	movq GPR(14)(%rcx), %r14
	movq GPR(15)(%rcx), %r15
	movq GPR(1)(%rcx), %rcx
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
	xchgq %rcx, (%rsp)
	movq %rax, GPR(0)(%rcx)
	movq %rdx, GPR(2)(%rcx)
	movq %rbx, GPR(3)(%rcx)
	movq %rbp, GPR(5)(%rcx)
	movq %rsi, GPR(6)(%rcx)
	movq %rdi, GPR(7)(%rcx)
	movq %r8, GPR(8)(%rcx)
	movq %r9, GPR(9)(%rcx)
	movq %r10, GPR(10)(%rcx)
	movq %r11, GPR(11)(%rcx)
	movq %r12, GPR(12)(%rcx)
	movq %r13, GPR(13)(%rcx)
	movq %r14, GPR(14)(%rcx)
	movq %r15, GPR(15)(%rcx)
	popq GPR(1)(%rcx)
	xorl %eax, %eax

restore:
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rsi
	popq %rdi
	popq %rbp
	popq %rbx
	ret
