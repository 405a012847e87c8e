/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pieces of code of fault.c. x0 is the first page. Each returns a bit for each thing that is
 * wrong.
 *
 *	x28	what is wrong
 *	x27	the first page
 */
#include "suite/aarch64/piece.inc"

	.arch_extension fp
	.arch_extension simd

	.macro	begin
	stp	x27, x28, [sp, #-32]!
	str	x30, [sp, #16]
	mov	x27, x0
	mov	x28, #0
	.endm

	.macro	end
	mov	x0, x28
	ldr	x30, [sp, #16]
	ldp	x27, x28, [sp], #32
	ret
	.endm

	.macro	expect reg, value, bit
	cmp	\reg, \value
	b.eq	.Lgood\@
	orr	x28, x28, #(1 << \bit)
.Lgood\@:
	.endm

	/* x9 = the first page + page * 4096 + offset. */
	.macro	at page, offset
	add	x9, x27, #(\page << 12)
	add	x9, x9, #\offset
	.endm

	/* --- a stack of vector registers --- */

	piece	fault_simd_stack
	begin
	mrs	x10, cpacr_el1
	orr	x1, x10, #(3 << 20)
	msr	cpacr_el1, x1
	isb
	mov	x11, sp
	/* 1. Each register has two words that name it. */
	movz	x1, #0x1111
	movk	x1, #0x2222, lsl #32
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	add	x2, x1, #\n
	mvn	x3, x2
	fmov	d\n, x2
	mov	v\n\().d[1], x3
	.endr
	/* 2. Pushes. The eighth is in two pages. */
	at	2, 0x110
	mov	sp, x9
	stp	q0, q1, [sp, #-32]!
	stp	q2, q3, [sp, #-32]!
	stp	q4, q5, [sp, #-32]!
	stp	q6, q7, [sp, #-32]!
	stp	q8, q9, [sp, #-32]!
	stp	q10, q11, [sp, #-32]!
	stp	q12, q13, [sp, #-32]!
	stp	q14, q15, [sp, #-32]!
	stp	q16, q17, [sp, #-32]!
	stp	q18, q19, [sp, #-32]!
	stp	q20, q21, [sp, #-32]!
	stp	q22, q23, [sp, #-32]!
	stp	q24, q25, [sp, #-32]!
	stp	q26, q27, [sp, #-32]!
	stp	q28, q29, [sp, #-32]!
	stp	q30, q31, [sp, #-32]!
	mov	x12, sp
	mov	sp, x11
	at	1, 0xf10
	expect	x12, x9, 0
	/* 3. Pops into general registers. */
	mov	x13, #30
	mov	x9, x12
1:	add	x2, x1, x13
	mvn	x3, x2
	ldp	x4, x5, [x9], #16
	expect	x4, x2, 1
	expect	x5, x3, 2
	add	x2, x2, #1
	mvn	x3, x2
	ldp	x4, x5, [x9], #16
	expect	x4, x2, 1
	expect	x5, x3, 2
	subs	x13, x13, #2
	b.pl	1b
	/* 4. The registers themselves have not changed. */
	.irp	n, 0, 1, 15, 16, 30, 31
	add	x2, x1, #\n
	fmov	x4, d\n
	expect	x4, x2, 3
	mov	x5, v\n\().d[1]
	mvn	x3, x2
	expect	x5, x3, 4
	.endr
	msr	cpacr_el1, x10
	isb
	end
	end_piece fault_simd_stack

	/* --- pairs in two pages --- */

	piece	fault_pairs
	begin
	movz	x3, #0x3333
	movz	x4, #0x4444
	/* 1. Pages 0 and 1: a store. */
	at	0, 0xff8
	stp	x3, x4, [x9]
	ldr	x1, [x9]
	ldr	x2, [x9, #8]
	expect	x1, x3, 0
	expect	x2, x4, 1
	/* 2. Pages 2 and 3: a load whose base is a destination. */
	at	2, 0xff8
	ldp	x9, x10, [x9]
	expect	x9, xzr, 2
	expect	x10, xzr, 3
	/* 3. Pages 4 and 5: the base moves once, before the access. */
	at	4, 0xfe8
	stp	x3, x4, [x9, #16]!
	mov	x10, x9
	at	4, 0xff8
	expect	x10, x9, 4
	ldp	x1, x2, [x9]
	expect	x1, x3, 5
	expect	x2, x4, 6
	/* 4. Pages 6 and 7: and after the access. */
	at	6, 0xff8
	mov	x10, x9
	ldp	x1, x2, [x9], #32
	sub	x9, x9, x10
	expect	x9, #32, 7
	expect	x1, xzr, 8
	end
	end_piece fault_pairs

	/* --- one register with write-back --- */

	piece	fault_writeback
	begin
	movz	x3, #0x3333
	at	0, 0
	str	x3, [x9, #8]!
	sub	x1, x9, x27
	expect	x1, #8, 0
	at	1, 0
	mov	x10, x9
	ldr	x1, [x9], #-256
	sub	x10, x10, x9
	expect	x10, #256, 1
	expect	x1, xzr, 2
	/* SP as the base, at EL1h and EL1t. */
	mov	x11, sp
	at	2, 0x100
	mov	sp, x9
	str	x3, [sp, #-16]!
	mov	x10, sp
	mov	sp, x11
	sub	x10, x9, x10
	expect	x10, #16, 3
	mrs	x12, sp_el0
	at	3, 0x100
	msr	sp_el0, x9
	msr	spsel, #0
	str	x3, [sp, #-16]!
	msr	spsel, #1
	mrs	x10, sp_el0
	msr	sp_el0, x12
	sub	x10, x9, x10
	expect	x10, #16, 4
	mov	x10, sp
	expect	x10, x11, 5
	end
	end_piece fault_writeback

	/* --- exclusives --- */

	piece	fault_exclusive
	begin
	at	0, 0x10
1:	ldxr	x1, [x9]
	add	x1, x1, #5
	stxr	w2, x1, [x9]
	cbnz	w2, 1b
	ldr	x1, [x9]
	expect	x1, #5, 0
	at	1, 0x20
1:	ldaxp	x1, x3, [x9]
	add	x1, x1, #6
	add	x3, x3, #7
	stlxp	w2, x1, x3, [x9]
	cbnz	w2, 1b
	ldp	x1, x3, [x9]
	expect	x1, #6, 1
	expect	x3, #7, 2
	/* Without a reservation nothing is stored. */
	clrex
	at	0, 0x10
	mov	x1, #9
	stxr	w2, x1, [x9]
	expect	w2, #1, 3
	ldr	x1, [x9]
	expect	x1, #5, 4
	at	2, 0x7
1:	ldxrb	w1, [x9]
	add	w1, w1, #8
	stlxrb	w2, w1, [x9]
	cbnz	w2, 1b
	at	2, 0
	ldr	x1, [x9]
	mov	x3, #(8 << 56)
	expect	x1, x3, 5
	end
	end_piece fault_exclusive

	/* --- DC ZVA: a block of page 0, and nothing else --- */

	piece	fault_zva
	begin
	mrs	x1, dczid_el0
	tbnz	x1, #4, 3f
	and	x1, x1, #15
	mov	x2, #4
	lsl	x2, x2, x1		/* bytes of a block */
	mov	x3, #-1
	mov	x4, #0
1:	str	x3, [x27, x4]
	add	x4, x4, #8
	cmp	x4, #4096
	b.lo	1b
	/* The last byte of the second block names it; the first one if there is only one. */
	cmp	x2, #4096
	csel	x5, xzr, x2, hs
	add	x6, x27, x5
	add	x7, x6, x2
	sub	x7, x7, #1
	dc	zva, x7
	mov	x4, #0
2:	ldr	x1, [x27, x4]
	sub	x7, x4, x5
	cmp	x7, x2
	csetm	x7, hs			/* 0 inside, all bits outside */
	expect	x1, x7, 0
	add	x4, x4, #8
	cmp	x4, #4096
	b.lo	2b
3:	end
	end_piece fault_zva

	/* DC ZVA at x0; 0 if the CPU prohibits it. */
	piece	fault_zva_once
	dc	zva, x0
	ldr	x0, [x0]
	ret
	end_piece fault_zva_once

	/* --- cache maintenance by address, at x0 --- */

	piece	fault_maintenance
	dc	cvac, x0
	dc	civac, x0
	dc	ivac, x0
	dc	cvau, x0
	dsb	ish
	ic	ivau, x0
	dsb	ish
	isb
	/* DC CVAP, where ID_AA64ISAR1_EL1.DPB is not 0. */
	mrs	x1, id_aa64isar1_el1
	tst	x1, #15
	b.eq	1f
	sys	#3, c7, c12, #1, x0
	dsb	sy
1:	mov	x0, #0
	ret
	end_piece fault_maintenance

	/* --- WFE and SEVL, which end by themselves --- */

	piece	fault_wfe
	sevl
	wfe
	sev
	wfe
	mov	x0, #0
	ret
	end_piece fault_wfe
