/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's interrupt stubs on x86-64, and agent_try().
 *
 * GS begins at this vCPU's struct agent_frame. agent_try() saves its caller's registers there. If
 * an exception occurs while the frame is armed, the handler restores these registers, and
 * agent_try() returns false. The interrupt handler counts the interrupt and masks interrupts. Then
 * the guest continues.
 */
#define FRAME_ARMED 0
#define FRAME_CAUSE 8
#define FRAME_ADDR  16
#define FRAME_PC    24
#define FRAME_IRQS  32
#define FRAME_SP    56
#define FRAME_KEEP  64

#define VECTOR_NMI  2
#define RFLAGS_IF   0x200
#define ERROR_CODES 0x60227d00 /* vectors 8, 10 to 14, 17, 21, 29, 30 push one */

	.text
	.globl	agent_try
agent_try:
	movq	%rbx, FRAME_KEEP(%rdi)
	movq	%rbp, FRAME_KEEP + 8(%rdi)
	movq	%r12, FRAME_KEEP + 16(%rdi)
	movq	%r13, FRAME_KEEP + 24(%rdi)
	movq	%r14, FRAME_KEEP + 32(%rdi)
	movq	%r15, FRAME_KEEP + 40(%rdi)
	movq	%rsp, FRAME_SP(%rdi)
	movq	$1, FRAME_ARMED(%rdi)
	pushq	%rbx
	movq	%rdi, %rbx
	movq	%rdx, %rdi
	callq	*%rsi
	movq	$0, FRAME_ARMED(%rbx)
	popq	%rbx
	movl	$1, %eax
	ret

	/* Executes lgdt and lidt with the operands at %rdi and %rsi, and loads CS, the data
	 * segments and GS (%edx) from the new tables. */
	.globl	agent_load_segments
agent_load_segments:
	lgdt	(%rdi)
	lidt	(%rsi)
	movl	$0x10, %eax
	movl	%eax, %ss
	movl	%eax, %ds
	movl	%eax, %es
	movl	%edx, %gs
	popq	%rax
	pushq	$0x08
	pushq	%rax
	lretq

	/* One stub per exception, 16 bytes apart: vector and error code on the stack. */
	.balign	16
	.globl	agent_vector
agent_vector:
	.set	vector, 0
	.rept	32
	.balign	16
	.if	((ERROR_CODES >> vector) & 1) == 0
	pushq	$0
	.endif
	pushq	$vector
	jmp	agent_exception
	.set	vector, vector + 1
	.endr

	/* Stack: vector, error code, RIP, CS, RFLAGS, RSP, SS. */
	.globl	agent_exception
agent_exception:
	cmpq	$VECTOR_NMI, (%rsp)
	jne	1f
	addq	$16, %rsp
	incq	%gs:FRAME_IRQS
	iretq

	/* 1. Store the exception: the vector, and the error code above it. */
1:	movq	8(%rsp), %rcx
	shlq	$8, %rcx
	orq	(%rsp), %rcx
	movq	%rcx, %gs:FRAME_CAUSE
	movq	%cr2, %rcx
	movq	%rcx, %gs:FRAME_ADDR
	movq	16(%rsp), %rcx
	movq	%rcx, %gs:FRAME_PC
	cmpq	$0, %gs:FRAME_ARMED
	je	3f
	movq	$0, %gs:FRAME_ARMED

	/* 2. The gate masked interrupts. Enable them again if they were enabled. */
	testq	$RFLAGS_IF, 32(%rsp)
	movq	%gs:FRAME_SP, %rsp
	jz	2f
	sti

	/* 3. Return false from agent_try(). */
2:	movq	%gs:FRAME_KEEP, %rbx
	movq	%gs:FRAME_KEEP + 8, %rbp
	movq	%gs:FRAME_KEEP + 16, %r12
	movq	%gs:FRAME_KEEP + 24, %r13
	movq	%gs:FRAME_KEEP + 32, %r14
	movq	%gs:FRAME_KEEP + 40, %r15
	xorl	%eax, %eax
	cld
	ret
3:	leaq	agent_fatal_frame(%rip), %rdi
	movq	%gs:FRAME_CAUSE, %rcx
	movq	%rcx, FRAME_CAUSE(%rdi)
	andq	$-16, %rsp
	callq	agent_fatal

	.balign	16
	.globl	agent_interrupt
agent_interrupt:
	incq	%gs:FRAME_IRQS
	andq	$~RFLAGS_IF, 16(%rsp)
	iretq

	/* The snippets of AGENT_RUN_AT: MOV EAX, [RDI] with a 32-bit displacement, and without. */
	.globl	agent_load_plain, agent_load_plain_end
agent_load_plain:
	.byte	0x8b, 0x87, 0, 0, 0, 0
	ret
agent_load_plain_end:

	.globl	agent_load_short, agent_load_short_end
agent_load_short:
	movl	(%rdi), %eax
	ret
agent_load_short_end:
