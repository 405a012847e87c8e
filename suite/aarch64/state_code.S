/* SPDX-License-Identifier: BSD-2-Clause */
/* The pieces of code of state.c. */
#include "suite/aarch64/piece.inc"
#include "suite/aarch64/state_block.h"

	.arch_extension fp
	.arch_extension simd
/* Two registers; STP and LDP reach only 504 bytes. */
	.macro	put first, second, base, offset:vararg
	str	\first, [\base, #(\offset)]
	str	\second, [\base, #(\offset) + 8]
	.endm

	.macro	get first, second, base, offset:vararg
	ldr	\first, [\base, #(\offset)]
	ldr	\second, [\base, #(\offset) + 8]
	.endm

/* --- state.c: x0 is the struct state_block --- */

/* 1. Keep the registers that the agent needs. x28 is the block. */
	piece	state_begin
	put	x19, x20, x0, BLOCK_KEPT
	put	x21, x22, x0, BLOCK_KEPT + 16
	put	x23, x24, x0, BLOCK_KEPT + 32
	put	x25, x26, x0, BLOCK_KEPT + 48
	put	x27, x28, x0, BLOCK_KEPT + 64
	put	x29, x30, x0, BLOCK_KEPT + 80
	mov	x1, sp
	mrs	x2, vbar_el1
	put	x1, x2, x0, BLOCK_KEPT + 96
	mrs	x1, tpidr_el1
	mrs	x2, cpacr_el1
	put	x1, x2, x0, BLOCK_KEPT + 112
	mov	x28, x0
	mrs	x1, cpacr_el1
	orr	x1, x1, #0x300000
	msr	cpacr_el1, x1
	isb
	end_piece state_begin

/* 2. Load the general and vector registers, and let others run. */
	.macro	vectors insn, offset
	\insn	q0, q1, [x0, #\offset]
	\insn	q2, q3, [x0, #\offset + 32]
	\insn	q4, q5, [x0, #\offset + 64]
	\insn	q6, q7, [x0, #\offset + 96]
	\insn	q8, q9, [x0, #\offset + 128]
	\insn	q10, q11, [x0, #\offset + 160]
	\insn	q12, q13, [x0, #\offset + 192]
	\insn	q14, q15, [x0, #\offset + 224]
	\insn	q16, q17, [x0, #\offset + 256]
	\insn	q18, q19, [x0, #\offset + 288]
	\insn	q20, q21, [x0, #\offset + 320]
	\insn	q22, q23, [x0, #\offset + 352]
	\insn	q24, q25, [x0, #\offset + 384]
	\insn	q26, q27, [x0, #\offset + 416]
	\insn	q28, q29, [x0, #\offset + 448]
	\insn	q30, q31, [x0, #\offset + 480]
	.endm

	piece	state_load_vectors
	add	x0, x28, #BLOCK_VECTORS_IN
	vectors	ldp, 0
	end_piece state_load_vectors

	piece	state_yield
	adr	x1, 1f
	str	x28, [x1]
	mov	x0, x28
	ldr	x1, [x0, #BLOCK_X_IN]
	msr	nzcv, x1
	get	x2, x3, x0, BLOCK_X_IN + 16
	get	x4, x5, x0, BLOCK_X_IN + 32
	get	x6, x7, x0, BLOCK_X_IN + 48
	get	x8, x9, x0, BLOCK_X_IN + 64
	get	x10, x11, x0, BLOCK_X_IN + 80
	get	x12, x13, x0, BLOCK_X_IN + 96
	get	x14, x15, x0, BLOCK_X_IN + 112
	get	x16, x17, x0, BLOCK_X_IN + 128
	get	x18, x19, x0, BLOCK_X_IN + 144
	get	x20, x21, x0, BLOCK_X_IN + 160
	get	x22, x23, x0, BLOCK_X_IN + 176
	get	x24, x25, x0, BLOCK_X_IN + 192
	get	x26, x27, x0, BLOCK_X_IN + 208
	get	x28, x29, x0, BLOCK_X_IN + 224
	ldr	x30, [x0, #BLOCK_X_IN + 240]
	mov	x0, #6
	movk	x0, #0xc600, lsl #16
	hvc	#0
	ldr	x0, 1f
	mrs	x1, nzcv
	str	x1, [x0, #BLOCK_X_OUT]
	put	x2, x3, x0, BLOCK_X_OUT + 16
	put	x4, x5, x0, BLOCK_X_OUT + 32
	put	x6, x7, x0, BLOCK_X_OUT + 48
	put	x8, x9, x0, BLOCK_X_OUT + 64
	put	x10, x11, x0, BLOCK_X_OUT + 80
	put	x12, x13, x0, BLOCK_X_OUT + 96
	put	x14, x15, x0, BLOCK_X_OUT + 112
	put	x16, x17, x0, BLOCK_X_OUT + 128
	put	x18, x19, x0, BLOCK_X_OUT + 144
	put	x20, x21, x0, BLOCK_X_OUT + 160
	put	x22, x23, x0, BLOCK_X_OUT + 176
	put	x24, x25, x0, BLOCK_X_OUT + 192
	put	x26, x27, x0, BLOCK_X_OUT + 208
	put	x28, x29, x0, BLOCK_X_OUT + 224
	str	x30, [x0, #BLOCK_X_OUT + 240]
	mov	x28, x0
	b	2f
	.balign	8
1:	.quad	0
2:
	end_piece state_yield

	piece	state_store_vectors
	add	x0, x28, #BLOCK_VECTORS_OUT
	vectors	stp, 0
	end_piece state_store_vectors

/* 3. Back to the agent. */
	piece	state_end
	get	x1, x2, x28, BLOCK_KEPT + 96
	mov	sp, x1
	msr	vbar_el1, x2
	get	x1, x2, x28, BLOCK_KEPT + 112
	msr	tpidr_el1, x1
	msr	cpacr_el1, x2
	isb
	mov	x0, x28
	get	x19, x20, x0, BLOCK_KEPT
	get	x21, x22, x0, BLOCK_KEPT + 16
	get	x23, x24, x0, BLOCK_KEPT + 32
	get	x25, x26, x0, BLOCK_KEPT + 48
	get	x27, x28, x0, BLOCK_KEPT + 64
	get	x29, x30, x0, BLOCK_KEPT + 80
	mov	x0, #0
	ret
	end_piece state_end

/* --- a fresh vCPU: the first instructions of the VM branch here --- */

/* At the entry. */
	piece	fresh_branch
	ldr	x17, 1f
	br	x17
1:	.quad	0	/* state.c writes the address */
	end_piece fresh_branch

/* 1. Store the general registers in the block, whose address state.c writes to the first word. x28
      is the block. */
	piece	fresh_begin
	b	1f
	.balign	8
	.quad	0
1:	adr	x17, 1b
	ldr	x17, [x17, #-8]
	put	x0, x1, x17, BLOCK_X_OUT
	put	x2, x3, x17, BLOCK_X_OUT + 16
	put	x4, x5, x17, BLOCK_X_OUT + 32
	put	x6, x7, x17, BLOCK_X_OUT + 48
	put	x8, x9, x17, BLOCK_X_OUT + 64
	put	x10, x11, x17, BLOCK_X_OUT + 80
	put	x12, x13, x17, BLOCK_X_OUT + 96
	put	x14, x15, x17, BLOCK_X_OUT + 112
	str	x16, [x17, #BLOCK_X_OUT + 128]
	put	x18, x19, x17, BLOCK_X_OUT + 144
	put	x20, x21, x17, BLOCK_X_OUT + 160
	put	x22, x23, x17, BLOCK_X_OUT + 176
	put	x24, x25, x17, BLOCK_X_OUT + 192
	put	x26, x27, x17, BLOCK_X_OUT + 208
	put	x28, x29, x17, BLOCK_X_OUT + 224
	str	x30, [x17, #BLOCK_X_OUT + 240]
	mov	x28, x17
	mrs	x2, nzcv
	mrs	x3, daif
	put	x2, x3, x28, BLOCK_BEFORE
	mrs	x2, CurrentEL
	mrs	x3, spsel
	put	x2, x3, x28, BLOCK_BEFORE + 16
	mrs	x2, cpacr_el1
	str	x2, [x28, #BLOCK_BEFORE + 32]
	mov	x2, #0x300000
	msr	cpacr_el1, x2
	isb
	end_piece fresh_begin

	piece	fresh_end
	ldr	x2, [x28, #BLOCK_BEFORE + 32]
	msr	cpacr_el1, x2
	isb
	/* The instructions of the entry that fresh_branch replaced, and its address. */
	get	x2, x3, x28, BLOCK_KEPT
	ldr	x17, [x28, #BLOCK_KEPT + 16]
	stp	x2, x3, [x17]
	dc	cvau, x17
	dsb	ish
	ic	ivau, x17
	dsb	ish
	isb
	get	x0, x1, x28, BLOCK_X_OUT
	br	x17
	end_piece fresh_end
