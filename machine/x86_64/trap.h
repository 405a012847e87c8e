/*
 * The host's interrupt descriptor table (trap.c). Every vector ends in a report and a panic,
 * but for the interrupts that only wake a CPU.
 * The host runs with interrupts off; it takes them in its idle wait and on a guest's exit.
 */
#ifndef MACHINE_X86_64_TRAP_H
#define MACHINE_X86_64_TRAP_H

#include <stdint.h>

#define VECTOR_NMI      2U
#define VECTOR_KICK     0xf0U /* an inter-processor interrupt: leave the guest, or the wait */
#define VECTOR_FLUSH    0xf2U /* the same, from shootdown.c */
#define VECTOR_TIMER    0xf1U /* this CPU's local APIC timer */
#define VECTOR_SPURIOUS 0xffU

/* Once, before any CPU calls trap_init_cpu(). */
void trap_init(void);
/* Loads the table on this CPU; desc_init_cpu() came first. */
void trap_init_cpu(void);

uint64_t trap_idt_base(void);

/* From now on an NMI stops the CPU that takes it, and is no panic. */
void trap_stop_by_nmi(void);
/* Where a CPU was stopped; 0: it was not. */
uint64_t trap_stopped_at(unsigned cpu);

/* An external interrupt that a VM exit acknowledged on our behalf. */
void trap_external_interrupt(unsigned vector);

#endif
