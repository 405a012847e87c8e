/*
 * The local APIC (apic.c): inter-processor interrupts and one timer per CPU, in xAPIC or x2APIC
 * mode, whichever firmware left on; x2APIC is switched on where the CPU has it.
 */
#ifndef MACHINE_X86_64_APIC_H
#define MACHINE_X86_64_APIC_H

#include <stdbool.h>
#include <stdint.h>

/* Once, on the boot CPU: chooses the mode. The legacy interrupt controllers are masked. */
void apic_init(void);
/* On each CPU, this one's APIC: enabled, every local source masked. */
void apic_init_cpu(void);

/* This CPU's APIC id. */
uint32_t apic_id(void);
void apic_end_of_interrupt(void);

void apic_send_fixed(uint32_t target, unsigned vector);
void apic_send_nmi(uint32_t target);
void apic_send_init(uint32_t target);
/* Start-up at page << 12, below 1 MiB. */
void apic_send_startup(uint32_t target, unsigned page);

/* One VECTOR_TIMER interrupt on this CPU at TSC >= deadline (at once if it has passed), or none
 * with UINT64_MAX. Without a TSC-deadline timer it may come early, when the APIC's own counter
 * is too short: the caller looks at the time again. */
void apic_timer_arm(uint64_t tsc_deadline);
/* What it was armed with last, which may have passed; 0: never. */
uint64_t apic_timer_deadline(void);

#endif
