/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's exception vectors on AArch64, and agent_try().
 *
 * TPIDR_EL1 holds this vCPU's struct agent_frame. agent_try() saves its caller's registers there.
 * If an exception occurs while the frame is armed, the handler restores these registers, and
 * agent_try() returns false. The interrupt handler counts the interrupt and masks interrupts. Then
 * the guest continues.
 */
#define FRAME_ARMED 0
#define FRAME_CAUSE 8
#define FRAME_ADDR  16
#define FRAME_PC    24
#define FRAME_IRQS  32
#define FRAME_SAVED 40
#define FRAME_SP    56
#define FRAME_KEEP  64

#define SPSR_I      0x80

	.text
	.globl	agent_try
agent_try:
	stp	x19, x20, [x0, #FRAME_KEEP]
	stp	x21, x22, [x0, #FRAME_KEEP + 16]
	stp	x23, x24, [x0, #FRAME_KEEP + 32]
	stp	x25, x26, [x0, #FRAME_KEEP + 48]
	stp	x27, x28, [x0, #FRAME_KEEP + 64]
	stp	x29, x30, [x0, #FRAME_KEEP + 80]
	mov	x9, sp
	str	x9, [x0, #FRAME_SP]
	mov	x19, x0
	mov	x9, #1
	str	x9, [x19, #FRAME_ARMED]
	mov	x0, x2
	blr	x1
	mov	x0, #1
	/* Only x19 and x30 differ from the caller's values. */
	str	xzr, [x19, #FRAME_ARMED]
	ldr	x30, [x19, #FRAME_KEEP + 88]
	ldr	x19, [x19, #FRAME_KEEP]
	ret

	/* D1.3.1: four groups of synchronous, IRQ, FIQ and SError vectors, 0x80 bytes each. */
	.balign	0x800
	.globl	agent_vector
agent_vector:
	.rept	4
	b	agent_exception
	.balign	0x80
	b	agent_irq
	.balign	0x80
	b	agent_irq
	.balign	0x80
	b	agent_exception
	.balign	0x80
	.endr

	/* 1. x16 holds the frame. */
agent_exception:
	msr	tpidr_el0, x16
	mrs	x16, tpidr_el1

	/* 2. Store the exception. */
	mrs	x17, esr_el1
	str	x17, [x16, #FRAME_CAUSE]
	mrs	x17, far_el1
	str	x17, [x16, #FRAME_ADDR]
	mrs	x17, elr_el1
	str	x17, [x16, #FRAME_PC]
	ldr	x17, [x16, #FRAME_ARMED]
	cbz	x17, 1f
	str	xzr, [x16, #FRAME_ARMED]

	/* 3. The exception masked all interrupts. Restore the guest's mask. */
	mrs	x17, spsr_el1
	msr	daif, x17

	/* 4. Return false from agent_try(). */
	ldr	x17, [x16, #FRAME_SP]
	mov	sp, x17
	ldp	x19, x20, [x16, #FRAME_KEEP]
	ldp	x21, x22, [x16, #FRAME_KEEP + 16]
	ldp	x23, x24, [x16, #FRAME_KEEP + 32]
	ldp	x25, x26, [x16, #FRAME_KEEP + 48]
	ldp	x27, x28, [x16, #FRAME_KEEP + 64]
	ldp	x29, x30, [x16, #FRAME_KEEP + 80]
	mov	x0, #0
	ret
1:	mov	x0, x16
	b	agent_fatal

agent_irq:
	msr	tpidr_el0, x16
	mrs	x16, tpidr_el1
	str	x17, [x16, #FRAME_SAVED]
	ldr	x17, [x16, #FRAME_IRQS]
	add	x17, x17, #1
	str	x17, [x16, #FRAME_IRQS]
	mrs	x17, spsr_el1
	orr	x17, x17, #SPSR_I
	msr	spsr_el1, x17
	ldr	x17, [x16, #FRAME_SAVED]
	mrs	x16, tpidr_el0
	eret

	/* The snippet of AGENT_RUN_AT. */
	.globl	agent_load_plain, agent_load_plain_end
agent_load_plain:
	ldr	w0, [x0]
	ret
agent_load_plain_end:
