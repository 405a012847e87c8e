/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts the other harts, one at a time, by SBI hart state management. start.S has their first
 * instructions.
 */
#include "boot_info.h"
#include "cpu_work.h"
#include "log.h"
#include "machine/riscv64/cpu.h"
#include "machine/riscv64/init.h"
#include "machine/riscv64/sbi.h"

static uint8_t stacks[MACHINE_MAX_CPUS][CPU_STACK_BYTES] MM_SECTION(".noinit") MM_ALIGNED_TO(16);
static uint8_t trap_stacks[MACHINE_MAX_CPUS][CPU_TRAP_STACK_BYTES] MM_SECTION(".noinit")
	MM_ALIGNED_TO(16);

/* The boot hart's traps are reported from its first instruction on. Its stack is in head.S. */
struct cpu cpu_table[MACHINE_MAX_CPUS] = {
	[0] = {.trap_stack_top = trap_stacks[1]},
};

static const struct boot_info *boot;

void start_init(const struct boot_info *info)
{
	boot = info;
	cpu_table[0].hart = info->boot_cpu;
}

/* In start.S: where the firmware starts a hart, with a1 = its struct cpu. */
void secondary_start(void);
/* Called there, on the hart's own stack. */
_Noreturn void secondary_main(void);

void secondary_main(void)
{
	cpu_init();
	cpu_work_loop();
}

/* The hart that is being started: start.S. */
extern struct cpu *_Atomic starting_cpu;
struct cpu *_Atomic starting_cpu;

static bool start(struct cpu *cpu, unsigned index, uint64_t hart)
{
	cpu->index = index;
	cpu->hart = hart;
	cpu->stack_top = stacks[index] + CPU_STACK_BYTES;
	cpu->trap_stack_top = trap_stacks[index] + CPU_TRAP_STACK_BYTES;
	atomic_store(&starting_cpu, cpu);
	return sbi_call(SBI_HSM, SBI_HSM_START, hart, (uint64_t)(uintptr_t)secondary_start,
	                (uint64_t)(uintptr_t)cpu, 0, 0)
	               .error == SBI_SUCCESS;
}

unsigned machine_start_cpus(unsigned wanted)
{
	for (unsigned i = cpus_up; i < boot->cpus; i++) {
		struct cpu *cpu = &cpu_table[cpus_up];

		if (cpus_up == wanted || cpus_up == MACHINE_MAX_CPUS)
			break;
		if (!start(cpu, cpus_up, boot->cpu_ids[i]))
			continue;
		/* A hart that was started and has not arrived may still arrive later: its struct
		 * cpu is not given to another one. */
		if (!cpu_work_arrives(cpus_up)) {
			log_line(LOG_QUIET, "smp hart=%llu error=\"started, but did not arrive\"",
			         (unsigned long long)cpu->hart);
			break;
		}
		cpus_up++;
	}
	return cpus_up;
}
