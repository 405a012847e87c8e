/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The piece of code of inject.c. It begins with a vector table. Each vector stores the exception in
 * the next record at x27, and returns to the instruction after the one that was refused.
 *
 *	record: offset of the vector, ESR, ELR, SPSR, DAIF, CurrentEL, SPSel, and NZCV and DAIF
 *	after the return
 *
 * x28 is the record of the last exception. The handler changes x17, x27 and x28.
 */
#include "suite/aarch64/piece.inc"

#define RECORD 80

#define SPSR_EL0T 0x000
#define SPSR_EL1T 0x004
#define SPSR_EL1H 0x005

	.macro	vector offset
	.balign	128
	mov	x17, #\offset
	b	.Lhandler
	.endm

	.section .rodata
	.balign	4096
	piece	inject
	.irp	offset, 0x000, 0x080, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380, 0x400, 0x480, 0x500, 0x580, 0x600, 0x680, 0x700, 0x780
	vector	\offset
	.endr
	.balign	128

.Lhandler:
	str	x17, [x27]
	mrs	x17, esr_el1
	str	x17, [x27, #8]
	lsr	x17, x17, #26
	cmp	x17, #0x15	/* SVC: the end of the EL0 part */
	b.eq	.Lback
	mrs	x17, elr_el1
	str	x17, [x27, #16]
	add	x17, x17, #4
	msr	elr_el1, x17
	mrs	x17, spsr_el1
	str	x17, [x27, #24]
	mrs	x17, daif
	str	x17, [x27, #32]
	mrs	x17, CurrentEL
	str	x17, [x27, #40]
	mrs	x17, spsel
	str	x17, [x27, #48]
	mov	x28, x27
	add	x27, x27, #RECORD
	eret

	/* inject.c calls this address, a page behind the vectors. x0: the records. */
	.balign	4096
	stp	x27, x28, [sp, #-64]!
	stp	x19, x30, [sp, #16]
	mrs	x1, vbar_el1
	mrs	x2, cntkctl_el1
	stp	x1, x2, [sp, #32]
	mrs	x1, daif
	mrs	x2, sp_el0
	stp	x1, x2, [sp, #48]
	mov	x27, x0
	adr	x1, arm_inject
	msr	vbar_el1, x1
	mov	x1, #0x200	/* CNTKCTL_EL1.EL0PTEN: EL0 reaches the trap to EL2 */
	msr	cntkctl_el1, x1
	isb

	/* Refuses, and stores the flags and masks after the return. */
	.macro	refused insn:vararg
	\insn
	mrs	x1, nzcv
	str	x1, [x28, #56]
	mrs	x1, daif
	str	x1, [x28, #64]
	.endm

	/* 1. EL1h, all masked; 2. nothing masked; 3. only SErrors masked, other flags. */
	mov	x1, #0x50000000
	msr	nzcv, x1
	msr	daifset, #15
	refused	mrs x0, actlr_el1
	mov	x1, #0xa0000000
	msr	nzcv, x1
	msr	daifclr, #15
	refused	mrs x0, actlr_el1
	mov	x1, #0x30000000
	msr	nzcv, x1
	msr	daifset, #4
	refused	dc isw, xzr

	/* 4. EL1t, interrupts and debug exceptions masked. */
	msr	daifclr, #15
	msr	daifset, #10
	msr	spsel, #0
	refused	mrs x0, actlr_el1
	msr	spsel, #1
	msr	daifset, #15

	/* 5. EL0, whose SPSR has other flags. */
	mov	x1, #0x90000000
	orr	x1, x1, #0x3c0
	msr	spsr_el1, x1
	adr	x1, 1f
	msr	elr_el1, x1
	mov	x19, sp
	eret
1:	mrs	x0, cntp_ctl_el0
	svc	#0
	b	.
.Lback:	mov	sp, x19

	ldp	x1, x2, [sp, #48]
	msr	daif, x1
	msr	sp_el0, x2
	ldp	x1, x2, [sp, #32]
	msr	vbar_el1, x1
	msr	cntkctl_el1, x2
	isb
	ldp	x19, x30, [sp, #16]
	ldp	x27, x28, [sp], #64
	mov	x0, #0
	ret
	end_piece inject
