/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 256 entry points of the IDT, 16 bytes apart. Each builds a struct trap_frame (trap.c) on the
 * stack and calls trap_handle() by the Microsoft ABI.
 */
	.text

/* Vectors for which the CPU pushes an error code: SDM vol. 3, table 6-1 (and AMD's 29, 30). */
	.set ERROR_CODES, (1<<8)|(1<<10)|(1<<11)|(1<<12)|(1<<13)|(1<<14)|(1<<17)|(1<<21)|(1<<29)|(1<<30)

	.globl trap_entries
	.balign 16
trap_entries:
	.set vector, 0
	.rept 256
	.balign 16
	.if vector >= 32
	pushq $0
	.elseif ((ERROR_CODES >> vector) & 1) == 0
	pushq $0
	.endif
	pushq $vector
	jmp trap_common
	.set vector, vector + 1
	.endr

trap_common:
	/* 1. The general registers, in the order of struct trap_frame. */
	pushq %r15
	pushq %r14
	pushq %r13
	pushq %r12
	pushq %r11
	pushq %r10
	pushq %r9
	pushq %r8
	pushq %rdi
	pushq %rsi
	pushq %rbp
	pushq %rbx
	pushq %rdx
	pushq %rcx
	pushq %rax
	cld

	/* 2. trap_handle(frame). An interrupt aligns the stack to 16 before it pushes five
	 *    words; with the error code, the vector and fifteen registers that makes 22. */
	movq %rsp, %rcx
	subq $32, %rsp
	call trap_handle
	addq $32, %rsp

	/* 3. Return from the interrupt. */
	popq %rax
	popq %rcx
	popq %rdx
	popq %rbx
	popq %rbp
	popq %rsi
	popq %rdi
	popq %r8
	popq %r9
	popq %r10
	popq %r11
	popq %r12
	popq %r13
	popq %r14
	popq %r15
	addq $16, %rsp
	iretq
