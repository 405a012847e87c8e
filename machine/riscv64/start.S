/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first instructions of a secondary hart. SBI hart state management enters in HS-mode with
 * a0 = hart id, translation off and interrupts masked; the other registers are undefined. a1 should
 * be the pointer that was passed to the firmware, but is not used: head.S in boot/riscv64/ says why.
 * Harts are started one at a time, so starting_cpu is this hart's struct cpu.
 */
#include "machine/riscv64/offsets.h"

	.text
	.globl secondary_start
secondary_start:
	/* 1. From here on a trap is reported. */
	fence	r, r
	la	t0, starting_cpu
	ld	tp, 0(t0)
	la	t0, host_trap
	csrw	stvec, t0
	csrw	sscratch, zero

	/* 2. A stack, and C, which does not return. */
	ld	sp, CPU_STACK_TOP(tp)
	call	secondary_main
