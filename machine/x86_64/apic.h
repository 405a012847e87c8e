/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC (apic.c): inter-processor interrupts and one timer per CPU. In x2APIC mode if the
 * CPU has it or firmware has enabled it, else in xAPIC mode.
 */
#ifndef MACHINE_X86_64_APIC_H
#define MACHINE_X86_64_APIC_H

#include <stdbool.h>
#include <stdint.h>

/* Once, on the boot CPU: chooses the mode, and masks the 8259 interrupt controllers. */
void apic_init(void);
/* On each CPU: enables its APIC, and masks every local source except the timer. */
void apic_init_cpu(void);

/* This CPU's APIC id. */
uint32_t apic_id(void);
void apic_end_of_interrupt(void);

void apic_send_fixed(uint32_t target, unsigned vector);
void apic_send_nmi(uint32_t target);
void apic_send_init(uint32_t target);
/* The CPU starts at page << 12, below 1 MiB. */
void apic_send_startup(uint32_t target, unsigned page);

/* Sets one VECTOR_TIMER interrupt on this CPU for TSC >= deadline (at once if it has passed);
 * UINT64_MAX: none. Without a TSC-deadline timer the interrupt may come early, if the APIC's
 * counter has too few bits: the caller reads the time again. */
void apic_timer_arm(uint64_t tsc_deadline);
/* The last deadline, which may have passed; 0: there was none. */
uint64_t apic_timer_deadline(void);

#endif
