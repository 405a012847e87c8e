/* The way into a guest and back, as often as it takes until there is something to tell. */
#include "machine/x86_64/apic.h"
#include "machine/x86_64/cpu.h"
#include "vmx/caps.h"
#include "vmx/insn.h"
#include "vmx/vmx.h"

/* In enter.S. */
unsigned vmx_enter(struct vmx_vcpu *v, bool launched);
#define ENTER_NO_VMCS 1U

/*
 * The preemption timer counts down while the guest runs, and keeps its value across exits; so it
 * is set once per deadline, late by what the host takes in between, and the look at the clock
 * before each entry makes up for that. 26.5.1.
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

static void time_is_up(const struct vmx_vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_DEADLINE;
	exit->pc = v->rip;
	exit->raw[0] = REASON_PREEMPTION_TIMER;
}

/* One entry and one exit, exposed to other CPUs' flushes meanwhile. */
static unsigned enter(struct vmx_vcpu *v)
{
	struct shootdown_cpu *shootdown = v->cpu->shootdown;
	uint64_t stale = shootdown_enter(shootdown, v->root.raw);
	unsigned refused;

	if (MM_UNLIKELY(stale != 0))
		vmx_flush_late(v->cpu, stale);
	refused = vmx_enter(v, v->launched);
	v->launched = true;
	shootdown_leave(shootdown);
	return refused;
}

void vmx_run(struct vcpu *vcpu, uint64_t deadline, struct vm_exit *exit)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	unsigned refused;

	vmx_need(v);
	/* What this CPU did since its last entry has left others' data in its L1D. From here on it
	 * touches this vCPU's own alone. See mitigations.h. */
	if (MM_UNLIKELY(vmx_caps.mitigations.flush_l1d))
		wrmsr(MSR_FLUSH_CMD, FLUSH_CMD_L1D);
	do {
		if (MM_UNLIKELY(v->deadline != deadline))
			set_deadline(v, deadline);
		if (MM_UNLIKELY(rdtsc() >= deadline)) {
			time_is_up(v, exit);
			return;
		}
		if (MM_UNLIKELY(v->interrupt_line))
			vmx_offer_interrupt(v);
		refused = enter(v);
		if (MM_UNLIKELY(refused != 0)) {
			vmx_decode_refusal(exit, refused == ENTER_NO_VMCS);
			return;
		}
	} while (vmx_decode(v, deadline, exit));
}
