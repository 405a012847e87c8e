/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stacks of all CPUs, and the first instructions of a secondary CPU: at EL2, with the MMU off,
 * by PSCI with x0 pointing at its struct cpu. After a spin table no register is defined.
 */
#include "machine/aarch64/arm_cycles.inc"
#include "machine/aarch64/offsets.h"

	.section .stacks, "aw", @nobits
	.balign	4096
	.globl	cpu_stacks
cpu_stacks:
	.skip	STACK_SLOT * CPU_MAX

	/* The stack on which head.S starts: the top of the boot CPU's. */
	.globl	boot_stack_top
	.set	boot_stack_top, cpu_stacks + STACK_GUARD + STACK_SIZE

	.text
	.globl	cpu_spin_entry
cpu_spin_entry:
	/* 0. The struct cpu with this CPU's affinity. */
	mrs	x1, mpidr_el1
	and	x2, x1, #0xff00000000
	and	x1, x1, #0xffffff
	orr	x1, x1, x2
	adrp	x0, cpus
	add	x0, x0, :lo12:cpus
	mov	x2, #CPU_MAX
1:	ldr	x3, [x0, #CPU_MPIDR]
	cmp	x3, x1
	b.eq	cpu_entry
	add	x0, x0, #CPU_SIZE
	subs	x2, x2, #1
	b.ne	1b
2:	wfi
	b	2b

	.globl	cpu_entry
cpu_entry:
	/* 1. Traps are reported from here on. */
	msr	tpidr_el2, x0
	adrp	x1, trap_vectors
	add	x1, x1, :lo12:trap_vectors
	msr	vbar_el2, x1
	start_cycle_counter x1

	/* 2. The map that the boot CPU built, and the caches. */
	adrp	x1, mmu_registers
	add	x1, x1, :lo12:mmu_registers
	ldp	x2, x3, [x1, #MMU_MAIR]
	ldp	x4, x5, [x1, #MMU_TTBR]
	msr	mair_el2, x2
	msr	tcr_el2, x3
	msr	ttbr0_el2, x4
	isb
	tlbi	alle2
	ic	iallu
	dsb	sy
	isb
	msr	sctlr_el2, x5
	isb

	/* 3. A stack, and C. */
	ldr	x1, [x0, #CPU_STACK]
	mov	sp, x1
	mov	x29, xzr
	mov	x30, xzr
	b	cpu_main
