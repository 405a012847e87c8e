/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux, aarch64: the start of a program without a C library, and putchar(). */
	.globl _start, putchar
_start:
	bl	main
	mov	x8, #93		/* exit */
	svc	#0

putchar:
	sub	sp, sp, #16
	strb	w0, [sp]
	mov	x0, #1
	mov	x1, sp
	mov	x2, #1
	mov	x8, #64		/* write */
	svc	#0
	add	sp, sp, #16
	ret
