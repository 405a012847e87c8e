/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Switches SVM on for one CPU (APM vol. 2, 15.4), and loads one vCPU's state on it. The VMCB has
 * the rest of that state, except the general registers and what x86/state.h switches.
 */
#include "machine/x86_64/cpu.h"
#include "svm/svm.h"

struct svm_cpu svm_cpus[MACHINE_MAX_CPUS];

/* One frame per CPU: VMRUN saves the host's state to the first. This code saves the state that
 * VMRUN does not to the second, in VMSAVE's layout, which is that of a VMCB. */
static uint8_t save_areas[MACHINE_MAX_CPUS][MM_PAGE_SIZE] MM_ALIGNED_TO(4096);
static struct vmcb host_areas[MACHINE_MAX_CPUS] MM_ALIGNED_TO(4096);

bool svm_cpu_enable(const char **why)
{
	unsigned cpu = machine_cpu_index();
	uint64_t host_area = (uint64_t)(uintptr_t)&host_areas[cpu];

	if (rdmsr(MSR_VM_CR) & VM_CR_SVMDIS) {
		*why = "firmware has switched SVM off on this CPU (VM_CR.SVMDIS)";
		return false;
	}
	/* In nested tables the NX bit is reserved unless the host's EFER.NXE is set: 15.25.5. */
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME | EFER_NXE);
	x86_state_enable();
	wrmsr(MSR_VM_HSAVE, (uint64_t)(uintptr_t)save_areas[cpu]);
	__asm__ volatile("vmsave" : : "a"(host_area) : "memory");
	svm_cpus[cpu] = (struct svm_cpu){
		.timer_deadline = UINT64_MAX,
		.host_area = host_area,
		.shootdown = shootdown_this_cpu(),
		.flush_all = true,
	};
	return true;
}

void svm_load(struct svm_cpu *cpu, struct svm_vcpu *v)
{
	if (cpu->current != NULL)
		x86_state_save(&cpu->current->x86.state, X86_OUTSIDE_VMCB);
	x86_state_load(&v->x86.state, X86_OUTSIDE_VMCB);
	cpu->current = v;
	/* The CPU may have cached the VMCB when the vCPU last ran here: 15.15.1. */
	v->vmcb->clean = 0;
	/* The TLB may have entries of this ASID from another vCPU of the same VM, with other guest
	 * tables. */
	v->vmcb->tlb_control = svm_tlb_flush_asid();
}

void svm_unload(struct svm_vcpu *v)
{
	struct svm_cpu *cpu = svm_this_cpu();

	if (cpu->current != v)
		return;
	x86_state_save(&v->x86.state, X86_OUTSIDE_VMCB);
	cpu->current = NULL;
}
