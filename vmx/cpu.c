/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Switches VMX on for one CPU (SDM vol. 3C, 24.7), and makes one vCPU's VMCS current on it.
 *
 * A VMCS is active on one CPU at a time. That CPU may keep a part of it outside of memory; only
 * VMCLEAR on the same CPU writes all of it to memory (25.11.1). So a vCPU is unloaded on the CPU
 * that ran it before another CPU loads it.
 */
#include "machine/x86_64/cpu.h"
#include "log.h"
#include "machine/x86_64/desc.h"
#include "vmx/vmx.h"

struct vmx_cpu vmx_cpus[MACHINE_MAX_CPUS];

/* A VMXON region is a frame that begins with the VMCS revision: 25.11.5. */
static uint32_t vmxon_regions[MACHINE_MAX_CPUS][MM_PAGE_SIZE / 4] MM_ALIGNED_TO(4096);

void vmx_unload(struct vmx_vcpu *v)
{
	struct vmx_cpu *cpu = v->cpu;

	if (cpu == NULL)
		return;
	ASSERT(cpu == vmx_this_cpu());
	if (cpu->current == v) {
		x86_state_save(&v->x86.state, X86_OUTSIDE_VMCS);
		cpu->current = NULL;
	}
	ASSERT(vmclear(v->vmcs));
	v->launched = false;
	v->cpu = NULL;
}

/* The host state that differs between CPUs: SDM vol. 3C, 25.5. */
static void setup_host_cpu(unsigned cpu)
{
	vmwrite(VMCS_HOST_TR_SELECTOR, desc_tss_selector(cpu));
	vmwrite(VMCS_HOST_TR_BASE, desc_tss_base(cpu));
}

void vmx_load(struct vmx_vcpu *v)
{
	struct vmx_cpu *cpu = vmx_this_cpu();

	ASSERT(v->cpu == NULL || v->cpu == cpu);
	if (cpu->current != NULL)
		x86_state_save(&cpu->current->x86.state, X86_OUTSIDE_VMCS);
	ASSERT(vmptrld(v->vmcs));
	if (v->cpu == NULL)
		setup_host_cpu((unsigned)(cpu - vmx_cpus));
	v->cpu = cpu;
	x86_state_load(&v->x86.state, X86_OUTSIDE_VMCS);
	cpu->current = v;
	/* The timer was set for another vCPU, or stood still while the deadline approached. */
	v->deadline = 0;
	/* The TLB may have entries of this VPID that are not this vCPU's: from another vCPU of the
	 * same VM, with other guest tables; or from before this vCPU ran on another CPU. */
	if (vmx_caps.vpid)
		invvpid(INVVPID_SINGLE, v->vpid);
}

/* Sets and clears the bits that VMX operation fixes: SDM vol. 3D, A.7 and A.8. */
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
	x86_state_enable();
	vmxon_regions[index][0] = vmx_caps.revision;
	if (!vmxon(mm_hpa_at((uint64_t)(uintptr_t)vmxon_regions[index]))) {
		*why = "VMXON failed";
		return false;
	}
	/* An earlier hypervisor may have left entries in this CPU's TLB. */
	invept(INVEPT_ALL, 0);
	if (vmx_caps.ept_vpid & VPID_ALL)
		invvpid(INVVPID_ALL, 0);
	vmx_cpus[index].shootdown = shootdown_this_cpu();
	vmx_cpus[index].on = true;
	return true;
}
