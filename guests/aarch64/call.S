/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypercall, and the functions of guest.h that are one instruction here.
 */
	.text

/* struct guest_result guest_call(function, a0, a1, a2): the error in x0 and the value in x1, as C
 * returns a struct of two words. */
	.globl	guest_call
guest_call:
	movk	w0, #0xc600, lsl #16	// GUEST_SMCCC_BASE; clears the upper half
	hvc	#0
	ret

/* The PMU's cycle counter traps. The hypervisor returns its own counter. */
	.globl	guest_cycles
guest_cycles:
	mrs	x0, pmccntr_el0
	ret

	.globl	guest_wait
guest_wait:
	wfi
	ret
