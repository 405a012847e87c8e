/* SPDX-License-Identifier: BSD-2-Clause */
/* Several harts: see smp.c. */
#ifndef MACHINE_RISCV64_SMP_H
#define MACHINE_RISCV64_SMP_H

#include <stdbool.h>
#include <stdint.h>

#include "machine/riscv64/cpu.h"

/* Takes the software interrupt that is pending on this hart, if there is one. */
void smp_take_kick(void);

/* A set of harts as SBI calls take it: bit n is hart base + n. */
struct hart_mask {
	uint64_t mask;
	uint64_t base;
};

/* Calls `wanted` for every hart that is up, except this one. Calls fn with masks that together
 * name the harts for which it returned true. */
void smp_for_others(bool (*wanted)(struct cpu *cpu, void *arg),
                    void (*fn)(struct hart_mask harts, void *arg), void *arg);

#endif
