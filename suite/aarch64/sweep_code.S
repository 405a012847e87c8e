/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The piece of code of sweep.c. x0 is a list of system registers, as instructions "MRS x1, R", which
 * ends with 0. 64 KiB behind it the registers are stored whose value a write has changed. x0 at the
 * end is their number.
 *
 *	x9	exceptions during this register
 *	x10	the list
 *	x11	the results
 *	x12	their number
 */
#include "suite/aarch64/piece.inc"

	.balign	4096
	piece	sweep
	b	1f
	.skip	0x200 - 4
	mrs	x17, elr_el1
	add	x17, x17, #4
	msr	elr_el1, x17
	orr	x9, x9, #1
	eret
	.balign	0x800
1:	mov	x10, x0
	add	x11, x0, #0x10000
	mov	x12, #0
	mrs	x13, vbar_el1
	adr	x1, arm_sweep
	msr	vbar_el1, x1
	isb
next:	ldr	w4, [x10], #4
	cbz	w4, done
	/* MRS x1; MSR x2; MRS x3; MSR x1 */
	and	w5, w4, #~0x200000
	adr	x8, patched
	str	w4, [x8]
	add	w6, w5, #1
	str	w6, [x8, #8]
	add	w6, w4, #2
	str	w6, [x8, #12]
	str	w5, [x8, #16]
	dc	cvau, x8
	dsb	ish
	ic	ivau, x8
	dsb	ish
	isb
	mov	x9, #0
	mov	x1, #0
	mov	x3, #0
	b	patched
	.balign	64
patched:
	nop
	mvn	x2, x1
	nop
	nop
	nop
	cbnz	x9, next
	cmp	x1, x3
	b.eq	next
	str	w4, [x11], #4
	add	x12, x12, #1
	b	next
done:	msr	vbar_el1, x13
	isb
	mov	x0, x12
	ret
	end_piece sweep
