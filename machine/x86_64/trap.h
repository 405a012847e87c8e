/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt descriptor table of the hypervisor (trap.c). An exception ends in a report and
 * panic(). Interrupts only wake a CPU or end a guest's run. The hypervisor runs with interrupts
 * off. It takes them in machine_sleep() and machine_pause(), and on a guest's exit.
 */
#ifndef MACHINE_X86_64_TRAP_H
#define MACHINE_X86_64_TRAP_H

#include <stdint.h>

#define VECTOR_NMI      2U
#define VECTOR_KICK     0xf0U /* inter-processor interrupt: leave the guest or the sleep */
#define VECTOR_FLUSH    0xf2U /* the same, from shootdown.c */
#define VECTOR_TIMER    0xf1U /* this CPU's local APIC timer */
#define VECTOR_SPURIOUS 0xffU

/* Once, before any CPU calls trap_init_cpu(). */
void trap_init(void);
/* Loads the table on this CPU; desc_init_cpu() came first. */
void trap_init_cpu(void);

uint64_t trap_idt_base(void);

/* From now on an NMI stops the CPU that takes it, without a panic. */
void trap_stop_by_nmi(void);
/* The program counter at which a CPU was stopped; 0: it was not. */
uint64_t trap_stopped_at(unsigned cpu);

/* Handles an external interrupt that a VM exit has acknowledged. */
void trap_external_interrupt(unsigned vector);

#endif
