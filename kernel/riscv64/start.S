/*
 * Where a further hart begins: SBI hart state management enters in HS-mode with a0 = hart id,
 * a1 = the pointer given to it, translation off, interrupts masked, and nothing else set.
 */
#include "kernel/riscv64/offsets.h"

	.text
	.globl secondary_start
secondary_start:
	/* 1. From here on a trap is reported. */
	mv	tp, a1
	la	t0, host_trap
	csrw	stvec, t0
	csrw	sscratch, zero

	/* 2. A stack, and C, which does not return. */
	ld	sp, CPU_STACK_TOP(tp)
	mv	a0, tp
	call	secondary_main
