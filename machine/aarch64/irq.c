/* Which interrupt controller this board has. */
#include "machine/aarch64/irq.h"

#include "kick.h"
#include "machine/aarch64/board.h"

static void nothing(void)
{
}

static void nothing_for(struct cpu *cpu)
{
	(void)cpu;
}

/* Such CPUs wake each other by SEV: no interrupt will come. */
static void no_kick(const struct cpu *cpu)
{
	kick_came((unsigned)cpu->index, KICK_RUN);
}

static bool no_interrupt(void)
{
	return false;
}

static const struct irq_controller none = {"none", nothing, nothing_for, no_kick, no_interrupt};

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

void irq_acknowledge(void)
{
	if (controllers[board.irq]->acknowledge())
		kick_came((unsigned)this_cpu()->index, KICK_RUN);
}
