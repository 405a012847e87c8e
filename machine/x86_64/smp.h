/* SPDX-License-Identifier: BSD-2-Clause */
/* Several CPUs: see smp.c. machine.h has what the rest of the hypervisor calls. */
#ifndef MACHINE_X86_64_SMP_H
#define MACHINE_X86_64_SMP_H

#include <stdint.h>

#include "machine.h"

/* How many CPUs run. Written by machine_start_cpus(). */
extern unsigned cpus_up;
/* Their local APIC ids, from start_init() on. */
extern uint32_t cpu_apic_ids[MACHINE_MAX_CPUS];

/* Makes another CPU leave its guest, because the guest's tables have changed. */
void smp_kick_for_flush(unsigned cpu);

#endif
