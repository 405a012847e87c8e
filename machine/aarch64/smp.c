/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several CPUs: kicks between them, sleep, and stopping one for the report on a hang. A kick is an
 * interrupt (irq.h). Interrupts are masked at EL2, but a pending one ends WFI.
 */
#include "kick.h"
#include "machine.h"
#include "machine/aarch64/board.h"
#include "machine/aarch64/irq.h"
#include "machine/aarch64/timer.h"

/* How often CPUs that wait for another one look: all of them together. An emulator may run many
 * CPUs on few. */
#define WAKES_PER_SECOND 40000

/* SEV, too: a board without an interrupt controller sleeps in WFE. */
void machine_kick(unsigned cpu)
{
	if (kick_is_lost(KICK_RUN))
		return;
	dsb_ishst();
	__asm__ volatile("sev" : : : "memory");
	irq_kick(&cpus[cpu]);
}

static void sleep_until_interrupt(void)
{
	if (board.irq == IRQ_NONE)
		__asm__ volatile("wfe" : : : "memory");
	else
		__asm__ volatile("dsb sy\n\twfi" : : : "memory");
}

/* Until a kick, or for so many ticks. The extension relies on the timer's registers, so they are
 * as before afterwards. */
static void sleep_for(uint64_t ticks)
{
	uint64_t control = read_cnthp_ctl_el2() & (TIMER_ENABLE | TIMER_IMASK);
	uint64_t value = read_cnthp_cval_el2();

	timer_set(machine_ticks() + ticks);
	sleep_until_interrupt();
	write_cnthp_cval_el2(value);
	write_cnthp_ctl_el2(control);
	isb();
	irq_acknowledge();
}

void machine_sleep(void)
{
	sleep_for(machine_ticks_per_second());
}

/* The timer does not end WFE, so a board without an interrupt controller does not sleep here. */
void machine_pause(void)
{
	if (board.irq == IRQ_NONE)
		machine_relax();
	else
		sleep_for(machine_ticks_per_second() * machine_cpu_count() / WAKES_PER_SECOND);
}

/* --- stopping --- */

bool machine_stop_cpu(unsigned cpu, uint64_t *pc)
{
	uint64_t end = machine_ticks() + machine_ticks_per_second();

	irq_stop(&cpus[cpu]);
	while ((*pc = irq_stopped_at(&cpus[cpu])) == 0 && machine_ticks() < end)
		machine_relax();
	return *pc != 0;
}

/* Each exception masks FIQs. IRQ_STOP is the only FIQ, and nothing runs after it. */
void machine_allow_stop(void)
{
	__asm__ volatile("msr daifclr, #1" : : : "memory");
}
