/* The way into a guest and back, as often as it takes until there is something to tell. */
#include "machine/x86_64/apic.h"
#include "machine/x86_64/cpu.h"
#include "svm/svm.h"
#include "x86/shootdown.h"

/* In enter.S. */
void svm_enter(struct svm_vcpu *v, uint64_t vmcb, uint64_t host);

static void time_is_up(const struct svm_vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_DEADLINE;
	exit->pc = v->vmcb->rip;
	exit->raw[0] = SVM_INTR;
}

static void set_deadline(struct svm_cpu *cpu, uint64_t deadline)
{
	if (MM_LIKELY(cpu->timer_deadline == deadline))
		return;
	apic_timer_arm(deadline);
	cpu->timer_deadline = deadline;
}

static void enter(struct svm_cpu *cpu, struct svm_vcpu *v, uint64_t root)
{
	struct vmcb *vmcb = v->vmcb;

	if (MM_UNLIKELY(shootdown_enter(cpu->shootdown, root) != 0 || cpu->flush_all)) {
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
			time_is_up(v, exit);
			return;
		}
		svm_offer_interrupt(v);
		enter(cpu, v, aspace_root(vcpu->as).raw);
	} while (svm_decode(v, deadline, exit));
}
