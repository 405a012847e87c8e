/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Switches EL2's traps on for one CPU, and moves a vCPU's EL1 registers between the CPU and
 * memory. An exit leaves them in the CPU, so that the next entry of the same vCPU only switches
 * its general registers.
 */
#include "machine/aarch64/cpu.h"
#include "el2/el2.h"
#include "log.h"
#include "machine/aarch64/irq.h"
#include "machine/aarch64/timer.h"

static struct el2_cpu el2_cpus[MACHINE_MAX_CPUS];

/* FEAT_FGT. Their values after a reset are unknown. */
static void disable_fine_traps(void)
{
	write_hfgrtr_el2(0);
	write_hfgwtr_el2(0);
	write_hfgitr_el2(0);
	write_hdfgrtr_el2(0);
	write_hdfgwtr_el2(0);
}

/*
 * Traps to EL2: SVE, SME, trace, activity monitors, debug registers, statistical profiling, the PMU
 * (a guest may not reset the counter that machine_cycles() reads), the physical timer, and the
 * GIC's EL1 interface. HPMN is the number of event counters. The bits of features that the CPU does
 * not have are RES0.
 */
static void enable_traps(void)
{
	write_cptr_el2(CPTR_RES1 | (el2_caps.fp ? 0 : CPTR_TFP) | CPTR_TTA | CPTR_TAM);
	write_mdcr_el2(FIELD_PREP(MDCR_HPMN, FIELD_GET(PMCR_N, read_pmcr_el0())) | MDCR_TPMCR |
	               MDCR_TPM | MDCR_TDA | MDCR_TDOSA | MDCR_TDRA | MDCR_TPMS | MDCR_TTRF);
	write_mdscr_el1(0);
	write_hstr_el2(0);
	write_cnthctl_el2(CNTHCTL_EL1PCTEN);
	if (el2_caps.gicv3)
		write_ich_hcr_el2(ICH_HCR_TC | ICH_HCR_TALL0 | ICH_HCR_TALL1);
	if (FIELD_GET(MMFR0_FGT, read_id_aa64mmfr0_el1()) != 0)
		disable_fine_traps();
	/* The registers of later extensions trap. */
	if (FIELD_GET(MMFR1_HCX, read_id_aa64mmfr1_el1()) != 0)
		write_hcrx_el2(0);
}

bool el2_cpu_enable(const char **why)
{
	struct el2_cpu *cpu = &el2_cpus[machine_cpu_index()];

	*why = NULL;
	*cpu = (struct el2_cpu){.deadline = UINT64_MAX};
	this_cpu()->el2 = cpu;
	timer_set(UINT64_MAX);

	enable_traps();
	/* Without FMO a fast interrupt (IRQ_STOP) is not taken at EL2. */
	write_hcr_el2(HCR_RW | HCR_FMO);
	write_vpidr_el2(read_midr_el1());
	write_vbar_el2((uint64_t)(uintptr_t)el2_vectors);
	isb();
	/* Translations by the firmware, of any VMID (D8.13.5: TLBI ALLE1). */
	__asm__ volatile("tlbi alle1\n\tdsb nsh\n\tisb" : : : "memory");
	return true;
}

/* --- loading and unloading --- */

static void save(struct el1_state *to)
{
#define SAVE(name) to->name = read_##name();
	EL1_STATE(SAVE)
	if (el2_caps.fp) {
		EL1_STATE_FP(SAVE)
		el2_save_vectors(to->vectors);
	}
	if (el2_caps.ras) {
		EL1_STATE_RAS(SAVE)
	}
	if (el2_caps.sme) {
		EL1_STATE_SME(SAVE)
	}
	if (el2_caps.csv2) {
		EL1_STATE_CSV2(SAVE)
	}
#undef SAVE
}

static void restore(const struct el1_state *from)
{
#define RESTORE(name) write_##name(from->name);
	EL1_STATE(RESTORE)
	if (el2_caps.fp) {
		EL1_STATE_FP(RESTORE)
		el2_load_vectors(from->vectors);
	}
	if (el2_caps.ras) {
		EL1_STATE_RAS(RESTORE)
	}
	if (el2_caps.sme) {
		EL1_STATE_SME(RESTORE)
	}
	if (el2_caps.csv2) {
		EL1_STATE_CSV2(RESTORE)
	}
#undef RESTORE
}

/*
 * Two vCPUs of one VM share a VMID. They may use one ASID for different tables, and one of them
 * may have its stage 1 off. So one must not use the other's TLB entries on this CPU. Entries
 * survive while other VMs run, so the last vCPU of each VMID counts.
 */
static void invalidate_sibling(struct el2_cpu *cpu, const struct el2_vcpu *v)
{
	const struct el2_vcpu **recent = &cpu->recent[mm_aspace_tag(v->vcpu->as) % EL2_RECENT];

	if (*recent == v)
		return;
	*recent = v;
	__asm__ volatile("tlbi vmalle1\n\tic iallu\n\tdsb nsh\n\tisb" : : : "memory");
}

static void unload(struct el2_cpu *cpu)
{
	save(&cpu->loaded->el1);
	write_cntv_ctl_el0(0); /* its interrupt would go to other vCPUs */
	cpu->loaded->cpu = NULL;
	cpu->loaded = NULL;
}

void el2_vtimer_match(const struct el2_vcpu *v)
{
	struct el2_cpu *cpu = this_cpu()->el2;

	if (MM_LIKELY(cpu->vtimer_off == v->vtimer))
		return;
	cpu->vtimer_off = v->vtimer;
	irq_virtual_timer(!v->vtimer);
}

void el2_load(struct el2_vcpu *v)
{
	struct el2_cpu *cpu = this_cpu()->el2;

	if (cpu->loaded == v)
		return;
	ASSERT(v->cpu == NULL);
	if (cpu->loaded != NULL)
		unload(cpu);
	restore(&v->el1);
	write_hcr_el2(v->hcr);
	write_vtcr_el2(v->vtcr);
	write_vttbr_el2(v->vttbr);
	write_vmpidr_el2(v->vmpidr);
	write_cntvoff_el2(v->cntvoff);
	isb();
	invalidate_sibling(cpu, v);
	cpu->loaded = v;
	v->cpu = cpu;
	el2_vtimer_match(v);
}

void el2_park(struct vcpu *vcpu)
{
	struct el2_cpu *cpu = this_cpu()->el2;

	if (cpu->loaded == el2_of(vcpu))
		unload(cpu);
}

void el2_update_hcr(const struct el2_vcpu *v)
{
	if (this_cpu()->el2->loaded == v) {
		write_hcr_el2(v->hcr);
		isb();
	}
}
