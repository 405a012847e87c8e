/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exception vectors of the hypervisor. No exception returns from here.
 *
 * A trap may be a stack overflow (the page below the stack is not mapped), so the report runs on a
 * separate stack. x0, x1 and SP are saved in system registers of the guest, because no guest runs
 * again.
 */
#include "machine/aarch64/offsets.h"

	.text

	.macro	trap_vector number
	.balign	128
	msr	tpidr_el1, x0
	mov	x0, #\number
	b	trap_enter
	.endm

	.balign	2048
	.globl	trap_vectors
trap_vectors:
	.irp	number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	trap_vector \number
	.endr

/* x0 is the number of the vector. TPIDR_EL1 has the value of x0 before the trap. */
	.globl	trap_enter
trap_enter:
	/* 1. The trap stack of this CPU. */
	msr	tpidr_el0, x1
	mov	x1, sp
	msr	tpidrro_el0, x1
	mrs	x1, tpidr_el2
	ldr	x1, [x1, #CPU_TRAP_STACK]
	mov	sp, x1
	sub	sp, sp, #TRAP_FRAME_SIZE

	/* 2. Save all registers. */
	stp	x2, x3, [sp, #TRAP_X + 16]
	stp	x4, x5, [sp, #TRAP_X + 32]
	stp	x6, x7, [sp, #TRAP_X + 48]
	stp	x8, x9, [sp, #TRAP_X + 64]
	stp	x10, x11, [sp, #TRAP_X + 80]
	stp	x12, x13, [sp, #TRAP_X + 96]
	stp	x14, x15, [sp, #TRAP_X + 112]
	stp	x16, x17, [sp, #TRAP_X + 128]
	stp	x18, x19, [sp, #TRAP_X + 144]
	stp	x20, x21, [sp, #TRAP_X + 160]
	stp	x22, x23, [sp, #TRAP_X + 176]
	stp	x24, x25, [sp, #TRAP_X + 192]
	stp	x26, x27, [sp, #TRAP_X + 208]
	stp	x28, x29, [sp, #TRAP_X + 224]
	mrs	x2, tpidr_el1
	mrs	x3, tpidr_el0
	stp	x2, x3, [sp, #TRAP_X]
	mrs	x2, tpidrro_el0
	stp	x30, x2, [sp, #TRAP_X + 240]
	str	x0, [sp, #TRAP_VECTOR]

	/* 3. Report. */
	mov	x0, sp
	bl	trap_report
	b	.
