/*
 * CPUs: the boot CPU's own state, starting the others (by PSCI, or from a spin table), and
 * giving them work. A CPU without work sleeps; whoever gives it some, or finishes what another
 * waits for, kicks it.
 */
#include "machine/aarch64/cpu.h"

#include <stddef.h>

#include "boot_info.h"
#include "kick.h"
#include "machine.h"
#include "machine/aarch64/arm_boot.h"
#include "machine/aarch64/board.h"
#include "machine/aarch64/irq.h"
#include "machine/aarch64/mmu.h"
#include "machine/aarch64/offsets.h"
#include "machine/aarch64/psci.h"
#include "machine/aarch64/timer.h"
#include "machine/aarch64/trap.h"
#include "wait_limit.h"

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

static unsigned cpus_known; /* that the firmware names and that have a slot here */
static unsigned cpus_up = 1;

extern char cpu_stacks[], cpu_entry[], cpu_spin_entry[];

_Noreturn void cpu_main(void);

/*
 * Sleeps until some other CPU kicks this one, or already has: interrupts are masked here, but a
 * pending one ends WFI. Acknowledging comes first, so that a kick meant for what the caller is
 * about to look at is still pending when it sleeps.
 */
static void sleep_unless_kicked(void)
{
	if (board.irq == IRQ_NONE)
		__asm__ volatile("wfe" : : : "memory");
	else
		__asm__ volatile("dsb sy\n\twfi" : : : "memory");
}

static void wake(const struct cpu *cpu)
{
	if (kick_is_lost(KICK_RUN))
		return;
	dsb_ishst();
	__asm__ volatile("sev" : : : "memory");
	irq_kick(cpu);
}

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

/* What each CPU does once, with the MMU on. SErrors are let through: they are reported, too. */
static void init_this_cpu(void)
{
	timer_init_cpu();
	irq_init_cpu(this_cpu());
	__asm__ volatile("msr daifclr, #4" : : : "memory");
}

void machine_init(const struct boot_info *info)
{
	(void)info;
	irq_init();
	init_this_cpu();
	atomic_store(&cpus[0].online, true);
}

/*
 * The deadline of the guest that ran here last does not end the sleep: a kick does, or the timer,
 * once a second, so that this CPU looks after CPU 0.
 */
static void await_work(struct cpu *cpu)
{
	uint64_t control = read_cnthp_ctl_el2() & (TIMER_ENABLE | TIMER_IMASK);
	uint64_t value = read_cnthp_cval_el2();

	machine_allow_stop();
	for (;;) {
		irq_acknowledge();
		if (atomic_load(&cpu->busy))
			break;
		timer_set(machine_ticks() + machine_ticks_per_second());
		sleep_unless_kicked();
		wait_watch((unsigned)cpu->index);
	}
	write_cnthp_cval_el2(value);
	write_cnthp_ctl_el2(control);
	isb();
}

/* Whoever sets himself as the waiter after this has looked finds busy false already. */
static void finish_work(struct cpu *cpu)
{
	struct cpu *waiter;

	atomic_store(&cpu->busy, false);
	waiter = atomic_load(&cpu->waiter);
	if (waiter != NULL)
		wake(waiter);
}

/* Where entry.S ends, on a CPU other than the first. */
void cpu_main(void)
{
	struct cpu *cpu = this_cpu();

	init_this_cpu();
	atomic_store(&cpu->online, true);
	for (;;) {
		await_work(cpu);
		atomic_store(&cpu->begun, true);
		cpu->fn(cpu->arg);
		finish_work(cpu);
	}
}

unsigned machine_cpu_index(void)
{
	return (unsigned)this_cpu()->index;
}

/*
 * The CPU that starts reads mmu_registers and its struct cpu with its MMU off, past the caches
 * that this CPU wrote them through.
 */
static void clean_for_start(const void *start, size_t bytes)
{
	uint64_t end = (uint64_t)(uintptr_t)start + bytes;

	for (uint64_t at = mm_align_down((uint64_t)(uintptr_t)start, 16); at < end; at += 16)
		__asm__ volatile("dc cvac, %0" : : "r"(at) : "memory");
	dsb_sy();
}

/* Device trees' "spin-table": the CPU waits in WFE for a word that is not 0, past the caches. */
static void release(const struct cpu *cpu)
{
	uint64_t *word = (uint64_t *)(uintptr_t)board.spin_table.raw + cpu->mpidr;

	*word = (uint64_t)(uintptr_t)cpu_spin_entry;
	clean_for_start(word, sizeof(*word));
	__asm__ volatile("sev" : : : "memory");
}

static bool start_cpu(struct cpu *cpu)
{
	struct wait_limit limit;

	clean_for_start(cpu, sizeof(*cpu));
	clean_for_start(&mmu_registers, sizeof(mmu_registers));
	if (board.spin_table.raw != 0)
		release(cpu);
	else if (!psci_cpu_on(cpu->mpidr, (uint64_t)(uintptr_t)cpu_entry, (uint64_t)(uintptr_t)cpu))
		return false;
	wait_begin(&limit, machine_cpu_index(), (unsigned)cpu->index);
	while (!atomic_load(&cpu->online)) {
		if (!wait_more(&limit, WAIT_ARRIVAL))
			return false;
		machine_relax();
	}
	return true;
}

unsigned machine_start_cpus(unsigned wanted)
{
	while (cpus_up < cpus_known && cpus_up < wanted && start_cpu(&cpus[cpus_up]))
		cpus_up++;
	return cpus_up;
}

unsigned machine_cpu_count(void)
{
	return cpus_up;
}

void machine_run_on(unsigned cpu, void (*fn)(void *arg), void *arg)
{
	cpus[cpu].fn = fn;
	cpus[cpu].arg = arg;
	atomic_store(&cpus[cpu].begun, false);
	atomic_store(&cpus[cpu].busy, true);
	kick_owe(cpu, KICK_RUN);
	wake(&cpus[cpu]);
}

void machine_wait(unsigned cpu)
{
	uint64_t control = read_cnthp_ctl_el2(), value = read_cnthp_cval_el2();
	struct wait_limit limit;

	atomic_store(&cpus[cpu].waiter, this_cpu());
	wait_begin(&limit, machine_cpu_index(), cpu);
	for (;;) {
		irq_acknowledge();
		if (!atomic_load(&cpus[cpu].busy))
			break;
		if (wait_step(&limit, !atomic_load(&cpus[cpu].begun)))
			wake(&cpus[cpu]);
		/* The timer ends the sleep, too, so that the limit is looked at. */
		timer_set(machine_ticks() + machine_ticks_per_second());
		sleep_unless_kicked();
	}
	atomic_store(&cpus[cpu].waiter, NULL);
	/* The extension knows what it has set the timer to. */
	write_cnthp_cval_el2(value);
	write_cnthp_ctl_el2(control & (TIMER_ENABLE | TIMER_IMASK));
	isb();
}

void machine_kick(unsigned cpu)
{
	if (!kick_is_lost(KICK_RUN))
		irq_kick(&cpus[cpu]);
}

bool machine_stop_cpu(unsigned cpu, uint64_t *pc)
{
	uint64_t end = machine_ticks() + machine_ticks_per_second();

	irq_stop(&cpus[cpu]);
	while ((*pc = irq_stopped_at(&cpus[cpu])) == 0 && machine_ticks() < end)
		machine_relax();
	return *pc != 0;
}

/* Each exception masks fast interrupts. IRQ_STOP is the only one, and nothing runs after it. */
void machine_allow_stop(void)
{
	__asm__ volatile("msr daifclr, #1" : : : "memory");
}

void machine_pause(void)
{
	irq_acknowledge();
	machine_relax();
}

void machine_relax(void)
{
	__asm__ volatile("yield" : : : "memory");
}
