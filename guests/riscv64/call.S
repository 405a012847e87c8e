/*
 * The hypercall, and what else of guest.h is one instruction here.
 */
	.text

/* struct guest_result guest_call(function, a0, a1, a2): error in a0 and value in a1, as C returns
 * a struct of two words. */
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
	/* A hart without Zicntr traps, to the label: 0. */
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

/* fence.i is about the hart that executes it: each vCPU that is to run the code calls this. */
	.globl guest_sync_code
guest_sync_code:
	fence.i
	ret
