/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first instructions. The SBI firmware enters here in HS-mode (S-mode without the hypervisor
 * extension) on one hart, with a0 = its hart id, a1 = the device tree, address translation off and
 * interrupts masked. Other harts wait in the firmware.
 *
 * The image begins with the 64-byte header of Linux (Documentation/riscv/boot-image-header.rst), so
 * that loaders for Linux accept the flat image. QEMU enters an ELF file at its lowest address and
 * ignores e_entry, so image.ld puts this file first.
 */
#include "machine/riscv64/offsets.h"

	.section .text.head, "ax"
	.globl image_start
image_start:
	.option	push
	.option	norvc
	j	start				// code0
	.option	pop
	.word	0				// code1
	.dword	0x200000			// text_offset: 2 MiB behind the start of RAM
	.dword	image_end - image_start		// image_size: with bss and stacks
	.dword	0				// flags: little-endian
	.word	2				// version 0.2
	.word	0
	.dword	0
	.ascii	"RISCV\0\0\0"
	.ascii	"RSC\x05"
	.word	0				// no PE header

start:
	/* 0. One hart boots. OpenSBI 1.1 marks a secondary hart as started before it writes the
	   start address. A hart that reads the old address enters here, and branches to its own
	   start. */
	la	t0, boot_taken
	li	t1, 1
	amoswap.w.aq t1, t1, (t0)
	beqz	t1, 1f
	tail	secondary_start
1:

	/* 1. From here on a trap is reported. tp points at this hart's struct cpu. */
	la	tp, cpu_table
	la	t0, host_trap
	csrw	stvec, t0

	/* 2. The start time. 0 on a hart without Zicntr, where the read traps. */
	la	t0, 1f
	sd	t0, CPU_CATCH_PC(tp)
	li	a2, 0
	csrr	a2, instret
1:	sd	zero, CPU_CATCH_PC(tp)

	/* 3. No translation, no interrupts. sscratch is 0 whenever the hypervisor runs. */
	csrw	satp, zero
	csrw	sie, zero
	csrw	sscratch, zero

	/* 4. Relocate: add the distance between link address and load address to each pointer in
	   the image. All relocations are relative ones. */
	la	t0, image_start
	ld	t1, link_address
	sub	t0, t0, t1
	la	t1, image_rela_start
	la	t2, image_rela_end
1:	bgeu	t1, t2, 2f
	ld	t3, 0(t1)			// r_offset
	ld	t4, 16(t1)			// r_addend
	addi	t1, t1, 24
	add	t3, t3, t0
	add	t4, t4, t0
	sd	t4, 0(t3)
	j	1b
2:
	/* 5. Clear .bss, 32 bytes at a time: image.ld aligns both its ends. */
	la	t0, image_bss_start
	la	t1, image_bss_end
	bgeu	t0, t1, 2f
1:	sd	zero, 0(t0)
	sd	zero, 8(t0)
	sd	zero, 16(t0)
	sd	zero, 24(t0)
	addi	t0, t0, 32
	bltu	t0, t1, 1b

	/* 6. A stack, and C: boot_main(hart, device tree, start) does not return. */
2:	la	sp, boot_stack_top
	call	boot_main

	/* A number, which is not relocated. */
	.section .rodata
	.balign	8
link_address:
	.dword	image_link_address

	/* Not in .bss, which is cleared after this variable is set. */
	.data
	.balign	4
boot_taken:
	.word	0

	.section .noinit, "aw", @nobits
	.balign	16
	.skip	32768
boot_stack_top:
