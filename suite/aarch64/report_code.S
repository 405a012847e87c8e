/* SPDX-License-Identifier: BSD-2-Clause */
/* The piece of code of report.c: a hypercall with known values in all registers. */
#include "suite/aarch64/piece.inc"

	/* A value that names the register. */
	.macro	known reg, number
	movz	\reg, #(0x4000 + \number)
	movk	\reg, #(0x5000 + \number), lsl #16
	movk	\reg, #(0x6000 + \number), lsl #32
	movk	\reg, #(0x70 + \number), lsl #48
	.endm

	.balign	8
	piece	report
	stp	x19, x20, [sp, #-112]!
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	mrs	x1, vbar_el1
	str	x1, [sp, #96]
	.macro	set name, number
	known	x1, \number
	msr	\name, x1
	.endm
	set	sp_el0, 40
	set	elr_el1, 41
	movz	x1, #0x3c5
	msr	spsr_el1, x1
	movz	x1, #0x4444
	msr	esr_el1, x1
	set	far_el1, 44
	movz	x1, #0x4000, lsl #16
	movk	x1, #0x5800
	msr	vbar_el1, x1
	set	ttbr0_el1, 48
	set	ttbr1_el1, 50
	set	mair_el1, 52
	known	x2, 2
	known	x3, 3
	known	x4, 4
	known	x5, 5
	known	x6, 6
	known	x7, 7
	known	x8, 8
	known	x9, 9
	known	x10, 10
	known	x11, 11
	known	x12, 12
	known	x13, 13
	known	x14, 14
	known	x15, 15
	known	x16, 16
	known	x17, 17
	known	x18, 18
	known	x19, 19
	known	x20, 20
	known	x21, 21
	known	x22, 22
	known	x23, 23
	known	x24, 24
	known	x25, 25
	known	x26, 26
	known	x27, 27
	known	x28, 28
	known	x29, 29
	known	x30, 30
	movz	x0, #9
	movk	x0, #0xc600, lsl #16
	mov	x1, #0
	hvc	#0
	ldr	x1, [sp, #96]
	msr	vbar_el1, x1
	ldp	x29, x30, [sp, #80]
	ldp	x27, x28, [sp, #64]
	ldp	x25, x26, [sp, #48]
	ldp	x23, x24, [sp, #32]
	ldp	x21, x22, [sp, #16]
	ldp	x19, x20, [sp], #112
	mov	x0, #0
	ret
	end_piece report
