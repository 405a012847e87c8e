/*
 * Whose EL1 state and address space this CPU has loaded. An exit leaves them where they are, so
 * that the same vCPU can go on for the price of its general registers.
 */
#include "el2/el2.h"
#include "log.h"
#include "machine/aarch64/cpu.h"

static void save(struct el1_state *to)
{
#define SAVE(name) to->name = read_##name();
	EL1_STATE(SAVE)
#undef SAVE
}

static void restore(const struct el1_state *from)
{
#define RESTORE(name) write_##name(from->name);
	EL1_STATE(RESTORE)
#undef RESTORE
}

/*
 * Two vCPUs of one VM share a VMID, but not what they mean by an ASID, and not whether their
 * stage 1 is on: one must not find the other's entries in this CPU's TLB. Entries by VMID
 * survive that other VMs ran in between, so what counts is who ran last under this VMID.
 */
static void forget_sibling(struct el2_cpu *cpu, const struct el2_vcpu *v)
{
	const struct el2_vcpu **recent = &cpu->recent[aspace_tag(v->vcpu->as) % EL2_RECENT];

	if (*recent == v)
		return;
	*recent = v;
	__asm__ volatile("tlbi vmalle1\n\tic iallu\n\tdsb nsh\n\tisb" : : : "memory");
}

static void unload(struct el2_cpu *cpu)
{
	save(&cpu->loaded->el1);
	write_cntv_ctl_el0(0); /* or it would interrupt others */
	cpu->loaded->home = NULL;
	cpu->loaded = NULL;
}

void el2_load(struct el2_vcpu *v)
{
	struct el2_cpu *cpu = this_cpu()->el2;

	if (cpu->loaded == v)
		return;
	ASSERT(v->home == NULL); /* it has been parked, if it ran elsewhere */
	if (cpu->loaded != NULL)
		unload(cpu);
	restore(&v->el1);
	write_hcr_el2(v->hcr);
	write_vtcr_el2(v->vtcr);
	write_vttbr_el2(v->vttbr);
	write_vmpidr_el2(v->vmpidr);
	isb();
	forget_sibling(cpu, v);
	cpu->loaded = v;
	v->home = cpu;
}

void el2_park(struct vcpu *vcpu)
{
	struct el2_cpu *cpu = this_cpu()->el2;

	if (cpu->loaded == el2_of(vcpu))
		unload(cpu);
}

void el2_hcr_changed(const struct el2_vcpu *v)
{
	if (this_cpu()->el2->loaded == v) {
		write_hcr_el2(v->hcr);
		isb();
	}
}
