/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest code of the cases in vmx_event.c and vmx_insn.c. They copy all of it to one place in a
 * guest, and call a part of it with AGENT_CALL_AT. The code has an IDT of its own. The handler
 * notes each event in the record and returns. A part takes the address of a stack as its argument
 * (0: the agent's stack), and returns the number of events.
 */
#include "suite/x86_64/vmx_code.h"

#define VECTOR_DEBUG     1
#define VECTOR_INTERRUPT 0x20
#define ERROR_CODES      0x60227d00 /* vectors 8, 10 to 14, 17, 21, 29, 30 push one */

/* vmx_record + offset, in the copy. */
#define RECORD(offset) (vmx_record + (offset))(%rip)

	.text
	.balign 16
	.globl vmx_code, vmx_code_end, vmx_stubs, vmx_record, vmx_any_bytes
vmx_code:
vmx_stubs:
	.set vector, 0
	.rept VMX_STUBS
	.balign 16
	.if vector >= 32
	pushq $0
	.elseif ((ERROR_CODES >> vector) & 1) == 0
	pushq $0
	.endif
	pushq $vector
	jmp handler
	.set vector, vector + 1
	.endr

	/* Stack: RDX, RCX, RAX, vector, error code, RIP, CS, RFLAGS, RSP, SS. */
	.balign 16
handler:
	pushq %rax
	pushq %rcx
	pushq %rdx

	/* 1. Note the event. */
	movq RECORD(RECORD_COUNT), %rcx
	andl $(VMX_EVENTS - 1), %ecx
	shll $6, %ecx
	leaq RECORD(RECORD_LOG), %rdx
	addq %rcx, %rdx
	.set word, 0
	.rept 6
	movq (24 + 8 * word)(%rsp), %rax
	movq %rax, (8 * word)(%rdx)
	.set word, word + 1
	.endr
	movq %cr2, %rax
	movq %rax, 48(%rdx)
	incq RECORD(RECORD_COUNT)

	/* 2. A single step ends with its first event. The interrupt line stays high: mask it. */
	cmpq $VECTOR_DEBUG, 24(%rsp)
	jne 1f
	btrq $8, 56(%rsp)
1:	cmpq $VECTOR_INTERRUPT, 24(%rsp)
	jne 1f
	btrq $9, 56(%rsp)

	/* 3. Return, after a fault to the place that the code has named. */
1:	movq RECORD(RECORD_RESUME), %rax
	testq %rax, %rax
	jz 1f
	movq %rax, 40(%rsp)
	movq $0, RECORD(RECORD_RESUME)
1:	popq %rdx
	popq %rcx
	popq %rax
	addq $16, %rsp
	iretq

	.macro begin name
	.balign 16
	.globl vmx_do_\name, vmx_at_\name
vmx_do_\name:
	pushq %rbx
	pushfq
	cli
	movq %rsp, RECORD(RECORD_SP)
	sidt RECORD(RECORD_OLD)
	lidt RECORD(RECORD_NEW)
	testq %rdi, %rdi
	cmovnzq %rdi, %rsp
	.endm

	.macro finish
	cli
	cld
	movq RECORD(RECORD_SP), %rsp
	lidt RECORD(RECORD_OLD)
	movq RECORD(RECORD_COUNT), %rax
	popfq
	popq %rbx
	ret
	.endm

	.macro hypercall_step number
	movl $VMX_CALL_STEP, %eax
	movl $\number, %edi
	vmcall
	.endm

	.macro resume_at label
	leaq \label(%rip), %rax
	movq %rax, RECORD(RECORD_RESUME)
	.endm

	.macro single_step
	pushfq
	orl $0x100, (%rsp)
	popfq
	.endm

	/* --- events of instructions --- */

	begin int40
	.byte 0xcd, 0x40
vmx_at_int40:
	finish

	begin int40_prefixed
	.byte 0x2e, 0x2e, 0xcd, 0x40
vmx_at_int40_prefixed:
	finish

	begin int3
	.byte 0xcc
vmx_at_int3:
	finish

	begin icebp
	.byte 0xf1
vmx_at_icebp:
	finish

	/* TF is set, and MOV SS holds the single step back until after INT1. */
	begin icebp_after_mov_ss
	movl %ss, %ecx
	single_step
	movl %ecx, %ss
	.byte 0xf1
vmx_at_icebp_after_mov_ss:
	nop
	finish

	begin ud2
	resume_at 2f
vmx_at_ud2:
	ud2
2:	finish

	/* A selector beyond the GDT's limit: #GP with the selector as error code. */
	begin gp
	resume_at 2f
	movl $0x1b8, %ecx
vmx_at_gp:
	movl %ecx, %es
2:	finish

	/* The second #GP is the hypervisor's, with error code 0. */
	begin gp_then_emulated
	resume_at 2f
	movl $0x1b8, %ecx
	movl %ecx, %es
2:	resume_at 3f
	xorl %ecx, %ecx
vmx_at_gp_then_emulated:
	rdpmc
3:	finish

	/* Bits 46:39 of the address select a PML4 entry that is not present. */
	begin page_fault
	resume_at 2f
	movabsq $0x7f0000000123, %rcx
vmx_at_page_fault:
	movb (%rcx), %al
2:	finish

	/* --- the interrupt line --- */

	begin sti_nop
	hypercall_step VMX_RAISE
	sti
	nop
vmx_at_sti_nop:
	nop
	nop
	finish

	/* The line is raised in the hypercall, while STI blocks interrupts. */
	begin sti_call
	movl $VMX_CALL_STEP, %eax
	movl $VMX_RAISE, %edi
	sti
	vmcall
vmx_at_sti_call:
	cli
	nop
	finish

	begin sti_cpuid
	hypercall_step VMX_RAISE
	xorl %eax, %eax
	sti
	cpuid
vmx_at_sti_cpuid:
	nop
	nop
	finish

	/* SDM vol. 2B, MOV: of two instructions that block interrupts, only the first one is sure
	 * to. So the interrupt comes before CPUID or after it. */
	begin mov_ss_cpuid
	hypercall_step VMX_RAISE
	movl %ss, %ecx
	xorl %eax, %eax
	sti
	movl %ecx, %ss
	cpuid
vmx_at_mov_ss_cpuid:
	nop
	nop
	finish

	/* The line is high before INT has delivered its event: both come. */
	begin open_int40
	sti
	nop
	.byte 0xcd, 0x40
vmx_at_open_int40:
	nop
	nop
	finish

	begin withdrawn
	hypercall_step VMX_RAISE
	nop
	hypercall_step VMX_LOWER
	sti
	nop
	nop
	xorl %eax, %eax
	cpuid
	nop
vmx_at_withdrawn:
	finish

	begin masked
	hypercall_step VMX_RAISE
	nop
	xorl %eax, %eax
	cpuid
	nop
	hypercall_step VMX_LOWER
vmx_at_masked:
	finish

	/* --- a single step over an instruction that the hypervisor completes --- */

	begin step_cpuid
	xorl %eax, %eax
	single_step
	cpuid
vmx_at_step_cpuid:
	nop
	finish

	begin step_port
	single_step
	outb %al, $0x80
vmx_at_step_port:
	nop
	finish

	begin step_device
	movl $VMX_TEST_DEVICE, %esi
	single_step
	movl (%rsi), %eax
vmx_at_step_device:
	nop
	finish

	begin step_wbinvd
	single_step
	wbinvd
vmx_at_step_wbinvd:
	nop
	finish

	/* --- any instruction: the suite writes it over the NOPs --- */

	begin any
	resume_at 2f
	movq RECORD(RECORD_IN), %rax
	movq RECORD(RECORD_IN + 8), %rcx
	movq RECORD(RECORD_IN + 16), %rdx
	leaq RECORD(RECORD_OUT), %rdi
	movq %rdi, %rsi
vmx_at_any:
vmx_any_bytes:
	.fill 16, 1, 0x90
	movq %rdx, RECORD(RECORD_OUT + 8)
	movq %rax, RECORD(RECORD_OUT)
2:	finish

	.balign 64
vmx_record:
	.fill RECORD_SIZE, 1, 0
vmx_code_end:
