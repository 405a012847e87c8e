/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop around the world switch: until an exit has to be returned to the run loop. */
#include "machine/x86_64/apic.h"
#include "machine/x86_64/cpu.h"
#include "vmx/vmx.h"

/*
 * The preemption timer counts down only while the guest runs, and keeps its value across exits
 * (SDM vol. 3C, 26.5.1). So it is set once per deadline. It then expires late by the time that
 * the host has taken; the test of the clock before each entry corrects that.
 */
static void set_preemption_timer(uint64_t deadline)
{
	uint64_t now = rdtsc();
	uint64_t left = deadline > now ? (deadline - now) >> vmx_caps.preemption_shift : 0;

	vmwrite(VMCS_PREEMPTION_TIMER, left < UINT32_MAX ? left + 1 : UINT32_MAX);
}

static MM_NOINLINE void set_deadline(struct vmx_vcpu *v, uint64_t deadline)
{
	if (vmx_caps.preemption_timer)
		set_preemption_timer(deadline);
	else
		apic_timer_arm(deadline);
	v->deadline = deadline;
}

/* One entry and one exit. Other CPUs' flushes see that this CPU runs the guest. */
static unsigned enter(struct vmx_vcpu *v)
{
	struct shootdown_cpu *shootdown = v->cpu->shootdown;
	uint64_t stale = shootdown_enter(shootdown, v->root.raw);
	unsigned vmfail;

	if (MM_UNLIKELY(stale != 0))
		vmx_invalidate(v->cpu, stale);
	vmfail = vmx_enter(v, v->launched);
	v->launched = true;
	shootdown_leave(shootdown);
	return vmfail;
}

void vmx_run(struct vcpu *vcpu, uint64_t deadline, struct vm_exit *exit)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	unsigned vmfail;

	vmx_ensure_loaded(v);
	/* Since its last entry this CPU may have read other guests' data into its L1 data cache.
	 * From here to the return it reads only this vCPU's own: mitigations.h. */
	if (MM_UNLIKELY(vmx_caps.mitigations.flush_l1d))
		wrmsr(MSR_FLUSH_CMD, FLUSH_CMD_L1D);
	do {
		if (MM_UNLIKELY(v->deadline != deadline))
			set_deadline(v, deadline);
		if (MM_UNLIKELY(rdtsc() >= deadline)) {
			x86_deadline_exit(v->rip, REASON_PREEMPTION_TIMER, exit);
			return;
		}
		if (MM_UNLIKELY(v->x86.interrupt_line))
			vmx_inject_interrupt(v);
		vmfail = enter(v);
		if (MM_UNLIKELY(vmfail != 0)) {
			vmx_decode_vmfail(exit, vmfail == ENTER_NO_VMCS);
			return;
		}
	} while (vmx_handle_exit(v, deadline, exit) == EXIT_RESUME);
}
