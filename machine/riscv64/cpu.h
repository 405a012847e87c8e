/*
 * What each CPU (hart) has of its own. tp points at it from the first instructions on for as
 * long as the hypervisor runs; hext/enter.S takes tp away from it and gives it back.
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

#define CPU_GIVEN 1U /* work that it has not begun */
#define CPU_WORKS 2U

struct cpu {
	void *stack_top;      /* CPU_STACK_TOP */
	void *trap_stack_top; /* CPU_TRAP_STACK_TOP: its own, so that an overflow is reported */
	uint64_t catch_pc;    /* CPU_CATCH_PC: where a trap goes on instead of panicking; or 0 */
	uint64_t trap_t0;     /* CPU_TRAP_T0, CPU_TRAP_SP: the trap vector's first registers */
	uint64_t trap_sp;
	unsigned index;
	uint64_t hart;
	uint64_t deadline; /* what the timer is set to: timer_set() */

	/* Of hext/: the vCPU that is loaded on this hart; its hgatp, or 0, which other harts read;
	 * 1 if one of them has deferred a fence until the next load. */
	void *guest;
	_Atomic uint64_t guest_root;
	_Atomic uint32_t stale;

	/* One piece of work: machine_run_on(). */
	_Atomic uint32_t busy; /* 0, CPU_GIVEN or CPU_WORKS */
	void (*work)(void *arg);
	void *arg;
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

/* On each CPU, tp already set: trap vector, page table, interrupts that may end a guest's run. */
void cpu_init(void);

#endif
