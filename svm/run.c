/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop around the world switch: until an exit has to be returned to the run loop. */
#include "machine/x86_64/apic.h"
#include "machine/x86_64/cpu.h"
#include "svm/svm.h"

static void set_deadline(struct svm_cpu *cpu, uint64_t deadline)
{
	if (MM_LIKELY(cpu->timer_deadline == deadline))
		return;
	apic_timer_arm(deadline);
	cpu->timer_deadline = deadline;
}

/* One entry and one exit. Other CPUs' flushes see that this CPU runs the guest. */
static void enter(struct svm_cpu *cpu, struct svm_vcpu *v)
{
	struct vmcb *vmcb = v->vmcb;

	if (MM_UNLIKELY(shootdown_enter(cpu->shootdown, vmcb->nested_cr3) != 0 || cpu->flush_all)) {
		vmcb->tlb_control = TLB_FLUSH_ALL;
		cpu->flush_all = false;
	}
	svm_enter(v, (uint64_t)(uintptr_t)vmcb, cpu->host_area);
	shootdown_leave(cpu->shootdown);
	vmcb->tlb_control = TLB_KEEP;
	vmcb->event_injection = 0;
	vmcb->clean = CLEAN_ALL;
}

void svm_run(struct vcpu *vcpu, uint64_t deadline, struct vm_exit *exit)
{
	struct svm_vcpu *v = svm_of(vcpu);
	struct svm_cpu *cpu = svm_this_cpu();

	if (MM_UNLIKELY(cpu->current != v))
		svm_load(cpu, v);
	do {
		set_deadline(cpu, deadline);
		if (MM_UNLIKELY(rdtsc() >= deadline)) {
			x86_deadline_exit(v->vmcb->rip, SVM_INTR, exit);
			return;
		}
		svm_inject_interrupt(v);
		enter(cpu, v);
	} while (svm_handle_exit(v, deadline, exit) == EXIT_RESUME);
}
