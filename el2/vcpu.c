/*
 * A virtual CPU's life: made, run until something concerns the hypervisor, gone.
 */
#include <stddef.h>

#include "el2/el2.h"
#include "el2/offsets.h"
#include "frame.h"
#include "machine/aarch64/cpu.h"

_Static_assert(offsetof(struct el2_vcpu, x) == VCPU_X, "offsets.h");
_Static_assert(offsetof(struct el2_vcpu, pc) == VCPU_PC, "offsets.h");
_Static_assert(offsetof(struct el2_vcpu, pstate) == VCPU_PC + 8, "offsets.h");
_Static_assert(sizeof(struct el2_vcpu) <= MM_PAGE_SIZE, "one frame each");

/*
 * Stage 2 on; AArch64 at EL1; interrupts, SErrors, WFI, SMC, set/way, and the registers of
 * identification, implementation, limited ordering and error records come to EL2; the guest's own
 * TLB maintenance and barriers reach every CPU that it may have run on. Until it turns its stage 1
 * on its memory is cacheable (DC), as the hypervisor's view of the same memory is: TVM tells when
 * that changes.
 */
#define HCR_GUEST                                                                                  \
	(HCR_VM | HCR_SWIO | HCR_FMO | HCR_IMO | HCR_AMO | HCR_FB | FIELD_PREP(HCR_BSU, 1) |       \
	 HCR_DC | HCR_TWI | HCR_TID3 | HCR_TSC | HCR_TIDCP | HCR_TACR | HCR_TSW | HCR_TVM |        \
	 HCR_RW | HCR_TLOR | HCR_TERR)

#define VMPIDR_RES1 BIT(31)

/* D8.2.6, start level: 2, 1 or 0 by SL0, and -1 by SL2 with LPA2. */
static uint64_t start_level(unsigned levels)
{
	return levels == 5 ? VTCR_SL2 : FIELD_PREP(VTCR_SL0, levels - 2);
}

static uint64_t vtcr_of(const struct npt_config *npt)
{
	bool lpa2 = npt->hpa_bits > 48;

	return VTCR_RES1 | FIELD_PREP(VTCR_T0SZ, 64 - npt_gpa_bits(npt)) |
	       start_level(npt->levels) | FIELD_PREP(VTCR_IRGN0, 1) | FIELD_PREP(VTCR_ORGN0, 1) |
	       FIELD_PREP(VTCR_SH0, 3) |
	       FIELD_PREP(VTCR_PS, lpa2 ? PARANGE_52 : el2_machine.pa_range) |
	       (el2_machine.vmid16 ? VTCR_VS : 0) | (lpa2 ? VTCR_DS : 0) |
	       (npt->accessed_dirty ? VTCR_HA | VTCR_HD : 0);
}

enum mm_error el2_create(struct vcpu *vcpu, const struct vcpu_config *config)
{
	struct el2_vcpu *v;
	hpa_t frame;

	if (!frame_alloc(0, &frame))
		return MM_NO_MEMORY;
	v = frame_ptr(frame);
	*v = (struct el2_vcpu){
		.x = {config->args[0], config->args[1]},
		.pc = config->entry,
		.pstate = PSTATE_EL1H | PSTATE_DAIF,
		.hcr = HCR_GUEST,
		.vtcr = vtcr_of(&config->as->npt.config),
		.vttbr = el2_vttbr(aspace_root(config->as), aspace_tag(config->as)),
		.vmpidr = VMPIDR_RES1 | config->index,
		.el1 = {.sctlr_el1 = SCTLR_EL1_RES1},
		.vcpu = vcpu,
	};
	*vcpu = (struct vcpu){&el2_ops, config->as, config->index, v};
	return MM_OK;
}

void el2_destroy(struct vcpu *vcpu)
{
	struct el2_vcpu *v = el2_of(vcpu);

	if (v->home != NULL)
		v->home->loaded = NULL;
	frame_free(0, frame_of(v));
	vcpu->arch = NULL;
}

/* Another vCPU ran here last, or the deadline is another. */
static MM_NOINLINE void run_prepared(struct el2_vcpu *v, uint64_t deadline, struct vm_exit *exit)
{
	el2_load(v);
	this_cpu()->el2->deadline = deadline;
	el2_set_alarm(v, deadline);
	el2_enter(v, exit);
}

void el2_run(struct vcpu *vcpu, uint64_t deadline, struct vm_exit *exit)
{
	const struct el2_cpu *cpu = this_cpu()->el2;
	struct el2_vcpu *v = el2_of(vcpu);

	if (MM_LIKELY(cpu->loaded == v) && MM_LIKELY(cpu->deadline == deadline))
		el2_enter(v, exit);
	else
		run_prepared(v, deadline, exit);
}
