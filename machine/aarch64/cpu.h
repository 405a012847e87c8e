/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data of one CPU. TPIDR_EL2 points at that of the CPU that runs.
 */
#ifndef MACHINE_AARCH64_CPU_H
#define MACHINE_AARCH64_CPU_H

#include <stdint.h>

#include "machine.h"
#include "machine/aarch64/sysreg.h"

struct el2_cpu;

struct cpu {
	uint64_t index;
	void *trap_stack;    /* top of the stack on which a trap is reported */
	void *stack;         /* its top */
	uint64_t mpidr;      /* affinity fields alone, as PSCI and the GIC name the CPU */
	uint64_t irq;        /* for the interrupt controller's driver: a register base, a mask */
	struct el2_cpu *el2; /* for el2/, once it is enabled here */
};

extern struct cpu cpus[MACHINE_MAX_CPUS];
/* How many of them run. Written by machine_start_cpus(). */
extern unsigned cpus_up;

/* The stage-1 translation at EL2, the same on each CPU. start.S reads it with the MMU off. */
struct mmu_registers {
	uint64_t mair;
	uint64_t tcr;
	uint64_t ttbr;
	uint64_t sctlr;
};

extern struct mmu_registers mmu_registers;

SYSREG(tpidr_el2, "tpidr_el2")

static inline struct cpu *this_cpu(void)
{
	return (struct cpu *)(uintptr_t)read_tpidr_el2();
}

/* On each CPU, once, with the MMU on: its timer, its interrupts, and SErrors. */
void cpu_init(void);

/* The page below a CPU's stack, which is not mapped. */
void *cpu_stack_guard(unsigned index);

#endif
