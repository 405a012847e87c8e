/* SPDX-License-Identifier: BSD-2-Clause */
/* Creates and destroys a vCPU, and reports its registers. */
#include <stddef.h>

#include "el2/el2.h"
#include "el2/offsets.h"
#include "frame.h"
#include "machine.h"

_Static_assert(offsetof(struct el2_vcpu, x) == VCPU_X, "offsets.h");
_Static_assert(offsetof(struct el2_vcpu, pc) == VCPU_PC, "offsets.h");
_Static_assert(offsetof(struct el2_vcpu, pstate) == VCPU_PC + 8, "offsets.h");
_Static_assert(sizeof(struct el2_vcpu) <= MM_PAGE_SIZE, "a vCPU's state fits a frame");

/*
 * HCR_EL2 of a guest: stage 2 on, AArch64 at EL1. These trap to EL2: interrupts, SErrors, WFI,
 * SMC, cache maintenance by set/way, and the registers of identification, implementation, limited
 * ordering, error records and memory tags. The guest's TLB maintenance and barriers are broadcast
 * (FB, BSU), because it may have run on any CPU. While its stage 1 is off, its memory is cacheable
 * (DC), as the hypervisor's mapping of it is. TVM traps the write that switches stage 1 on:
 * sysreg.c.
 */
#define HCR_GUEST                                                                                  \
	(HCR_VM | HCR_SWIO | HCR_FMO | HCR_IMO | HCR_AMO | HCR_FB | FIELD_PREP(HCR_BSU, 1) |       \
	 HCR_DC | HCR_TWI | HCR_TID3 | HCR_TSC | HCR_TIDCP | HCR_TACR | HCR_TSW | HCR_TVM |        \
	 HCR_RW | HCR_TLOR | HCR_TERR | HCR_TID5)

#define VMPIDR_RES1 BIT(31)

/* D8.2.6: SL0 has start levels 2, 1 and 0; SL2 has -1, with LPA2. */
static uint64_t start_level(unsigned levels)
{
	return levels == 5 ? VTCR_SL2 : FIELD_PREP(VTCR_SL0, levels - 2);
}

static uint64_t vtcr_of(const struct mm_npt_config *npt)
{
	bool lpa2 = npt->hpa_bits > 48;

	return VTCR_RES1 | FIELD_PREP(VTCR_T0SZ, 64 - mm_npt_gpa_bits(npt)) |
	       start_level(npt->levels) | FIELD_PREP(VTCR_IRGN0, 1) | FIELD_PREP(VTCR_ORGN0, 1) |
	       FIELD_PREP(VTCR_SH0, 3) |
	       FIELD_PREP(VTCR_PS, lpa2 ? PARANGE_52 : el2_caps.pa_range) |
	       (el2_caps.vmid16 ? VTCR_VS : 0) | (lpa2 ? VTCR_DS : 0) |
	       (npt->accessed_dirty ? VTCR_HA | VTCR_HD : 0);
}

/* By VMID: the physical count when vCPU 0 of the VM was created. The guest's virtual count begins
 * there at 0. */
static uint64_t count_at_start[EL2_RECENT];

static uint64_t virtual_offset(const struct vcpu_config *config)
{
	uint64_t *start = &count_at_start[mm_aspace_tag(config->as) % EL2_RECENT];

	if (config->index == 0)
		*start = machine_ticks();
	return *start;
}

enum mm_error el2_create(struct vcpu *vcpu, const struct vcpu_config *config)
{
	struct el2_vcpu *v;
	mm_hpa_t frame;

	if (!frame_alloc(0, &frame))
		return MM_NO_MEMORY;
	v = frame_ptr(frame);
	*v = (struct el2_vcpu){
		.x = {config->args[0], config->args[1]},
		.pc = config->entry,
		.pstate = PSTATE_EL1H | PSTATE_DAIF,
		.hcr = HCR_GUEST | (el2_caps.csv2 ? HCR_ENSCXT : 0),
		.vtcr = vtcr_of(&config->as->npt.config),
		.vttbr = el2_vttbr(mm_aspace_root(config->as), mm_aspace_tag(config->as)),
		.vmpidr = VMPIDR_RES1 | config->index,
		.cntvoff = virtual_offset(config),
		.el1 = {.sctlr_el1 = SCTLR_EL1_RES1},
		.vcpu = vcpu,
	};
	*vcpu = (struct vcpu){&el2_ops, config->as, config->index, v};
	return MM_OK;
}

void el2_destroy(struct vcpu *vcpu)
{
	struct el2_vcpu *v = el2_of(vcpu);

	if (v->cpu != NULL)
		v->cpu->loaded = NULL;
	frame_free(0, frame_of(v));
	vcpu->arch = NULL;
}

uint64_t el2_pc(const struct vcpu *vcpu)
{
	return el2_of(vcpu)->pc;
}

size_t el2_registers(const struct vcpu *vcpu, struct vcpu_register out[VCPU_REGISTERS])
{
	static const char *const names[31] = {
		"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",  "x10",
		"x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
		"x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30"};
	struct el2_vcpu *v = el2_of(vcpu);
	size_t n = 0;

	el2_load(v);
	for (; n < MM_ARRAY_SIZE(names); n++)
		out[n] = (struct vcpu_register){names[n], v->x[n]};
	out[n++] = (struct vcpu_register){"pc", v->pc};
	out[n++] = (struct vcpu_register){"pstate", v->pstate};
	out[n++] = (struct vcpu_register){"sp_el0", read_sp_el0()};
	out[n++] = (struct vcpu_register){"sp_el1", read_sp_el1()};
	out[n++] = (struct vcpu_register){"elr_el1", read_elr_el1()};
	out[n++] = (struct vcpu_register){"spsr_el1", read_spsr_el1()};
	out[n++] = (struct vcpu_register){"esr_el1", read_esr_el1()};
	out[n++] = (struct vcpu_register){"far_el1", read_far_el1()};
	out[n++] = (struct vcpu_register){"vbar_el1", read_vbar_el1()};
	out[n++] = (struct vcpu_register){"sctlr_el1", read_sctlr_el1()};
	out[n++] = (struct vcpu_register){"tcr_el1", read_tcr_el1()};
	out[n++] = (struct vcpu_register){"ttbr0_el1", read_ttbr0_el1()};
	out[n++] = (struct vcpu_register){"ttbr1_el1", read_ttbr1_el1()};
	out[n++] = (struct vcpu_register){"mair_el1", read_mair_el1()};
	return n;
}
