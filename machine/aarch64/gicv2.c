/* SPDX-License-Identifier: BSD-2-Clause */
/* GICv2: Arm IHI 0048. Distributor and CPU interface have memory-mapped registers. */
#include "machine/aarch64/board.h"
#include "machine/aarch64/irq.h"
#include "mm/bits.h"
#include <stddef.h>

/* 4.3: the distributor. */
#define GICD_CTLR        0x000
#define GICD_ISENABLER0  0x100
#define GICD_ICENABLER0  0x180
#define GICD_ITARGETSR0  0x800
#define GICD_SGIR        0xf00
#define GICD_SGIR_TARGET GENMASK(23, 16)

/* 4.4: the CPU interface. */
#define GICC_CTLR 0x00
#define GICC_PMR  0x04
#define GICC_IAR  0x0c
#define GICC_EOIR 0x10

#define ENABLE         1U
#define IAR_ID         GENMASK(9, 0)
#define SPURIOUS_FIRST 1020U

static void init(void)
{
	mmio_write32(board.irq_distributor.raw + GICD_CTLR, ENABLE);
}

/* The first targets register is banked. It has the bit of the CPU interface that reads it. */
static void init_cpu(struct cpu *cpu)
{
	uint64_t distributor = board.irq_distributor.raw;
	uint64_t interface = board.irq_cpu.start.raw;

	cpu->irq = mmio_read32(distributor + GICD_ITARGETSR0) & 0xff;
	mmio_write32(distributor + GICD_ISENABLER0, IRQ_ALL);
	mmio_write32(interface + GICC_PMR, 0xff);
	mmio_write32(interface + GICC_CTLR, ENABLE);
}

static void kick(const struct cpu *cpu)
{
	mmio_write32(board.irq_distributor.raw + GICD_SGIR,
	             (uint32_t)FIELD_PREP(GICD_SGIR_TARGET, cpu->irq) | IRQ_KICK);
}

static bool acknowledge(void)
{
	uint32_t id = mmio_read32(board.irq_cpu.start.raw + GICC_IAR);

	if (FIELD_GET(IAR_ID, id) < SPURIOUS_FIRST)
		mmio_write32(board.irq_cpu.start.raw + GICC_EOIR, id);
	return FIELD_GET(IAR_ID, id) == IRQ_KICK;
}

/* The first of each of these registers is banked. */
static void virtual_timer(bool enable)
{
	mmio_write32(board.irq_distributor.raw + (enable ? GICD_ISENABLER0 : GICD_ICENABLER0),
	             (uint32_t)BIT(IRQ_VIRTUAL_TIMER));
}

const struct irq_controller irq_gicv2 = {"gicv2",     init,          init_cpu, kick,
                                         acknowledge, virtual_timer, NULL};
