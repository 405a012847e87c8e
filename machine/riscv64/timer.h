/*
 * The timer interrupt that ends a guest's run. With Sstc it is a register, stimecmp; without, a
 * call to the firmware. Both fire when time >= the value set.
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
/* Can the time be read? Without it no deadline can be set. */
bool timer_has_time(void);
/* Is stimecmp there? */
bool timer_has_sstc(void);

void timer_program(uint64_t deadline);

/* After a timer interrupt: has the deadline come? If not, the timer is set again. */
bool timer_is_due(struct cpu *cpu);

/* Costs a comparison unless the deadline is another one. */
static inline void timer_set(struct cpu *cpu, uint64_t deadline)
{
	if (MM_UNLIKELY(cpu->deadline != deadline))
		timer_program(deadline);
}

#endif
