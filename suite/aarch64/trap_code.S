/* SPDX-License-Identifier: BSD-2-Clause */
/* The pieces of code of trap.c. */
#include "suite/aarch64/piece.inc"

	.macro	keep
	stp	x19, x20, [sp, #-96]!
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	.endm

	.macro	unkeep
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	x19, x20, [sp], #96
	.endm

/* MRS of an ID register to each register in turn, and to the zero register. x0 is the array, kept
   in TPIDR_EL0. */
	piece	every_mrs
	keep
	msr	tpidr_el0, x0
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	mov	x\n, #\n
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	mrs	x\n, id_aa64isar0_el1
	.endr
	mrs	xzr, id_aa64pfr0_el1
	stp	x0, x1, [sp, #-16]!
	mrs	x0, tpidr_el0
	stp	x2, x3, [x0, #16]
	stp	x4, x5, [x0, #32]
	stp	x6, x7, [x0, #48]
	stp	x8, x9, [x0, #64]
	stp	x10, x11, [x0, #80]
	stp	x12, x13, [x0, #96]
	stp	x14, x15, [x0, #112]
	stp	x16, x17, [x0, #128]
	stp	x18, x19, [x0, #144]
	stp	x20, x21, [x0, #160]
	stp	x22, x23, [x0, #176]
	stp	x24, x25, [x0, #192]
	stp	x26, x27, [x0, #208]
	stp	x28, x29, [x0, #224]
	str	x30, [x0, #240]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0]
	unkeep
	mov	x0, #0
	ret
	end_piece every_mrs

/* MSR of a register that traps while stage 1 is off, from each register in turn. Its reads do not
   trap. x0 is the array, kept in TPIDR_EL0. */
	piece	every_msr
	keep
	msr	tpidr_el0, x0
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
	movz	x\n, #((0x1111111 * (\n + 1)) & 0xffff)
	movk	x\n, #(((0x1111111 * (\n + 1)) >> 16) & 0xffff), lsl #16
	msr	contextidr_el1, x\n
	mrs	x30, contextidr_el1
	stp	x29, x30, [sp, #-16]!
	mrs	x29, tpidr_el0
	str	x30, [x29, #8 * \n]
	ldp	x29, x30, [sp], #16
	.endr
	movz	x30, #((0x1111111 * 31) & 0xffff)
	movk	x30, #(((0x1111111 * 31) >> 16) & 0xffff), lsl #16
	msr	contextidr_el1, x30
	mrs	x1, contextidr_el1
	mrs	x0, tpidr_el0
	str	x1, [x0, #240]
	msr	contextidr_el1, xzr
	mrs	x1, contextidr_el1
	str	x1, [x0, #248]
	unkeep
	mov	x0, #0
	ret
	end_piece every_msr

/* After each instruction that the hypervisor steps over, the next one is executed once. */
	piece	next_pc
	mov	x9, #0
	mov	x0, #0x4444
	mov	x10, x9
	smc	#0
	add	x9, x9, #1
	mrs	x0, id_aa64pfr0_el1
	add	x9, x9, #2
	msr	contextidr_el1, xzr
	add	x9, x9, #4
	wfi
	add	x9, x9, #8
	mov	x0, #0x4444
	hvc	#0
	add	x9, x9, #16
	msr	mdscr_el1, xzr
	add	x9, x9, #32
	mov	x0, x9
	ret
	end_piece next_pc

	piece	ten_wfi
	.rept	10
	wfi
	.endr
	mov	x0, #0
	ret
	end_piece ten_wfi

	piece	sve
	mov	x0, #0x330000	/* CPACR_EL1.FPEN and ZEN */
	msr	cpacr_el1, x0
	isb
	.inst	0x04bf5020	/* rdvl x0, #1 */
	ret
	end_piece sve

	piece	cycles
	mrs	x0, pmccntr_el0
	cmp	x0, #0
	cset	x0, ne
	ret
	end_piece cycles

	piece	brk
	brk	#7
	ret
	end_piece brk

	piece	pauth
	.inst	0x9ac13000	/* pacga x0, x0, x1 */
	ret
	end_piece pauth
