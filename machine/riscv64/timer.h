/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timer interrupt that ends a guest's run. With Sstc the deadline is in a register, stimecmp.
 * Without it, a call to the firmware sets it. The interrupt is pending when time >= the deadline.
 */
#ifndef MACHINE_RISCV64_TIMER_H
#define MACHINE_RISCV64_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "fdt.h"
#include "machine/riscv64/cpu.h"
#include "mm/compiler.h"

void timer_read_frequency(const struct fdt *fdt);
/* On each CPU. */
void timer_init(void);
/* Can the time be read? Otherwise no deadline can be set. */
bool timer_has_time(void);
/* Does this hart have stimecmp? */
bool timer_has_sstc(void);

void timer_program(uint64_t deadline);

/* After a timer interrupt: has the deadline passed? If not, the timer is set again. */
bool timer_is_due(struct cpu *cpu);

/* Sets the timer, unless it has this deadline already. */
static inline void timer_set(struct cpu *cpu, uint64_t deadline)
{
	if (MM_UNLIKELY(cpu->deadline != deadline))
		timer_program(deadline);
}

#endif
