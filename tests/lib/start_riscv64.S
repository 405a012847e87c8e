/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux, riscv64: the start of a program without a C library, and putchar(). */
	.globl _start, putchar
_start:
	andi	sp, sp, -16
	call	main
	li	a7, 93		/* exit */
	ecall

putchar:
	addi	sp, sp, -16
	sb	a0, 0(sp)
	li	a0, 1
	mv	a1, sp
	li	a2, 1
	li	a7, 64		/* write */
	ecall
	addi	sp, sp, 16
	ret
