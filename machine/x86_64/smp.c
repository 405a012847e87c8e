/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several CPUs: kicks between them, sleep, and stopping one for the report on a hang. Interrupts
 * are off in the hypervisor. They are taken here and on a guest's exit.
 */
#include "machine/x86_64/smp.h"

#include "kick.h"
#include "machine.h"
#include "machine/x86_64/apic.h"
#include "machine/x86_64/cpu.h"
#include "machine/x86_64/timer.h"
#include "machine/x86_64/trap.h"

uint32_t cpu_apic_ids[MACHINE_MAX_CPUS];

void machine_kick(unsigned cpu)
{
	if (!kick_is_lost(KICK_RUN))
		apic_send_fixed(cpu_apic_ids[cpu], VECTOR_KICK);
}

void smp_kick_for_flush(unsigned cpu)
{
	if (!kick_is_lost(KICK_FLUSH))
		apic_send_fixed(cpu_apic_ids[cpu], VECTOR_FLUSH);
}

/* STI takes effect after the HLT has begun (SDM vol. 2, STI), so an interrupt that is pending here
 * ends the HLT. The extension relies on the timer, so it is as before afterwards. */
void machine_sleep(void)
{
	uint64_t armed = apic_timer_deadline();

	apic_timer_arm(rdtsc() + tsc_frequency());
	__asm__ volatile("sti; hlt; cli" : : : "memory");
	apic_timer_arm(armed > rdtsc() ? armed : UINT64_MAX);
}

void machine_pause(void)
{
	__asm__ volatile("sti; nop; cli" : : : "memory");
	cpu_pause();
}

bool machine_stop_cpu(unsigned cpu, uint64_t *pc)
{
	uint64_t end = rdtsc() + tsc_frequency();

	trap_stop_by_nmi();
	apic_send_nmi(cpu_apic_ids[cpu]);
	while ((*pc = trap_stopped_at(cpu)) == 0 && rdtsc() < end)
		cpu_pause();
	return *pc != 0;
}

/* An NMI cannot be masked. */
void machine_allow_stop(void)
{
}
