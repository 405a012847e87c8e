/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux, x86-64: the start of a program without a C library, and putchar(). */
	.globl _start, putchar
_start:
	and	$-16, %rsp
	call	main
	mov	%eax, %edi
	mov	$60, %eax	/* exit */
	syscall

putchar:
	push	%rdi
	mov	$1, %edi
	mov	%rsp, %rsi
	mov	$1, %edx
	mov	$1, %eax	/* write */
	syscall
	pop	%rdi
	ret
