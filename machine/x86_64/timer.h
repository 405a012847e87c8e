/* SPDX-License-Identifier: BSD-2-Clause */
/* The time-stamp counter: ticks, cycles and their rate (timer.c). */
#ifndef MACHINE_X86_64_TIMER_H
#define MACHINE_X86_64_TIMER_H

#include <stdint.h>

/* Once, on the boot CPU: finds the frequency. Usually takes less than 10 ms. */
void tsc_init(void);
/* Ticks per second. */
uint64_t tsc_frequency(void);

#endif
