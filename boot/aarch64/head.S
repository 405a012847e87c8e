/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first instructions. Linux's arm64 boot protocol (Documentation/arm64/booting.rst): x0 is the
 * device tree, or 0 if the loader has none. The MMU is off and interrupts are masked. The image is at
 * any 4 KiB aligned address, and is cleaned to the point of coherency.
 *
 * With the MMU off every data access is of Device type: it must be aligned, is not cached, and cannot
 * be exclusive. Stores here and in boot.c do not go to the caches, so arm_mmu_start() invalidates the
 * cache lines of that memory.
 */

#include "machine/aarch64/arm_cycles.inc"

	.section .head, "ax"
	.globl _image_start

_image_start:
	b	start				// code0
	.long	0				// code1
	.quad	0				// text_offset: none, with flags bit 3
	.quad	_image_end - _image_start	// image_size: with bss and stacks
	.quad	0xa				// flags: LE, 4K pages, anywhere in memory
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0				// no PE header

start:
	/* 1. Keep the device tree. Start the cycle counter at 0. On a CPU without a PMU, read the
	   generic timer instead. */
	mov	x19, x0
	start_cycle_counter x1
	mov	x20, xzr
	cbnz	x1, 1f
	mrs	x20, cntpct_el0
1:

	/* 2. The stack of the boot CPU. */
	adrp	x1, boot_stack_top
	add	x1, x1, :lo12:boot_stack_top
	mov	sp, x1

	/* 3. Relocate: the image is linked at 0, so its address is added to every pointer. */
	adrp	x9, _image_start
	adrp	x10, _rela_start
	add	x10, x10, :lo12:_rela_start
	adrp	x11, _rela_end
	add	x11, x11, :lo12:_rela_end
1:	cmp	x10, x11
	b.hs	2f
	ldp	x12, x13, [x10], #16		// r_offset, r_info
	ldr	x14, [x10], #8			// r_addend
	cmp	x13, #1027			// R_AARCH64_RELATIVE
	b.ne	1b
	add	x14, x14, x9
	str	x14, [x9, x12]
	b	1b

	/* 4. Clear .bss, 64 bytes at a time: image.ld aligns both its ends. */
2:	adrp	x10, _bss_start
	add	x10, x10, :lo12:_bss_start
	adrp	x11, _bss_end
	add	x11, x11, :lo12:_bss_end
3:	cmp	x10, x11
	b.hs	4f
	stp	xzr, xzr, [x10]
	stp	xzr, xzr, [x10, #16]
	stp	xzr, xzr, [x10, #32]
	stp	xzr, xzr, [x10, #48]
	add	x10, x10, #64
	b	3b

	/* 5. boot_main(device tree, exception level, start time). */
4:	mrs	x1, CurrentEL
	lsr	x1, x1, #2
	mov	x0, x19
	mov	x2, x20
	mov	x29, xzr
	mov	x30, xzr
	bl	boot_main
5:	wfi
	b	5b

/*
 * The vectors for an image that was entered at EL1. The only expected exception is that of a
 * semihosting call without a debugger. Then PSCI powers the machine off.
 */
	.text
	.balign	2048
	.globl	el1_vectors
el1_vectors:
	.rept	16
	.balign	128
	ldr	w0, =0x84000008			// PSCI SYSTEM_OFF
	hvc	#0
6:	wfi
	b	6b
	.endr
	.ltorg
