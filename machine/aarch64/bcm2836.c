/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The per-core interrupt controller of the BCM2836 and BCM2837: "BCM2836 ARM-local peripherals"
 * (QA7), 4.6 to 4.8. One register per core selects its interrupts. They are acknowledged at their
 * source only. Kicks use mailbox 0.
 */
#include "machine/aarch64/board.h"
#include "machine/aarch64/irq.h"
#include "mm/bits.h"
#include <stddef.h>

#define TIMER_CONTROL(core)   (0x40 + 4 * (core))
#define TIMER_EL2_PHYSICAL    BIT(2)
#define TIMER_VIRTUAL         BIT(3)
#define MAILBOX_CONTROL(core) (0x50 + 4 * (core))
#define MAILBOX_0             BIT(0)
#define MAILBOX_0_SET(core)   (0x80 + 16 * (core))
#define MAILBOX_0_CLEAR(core) (0xc0 + 16 * (core))

#define AFF0 GENMASK(7, 0)

static uint64_t reg(uint64_t offset)
{
	return board.irq_distributor.raw + offset;
}

static void init(void)
{
}

static void init_cpu(struct cpu *cpu)
{
	cpu->irq = cpu->mpidr & AFF0;
	mmio_write32(reg(TIMER_CONTROL(cpu->irq)), TIMER_EL2_PHYSICAL | TIMER_VIRTUAL);
	mmio_write32(reg(MAILBOX_CONTROL(cpu->irq)), MAILBOX_0);
}

static void kick(const struct cpu *cpu)
{
	mmio_write32(reg(MAILBOX_0_SET(cpu->irq)), 1);
}

/* The address that clears a mailbox also reads it. */
static bool acknowledge(void)
{
	uint64_t mailbox = reg(MAILBOX_0_CLEAR(this_cpu()->irq));
	bool kicked = mmio_read32(mailbox) != 0;

	mmio_write32(mailbox, UINT32_MAX);
	return kicked;
}

static void virtual_timer(bool enable)
{
	mmio_write32(reg(TIMER_CONTROL(this_cpu()->irq)),
	             (uint32_t)(TIMER_EL2_PHYSICAL | (enable ? TIMER_VIRTUAL : 0)));
}

const struct irq_controller irq_bcm2836 = {"bcm2836",   init,          init_cpu, kick,
                                           acknowledge, virtual_timer, NULL};
