/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first instructions of a secondary CPU, from real mode to 64-bit mode. start.c copies them to a
 * page below 1 MiB, where the CPU begins in real mode with CS = page/16 and IP = 0. The copy is
 * followed by a struct start_data; DATA() is the offset of one of its words from the page.
 */
#include "machine/x86_64/offsets.h"

#define DATA(offset) (start_data - start_real + offset)

	.section .rdata, "dr"
	.globl start_real, start_protected, start_long
	.globl start_gdt, start_gdt_end, start_data
	.balign 16
start_real:
	/* 1. Real mode: load a table of flat segments, and turn protection on. */
	.code16
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	movl DATA(START_PAGE), %ebx
	lgdtl DATA(START_GDT)
	movl $0x11, %eax		/* CR0.PE, CR0.ET */
	movl %eax, %cr0
	ljmpl *DATA(START_PROTECTED)

	/* 2. Protected mode, %ebx the page: the CR4 (PAE), CR3 and EFER (LME) of the boot CPU,
	 *    then its CR0, which turns paging on. */
	.code32
start_protected:
	movw $16, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl DATA(START_CR4)(%ebx), %eax
	movl %eax, %cr4
	movl DATA(START_CR3)(%ebx), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	movl DATA(START_EFER)(%ebx), %eax
	movl DATA(START_EFER + 4)(%ebx), %edx
	wrmsr
	movl DATA(START_CR0)(%ebx), %eax
	movl %eax, %cr0
	ljmpl *DATA(START_LONG)(%ebx)

	/* 3. 64-bit mode: a stack with the 32 bytes that a callee may use by the Microsoft ABI,
	 *    and a return address of 0. */
	.code64
start_long:
	movl %ebx, %ebx
	movq DATA(START_STACK)(%rbx), %rsp
	movq DATA(START_ARGUMENT)(%rbx), %rcx
	movq DATA(START_ENTRY)(%rbx), %rax
	subq $32, %rsp
	pushq $0
	jmpq *%rax

	.balign 8
start_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff	/* 0x08: code, 32-bit, flat */
	.quad 0x00cf93000000ffff	/* 0x10: data, flat */
	.quad 0x00af9b000000ffff	/* 0x18: code, 64-bit */
start_gdt_end:

	.balign 8
start_data:
