/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data of one CPU (hart). tp points at it whenever the hypervisor runs. hext/ saves and
 * restores tp around a guest's run.
 */
#ifndef MACHINE_RISCV64_CPU_H
#define MACHINE_RISCV64_CPU_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "machine.h"
#include "machine/riscv64/offsets.h"
#include "mm/compiler.h"

#define CPU_STACK_BYTES      16384
#define CPU_TRAP_STACK_BYTES 8192

struct cpu {
	void *stack_top;      /* CPU_STACK_TOP */
	void *trap_stack_top; /* CPU_TRAP_STACK_TOP: separate, so that an overflow is reported */
	uint64_t catch_pc;    /* CPU_CATCH_PC: where to continue after a trap; 0: panic */
	uint64_t trap_t0;     /* CPU_TRAP_T0, CPU_TRAP_SP: registers that the trap vector saves */
	uint64_t trap_sp;
	unsigned index;
	uint64_t hart;
	uint64_t deadline; /* the value of the timer: timer_set() */

	/* For hext/. */
	void *guest;                 /* the virtual CPU whose state is in this hart's registers */
	_Atomic uint64_t guest_root; /* its hgatp, or 0. Other harts read it */
	_Atomic uint32_t stale;      /* another hart left a flush to the next load */
} MM_ALIGNED_TO(64);

_Static_assert(offsetof(struct cpu, stack_top) == CPU_STACK_TOP, "offsets.h");
_Static_assert(offsetof(struct cpu, trap_stack_top) == CPU_TRAP_STACK_TOP, "offsets.h");
_Static_assert(offsetof(struct cpu, catch_pc) == CPU_CATCH_PC, "offsets.h");
_Static_assert(offsetof(struct cpu, trap_t0) == CPU_TRAP_T0, "offsets.h");
_Static_assert(offsetof(struct cpu, trap_sp) == CPU_TRAP_SP, "offsets.h");

static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	__asm__("mv %0, tp" : "=r"(cpu));
	return cpu;
}

extern struct cpu cpu_table[MACHINE_MAX_CPUS];
/* How many of them run. Written by machine_start_cpus(). */
extern unsigned cpus_up;

/* Once, before any CPU calls cpu_init(). */
void cpu_build_page_table(void);
/* On each CPU, after tp is set: trap vector, page table, timer, and the interrupts that may end a
 * guest's run. */
void cpu_init(void);

#endif
