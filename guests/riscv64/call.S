/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypercall, and the functions of guest.h that are one instruction here.
 */
	.text

/* struct guest_result guest_call(function, a0, a1, a2): the error in a0 and the value in a1, as C
 * returns a struct of two words. */
	.globl guest_call
guest_call:
	mv	a6, a0
	mv	a0, a1
	mv	a1, a2
	mv	a2, a3
	li	a7, 0x0846544c		/* GUEST_SBI_EXTENSION */
	ecall
	ret

	.globl guest_cycles
guest_cycles:
	/* A hart without Zicntr traps. The handler continues at the label with 0. */
	la	t0, 1f
	csrrw	t0, stvec, t0
	li	a0, 0
	csrr	a0, instret
	.balign	4
1:	csrw	stvec, t0
	ret

	.globl guest_wait
guest_wait:
	wfi
	ret

/* fence.i affects only the hart that executes it. Each vCPU that runs the code must call this
 * function. */
	.globl guest_sync_code
guest_sync_code:
	fence.i
	ret
