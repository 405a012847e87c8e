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

	/* --- the CPU's own exception, and the injected one: the same for the handler --- */

#define PAN    s3_0_c4_c2_3
#define UAO    s3_0_c4_c2_4
#define SSBS   s3_3_c4_c2_6
#define ALIKE  56	/* a record: DAIF, PAN, UAO, SSBS, SPSR, ESR, NZCV */

	/* x20 to x22: has PAN, UAO, SSBS. x27: the next record. x28: what is wrong. */
	.balign	4096
	piece	inject_alike
	b	.Lalike
	.skip	0x200 - 4
	mrs	x17, daif
	str	x17, [x27]
	mov	x17, #0
	cbz	x20, 1f
	mrs	x17, PAN
1:	str	x17, [x27, #8]
	mov	x17, #0
	cbz	x21, 1f
	mrs	x17, UAO
1:	str	x17, [x27, #16]
	mov	x17, #0
	cbz	x22, 1f
	mrs	x17, SSBS
1:	str	x17, [x27, #24]
	mrs	x17, spsr_el1
	str	x17, [x27, #32]
	mrs	x17, esr_el1
	str	x17, [x27, #40]
	mrs	x17, nzcv
	str	x17, [x27, #48]
	mrs	x17, elr_el1
	add	x17, x17, #4
	msr	elr_el1, x17
	add	x27, x27, #ALIKE
	eret

	/* `set` and `not`: bits of SCTLR_EL1. The others: bits of PSTATE. */
	.macro	state set, not, pan, uao, ssbs, nzcv
	ldr	x1, [sp, #56]
	movz	x2, #((\set) >> 16 & 0xffff), lsl #16
	movk	x2, #((\set) >> 32 & 0xffff), lsl #32
	orr	x1, x1, x2
	movz	x2, #((\not) >> 16 & 0xffff), lsl #16
	movk	x2, #((\not) >> 32 & 0xffff), lsl #32
	bic	x1, x1, x2
	msr	sctlr_el1, x1
	isb
	cbz	x20, 1f
	msr	PAN, \pan
1:	cbz	x21, 1f
	msr	UAO, \uao
1:	cbz	x22, 1f
	msr	SSBS, \ssbs
1:	mov	x1, #\nzcv
	msr	nzcv, x1
	.endm

	/* Two records; a bit for each word that differs. NZCV does not change (QEMU's own exceptions
	   clear it), so that of the injected exception is compared with its value before. */
	.macro	alike first, args:vararg
	mov	x27, x26
	state	\args
	.inst	0		/* undefined for the CPU */
	state	\args
	mrs	x1, actlr_el1	/* traps, and is injected */
	.irp	n, 0, 1, 2, 3, 4, 5
	ldr	x1, [x26, #8 * \n]
	ldr	x2, [x26, #8 * \n + ALIKE]
	cmp	x1, x2
	b.eq	2f
	orr	x28, x28, #(1 << (\first + \n))
2:
	.endr
	ldr	x1, [x26, #ALIKE + 48]
	ldr	x2, [x26, #ALIKE + 32]
	and	x2, x2, #0xf0000000	/* SPSR */
	cmp	x1, x2
	b.eq	2f
	orr	x28, x28, #(1 << 25)
2:
	.endm

#define SPAN   (1 << 23)
#define DSSBS  (1 << 44)

.Lalike:
	stp	x19, x20, [sp, #-96]!
	stp	x21, x22, [sp, #16]
	stp	x25, x26, [sp, #32]
	mrs	x1, vbar_el1
	mrs	x2, sctlr_el1
	stp	x1, x2, [sp, #48]
	stp	x27, x28, [sp, #64]
	str	x30, [sp, #80]
	mov	x26, x0
	mov	x28, #0
	mrs	x1, id_aa64mmfr1_el1
	ubfx	x20, x1, #20, #4
	mrs	x1, id_aa64mmfr2_el1
	ubfx	x21, x1, #4, #4
	mrs	x1, id_aa64pfr1_el1
	ubfx	x1, x1, #4, #4
	lsr	x22, x1, #1	/* 2: PSTATE.SSBS has an MRS */
	mov	x19, #(1 << 22)
	mov	x25, #(1 << 23)
	mov	x30, #(1 << 12)
	adr	x1, arm_inject_alike
	msr	vbar_el1, x1
	isb
	alike	0, SPAN, DSSBS, xzr, xzr, xzr, 0xa0000000
	alike	6, 0, SPAN, xzr, x25, x30, 0x50000000
	alike	12, SPAN | DSSBS, 0, x19, xzr, xzr, 0xf0000000
	alike	18, DSSBS, SPAN, x19, x25, xzr, 0
	/* VBAR_EL1 bits 10:0 are RES0: the vector of an exception does not depend on them. */
	adr	x1, arm_inject_alike
	add	x1, x1, #0x7e0
	msr	vbar_el1, x1
	isb
	mov	x27, x26
	mrs	x1, actlr_el1
	sub	x1, x27, x26
	cmp	x1, #ALIKE
	b.eq	3f
	orr	x28, x28, #(1 << 24)
3:	ldp	x1, x2, [sp, #48]
	msr	vbar_el1, x1
	msr	sctlr_el1, x2
	cbz	x20, 4f
	msr	PAN, xzr
4:	cbz	x21, 5f
	msr	UAO, xzr
5:	isb
	mov	x0, x28
	ldr	x30, [sp, #80]
	ldp	x27, x28, [sp, #64]
	ldp	x25, x26, [sp, #32]
	ldp	x21, x22, [sp, #16]
	ldp	x19, x20, [sp], #96
	ret
	end_piece inject_alike
