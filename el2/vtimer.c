/*
 * The guest's own timer, CNTV, without a virtual interrupt controller. The guest programs it
 * untrapped; when it fires, its interrupt takes the CPU out of the guest (HCR_EL2.IMO), is masked
 * at its source, and becomes HCR_EL2.VI, the guest's interrupt line.
 *
 * What the guest does about it then traps nowhere, so the line is looked at again every
 * POLL_MICROSECONDS for as long as it is up: a guest that is done with its timer sees at most so
 * much of a stale interrupt.
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

void el2_set_alarm(const struct el2_vcpu *v, uint64_t deadline)
{
	uint64_t poll = machine_ticks_per_second() * POLL_MICROSECONDS / MICROSECONDS;
	uint64_t next = machine_ticks() + poll;

	timer_set(v->vtimer && next < deadline ? next : deadline);
}

static void set_line(struct el2_vcpu *v, bool up)
{
	v->vtimer = up;
	el2_line_changed(v);
	el2_set_alarm(v, this_cpu()->el2->deadline);
}

void el2_vtimer_raise(struct el2_vcpu *v)
{
	write_cntv_ctl_el0(read_cntv_ctl_el0() | TIMER_IMASK);
	set_line(v, true);
}

/*
 * Down if the guest has stopped the timer, or moved it on. If it moved it by its compare value
 * alone, the mask is still ours to take away.
 */
void el2_vtimer_poll(struct el2_vcpu *v)
{
	uint64_t control = read_cntv_ctl_el0();

	if ((control & TIMER_ENABLE) != 0 && (control & TIMER_ISTATUS) == 0)
		write_cntv_ctl_el0(control & ~TIMER_IMASK);
	set_line(v, (control & (TIMER_ENABLE | TIMER_ISTATUS)) == (TIMER_ENABLE | TIMER_ISTATUS));
}
