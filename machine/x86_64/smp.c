/*
 * Secondary CPUs: started one at a time by INIT and two start-up interrupts (SDM vol. 3, 8.4.4)
 * at the page below 1 MiB that the boot path found, where trampoline.S is copied to. Each then
 * waits in work_loop() until it is given something to run.
 *
 * A CPU's mailbox is written by whoever gives it work, and emptied by itself; `work` is the last
 * word written and the first one read.
 */
#include "machine/x86_64/smp.h"

#include <stdatomic.h>

#include "kick.h"
#include "machine.h"
#include "machine/x86_64/apic.h"
#include "machine/x86_64/cpu.h"
#include "machine/x86_64/desc.h"
#include "machine/x86_64/trampoline.h"
#include "machine/x86_64/traps.h"
#include "machine/x86_64/tsc.h"
#include "wait_limit.h"

#define STACK_SIZE 32768U

struct mailbox {
	_Atomic(void (*)(void *arg)) work;
	void *arg;
	_Atomic bool begun;
} MM_ALIGNED_TO(64);

static uint32_t apic_ids[MACHINE_MAX_CPUS];
static unsigned known; /* CPUs that firmware named, this one included */
static unsigned up = 1;
static hpa_t start_page;
static _Atomic unsigned arrived; /* the CPU that came up last */
static struct mailbox mailboxes[MACHINE_MAX_CPUS];
static uint8_t stacks[MACHINE_MAX_CPUS][STACK_SIZE] MM_ALIGNED_TO(16);

void smp_init(const struct boot_info *info)
{
	known = info->cpus < MACHINE_MAX_CPUS ? info->cpus : MACHINE_MAX_CPUS;
	for (unsigned i = 0; i < known; i++)
		apic_ids[i] = (uint32_t)info->cpu_ids[i];
	apic_ids[0] = apic_id();
	start_page = info->start_page;
}

static void wait_microseconds(uint64_t us)
{
	uint64_t end = rdtsc() + tsc_frequency() / 1000000 * us;

	while (rdtsc() < end)
		cpu_pause();
}

/* Sleeps until there is work, and looks after CPU 0 once a second: a kick that arrives between the
 * look and the HLT is kept pending, because STI takes effect only after the HLT has begun. */
static void wait_for_work(struct mailbox *box)
{
	uint64_t armed = apic_timer_deadline();

	while (atomic_load_explicit(&box->work, memory_order_acquire) == NULL) {
		apic_timer_arm(rdtsc() + tsc_frequency());
		__asm__ volatile("sti; hlt; cli" : : : "memory");
		wait_watch(machine_cpu_index());
	}
	/* The extension knows what it has set the timer to. */
	apic_timer_arm(armed > rdtsc() ? armed : UINT64_MAX);
}

_Noreturn static void work_loop(struct mailbox *box)
{
	for (;;) {
		void (*work)(void *arg);

		wait_for_work(box);
		work = atomic_load_explicit(&box->work, memory_order_acquire);
		atomic_store_explicit(&box->begun, true, memory_order_release);
		work(box->arg);
		atomic_store_explicit(&box->work, NULL, memory_order_release);
	}
}

_Noreturn static void secondary_main(uint64_t cpu)
{
	desc_init_cpu((unsigned)cpu);
	traps_init_cpu();
	apic_init_cpu();
	atomic_store(&arrived, (unsigned)cpu);
	work_loop(&mailboxes[cpu]);
}

static bool start_cpu(unsigned cpu)
{
	unsigned page = (unsigned)(start_page.raw >> MM_PAGE_SHIFT);
	struct wait_limit limit;

	trampoline_prepare(start_page,
	                   &(struct trampoline_args){
				   .cr0 = read_cr0(),
				   .cr3 = read_cr3(),
				   .cr4 = read_cr4(),
				   .efer = rdmsr(MSR_EFER) & ~EFER_LMA,
				   .stack = (uint64_t)(uintptr_t)stacks[cpu] + STACK_SIZE,
				   .entry = (uint64_t)(uintptr_t)secondary_main,
				   .argument = cpu,
			   });
	apic_send_init(apic_ids[cpu]);
	wait_microseconds(10000);
	/* One that has started ignores the second interrupt. */
	apic_send_startup(apic_ids[cpu], page);
	wait_microseconds(200);
	if (atomic_load(&arrived) != cpu)
		apic_send_startup(apic_ids[cpu], page);
	wait_begin(&limit, machine_cpu_index(), cpu);
	while (atomic_load(&arrived) != cpu) {
		if (!wait_more(&limit, WAIT_ARRIVAL))
			return false;
		cpu_pause();
	}
	return true;
}

unsigned machine_start_cpus(unsigned wanted)
{
	if (start_page.raw == 0)
		return up;
	while (up < wanted && up < known && start_cpu(up))
		up++;
	return up;
}

unsigned machine_cpu_count(void)
{
	return up;
}

void machine_run_on(unsigned cpu, void (*fn)(void *arg), void *arg)
{
	machine_wait(cpu);
	mailboxes[cpu].arg = arg;
	atomic_store_explicit(&mailboxes[cpu].begun, false, memory_order_release);
	atomic_store_explicit(&mailboxes[cpu].work, fn, memory_order_release);
	kick_owe(cpu, KICK_RUN);
	machine_kick(cpu);
}

void machine_wait(unsigned cpu)
{
	struct mailbox *box = &mailboxes[cpu];
	struct wait_limit limit;

	wait_begin(&limit, machine_cpu_index(), cpu);
	while (atomic_load_explicit(&box->work, memory_order_acquire) != NULL) {
		if (wait_step(&limit, !atomic_load_explicit(&box->begun, memory_order_acquire)))
			machine_kick(cpu);
		cpu_pause();
	}
}

void machine_kick(unsigned cpu)
{
	if (!kick_is_lost(KICK_RUN))
		apic_send_fixed(apic_ids[cpu], VECTOR_KICK);
}

void smp_kick_for_flush(unsigned cpu)
{
	if (!kick_is_lost(KICK_FLUSH))
		apic_send_fixed(apic_ids[cpu], VECTOR_FLUSH);
}

bool machine_stop_cpu(unsigned cpu, uint64_t *pc)
{
	uint64_t end = rdtsc() + tsc_frequency();

	traps_stop_by_nmi();
	apic_send_nmi(apic_ids[cpu]);
	while ((*pc = traps_stopped_at(cpu)) == 0 && rdtsc() < end)
		cpu_pause();
	return *pc != 0;
}

/* An NMI cannot be masked. */
void machine_allow_stop(void)
{
}

void machine_pause(void)
{
	__asm__ volatile("sti; nop; cli" : : : "memory");
	cpu_pause();
}
