/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a vCPU. The loop that enters the guest until an exit has to be returned is in enter.S: a
 * hypercall's round trip is counted in instructions (make bench, T1).
 */
#include "hext/hext.h"
#include "machine/riscv64/timer.h"

/* Another vCPU is loaded on this hart, or the deadline has changed. */
static MM_NOINLINE void prepare_and_enter(struct cpu *cpu, struct hext_vcpu *v, uint64_t deadline,
                                          struct vm_exit *exit)
{
	if (cpu->guest != v)
		hext_load(cpu, v);
	timer_set(cpu, deadline);
	hext_enter(v, exit);
}

void hext_run(struct vcpu *vcpu, uint64_t deadline, struct vm_exit *exit)
{
	struct hext_vcpu *v = hext_of(vcpu);
	struct cpu *cpu = this_cpu();

	if (MM_LIKELY(cpu->guest == v) && MM_LIKELY(cpu->deadline == deadline))
		hext_enter(v, exit);
	else
		prepare_and_enter(cpu, v, deadline, exit);
}
