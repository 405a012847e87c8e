/*
 * EL2's configuration on one CPU: what guests are refused, and where their exceptions go. None
 * of it depends on the guest; what does is loaded by switch.c.
 */
#include "machine/aarch64/cpu.h"
#include "el2/el2.h"
#include "machine/aarch64/timer.h"

static struct el2_cpu el2_cpus[MACHINE_MAX_CPUS];

/*
 * No floating point, no SVE, no trace; no debug registers; no PMU (the counter that
 * machine_cycles() reads is not a guest's to reset); no physical timer, no EL1 interface of the
 * GIC. All of these trap to EL2. HPMN stays as large as it is: a smaller one would hide event
 * counters from nobody.
 */
static void refuse(void)
{
	write_cptr_el2(CPTR_RES1 | CPTR_TFP | CPTR_TTA);
	write_mdcr_el2(FIELD_PREP(MDCR_HPMN, FIELD_GET(PMCR_N, read_pmcr_el0())) | MDCR_TPMCR |
	               MDCR_TPM | MDCR_TDA | MDCR_TDOSA | MDCR_TDRA);
	write_hstr_el2(0);
	write_cnthctl_el2(CNTHCTL_EL1PCTEN);
	write_cntvoff_el2(0);
	if (el2_machine.gicv3)
		write_ich_hcr_el2(ICH_HCR_TC | ICH_HCR_TALL0 | ICH_HCR_TALL1);
}

bool el2_cpu_enable(const char **why)
{
	struct el2_cpu *cpu = &el2_cpus[machine_cpu_index()];

	*why = NULL;
	*cpu = (struct el2_cpu){.deadline = UINT64_MAX};
	this_cpu()->el2 = cpu;
	timer_set(UINT64_MAX);

	refuse();
	/* Without FMO a fast interrupt is not taken at EL2 (IRQ_STOP). */
	write_hcr_el2(HCR_RW | HCR_FMO);
	write_vpidr_el2(read_midr_el1());
	write_vbar_el2((uint64_t)(uintptr_t)el2_vectors);
	isb();
	/* What the firmware may have left in the TLB under any VMID (D8.13.5: TLBI ALLE1). */
	__asm__ volatile("tlbi alle1\n\tdsb nsh\n\tisb" : : : "memory");
	return true;
}
