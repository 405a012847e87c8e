/* Time: the counters that the machine layer offers, and the hypervisor's own timer, CNTHP. */
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

/* Interrupts this CPU's guest at `deadline`; UINT64_MAX is never. */
static inline void timer_set(uint64_t deadline)
{
	write_cnthp_cval_el2(deadline);
	write_cnthp_ctl_el2(deadline == UINT64_MAX ? 0 : TIMER_ENABLE);
	isb();
}

/* Has it come? */
static inline bool timer_fired(void)
{
	uint64_t control = read_cnthp_ctl_el2();

	return (control & (TIMER_ENABLE | TIMER_ISTATUS)) == (TIMER_ENABLE | TIMER_ISTATUS);
}

/* Switches the counters of this CPU to what machine_cycles() reads. Once per CPU. */
void timer_init_cpu(void);

#endif
