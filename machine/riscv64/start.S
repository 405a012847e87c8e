/*
 * Where a further hart begins: SBI hart state management enters in HS-mode with a0 = hart id,
 * translation off, interrupts masked, and nothing else set. a1 is to be the pointer given to it,
 * but is not relied on, as boot/riscv64/head.S says: harts are started one at a time, and
 * smp_starting is whose turn it is.
 */
#include "machine/riscv64/offsets.h"

	.text
	.globl secondary_start
secondary_start:
	/* 1. From here on a trap is reported. */
	fence	r, r
	la	t0, smp_starting
	ld	tp, 0(t0)
	la	t0, host_trap
	csrw	stvec, t0
	csrw	sscratch, zero

	/* 2. A stack, and C, which does not return. */
	ld	sp, CPU_STACK_TOP(tp)
	mv	a0, tp
	call	secondary_main
