/* From firmware's world to ours: the last instructions of the boot path. */
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
	/* 1. No interrupt of firmware's timer any more. */
	cli
	cld
	/* 2. Our tables: they map this code where firmware's did. */
	movq %rdx, %cr3
	/* 3. Our stack, with the 32 bytes that the ABI owes a callee. */
	leaq stack_top(%rip), %rsp
	subq $32, %rsp
	xorl %ebp, %ebp
	/* 4. %rcx still holds info; there is no way back. */
	call kernel_main
	ud2
