/*
 * The other harts. The SBI firmware starts them (hart state management); each then sleeps until
 * it is given a function to run. A software interrupt wakes a sleeper, and ends a guest's run.
 */
#include "machine/riscv64/smp.h"

#include "kick.h"
#include "log.h"
#include "machine/riscv64/csr.h"
#include "machine/riscv64/sbi.h"
#include "machine/riscv64/timer.h"
#include "wait_limit.h"

static uint8_t stacks[MACHINE_MAX_CPUS][CPU_STACK_BYTES] MM_SECTION(".noinit") MM_ALIGNED_TO(16);
static uint8_t trap_stacks[MACHINE_MAX_CPUS][CPU_TRAP_STACK_BYTES] MM_SECTION(".noinit")
	MM_ALIGNED_TO(16);

/* The boot hart's traps are reported from its first instruction on; it came with a stack. */
struct cpu cpu_table[MACHINE_MAX_CPUS] = {
	[0] = {.trap_stack_top = trap_stacks[1]},
};

/* How often a hart that waits for another looks, if nobody kicks it. */
#define WAKES_PER_SECOND 10000

static const struct boot_info *machine;
static unsigned cpus_up = 1;

void smp_init(const struct boot_info *info)
{
	machine = info;
	cpu_table[0].hart = info->boot_cpu;
}

unsigned machine_cpu_count(void)
{
	return cpus_up;
}

/* For a report on a hang. The hypervisor runs with interrupts masked and the SBI has no NMI: a hart
 * is stopped where it takes its kicks, in its sleep or after a guest's exit. */
static _Atomic bool stopping;
static _Atomic uint64_t stopped_at[MACHINE_MAX_CPUS];

_Noreturn static void stop(uint64_t pc)
{
	atomic_store(&stopped_at[machine_cpu_index()], pc);
	csr_write(sie, 0);
	for (;;)
		__asm__ volatile("wfi");
}

/* Cleared first: a kick that comes after that is pending again. */
void smp_take_kick(void)
{
	if ((csr_read(sip) & INTERRUPT_SOFTWARE) == 0)
		return;
	csr_clear(sip, INTERRUPT_SOFTWARE);
	kick_came(machine_cpu_index(), KICK_RUN);
	if (atomic_load(&stopping))
		stop((uint64_t)(uintptr_t)__builtin_return_address(0));
}

void machine_allow_stop(void)
{
}

bool machine_stop_cpu(unsigned cpu, uint64_t *pc)
{
	uint64_t end = machine_ticks() + machine_ticks_per_second();

	atomic_store(&stopping, true);
	sbi_call(SBI_IPI, SBI_IPI_SEND, 1, cpu_table[cpu].hart, 0, 0, 0);
	while ((*pc = atomic_load(&stopped_at[cpu])) == 0 && machine_ticks() < end)
		machine_relax();
	return *pc != 0;
}

/* Until a kick, or until then. A kick that came before is pending, and wfi falls through. */
static void sleep_until(uint64_t ticks)
{
	timer_set(this_cpu(), ticks);
	__asm__ volatile("wfi");
	smp_take_kick();
}

/* --- starting --- */

void secondary_main(struct cpu *cpu)
{
	cpu_init();
	atomic_store_explicit(&cpu->busy, 0, memory_order_release);
	for (;;) {
		if (atomic_load_explicit(&cpu->busy, memory_order_acquire) != 0) {
			atomic_store_explicit(&cpu->busy, CPU_WORKS, memory_order_release);
			cpu->work(cpu->arg);
			atomic_store_explicit(&cpu->busy, 0, memory_order_release);
			continue;
		}
		/* Once a second it looks after CPU 0. */
		sleep_until(timer_has_time() ? machine_ticks() + machine_ticks_per_second()
		                             : UINT64_MAX);
		wait_watch(cpu->index);
	}
}

/*
 * False: it does not arrive. Waiting is sleeping: where an emulator runs the harts in turn
 * (QEMU with -icount), one that spins keeps the others from what it waits for.
 */
static bool arrives(struct cpu *cpu)
{
	uint64_t step = machine_ticks_per_second() / WAKES_PER_SECOND;
	struct wait_limit limit;

	wait_begin(&limit, machine_cpu_index(), cpu->index);
	while (atomic_load_explicit(&cpu->busy, memory_order_acquire) != 0) {
		if (!wait_more(&limit, WAIT_ARRIVAL))
			return false;
		sleep_until(machine_ticks() + step);
	}
	return true;
}

/* The hart that is on its way: start.S. */
struct cpu *_Atomic smp_starting;

static bool start(struct cpu *cpu, unsigned index, uint64_t hart)
{
	cpu->index = index;
	cpu->hart = hart;
	cpu->stack_top = stacks[index] + CPU_STACK_BYTES;
	cpu->trap_stack_top = trap_stacks[index] + CPU_TRAP_STACK_BYTES;
	atomic_store_explicit(&cpu->busy, 1, memory_order_release);
	atomic_store(&smp_starting, cpu);
	return sbi_call(SBI_HSM, SBI_HSM_START, hart, (uint64_t)(uintptr_t)secondary_start,
	                (uint64_t)(uintptr_t)cpu, 0, 0)
	               .error == SBI_SUCCESS;
}

unsigned machine_start_cpus(unsigned wanted)
{
	for (unsigned i = cpus_up; i < machine->cpus; i++) {
		struct cpu *cpu = &cpu_table[cpus_up];

		if (cpus_up == wanted || cpus_up == MACHINE_MAX_CPUS)
			break;
		if (!start(cpu, cpus_up, machine->cpu_ids[i]))
			continue;
		/* One that the firmware started and that never arrived might still do so: its
		 * place is not given to another. */
		if (!arrives(cpu)) {
			log_line(LOG_QUIET, "smp hart=%llu error=\"started, but did not arrive\"",
			         (unsigned long long)cpu->hart);
			break;
		}
		cpus_up++;
	}
	return cpus_up;
}

/* --- work --- */

void machine_kick(unsigned cpu)
{
	if (kick_is_lost(KICK_RUN))
		return;
	sbi_call(SBI_IPI, SBI_IPI_SEND, 1, cpu_table[cpu].hart, 0, 0, 0);
}

void machine_run_on(unsigned cpu, void (*fn)(void *arg), void *arg)
{
	struct cpu *target = &cpu_table[cpu];

	ASSERT(cpu < cpus_up && target != this_cpu());
	ASSERT(atomic_load_explicit(&target->busy, memory_order_acquire) == 0);
	target->work = fn;
	target->arg = arg;
	atomic_store_explicit(&target->busy, CPU_GIVEN, memory_order_release);
	kick_owe(cpu, KICK_RUN);
	machine_kick(cpu);
}

void machine_pause(void)
{
	sleep_until(machine_ticks() + machine_ticks_per_second() / WAKES_PER_SECOND);
}

void machine_wait(unsigned cpu)
{
	uint64_t step = machine_ticks_per_second() / WAKES_PER_SECOND;
	struct wait_limit limit;
	uint32_t busy;

	wait_begin(&limit, machine_cpu_index(), cpu);
	for (;;) {
		busy = atomic_load_explicit(&cpu_table[cpu].busy, memory_order_acquire);
		if (busy == 0)
			break;
		if (wait_step(&limit, busy == CPU_GIVEN))
			machine_kick(cpu);
		sleep_until(machine_ticks() + step);
	}
}

/* SBI takes a set of harts as 64 bits that count from a base. */
void smp_for_others(bool (*wanted)(struct cpu *cpu, void *arg),
                    void (*fn)(struct hart_mask harts, void *arg), void *arg)
{
	struct hart_mask harts = {0, 0};

	for (unsigned i = 0; i < cpus_up; i++) {
		uint64_t hart = cpu_table[i].hart;

		if (&cpu_table[i] == this_cpu() || !wanted(&cpu_table[i], arg))
			continue;
		if (harts.mask != 0 && harts.base != mm_align_down(hart, 64)) {
			fn(harts, arg);
			harts.mask = 0;
		}
		harts.base = mm_align_down(hart, 64);
		harts.mask |= BIT(hart % 64);
	}
	if (harts.mask != 0)
		fn(harts, arg);
}
