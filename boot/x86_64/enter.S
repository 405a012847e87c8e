/* SPDX-License-Identifier: BSD-2-Clause */
/* The last instructions of the boot path: the hypervisor's own page tables and stack. */
	.equ STACK_SIZE, 65536

	.bss
	.balign 4096
stack:
	.skip STACK_SIZE
stack_top:

	.text
	.globl enter_kernel
/* enter_kernel(info in %rcx, cr3 in %rdx), by the Microsoft ABI. */
enter_kernel:
	/* 1. Disable interrupts: firmware's timer still runs. */
	cli
	cld
	/* 2. Page tables. They map this code at the same address as firmware's. */
	movq %rdx, %cr3
	/* 3. The stack, with the 32 bytes that a callee may use by the ABI. */
	leaq stack_top(%rip), %rsp
	subq $32, %rsp
	xorl %ebp, %ebp
	/* 4. %rcx is still info. kernel_main() does not return. */
	call kernel_main
	ud2
