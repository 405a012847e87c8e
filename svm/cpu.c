/* SVM on and off on a CPU (APM vol. 2, 15.4), and which vCPU a CPU ran last. */
#include "machine/x86_64/cpu.h"
#include "log.h"
#include "svm/svm.h"
#include "x86/shootdown.h"

struct svm_cpu svm_cpus[MACHINE_MAX_CPUS];

/* Where VMRUN keeps the host's state, and where the host keeps what VMRUN does not: a frame
 * each, the second in VMSAVE's layout, which is a VMCB's. */
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
	/* NX in nested tables is reserved unless the host has it on: 15.25.5. */
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME | EFER_NXE);
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
	uint32_t index = (uint32_t)(cpu - svm_cpus);

	if (cpu->current != NULL)
		__asm__ volatile("fxsave64 %0" : "=m"(cpu->current->fpu));
	__asm__ volatile("fxrstor64 %0" : : "m"(v->fpu));
	cpu->current = v;
	/* The CPU may keep parts of the VMCB as it was when it last ran here: 15.15.1. And another
	 * vCPU of this VM may have used the ASID here, with guest tables of its own. */
	v->vmcb->clean = 0;
	v->vmcb->tlb_control = svm_caps.flush_by_asid ? TLB_FLUSH_ASID : TLB_FLUSH_ALL;
	v->cpu = index;
}

void svm_park(struct vcpu *vcpu)
{
	struct svm_vcpu *v = svm_of(vcpu);
	struct svm_cpu *cpu = svm_this_cpu();

	if (cpu->current != v)
		return;
	__asm__ volatile("fxsave64 %0" : "=m"(v->fpu));
	cpu->current = NULL;
}
