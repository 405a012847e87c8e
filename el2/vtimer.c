/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's virtual timer, CNTV, without a virtual interrupt controller. The guest programs it
 * without a trap. Its interrupt exits (HCR_EL2.IMO), is disabled in the interrupt controller of the
 * CPU, and is pending for the guest by HCR_EL2.VI. CNTV_CTL_EL0 is the guest's alone: its IMASK is
 * not used, because the guest reads it, and may have set it itself.
 *
 * The guest then stops or masks the timer, or sets it again, without a trap. So while the interrupt
 * is pending, the timer is polled every POLL_MICROSECONDS: so long the interrupt may stay pending
 * after the guest has handled it.
 */
#include "el2/el2.h"
#include "machine/aarch64/cpu.h"
#include "machine/aarch64/timer.h"

#define POLL_MICROSECONDS 50
#define MICROSECONDS      1000000

bool el2_vtimer_fired(void)
{
	uint64_t control = read_cntv_ctl_el0();

	return (control & (TIMER_ENABLE | TIMER_IMASK | TIMER_ISTATUS)) ==
	       (TIMER_ENABLE | TIMER_ISTATUS);
}

void el2_set_timer(const struct el2_vcpu *v, uint64_t deadline)
{
	uint64_t poll = machine_ticks_per_second() * POLL_MICROSECONDS / MICROSECONDS;
	uint64_t next = machine_ticks() + poll;

	timer_set(v->vtimer && next < deadline ? next : deadline);
}

static void set_pending(struct el2_vcpu *v, bool pending)
{
	v->vtimer = pending;
	el2_vtimer_match(v);
	el2_update_interrupt(v);
	el2_set_timer(v, this_cpu()->el2->deadline);
}

void el2_vtimer_raise(struct el2_vcpu *v)
{
	set_pending(v, true);
}

/* Not pending if the guest has stopped the timer, masked it, or set it to a later time. */
void el2_vtimer_poll(struct el2_vcpu *v)
{
	set_pending(v, el2_vtimer_fired());
}
