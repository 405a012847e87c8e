/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pieces of code of timer.c. Each returns a bit for each thing that is wrong.
 *
 *	x27	interrupts taken
 *	x28	what is wrong
 *	x26	ticks per second
 *
 * Waits end after a thousand seconds, and a hang ends earlier (kernel/hang.h). The interrupt handler
 * stops the timer, and masks interrupts in the interrupted code, because the hypervisor withdraws
 * the interrupt a little later.
 */
#include "suite/aarch64/piece.inc"

#define ISR_I   0x80
#define HOUR    3600
#define YIELD   6
#define STEP    9
#define TIMER   10

	.macro	begin
	stp	x26, x27, [sp, #-48]!
	stp	x28, x30, [sp, #16]
	mrs	x1, vbar_el1
	str	x1, [sp, #32]
	adr	x1, .Lvectors\@
	b	.Lbegun\@
	.balign	2048
.Lvectors\@:
	.skip	0x280
	mrs	x17, spsr_el1
	orr	x17, x17, #0x80
	msr	spsr_el1, x17
	add	x27, x27, #1
	msr	cntv_ctl_el0, xzr
	isb
	eret
	.balign	2048
.Lbegun\@:
	msr	vbar_el1, x1
	isb
	msr	cntv_ctl_el0, xzr
	mrs	x26, cntfrq_el0
	mov	x27, #0
	mov	x28, #0
	.endm

	.macro	end
	msr	daifset, #2
	msr	cntv_ctl_el0, xzr
	isb
	ldr	x1, [sp, #32]
	msr	vbar_el1, x1
	isb
	mov	x0, x28
	ldp	x28, x30, [sp, #16]
	ldp	x26, x27, [sp], #48
	ret
	.endm

	/* Compare value: now + x1 ticks. */
	.macro	set_after
	isb
	mrs	x2, cntvct_el0
	add	x2, x2, x1
	msr	cntv_cval_el0, x2
	.endm

	.macro	control bits
	mov	x1, #\bits
	msr	cntv_ctl_el0, x1
	isb
	.endm

	.macro	expect_irqs count, bit
	cmp	x27, #\count
	b.eq	.Lequal\@
	orr	x28, x28, #(1 << \bit)
.Lequal\@:
	.endm

	.macro	await_irqs count, bit
	mov	x1, #1000
	mul	x1, x1, x26
	mrs	x2, cntvct_el0
	add	x2, x2, x1
.Lwait\@:
	cmp	x27, #\count
	b.hs	.Lcame\@
	isb
	mrs	x1, cntvct_el0
	cmp	x1, x2
	b.lo	.Lwait\@
.Lcame\@:
	expect_irqs \count, \bit
	.endm

	/* Until an interrupt is pending (1), or is not (0). */
	.macro	await_pending value, bit
	mov	x1, #1000
	mul	x1, x1, x26
	mrs	x2, cntvct_el0
	add	x2, x2, x1
.Lwait\@:
	mrs	x1, isr_el1
	ubfx	x1, x1, #7, #1
	cmp	x1, #\value
	b.eq	.Lis\@
	isb
	mrs	x1, cntvct_el0
	cmp	x1, x2
	b.lo	.Lwait\@
	orr	x28, x28, #(1 << \bit)
.Lis\@:
	.endm

	.macro	spin
	mov	x1, #20000
.Lspin\@:
	subs	x1, x1, #1
	b.ne	.Lspin\@
	.endm

	.macro	call number
	mov	x0, #\number
	movk	x0, #0xc600, lsl #16
	hvc	#0
	.endm

	.macro	an_hour
	mov	x1, #HOUR
	mul	x1, x1, x26
	.endm

	.macro	the_past
	mov	x1, #-1
	.endm

	/* The status bit: 4 or 0. */
	.macro	expect_status value, bit
	mrs	x1, cntv_ctl_el0
	and	x1, x1, #4
	cmp	x1, #\value
	b.eq	.Lstatus\@
	orr	x28, x28, #(1 << \bit)
.Lstatus\@:
	.endm

	.balign	4096
	piece	timer_local
	begin
	/* 1. Early: in an hour. */
	an_hour
	set_after
	control	1
	msr	daifclr, #2
	spin
	msr	daifset, #2
	expect_irqs 0, 0
	expect_status 0, 1
	control	0
	/* 2. Late: in a millisecond, by the compare value. */
	mov	x1, #1000
	udiv	x1, x26, x1
	set_after
	control	1
	msr	daifclr, #2
	await_irqs 1, 2
	await_pending 0, 3
	/* 3. By the timer value. */
	mov	x1, #1000
	udiv	x1, x26, x1
	msr	cntv_tval_el0, x1
	control	1
	msr	daifclr, #2
	await_irqs 2, 4
	await_pending 0, 5
	/* 4. In the past. */
	the_past
	set_after
	control	1
	msr	daifclr, #2
	await_irqs 3, 6
	await_pending 0, 7
	/* 5. Masked in the timer, then not. */
	the_past
	set_after
	control	3
	msr	daifclr, #2
	spin
	expect_irqs 3, 8
	expect_status 4, 9
	control	1
	await_irqs 4, 10
	await_pending 0, 11
	/* 6. Pending while PSTATE masks it; withdrawn by the control register. */
	the_past
	set_after
	control	1
	await_pending 1, 12
	control	0
	await_pending 0, 13
	msr	daifclr, #2
	spin
	msr	daifset, #2
	expect_irqs 4, 14
	/* 7. Withdrawn by a later compare value, pending again by an earlier one. */
	the_past
	set_after
	control	1
	await_pending 1, 15
	an_hour
	set_after
	await_pending 0, 16
	msr	daifclr, #2
	spin
	msr	daifset, #2
	expect_irqs 4, 17
	the_past
	set_after
	await_pending 1, 18
	msr	daifclr, #2
	await_irqs 5, 19
	await_pending 0, 20
	end
	end_piece timer_local

	/* The guest's own mask and enable bits, after the interrupt has become pending. The control
	   register always reads as the guest wrote it. */
	.macro	expect_control value, bit
	mrs	x1, cntv_ctl_el0
	and	x1, x1, #7
	cmp	x1, #\value
	b.eq	.Lcontrol\@
	orr	x28, x28, #(1 << \bit)
.Lcontrol\@:
	.endm

	.balign	4096
	piece	timer_own_mask
	begin
	/* 1. Masked while it is pending: no longer pending, and not taken. Then not masked. */
	the_past
	set_after
	control	1
	await_pending 1, 0
	expect_control 5, 1
	control	3
	await_pending 0, 2
	expect_control 7, 3
	msr	daifclr, #2
	spin
	msr	daifset, #2
	expect_irqs 0, 4
	control	1
	await_pending 1, 5
	/* 2. The same by reading, changing and writing the register. */
	mrs	x1, cntv_ctl_el0
	orr	x1, x1, #2
	msr	cntv_ctl_el0, x1
	isb
	await_pending 0, 6
	mrs	x1, cntv_ctl_el0
	bic	x1, x1, #2
	msr	cntv_ctl_el0, x1
	isb
	await_pending 1, 7
	/* 3. Disabled while it is pending, with the mask and without. */
	control	2
	await_pending 0, 8
	control	3
	spin
	mrs	x1, isr_el1
	tbz	x1, #7, 1f
	orr	x28, x28, #(1 << 9)
1:	control	1
	await_pending 1, 10
	control	0
	await_pending 0, 11
	spin
	msr	daifclr, #2
	spin
	msr	daifset, #2
	expect_irqs 0, 12
	/* 4. On another CPU: masked, and then not. */
	control	1
	await_pending 1, 13
	call	YIELD
	expect_control 5, 14
	control	3
	call	YIELD
	await_pending 0, 15
	expect_control 7, 16
	call	YIELD
	control	1
	call	YIELD
	await_pending 1, 17
	expect_control 5, 18
	/* 5. It is taken. The handler stops the timer. */
	msr	daifclr, #2
	await_irqs 1, 19
	await_pending 0, 20
	end
	end_piece timer_own_mask

	/* Its interrupt is pending, and never taken. Then x0 is set, and it spins. */
	.balign	4096
	piece	timer_kicked
	mov	x9, x0
	begin
	the_past
	set_after
	control	1
	await_pending 1, 0
	mov	x1, #1
	str	x1, [x9]
	b	.
	end
	end_piece timer_kicked

	/* WFI until the timer is due, in a millisecond, with the interrupt masked by PSTATE. Then WFI
	   ends at once, as often as it is executed. */
	.balign	4096
	piece	timer_wfi
	begin
	mov	x1, #1000
	udiv	x1, x26, x1
	set_after
	control	1
1:	wfi
	mrs	x1, cntv_ctl_el0
	tbz	x1, #2, 1b
	await_pending 1, 0
	.rept	20
	wfi
	.endr
	expect_irqs 0, 1
	msr	daifclr, #2
	await_irqs 1, 2
	await_pending 0, 5
	/* Masked by the timer: no interrupt, so another one ends WFI. */
	the_past
	set_after
	control	3
	wfi
	expect_status 4, 3
	mrs	x1, isr_el1
	tbz	x1, #7, 2f
	orr	x28, x28, #(1 << 4)
2:	end
	end_piece timer_wfi

	/* The interrupt line of GUEST_TIMER: raised, lowered, raised, and taken. */
	.balign	4096
	piece	timer_line
	begin
	mov	x1, #1
	call	TIMER
	await_pending 1, 0
	mov	x1, #0
	call	TIMER
	await_pending 0, 1
	msr	daifclr, #2
	spin
	msr	daifset, #2
	expect_irqs 0, 2
	mov	x1, #1
	call	TIMER
	msr	daifclr, #2
	await_irqs 1, 3
	mov	x1, #0
	call	TIMER
	await_pending 0, 4
	end
	end_piece timer_line

	/* Arms the timer, lets others run, and then takes its interrupt. */
	.balign	4096
	piece	timer_shared
	begin
	mov	x1, #1000
	udiv	x1, x26, x1
	set_after
	control	1
	.rept	10
	call	YIELD
	.endr
	msr	daifclr, #2
	await_irqs 1, 0
	await_pending 0, 1
	end
	end_piece timer_shared

	/* The other VM: no interrupt comes. */
	.balign	4096
	piece	timer_bystander
	begin
	msr	daifclr, #2
	.rept	10
	call	YIELD
	spin
	.endr
	msr	daifset, #2
	expect_irqs 0, 0
	expect_status 0, 1
	end
	end_piece timer_bystander

	/* Each yield moves it to another CPU. */
	.balign	4096
	piece	timer_moved
	begin
	the_past
	set_after
	control	1
	await_pending 1, 0
	call	YIELD
	await_pending 1, 1
	expect_status 4, 2
	call	YIELD
	control	0
	call	YIELD
	await_pending 0, 3
	mov	x1, #1000
	udiv	x1, x26, x1
	set_after
	control	1
	call	YIELD
	msr	daifclr, #2
	await_irqs 1, 4
	call	YIELD
	await_pending 0, 5
	an_hour
	set_after
	control	1
	call	YIELD
	msr	daifclr, #2
	spin
	msr	daifset, #2
	expect_irqs 1, 6
	end
	end_piece timer_moved

	/* The step returns CNTVOFF_EL2. The virtual count is the physical count less that. */
	.balign	4096
	piece	timer_offset
	begin
	mov	x7, #3
1:	mov	x1, #0
	call	STEP
	mov	x3, x1
	cbnz	x3, 2f
	orr	x28, x28, #1
2:	isb
	mrs	x4, cntpct_el0
	isb
	mrs	x5, cntvct_el0
	isb
	mrs	x6, cntpct_el0
	sub	x4, x4, x3
	sub	x6, x6, x3
	cmp	x5, x4
	b.hs	3f
	orr	x28, x28, #2
3:	cmp	x5, x6
	b.ls	4f
	orr	x28, x28, #4
4:	call	YIELD
	subs	x7, x7, #1
	b.ne	1b
	end
	end_piece timer_offset
