/*
 * What the machine layer keeps per CPU. TPIDR_EL2 points at the running CPU's own.
 */
#ifndef MACHINE_AARCH64_CPU_H
#define MACHINE_AARCH64_CPU_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "machine.h"
#include "machine/aarch64/sysreg.h"

struct el2_cpu;

struct cpu {
	uint64_t index;
	void *trap_stack; /* where a trap's report runs: its top */
	void *stack;      /* its top */
	uint64_t mpidr;   /* affinity fields alone: what PSCI and the GIC call it */
	uint64_t irq;     /* the interrupt controller's own: a register base, a mask */
	_Atomic bool online;
	_Atomic bool busy;  /* fn is set, and has not returned yet */
	_Atomic bool begun; /* ...and has been called */
	void (*fn)(void *arg);
	void *arg;
	_Atomic(struct cpu *) waiter; /* sleeps until busy is false again */
	struct el2_cpu *el2;          /* the extension's own, once it is enabled here */
};

extern struct cpu cpus[MACHINE_MAX_CPUS];

SYSREG(tpidr_el2, "tpidr_el2")

static inline struct cpu *this_cpu(void)
{
	return (struct cpu *)(uintptr_t)read_tpidr_el2();
}

/* The unmapped page below a CPU's stack. */
void *cpu_stack_guard(unsigned index);

#endif
