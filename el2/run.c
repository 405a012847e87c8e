/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a vCPU. The loop that enters the guest until an exit has to be returned is in enter.S: a
 * hypercall's round trip is counted in instructions (make bench, T1).
 */
#include "el2/el2.h"
#include "machine/aarch64/cpu.h"

/* Another vCPU is loaded on this CPU, or the deadline has changed. */
static MM_NOINLINE void prepare_and_enter(struct el2_vcpu *v, uint64_t deadline,
                                          struct vm_exit *exit)
{
	el2_load(v);
	this_cpu()->el2->deadline = deadline;
	el2_set_timer(v, deadline);
	el2_enter(v, exit);
}

void el2_run(struct vcpu *vcpu, uint64_t deadline, struct vm_exit *exit)
{
	const struct el2_cpu *cpu = this_cpu()->el2;
	struct el2_vcpu *v = el2_of(vcpu);

	if (MM_LIKELY(cpu->loaded == v) && MM_LIKELY(cpu->deadline == deadline))
		el2_enter(v, exit);
	else
		prepare_and_enter(v, deadline, exit);
}
