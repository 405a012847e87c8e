/* The way into a guest and back, as often as it takes until there is something to tell. */
#include "kernel/x86_64/apic.h"
#include "kernel/x86_64/cpu.h"
#include "kernel/x86_64/shootdown.h"
#include "vmx/caps.h"
#include "vmx/insn.h"
#include "vmx/vmx.h"

/* In entry.S. */
unsigned vmx_enter(struct vmx_vcpu *v, bool launched);
#define ENTER_NO_VMCS 1U

/*
 * The preemption timer counts down while the guest runs, and keeps its value across exits; so it
 * is set once per deadline, late by what the host takes in between, and the look at the clock
 * before each entry makes up for that. 26.5.1.
 */
static void set_preemption_timer(struct vmx_vcpu *v, uint64_t deadline)
{
	uint64_t now = rdtsc();
	uint64_t left = deadline > now ? (deadline - now) >> vmx_caps.preemption_shift : 0;

	vmwrite(VMCS_PREEMPTION_TIMER, left < UINT32_MAX ? left + 1 : UINT32_MAX);
	v->deadline = deadline;
}

static void set_deadline(struct vmx_cpu *cpu, struct vmx_vcpu *v, uint64_t deadline)
{
	if (vmx_caps.preemption_timer) {
		if (v->deadline != deadline)
			set_preemption_timer(v, deadline);
	} else if (cpu->timer_deadline != deadline) {
		apic_timer_arm(deadline);
		cpu->timer_deadline = deadline;
	}
}

static void time_is_up(const struct vmx_vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_DEADLINE;
	exit->pc = v->rip;
	exit->raw[0] = REASON_PREEMPTION_TIMER;
}

void vmx_run(struct vcpu *vcpu, uint64_t deadline, struct vm_exit *exit)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	struct vmx_cpu *cpu = vmx_this_cpu();
	uint64_t root = aspace_root(vcpu->as).raw;
	unsigned refused;

	if (unlikely(cpu->current != v))
		vmx_load(cpu, v);
	do {
		set_deadline(cpu, v, deadline);
		if (unlikely(rdtsc() >= deadline)) {
			time_is_up(v, exit);
			return;
		}
		if (unlikely(v->interrupt_line))
			vmx_offer_interrupt(v);

		vmx_flush_enter(cpu, root);
		refused = vmx_enter(v, v->launched);
		shootdown_leave();

		if (unlikely(refused != 0)) {
			vmx_decode_refusal(exit, refused == ENTER_NO_VMCS);
			return;
		}
		v->launched = true;
	} while (vmx_decode(v, deadline, exit));
}
