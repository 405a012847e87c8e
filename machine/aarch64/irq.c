/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls the driver of the interrupt controller that this board has. */
#include "machine/aarch64/irq.h"

#include "kick.h"
#include "machine/aarch64/board.h"
#include <stdatomic.h>
#include <stddef.h>

static void nothing(void)
{
}

static void nothing_for(struct cpu *cpu)
{
	(void)cpu;
}

/* Without a controller machine_kick() uses SEV alone, and no interrupt arrives. */
static void no_kick(const struct cpu *cpu)
{
	kick_came((unsigned)cpu->index, KICK_RUN);
}

static bool no_interrupt(void)
{
	return false;
}

static void no_timer(bool enable)
{
	(void)enable;
}

static const struct irq_controller none = {"none",       nothing,  nothing_for, no_kick,
                                           no_interrupt, no_timer, NULL};

static const struct irq_controller *const controllers[] = {
	[IRQ_NONE] = &none,
	[IRQ_GICV2] = &irq_gicv2,
	[IRQ_GICV3] = &irq_gicv3,
	[IRQ_BCM2836] = &irq_bcm2836,
};

void irq_init(void)
{
	controllers[board.irq]->init();
}

void irq_init_cpu(struct cpu *cpu)
{
	controllers[board.irq]->init_cpu(cpu);
}

void irq_kick(const struct cpu *cpu)
{
	controllers[board.irq]->kick(cpu);
}

void irq_virtual_timer(bool enable)
{
	controllers[board.irq]->virtual_timer(enable);
}

static _Atomic bool stopping;
static _Atomic uint64_t stopped_at[MACHINE_MAX_CPUS];

void irq_stop(const struct cpu *cpu)
{
	bool (*stop)(const struct cpu *) = controllers[board.irq]->stop;

	atomic_store(&stopping, true);
	if (stop == NULL || !stop(cpu))
		irq_kick(cpu);
}

uint64_t irq_stopped_at(const struct cpu *cpu)
{
	return atomic_load(&stopped_at[cpu->index]);
}

void irq_take_fast(uint64_t pc)
{
	if (!atomic_load(&stopping))
		return;
	atomic_store(&stopped_at[this_cpu()->index], pc);
	for (;;)
		__asm__ volatile("msr daifset, #15\n\twfi" : : : "memory");
}

void irq_acknowledge(void)
{
	if (!controllers[board.irq]->acknowledge())
		return;
	kick_came((unsigned)this_cpu()->index, KICK_RUN);
	irq_take_fast((uint64_t)(uintptr_t)__builtin_return_address(0));
}
