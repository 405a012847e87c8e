/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world switch of EL2, and the loop around it.
 *
 *	void el2_enter(struct el2_vcpu *v, struct vm_exit *exit)
 *
 * Enters the guest, which is loaded on this CPU, and calls the exit handlers of exit.c for each of
 * its exceptions, until one returns EXIT_RETURN. The guest's EL1 registers stay in the CPU: el2.h.
 * Exceptions of the hypervisor go to trap_enter, in the machine layer.
 */
#include "el2/offsets.h"

/* The stack frame of el2_enter: its arguments, and x19 to x30, which belong to the caller. */
#define HOST_VCPU  0
#define HOST_EXIT  8
#define HOST_X19   16
#define HOST_FRAME 112

	.text

	.globl	el2_enter
	.balign	64
el2_enter:
	/* 1. Save the arguments, and the caller's registers. */
	sub	sp, sp, #HOST_FRAME
	stp	x0, x1, [sp, #HOST_VCPU]
	stp	x19, x20, [sp, #HOST_X19]
	stp	x21, x22, [sp, #HOST_X19 + 16]
	stp	x23, x24, [sp, #HOST_X19 + 32]
	stp	x25, x26, [sp, #HOST_X19 + 48]
	stp	x27, x28, [sp, #HOST_X19 + 64]
	stp	x29, x30, [sp, #HOST_X19 + 80]

enter_again:
	/* 2. The guest's PC and PSTATE. */
	ldp	x2, x3, [x0, #VCPU_PC]
	msr	elr_el2, x2
	msr	spsr_el2, x3

	/* 3. Load the guest's registers, x0 last. */
	ldp	x2, x3, [x0, #VCPU_X + 16]
	ldp	x4, x5, [x0, #VCPU_X + 32]
	ldp	x6, x7, [x0, #VCPU_X + 48]
	ldp	x8, x9, [x0, #VCPU_X + 64]
	ldp	x10, x11, [x0, #VCPU_X + 80]
	ldp	x12, x13, [x0, #VCPU_X + 96]
	ldp	x14, x15, [x0, #VCPU_X + 112]
	ldp	x16, x17, [x0, #VCPU_X + 128]
	ldp	x18, x19, [x0, #VCPU_X + 144]
	ldp	x20, x21, [x0, #VCPU_X + 160]
	ldp	x22, x23, [x0, #VCPU_X + 176]
	ldp	x24, x25, [x0, #VCPU_X + 192]
	ldp	x26, x27, [x0, #VCPU_X + 208]
	ldp	x28, x29, [x0, #VCPU_X + 224]
	ldr	x30, [x0, #VCPU_X + 240]
	ldp	x0, x1, [x0, #VCPU_X]
	eret

/* 4. Save the guest's registers. Its x0 and x1 are on the stack, below the frame. Afterwards x0 is
   v; x1 is unchanged. */
	.macro	save_guest
	ldr	x0, [sp, #16 + HOST_VCPU]
	stp	x2, x3, [x0, #VCPU_X + 16]
	stp	x4, x5, [x0, #VCPU_X + 32]
	stp	x6, x7, [x0, #VCPU_X + 48]
	stp	x8, x9, [x0, #VCPU_X + 64]
	stp	x10, x11, [x0, #VCPU_X + 80]
	stp	x12, x13, [x0, #VCPU_X + 96]
	stp	x14, x15, [x0, #VCPU_X + 112]
	stp	x16, x17, [x0, #VCPU_X + 128]
	stp	x18, x19, [x0, #VCPU_X + 144]
	stp	x20, x21, [x0, #VCPU_X + 160]
	stp	x22, x23, [x0, #VCPU_X + 176]
	stp	x24, x25, [x0, #VCPU_X + 192]
	stp	x26, x27, [x0, #VCPU_X + 208]
	stp	x28, x29, [x0, #VCPU_X + 224]
	str	x30, [x0, #VCPU_X + 240]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0, #VCPU_X]
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	stp	x2, x3, [x0, #VCPU_PC]
	.endm

/* 5. Decide what the exit is. */
exit_other:
	save_guest
	ldr	x2, [sp, #HOST_EXIT]
	bl	el2_handle_other_exit
	cbz	w0, resume
	b	return

exit_sync:
	save_guest
	ldr	x1, [sp, #HOST_EXIT]
	bl	el2_handle_exit
	cbz	w0, resume

return:
	/* 6. EXIT_RETURN: restore the caller's registers. */
	ldp	x19, x20, [sp, #HOST_X19]
	ldp	x21, x22, [sp, #HOST_X19 + 16]
	ldp	x23, x24, [sp, #HOST_X19 + 32]
	ldp	x25, x26, [sp, #HOST_X19 + 48]
	ldp	x27, x28, [sp, #HOST_X19 + 64]
	ldp	x29, x30, [sp, #HOST_X19 + 80]
	add	sp, sp, #HOST_FRAME
	ret

/* 7. EXIT_RESUME: enter again. */
resume:
	ldr	x0, [sp, #HOST_VCPU]
	b	enter_again

	.macro	from_host number
	.balign	128
	msr	tpidr_el1, x0
	mov	x0, #\number
	b	trap_enter
	.endm

	.macro	from_guest vector
	.balign	128
	stp	x0, x1, [sp, #-16]!
	.if	\vector == VECTOR_SYNC
	b	exit_sync
	.else
	mov	w1, #\vector
	b	exit_other
	.endif
	.endm

/* Arm ARM D1.3.1.6: four vectors each for EL2 with SP_EL0, EL2 with SP_EL2, a lower level in AArch64,
   a lower level in AArch32. */
	.balign	2048
	.globl	el2_vectors
el2_vectors:
	from_host 0
	from_host 1
	from_host 2
	from_host 3

	from_host 4
	from_host 5
	from_host 6
	from_host 7

	from_guest VECTOR_SYNC
	from_guest VECTOR_IRQ
	from_guest VECTOR_FIQ
	from_guest VECTOR_SERROR

	from_guest VECTOR_AARCH32
	from_guest VECTOR_AARCH32
	from_guest VECTOR_AARCH32
	from_guest VECTOR_AARCH32
