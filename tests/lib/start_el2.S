/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An AArch64 kernel for QEMU's virt board, entered at EL2 with the MMU off: its start, putchar() on
 * the PL011, and power-off by PSCI. It stops in WFI if it is not at EL2, or if main() has failed.
 */
	.globl _start, putchar
_start:
	mrs	x0, CurrentEL
	cmp	x0, #(2 << 2)
	b.ne	stop
	adrp	x0, stack_end
	add	x0, x0, :lo12:stack_end
	mov	sp, x0
	bl	main
	cbnz	w0, stop
	ldr	x0, =0x84000008	/* SYSTEM_OFF */
	smc	#0
stop:
	wfi
	b	stop

putchar:
	mov	x1, #0x09000000	/* UARTDR */
	strb	w0, [x1]
	ret

	.bss
	.balign 16
	.skip	16384
stack_end:
