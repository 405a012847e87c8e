/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image's header and the entry point of every vCPU: EL1h, stage 1 off, interrupts masked, x0 =
 * vCPU index, x1 = guest_info.
 */
	.section .guest_header, "a"
	.quad	0x54534555474c46	// GUEST_MAGIC
	.word	2			// GUEST_AARCH64
	.word	1			// GUEST_ABI
	/* Distances from the header. The linker computes them relative to these words. */
	.quad	guest_image_end - . + 16
	.quad	guest_memory_end - . + 24
	.quad	guest_start - . + 32

	.section .text.start, "ax"
	.globl	guest_start
guest_start:
	/* 1. An unexpected exception ends the guest with its syndrome. */
	adr	x2, guest_vectors
	msr	vbar_el1, x2
	isb

	/* 2. Stack number x0, from its high end. */
	adrp	x2, guest_stacks
	add	x3, x0, #1
	add	x2, x2, x3, lsl #12	// GUEST_STACK_SIZE
	mov	sp, x2

	/* 3. Call the payload. A return is success. */
	bl	guest_main
	mov	x0, #0
	bl	guest_exit

/* Status 0x100 + exception class. */
	.text
	.balign	2048
guest_vectors:
	.rept	16
	.balign	128
	mrs	x0, esr_el1
	lsr	x0, x0, #26
	add	x0, x0, #0x100
	b	guest_exit
	.endr

	/* Last in memory: vCPUs beyond GUEST_MAX_VCPUS have their stacks behind it, if the VM has more
	   RAM than the image requests. */
	.section .stacks, "aw", @nobits
	.balign	4096
guest_stacks:
	.skip	8 * 4096		// GUEST_MAX_VCPUS * GUEST_STACK_SIZE
