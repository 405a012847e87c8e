/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the code of AGENT_X86_EVENT, and handles its events. struct agent_note (x86_64_event.c) is
 * at agent_note. And agent_gprs(): an exit with known values in all general registers.
 */
#define ACTIVE    agent_note(%rip)
#define COUNT     agent_note+8(%rip)
#define VECTOR    agent_note+16(%rip)
#define ERROR     agent_note+24(%rip)
#define RIP       agent_note+32(%rip)
#define CS        agent_note+40(%rip)
#define FLAGS     agent_note+48(%rip)
#define STACK     agent_note+56(%rip)
#define SS        agent_note+64(%rip)
#define CR2       agent_note+72(%rip)
#define DR6       agent_note+80(%rip)
#define START     agent_note+88(%rip)
#define SAVED_RSP agent_note+96(%rip)
#define GIVEN_RSP agent_note+104(%rip)
#define FLAGS_IN  agent_note+112(%rip)
#define FLAGS_END agent_note+120(%rip)
#define RSP_END   agent_note+128(%rip)
#define REG(n)    agent_note+136+8*n(%rip)
#define NEXT_CS   agent_note+184(%rip)
#define NEXT_SS   agent_note+192(%rip)
#define NEXT_DATA agent_note+200(%rip)
#define SAVED_GS  agent_note+208(%rip)

#define RFLAGS_TF 0x100
#define RFLAGS_IF 0x200

	.text
	/* The stubs, 16 bytes apart, in the order of noted[]. */
	.macro	stub vector, has_code
	.balign	16
	.if	\has_code == 0
	pushq	$0
	.endif
	pushq	$\vector
	jmp	note
	.endm

	.balign	16
	.globl	agent_note_stubs
agent_note_stubs:
	stub	1, 0
	stub	3, 0
	stub	4, 0
	stub	6, 0
	stub	11, 1
	stub	12, 1
	stub	13, 1
	stub	14, 1
	stub	17, 1
	stub	0x20, 0
	stub	0x21, 0
	stub	0x22, 0

	/* Stack: vector, error code, RIP, CS, RFLAGS, RSP, SS. */
note:	cmpq	$0, ACTIVE
	jne	1f
	cmpq	$0x20, (%rsp)
	jb	agent_exception
	addq	$16, %rsp
	jmp	agent_interrupt

1:	cmpq	$0x22, (%rsp)
	je	leave
	incq	COUNT
	popq	VECTOR
	popq	ERROR
	pushq	%rax
	movq	8(%rsp), %rax
	movq	%rax, RIP
	movq	16(%rsp), %rax
	movq	%rax, CS
	movq	24(%rsp), %rax
	movq	%rax, FLAGS
	movq	32(%rsp), %rax
	movq	%rax, STACK
	movq	40(%rsp), %rax
	movq	%rax, SS
	movq	%cr2, %rax
	movq	%rax, CR2
	movq	%db6, %rax
	movq	%rax, DR6

	/* Interrupts stay masked, single steps end. */
	cmpq	$0x20, VECTOR
	jne	2f
	andq	$~RFLAGS_IF, 24(%rsp)
2:	cmpq	$1, VECTOR
	jne	3f
	andq	$~RFLAGS_TF, 24(%rsp)
3:	movq	RIP, %rax
	cmpq	%rax, START
	je	4f
	cmpq	$2, COUNT
	jb	5f
4:	testb	$3, 16(%rsp)
	jnz	6f
	leaq	agent_event_finish(%rip), %rax
	movq	%rax, 8(%rsp)
	andq	$~RFLAGS_TF, 24(%rsp)
5:	popq	%rax
	iretq

	/* The end of code at CPL 3. Stack: vector, error code, then RIP, CS, RFLAGS, RSP, SS. */
6:	popq	%rax
	subq	$16, %rsp
leave:	pushq	(4 * 8)(%rsp)
	popq	FLAGS_END
	pushq	(5 * 8)(%rsp)
	popq	RSP_END
	movq	SAVED_RSP, %rsp
	jmp	finish

	/* void agent_event_run(void): IRETQ sets RIP, RSP and RFLAGS at once. */
	.globl	agent_event_run
agent_event_run:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushfq
	movq	%rsp, SAVED_RSP
	cmpq	$0, GIVEN_RSP
	jne	1f
	movq	%rsp, %rax
	andq	$-16, %rax
	movq	%rax, GIVEN_RSP
1:	movq	$1, ACTIVE
	movl	%gs, %eax
	movq	%rax, SAVED_GS
	pushq	NEXT_SS
	pushq	GIVEN_RSP
	pushq	FLAGS_IN
	pushq	NEXT_CS
	pushq	START
	movq	NEXT_DATA, %rax
	testl	%eax, %eax
	jz	2f
	/* ES, DS, FS and GS of 32- and 16-bit code: consecutive selectors. */
	movl	%eax, %es
	addl	$24, %eax
	movl	%eax, %ds
	addl	$8, %eax
	movl	%eax, %fs
	addl	$8, %eax
	movl	%eax, %gs
2:
	movq	REG(0), %rax
	movq	REG(1), %rcx
	movq	REG(2), %rdx
	movq	REG(3), %rbx
	movq	REG(4), %rsi
	movq	REG(5), %rdi
	iretq

	.globl	agent_event_finish
agent_event_finish:
	movq	%rsp, RSP_END
	movq	SAVED_RSP, %rsp
	pushfq
	popq	FLAGS_END
finish:	movq	%rax, REG(0)
	movq	%rcx, REG(1)
	movq	%rdx, REG(2)
	movq	%rbx, REG(3)
	movq	%rsi, REG(4)
	movq	%rdi, REG(5)
	/* The return to CPL 3 has cleared the selectors of CPL 0. */
	testb	$3, NEXT_CS
	jz	1f
	movl	$0x10, %eax
	movl	%eax, %ss
	movl	%eax, %ds
	movl	%eax, %es
	movl	SAVED_GS, %eax
	movl	%eax, %gs
1:	popfq
	movq	$0, ACTIVE
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	cld
	ret

	/* void agent_gprs(unsigned exit, const uint64_t before[16], uint64_t after[16]) */
	.globl	agent_gprs
agent_gprs:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rdx
	leaq	exits(%rip), %rax
	movl	%edi, %edi
	shll	$4, %edi
	addq	%rdi, %rax
	pushq	%rax
	movq	0(%rsi), %rax
	movq	8(%rsi), %rcx
	movq	16(%rsi), %rdx
	movq	24(%rsi), %rbx
	movq	40(%rsi), %rbp
	movq	56(%rsi), %rdi
	movq	64(%rsi), %r8
	movq	72(%rsi), %r9
	movq	80(%rsi), %r10
	movq	88(%rsi), %r11
	movq	96(%rsi), %r12
	movq	104(%rsi), %r13
	movq	112(%rsi), %r14
	movq	120(%rsi), %r15
	movq	48(%rsi), %rsi
	jmpq	*(%rsp)

	/* In the order of enum agent_x86_exit, 16 bytes apart. */
	.balign	16
exits:	cmpb	$0, guest_uses_vmmcall(%rip)
	jmp	call
	.balign	16
	cmpb	$0, (%rdi)
	jmp	exited
	.balign	16
	cpuid
	jmp	exited
	.balign	16
	rdmsr
	jmp	exited
	.balign	16
	hlt
	jmp	exited
	.balign	16
call:	jne	1f
	vmcall
	jmp	exited
1:	vmmcall
exited:	pushq	%rax
	movq	16(%rsp), %rax
	movq	%rcx, 8(%rax)
	movq	%rdx, 16(%rax)
	movq	%rbx, 24(%rax)
	movq	%rbp, 40(%rax)
	movq	%rsi, 48(%rax)
	movq	%rdi, 56(%rax)
	movq	%r8, 64(%rax)
	movq	%r9, 72(%rax)
	movq	%r10, 80(%rax)
	movq	%r11, 88(%rax)
	movq	%r12, 96(%rax)
	movq	%r13, 104(%rax)
	movq	%r14, 112(%rax)
	movq	%r15, 120(%rax)
	popq	%rcx
	movq	%rcx, (%rax)
	addq	$16, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
