/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trap vector of HS-mode. Entered with interrupts off and tp pointing at this CPU's struct cpu.
 * The stack cannot be used, because an access to it may have trapped.
 */
#include "machine/riscv64/offsets.h"

	.text
	.balign 4
	.globl host_trap
host_trap:
	/* 1. Is a trap expected? Then continue at cpu->catch_pc. t0 may change. Not by sret: where
	   firmware has passed the trap on (OpenSBI 1.1), hstatus.SPV is still that of the last
	   guest, and sret would enter the guest. */
	sd	t0, CPU_TRAP_T0(tp)
	ld	t0, CPU_CATCH_PC(tp)
	beqz	t0, 1f
	jr	t0

	/* 2. Otherwise save every register on the trap stack. */
1:	sd	sp, CPU_TRAP_SP(tp)
	ld	sp, CPU_TRAP_STACK_TOP(tp)
	addi	sp, sp, -TRAP_FRAME_BYTES
	sd	zero, 0(sp)
	sd	x1, 8(sp)
	ld	t0, CPU_TRAP_SP(tp)
	sd	t0, 16(sp)
	sd	x3, 24(sp)
	sd	x4, 32(sp)
	ld	t0, CPU_TRAP_T0(tp)
	.irp	n, 5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	sd	x\n, (8 * \n)(sp)
	.endr

	/* 3. Report the trap. This does not return. */
	mv	a0, sp
	call	trap_report
