/*
 * Clearing frames: half of what a lazy fault costs, so a frame takes no more than a store per
 * word and little beside. (Zicboz would do better; QEMU 7.2 has no hart with it.) No data cache
 * is ever off on RISC-V, so nothing is cleaned afterwards.
 */
	.text
	.balign	64
/* void machine_zero(void *ctx, void *page, size_t bytes): bytes is a multiple of 512. */
	.globl machine_zero
machine_zero:
	add	a2, a2, a1
	.equ	offset, 0
1:	.rept	64
	sd	zero, offset(a1)
	.equ	offset, offset + 8
	.endr
	addi	a1, a1, 512
	bltu	a1, a2, 1b
	ret
