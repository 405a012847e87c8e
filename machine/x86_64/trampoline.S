/*
 * A secondary CPU starts here, copied to a page below 1 MiB, in real mode with CS = page/16 and
 * IP = 0. Behind the copy lies its struct trampoline_data; DATA() is a word of it, counted from
 * the page.
 */
#include "machine/x86_64/trampoline.h"

#define DATA(offset) (trampoline_data - trampoline_start + offset)

	.section .rdata, "dr"
	.globl trampoline_start, trampoline_protected, trampoline_long
	.globl trampoline_gdt, trampoline_gdt_end, trampoline_data
	.balign 16
trampoline_start:
	/* 1. Real mode: flat segments by our own table, and protection on. */
	.code16
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	movl DATA(TRAMPOLINE_PAGE), %ebx
	lgdtl DATA(TRAMPOLINE_GDT)
	movl $0x11, %eax		/* CR0.PE, CR0.ET */
	movl %eax, %cr0
	ljmpl *DATA(TRAMPOLINE_PROTECTED)

	/* 2. Protected mode, %ebx the page: the host's CR4 (PAE), tables and EFER (LME), and
	 *    then paging with the host's CR0. */
	.code32
trampoline_protected:
	movw $16, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl DATA(TRAMPOLINE_CR4)(%ebx), %eax
	movl %eax, %cr4
	movl DATA(TRAMPOLINE_CR3)(%ebx), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	movl DATA(TRAMPOLINE_EFER)(%ebx), %eax
	movl DATA(TRAMPOLINE_EFER + 4)(%ebx), %edx
	wrmsr
	movl DATA(TRAMPOLINE_CR0)(%ebx), %eax
	movl %eax, %cr0
	ljmpl *DATA(TRAMPOLINE_LONG)(%ebx)

	/* 3. 64-bit mode: a stack with the 32 bytes that the Microsoft ABI owes a callee, no
	 *    return address, and away. */
	.code64
trampoline_long:
	movl %ebx, %ebx
	movq DATA(TRAMPOLINE_STACK)(%rbx), %rsp
	movq DATA(TRAMPOLINE_ARGUMENT)(%rbx), %rcx
	movq DATA(TRAMPOLINE_ENTRY)(%rbx), %rax
	subq $32, %rsp
	pushq $0
	jmpq *%rax

	.balign 8
trampoline_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff	/* 0x08: code, 32-bit, flat */
	.quad 0x00cf93000000ffff	/* 0x10: data, flat */
	.quad 0x00af9b000000ffff	/* 0x18: code, 64-bit */
trampoline_gdt_end:

	.balign 8
trampoline_data:
