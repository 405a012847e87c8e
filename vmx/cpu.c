/*
 * VMX operation per CPU (SDM vol. 3C, 24.7), and which VMCS a CPU has.
 *
 * A VMCS is active on one CPU at a time, which may keep parts of it in itself; only a VMCLEAR on
 * that same CPU puts all of it into memory (25.11.1). That is what virt_ops.park is for: a vCPU
 * that is to run elsewhere has been parked where it ran.
 */
#include "machine/x86_64/cpu.h"
#include "log.h"
#include "vmx/caps.h"
#include "vmx/insn.h"
#include "vmx/vmx.h"

#define FEATURE_CONTROL_LOCK        BIT(0)
#define FEATURE_CONTROL_OUTSIDE_SMX BIT(2)

struct vmx_cpu vmx_cpus[MACHINE_MAX_CPUS];

/* A VMXON region is a frame that begins with the revision: 25.11.5. */
static uint32_t vmxon_regions[MACHINE_MAX_CPUS][MM_PAGE_SIZE / 4] MM_ALIGNED_TO(4096);

static void save_rest(struct vmx_vcpu *v)
{
	v->cr2 = read_cr2();
	__asm__ volatile("fxsave64 %0" : "=m"(v->fpu));
}

static void load_rest(const struct vmx_vcpu *v)
{
	write_cr2(v->cr2);
	__asm__ volatile("fxrstor64 %0" : : "m"(v->fpu));
}

void vmx_release(struct vmx_vcpu *v)
{
	struct vmx_cpu *cpu = v->cpu;

	if (cpu == NULL)
		return;
	ASSERT(cpu == vmx_this_cpu());
	if (cpu->current == v) {
		save_rest(v);
		cpu->current = NULL;
	}
	ASSERT(vmclear(v->vmcs));
	v->launched = false;
	v->cpu = NULL;
}

void vmx_load(struct vmx_vcpu *v)
{
	struct vmx_cpu *cpu = vmx_this_cpu();

	ASSERT(v->cpu == NULL || v->cpu == cpu);
	if (cpu->current != NULL)
		save_rest(cpu->current);
	ASSERT(vmptrld(v->vmcs));
	if (v->cpu == NULL)
		vmx_setup_host_cpu((unsigned)(cpu - vmx_cpus));
	v->cpu = cpu;
	load_rest(v);
	cpu->current = v;
	/* Its deadline went on while its timer stood still, or served another. */
	v->deadline = 0;
	/* Another vCPU of the same VM may have used this CPU under the same VPID, with other
	 * tables of its own; and this one may have changed its tables elsewhere. */
	if (vmx_caps.vpid)
		invvpid(INVVPID_SINGLE, v->vpid);
}

/* Sets and clears what VMX operation demands: A.7 and A.8. */
static void fix_control_registers(void)
{
	uint64_t cr0 = read_cr0(), cr4 = read_cr4() | CR4_VMXE;

	write_cr0((cr0 | rdmsr(MSR_VMX_CR0_FIXED0)) & rdmsr(MSR_VMX_CR0_FIXED1));
	write_cr4((cr4 | rdmsr(MSR_VMX_CR4_FIXED0)) & rdmsr(MSR_VMX_CR4_FIXED1));
}

bool vmx_cpu_enable(const char **why)
{
	unsigned index = machine_cpu_index();
	uint64_t control = rdmsr(MSR_FEATURE_CONTROL);

	if (!(control & FEATURE_CONTROL_LOCK))
		wrmsr(MSR_FEATURE_CONTROL,
		      control | FEATURE_CONTROL_LOCK | FEATURE_CONTROL_OUTSIDE_SMX);
	else if (!(control & FEATURE_CONTROL_OUTSIDE_SMX)) {
		*why = "firmware has locked VMX off on this CPU (IA32_FEATURE_CONTROL)";
		return false;
	}
	fix_control_registers();
	vmxon_regions[index][0] = vmx_caps.revision;
	if (!vmxon(hpa_at((uint64_t)(uintptr_t)vmxon_regions[index]))) {
		*why = "VMXON failed";
		return false;
	}
	/* What an earlier hypervisor left in this CPU's translation caches is not ours. */
	invept(INVEPT_ALL, 0);
	if (vmx_caps.ept_vpid & VPID_ALL)
		invvpid(INVVPID_ALL, 0);
	vmx_cpus[index].shootdown = shootdown_this_cpu();
	vmx_cpus[index].on = true;
	return true;
}
