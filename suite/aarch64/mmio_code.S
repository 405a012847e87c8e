/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pieces of code of mmio.c. x0 is the test device. Each returns a bit for each thing that is
 * wrong.
 *
 *	x28	what is wrong
 *	x27	the device
 *	x25, x26	the device's ID register and its third register
 */
#include "suite/aarch64/piece.inc"

#define ID      0
#define SCRATCH 8
#define NEG     16

	.macro	const reg, value
	movz	\reg, #((\value) & 0xffff)
	movk	\reg, #(((\value) >> 16) & 0xffff), lsl #16
	movk	\reg, #(((\value) >> 32) & 0xffff), lsl #32
	movk	\reg, #(((\value) >> 48) & 0xffff), lsl #48
	.endm

	.macro	begin
	stp	x25, x26, [sp, #-96]!
	stp	x27, x28, [sp, #16]
	stp	x29, x30, [sp, #32]
	mov	x1, sp
	mrs	x2, tcr_el1
	stp	x1, x2, [sp, #48]
	mrs	x1, sp_el0
	mrs	x2, vbar_el1
	stp	x1, x2, [sp, #64]
	mov	x27, x0
	mov	x28, #0
	const	x25, 0x8877665544332211
	const	x26, 0xfffefdfcfbfaf9f8
	.endm

	.macro	end
	ldp	x1, x2, [sp, #64]
	msr	sp_el0, x1
	msr	vbar_el1, x2
	ldp	x1, x2, [sp, #48]
	msr	tcr_el1, x2
	isb
	mov	x0, x28
	ldp	x29, x30, [sp, #32]
	ldp	x27, x28, [sp, #16]
	ldp	x25, x26, [sp], #96
	ret
	.endm

	.macro	expect reg, value, bit
	cmp	\reg, \value
	b.eq	.Lgood\@
	orr	x28, x28, #(1 << \bit)
.Lgood\@:
	.endm

	/* x9 is the device plus `offset`. */
	.macro	device offset
	add	x9, x27, #\offset
	.endm

	.balign	8
	piece	mmio_base
	begin
	/* 1. Write-back: pre, post, negative; single and pair; the base afterwards. */
	device	0
	ldr	x1, [x9, #16]!
	expect	x1, x26, 0
	sub	x2, x9, x27
	expect	x2, #16, 1
	ldr	x1, [x9], #-16
	expect	x1, x26, 2
	expect	x9, x27, 3
	ldr	w1, [x9, #4]!
	ubfx	x3, x25, #32, #32
	expect	x1, x3, 4
	sub	x2, x9, x27
	expect	x2, #4, 5
	device	16
	ldp	x1, x2, [x9, #-16]!
	expect	x1, x25, 6
	expect	x9, x27, 7
	ldp	x1, x2, [x9], #16
	sub	x2, x9, x27
	expect	x2, #16, 8
	expect	x1, x25, 9
	device	0
	add	x30, x9, #0
	ldr	x1, [x30, #16]!
	sub	x2, x30, x27
	expect	x2, #16, 10
	/* 2. Stores: the value of the register, the zero register, pairs. */
	mov	x3, #0x1234
	device	0
	str	x3, [x9, #8]!
	sub	x2, x9, x27
	expect	x2, #8, 11
	ldr	x1, [x27, #SCRATCH]
	expect	x1, x3, 12
	str	xzr, [x27, #SCRATCH]
	ldr	x1, [x27, #SCRATCH]
	expect	x1, xzr, 13
	str	x3, [x27, #SCRATCH]
	device	16
	str	wzr, [x9, #-8]!
	ldr	x1, [x27, #SCRATCH]
	expect	x1, xzr, 14
	mov	x4, #0x5678
	stp	x3, x4, [x27]
	ldr	x1, [x27, #SCRATCH]
	expect	x1, x4, 30
	device	0
	stp	x4, x3, [x9, #8]!
	sub	x2, x9, x27
	expect	x2, #8, 31
	ldr	x1, [x27, #SCRATCH]
	expect	x1, x4, 32
	stp	x4, xzr, [x27]
	ldr	x1, [x27, #SCRATCH]
	expect	x1, xzr, 33
	/* 3. Loads: a pair whose register is its base; the zero register. */
	device	0
	ldp	x9, x1, [x9]
	expect	x9, x25, 15
	expect	x1, xzr, 16
	device	0
	ldp	x1, x9, [x9]
	expect	x1, x25, 17
	expect	x9, xzr, 18
	mov	x29, sp
	ldr	xzr, [x27, #NEG]
	device	0
	ldr	xzr, [x9, #16]!
	mov	x1, sp
	expect	x1, x29, 19
	ldp	xzr, x1, [x27]
	expect	x1, xzr, 20
	/* 4. A pair of words, and of sign-extended words. */
	ldp	w1, w2, [x27, #NEG]
	ubfx	x3, x26, #0, #32
	expect	x1, x3, 21
	ubfx	x3, x26, #32, #32
	expect	x2, x3, 22
	ldpsw	x1, x2, [x27, #NEG]
	sbfx	x3, x26, #0, #32
	expect	x1, x3, 23
	sbfx	x3, x26, #32, #32
	expect	x2, x3, 24
	/* 5. Narrow loads with write-back: sign extension to W and to X. */
	device	8
	ldrsh	w1, [x9, #8]!
	sbfx	w3, w26, #0, #16
	expect	x1, x3, 25
	device	8
	ldrsb	x1, [x9, #8]!
	sbfx	x3, x26, #0, #8
	expect	x1, x3, 26
	/* 6. A register as the offset. */
	mov	x2, #2
	device	0
	mov	x3, #-16
	add	x9, x9, #16
	ldp	x1, x4, [x9, #-16]
	expect	x1, x25, 27
	ldr	x1, [x9, x3]
	expect	x1, x25, 28
	ldr	x1, [x27, x2, lsl #3]
	expect	x1, x26, 29
	end
	end_piece mmio_base

	.balign	8
	piece	mmio_sp
	begin
	/* 1. SP_EL1 as the base, at EL1h. */
	mov	x10, sp
	mov	sp, x27
	ldr	x1, [sp]
	ldr	x2, [sp, #16]!
	mov	x3, sp
	mov	sp, x10
	expect	x1, x25, 0
	expect	x2, x26, 1
	sub	x3, x3, x27
	expect	x3, #16, 2
	mov	sp, x27
	ldp	x1, x2, [sp], #16
	mov	x3, sp
	mov	sp, x10
	expect	x1, x25, 3
	sub	x3, x3, x27
	expect	x3, #16, 4
	/* 2. SP_EL0 as the base, at EL1t. SP_EL1 does not change. */
	msr	spsel, #0
	mov	sp, x27
	ldr	x1, [sp]
	ldr	x2, [sp, #16]!
	mov	x3, sp
	mov	sp, x27
	ldp	x4, x5, [sp], #16
	mov	x6, sp
	msr	spsel, #1
	mov	x7, sp
	expect	x1, x25, 5
	expect	x2, x26, 6
	sub	x3, x3, x27
	expect	x3, #16, 7
	expect	x4, x25, 8
	sub	x6, x6, x27
	expect	x6, #16, 9
	expect	x7, x10, 10
	/* 3. Stores. */
	mov	x3, #0x77
	sub	x4, x27, #8
	mov	sp, x4
	str	x3, [sp, #16]!
	mov	x4, sp
	mov	sp, x10
	sub	x4, x4, x27
	expect	x4, #8, 11
	ldr	x1, [x27, #SCRATCH]
	expect	x1, x3, 12
	end
	end_piece mmio_sp

	/* With SCTLR_EL1.EE data is big-endian: each access is reversed by its own width. The code
	   uses no memory meanwhile. */
	.balign	8
	piece	mmio_big_endian
	begin
	mrs	x1, id_aa64mmfr0_el1
	tst	x1, #0xf00	/* BigEnd */
	b.eq	1f
	mrs	x10, sctlr_el1
	orr	x1, x10, #(1 << 25)
	msr	sctlr_el1, x1
	isb
	movz	x3, #0x1234
	movk	x3, #0x5678, lsl #16
	movk	x3, #0x9abc, lsl #32
	str	x3, [x27, #SCRATCH]
	ldr	x4, [x27, #SCRATCH]
	ldr	x1, [x27]
	ldr	w2, [x27]
	ldrh	w5, [x27]
	ldrb	w6, [x27]
	ldrsh	x7, [x27, #NEG]
	ldrsw	x11, [x27, #NEG]
	add	x9, x27, #8
	ldr	x12, [x9, #8]!
	ldp	w13, w14, [x27, #NEG]
	strh	w3, [x27, #SCRATCH]
	msr	sctlr_el1, x10
	isb
	expect	x4, x3, 0
	rev	x15, x25
	expect	x1, x15, 1
	rev	w15, w25
	expect	x2, x15, 2
	rev16	w15, w25
	and	w15, w15, #0xffff
	expect	x5, x15, 3
	and	w15, w25, #0xff
	expect	x6, x15, 4
	rev16	w15, w26
	sxth	x15, w15
	expect	x7, x15, 5
	rev	w15, w26
	sxtw	x15, w15
	expect	x11, x15, 6
	rev	x15, x26
	expect	x12, x15, 7
	rev	w15, w26
	expect	x13, x15, 8
	lsr	x15, x26, #32
	rev	w15, w15
	expect	x14, x15, 9
	/* SCRATCH: the bytes 34 12 of strh in reverse, above them the doubleword in reverse. */
	rev	x15, x3
	mov	x1, #0x3412
	bfi	x15, x1, #0, #16
	ldr	x1, [x27, #SCRATCH]
	expect	x1, x15, 10
1:	end
	end_piece mmio_big_endian

	/* The highest byte of an address is a tag if TCR_EL1.TBI0 is set. */
	.balign	8
	piece	mmio_tagged
	begin
	mrs	x1, tcr_el1
	orr	x1, x1, #(1 << 37)
	msr	tcr_el1, x1
	isb
	mov	x2, #(0x5a << 56)
	orr	x9, x27, x2
	ldr	x1, [x9]
	expect	x1, x25, 0
	ldp	x1, x3, [x9]
	expect	x1, x25, 1
	orr	x10, x27, x2
	ldr	x1, [x9, #16]!
	expect	x1, x26, 2
	sub	x9, x9, x10
	expect	x9, #16, 3
	orr	x9, x27, x2
	mov	x3, #0x99
	str	x3, [x9, #8]!
	ldr	x1, [x27, #SCRATCH]
	expect	x1, x3, 4
	end
	end_piece mmio_tagged

	/* A pair whose halves may be in different pages. */
	piece	mmio_load_pair
	ldp	x1, x2, [x0]
	ret
	end_piece mmio_load_pair

	piece	mmio_store_pair
	stp	x1, x2, [x0]
	ret
	end_piece mmio_store_pair

	/* PAR_EL1 is the guest's, although the hypervisor walks its tables. x1 is lazy memory. */
	.balign	8
	piece	mmio_par
	begin
	const	x10, 0x123456789a000
	msr	par_el1, x10
	isb
	ldp	x1, x2, [x27]
	mrs	x3, par_el1
	expect	x3, x10, 0
	expect	x1, x25, 1
	ldr	x1, [x27, #16]
	const	x9, 0x100020000
	ldr	x1, [x9]
	str	x1, [x9]
	mrs	x3, par_el1
	expect	x3, x10, 2
	/* 3. A permission fault: mmio.c then permits the write. */
	const	x9, 0x100021000
	str	x10, [x9, #8]
	ldr	x1, [x9, #8]
	expect	x1, x10, 3
	mrs	x3, par_el1
	expect	x3, x10, 4
	end
	end_piece mmio_par

	/* At EL0, with stage 1 off. The vectors return to EL1 for SVC. x12 and x13 are the expected
	   values. `big`: with SCTLR_EL1.E0E, if the CPU has it. */
	.macro	at_el0 name, big
	.balign	4096
	piece	\name
	b	1f
	.skip	0x400 - 4
	mov	x2, sp
	b	3f
	.balign	0x800
1:	begin
	adr	x1, arm_\name
	msr	vbar_el1, x1
	mov	x10, sp
	msr	sp_el0, x27
	mov	x1, #0x3c0
	msr	spsr_el1, x1
	adr	x1, 2f
	msr	elr_el1, x1
	mrs	x11, sctlr_el1
	mov	x12, x25
	mov	x13, x26
	.if	\big
	mrs	x1, id_aa64mmfr0_el1
	movz	x2, #0x0f00	/* BigEnd */
	movk	x2, #0xf, lsl #16	/* BigEndEL0 */
	tst	x1, x2
	b.eq	4f
	orr	x1, x11, #(1 << 24)
	msr	sctlr_el1, x1
	rev	x12, x25
	rev	x13, x26
4:
	.endif
	isb
	eret
2:	ldp	x1, x2, [x27]
	expect	x1, x12, 0
	ldr	x3, [sp, #16]!
	expect	x3, x13, 1
	mov	x4, sp
	sub	x4, x4, x27
	expect	x4, #16, 2
	svc	#0
	b	.
3:	expect	x2, x10, 3
	mov	sp, x10
	msr	sctlr_el1, x11
	isb
	end
	end_piece \name
	.endm

	at_el0	mmio_el0, 0
	at_el0	mmio_el0_big_endian, 1

	/* Loads relative to the PC, one every 8 bytes, from the first byte of a page, so that the
	   syndrome is not complete. mmio.c maps the device at these distances, which use all 19 bits
	   of the offset. */
	.balign	8
	piece	mmio_literal
	ldr	x0, . + 4096
	ret
	ldr	x0, . - 4096 - 8
	ret
	ldr	x0, . - 1048576 + 4096 - 16
	ret
	ldr	x0, . + 524288 - 24
	ret
	ldr	w0, . - 4096 - 32
	ret
	ldrsw	x0, . + 4096 - 40
	ret
	end_piece mmio_literal
