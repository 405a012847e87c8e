/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts the other CPUs, one at a time, by PSCI or from a spin table. start.S has their first
 * instructions, and the stacks of all CPUs.
 */
#include <stddef.h>

#include "boot_info.h"
#include "cpu_work.h"
#include "machine/aarch64/arm_boot.h"
#include "machine/aarch64/board.h"
#include "machine/aarch64/cpu.h"
#include "machine/aarch64/offsets.h"
#include "machine/aarch64/power.h"
#include "machine/aarch64/trap.h"

SYSREG_WRITE(vbar_el2, "vbar_el2")

_Static_assert(MACHINE_MAX_CPUS == CPU_MAX, "offsets.h");
_Static_assert(offsetof(struct cpu, trap_stack) == CPU_TRAP_STACK, "offsets.h");
_Static_assert(offsetof(struct cpu, stack) == CPU_STACK, "offsets.h");
_Static_assert(offsetof(struct cpu, mpidr) == CPU_MPIDR, "offsets.h");
_Static_assert(sizeof(struct cpu) == CPU_SIZE, "offsets.h");
_Static_assert(offsetof(struct mmu_registers, mair) == MMU_MAIR, "offsets.h");
_Static_assert(offsetof(struct mmu_registers, tcr) == MMU_TCR, "offsets.h");
_Static_assert(offsetof(struct mmu_registers, ttbr) == MMU_TTBR, "offsets.h");
_Static_assert(offsetof(struct mmu_registers, sctlr) == MMU_SCTLR, "offsets.h");

struct cpu cpus[MACHINE_MAX_CPUS];

static unsigned cpus_known; /* CPUs that firmware names, as many as have a slot in cpus[] */

/* In start.S. */
extern char cpu_stacks[], cpu_entry[], cpu_spin_entry[];

/* Where start.S ends, on a CPU other than the first. */
_Noreturn void cpu_main(void);

/* --- the boot CPU, with the MMU off --- */

static char *slot(unsigned index)
{
	return cpu_stacks + (size_t)index * STACK_SLOT;
}

void *cpu_stack_guard(unsigned index)
{
	return slot(index);
}

void arm_boot_cpu_init(const struct boot_info *info)
{
	cpus_known = info->cpus < MACHINE_MAX_CPUS ? info->cpus : MACHINE_MAX_CPUS;
	for (unsigned i = 0; i < MACHINE_MAX_CPUS; i++) {
		cpus[i].index = i;
		cpus[i].mpidr = info->cpu_ids[i];
		cpus[i].stack = slot(i) + STACK_GUARD + STACK_SIZE;
		cpus[i].trap_stack = slot(i) + STACK_SLOT;
	}
	write_tpidr_el2((uint64_t)(uintptr_t)&cpus[0]);
	write_vbar_el2((uint64_t)(uintptr_t)trap_vectors);
	isb();
}

/* --- the others --- */

void cpu_main(void)
{
	cpu_init();
	cpu_work_loop();
}

/* The CPU that starts reads mmu_registers and its struct cpu with its MMU off. It does not see the
 * caches through which this CPU wrote them. */
static void clean_for_start(const void *start, size_t bytes)
{
	uint64_t end = (uint64_t)(uintptr_t)start + bytes;

	for (uint64_t at = mm_align_down((uint64_t)(uintptr_t)start, 16); at < end; at += 16)
		__asm__ volatile("dc cvac, %0" : : "r"(at) : "memory");
	dsb_sy();
}

/* The "spin-table" of device trees: the CPU waits in WFE until a word is not 0. It reads the word
 * with its caches off. */
static void release(const struct cpu *cpu)
{
	uint64_t *word = (uint64_t *)(uintptr_t)board.spin_table.raw + cpu->mpidr;

	*word = (uint64_t)(uintptr_t)cpu_spin_entry;
	clean_for_start(word, sizeof(*word));
	__asm__ volatile("sev" : : : "memory");
}

static bool start_cpu(struct cpu *cpu)
{
	clean_for_start(cpu, sizeof(*cpu));
	clean_for_start(&mmu_registers, sizeof(mmu_registers));
	if (board.spin_table.raw != 0)
		release(cpu);
	else if (!psci_cpu_on(cpu->mpidr, (uint64_t)(uintptr_t)cpu_entry, (uint64_t)(uintptr_t)cpu))
		return false;
	return cpu_work_arrives((unsigned)cpu->index);
}

unsigned machine_start_cpus(unsigned wanted)
{
	while (cpus_up < cpus_known && cpus_up < wanted && start_cpu(&cpus[cpus_up]))
		cpus_up++;
	return cpus_up;
}
