/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt controller. The hypervisor uses the timer interrupts of each CPU and one software
 * interrupt between CPUs. Interrupts are masked at EL2. With HCR_EL2.IMO they make a CPU exit its
 * guest, and are then acknowledged here.
 */
#ifndef MACHINE_AARCH64_IRQ_H
#define MACHINE_AARCH64_IRQ_H

#include "machine/aarch64/cpu.h"
#include "mm/bits.h"

/* PPIs (Arm BSA, 3.8): the EL2 physical timer and the virtual timer. SGIs: kick and stop. */
#define IRQ_EL2_TIMER     26
#define IRQ_VIRTUAL_TIMER 27
#define IRQ_KICK          0
#define IRQ_STOP          1 /* an FIQ, where that is possible */

/* Their bits in the GIC registers of the first 32 interrupts. */
#define IRQ_ALL ((uint32_t)(BIT(IRQ_EL2_TIMER) | BIT(IRQ_VIRTUAL_TIMER) | BIT(IRQ_KICK)))

struct irq_controller {
	const char *name;
	void (*init)(void);
	void (*init_cpu)(struct cpu *cpu); /* on that CPU */
	void (*kick)(const struct cpu *cpu);
	/* Acknowledges the pending interrupt, if there is one. True: it is a kick. */
	bool (*acknowledge)(void);
	/* Enables or disables IRQ_VIRTUAL_TIMER on this CPU. */
	void (*virtual_timer)(bool enable);
	/* Sends IRQ_STOP. False: not possible on this machine. NULL: this controller cannot. */
	bool (*stop)(const struct cpu *cpu);
};

extern const struct irq_controller irq_gicv2;
extern const struct irq_controller irq_gicv3;
extern const struct irq_controller irq_bcm2836;

void irq_init(void);
void irq_init_cpu(struct cpu *cpu);
void irq_kick(const struct cpu *cpu);
/* For a report on a hang: stops another CPU by an FIQ, or, without FIQs, when it next acknowledges
 * an interrupt. irq_stopped_at() is its program counter; 0: it has not stopped yet. */
void irq_stop(const struct cpu *cpu);
uint64_t irq_stopped_at(const struct cpu *cpu);
/* On a CPU that took an FIQ at `pc`: stops, if that was IRQ_STOP. */
void irq_take_fast(uint64_t pc);
/* The interrupt of the virtual timer on this CPU; it is enabled at the start. */
void irq_virtual_timer(bool enable);
/* Acknowledges and completes the pending interrupt, after an exit or a sleep. */
void irq_acknowledge(void);

#endif
