/* SPDX-License-Identifier: BSD-2-Clause */
/* Time: the counters, and the timer of the hypervisor, CNTHP. */
#ifndef MACHINE_AARCH64_TIMER_H
#define MACHINE_AARCH64_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "machine/aarch64/sysreg.h"
#include "mm/bits.h"

/* Arm ARM D17.11: generic timer registers. */
#define TIMER_ENABLE  BIT(0)
#define TIMER_IMASK   BIT(1)
#define TIMER_ISTATUS BIT(2)

SYSREG(cnthp_ctl_el2, "cnthp_ctl_el2")
SYSREG(cnthp_cval_el2, "cnthp_cval_el2")

/* Sets the timer interrupt of this CPU to `deadline`; UINT64_MAX: never. */
static inline void timer_set(uint64_t deadline)
{
	write_cnthp_cval_el2(deadline);
	write_cnthp_ctl_el2(deadline == UINT64_MAX ? 0 : TIMER_ENABLE);
	isb();
}

/* Has the deadline passed? */
static inline bool timer_fired(void)
{
	uint64_t control = read_cnthp_ctl_el2();

	return (control & (TIMER_ENABLE | TIMER_ISTATUS)) == (TIMER_ENABLE | TIMER_ISTATUS);
}

/* Once on each CPU: finds the counter for machine_cycles(), and stops the timer. */
void timer_init_cpu(void);

#endif
