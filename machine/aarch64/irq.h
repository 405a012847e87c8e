/*
 * The interrupt controller, as far as a hypervisor needs it that takes interrupts only to leave
 * a guest: the timers' lines to each CPU, and one software interrupt between CPUs. Interrupts
 * stay masked at EL2; they are taken out of guests, by HCR_EL2.IMO, and acknowledged here.
 */
#ifndef MACHINE_AARCH64_IRQ_H
#define MACHINE_AARCH64_IRQ_H

#include "machine/aarch64/cpu.h"
#include "mm/bits.h"

/* PPIs as every board wires them (Arm BSA, 3.8): the EL2 physical timer, and the virtual timer. */
#define IRQ_EL2_TIMER     26
#define IRQ_VIRTUAL_TIMER 27
#define IRQ_KICK          0
#define IRQ_STOP          1 /* a fast interrupt, where that can be */

/* A bit for each, in the words of a GIC's first 32 interrupts. */
#define IRQ_ALL ((uint32_t)(BIT(IRQ_EL2_TIMER) | BIT(IRQ_VIRTUAL_TIMER) | BIT(IRQ_KICK)))

struct irq_controller {
	const char *name;
	void (*init)(void);
	void (*init_cpu)(struct cpu *cpu); /* on that CPU */
	void (*kick)(const struct cpu *cpu);
	/* What interrupts this CPU now, if anything still does. True: a kick. */
	bool (*acknowledge)(void);
	/* Sends IRQ_STOP, if that is possible. NULL: this controller cannot. */
	bool (*stop)(const struct cpu *cpu);
};

extern const struct irq_controller irq_gicv2;
extern const struct irq_controller irq_gicv3;
extern const struct irq_controller irq_bcm2836;

void irq_init(void);
void irq_init_cpu(struct cpu *cpu);
void irq_kick(const struct cpu *cpu);
/* For a report on a hang: makes another CPU stop, by a fast interrupt where it has one, else as
 * soon as it takes its interrupts. irq_stopped_at() is where in the hypervisor that was; 0: not
 * yet. */
void irq_stop(const struct cpu *cpu);
uint64_t irq_stopped_at(const struct cpu *cpu);
/* This CPU took a fast interrupt at `pc`: stops, if that was IRQ_STOP. */
void irq_take_fast(uint64_t pc);
/* Acknowledges and completes the interrupt that took this CPU out of its guest. */
void irq_acknowledge(void);

#endif
