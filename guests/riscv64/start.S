/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image's header and the entry point of every vCPU: VS-mode, stage 1 bare, interrupts off, a0 =
 * vCPU index, a1 = guest_info.
 */
	.section .guest_header, "a"
	.quad	0x54534555474c46	/* GUEST_MAGIC */
	.word	1			/* GUEST_RISCV64 */
	.word	1			/* GUEST_ABI */
	.quad	guest_image_end - guest_base
	.quad	guest_memory_end - guest_base
	.quad	guest_start - guest_base

	.section .text.start, "ax"
	.globl guest_start
guest_start:
	/* 1. An unexpected trap ends the guest with its cause. */
	la	t0, guest_trap
	csrw	stvec, t0

	/* 2. Stack number a0, from its high end. */
	la	sp, guest_stacks
	addi	t0, a0, 1
	slli	t0, t0, 12
	add	sp, sp, t0

	/* 3. Call the payload. A return is success. */
	call	guest_main
	li	a0, 0
	call	guest_exit

/* Status 0x100 + scause. */
	.balign 4
guest_trap:
	csrr	a0, scause
	addi	a0, a0, 0x100
	call	guest_exit

	/* Last in memory: vCPUs beyond GUEST_MAX_VCPUS have their stacks behind it, if the VM has more
	   RAM than the image requests. */
	.section .stacks, "aw", @nobits
	.balign	4096
guest_stacks:
	.skip	8 * 4096		/* GUEST_MAX_VCPUS * GUEST_STACK_SIZE */
