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
#define GPR(n)   (8 * (n))
#define VMCB_RAX 0x5f8

	.text
	.globl svm_enter
	.balign 16
svm_enter:
	/* 1. The caller's registers, and what the exit needs to find. */
	pushq %rbx
	pushq %rbp
	pushq %rdi
	pushq %rsi
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
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
	vmload
	vmrun
	vmsave

	/* 4. An exit: RAX is the VMCB again and RSP as in step 2; the rest is the guest's. */
	xchgq %rcx, (%rsp)
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
	movq VMCB_RAX(%rax), %rdx
	movq %rdx, GPR(0)(%rcx)

	/* 5. The host's hidden state, and then its interrupts: masked, but no longer held back. */
	popq %rax
	vmload
	cli
	stgi

	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rsi
	popq %rdi
	popq %rbp
	popq %rbx
	ret
