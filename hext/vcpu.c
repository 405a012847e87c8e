/* SPDX-License-Identifier: BSD-2-Clause */
/* Creates and destroys a vCPU, and reports its registers. */
#include "hext/hext.h"

static enum atp_mode hgatp_mode(const struct mm_npt_config *config)
{
	return config->levels == 3 ? ATP_SV39 : config->levels == 4 ? ATP_SV48 : ATP_SV57;
}

static uint64_t hgatp_of(const struct mm_aspace *as)
{
	return FIELD_PREP(ATP_MODE, hgatp_mode(&as->npt.config)) |
	       FIELD_PREP(HGATP_VMID, mm_aspace_tag(as)) |
	       FIELD_PREP(ATP_PPN, mm_aspace_root(as).raw >> MM_PAGE_SHIFT);
}

enum mm_error hext_create(struct vcpu *vcpu, const struct vcpu_config *config)
{
	const struct mm_hal *hal = &config->as->npt.hal;
	struct hext_vcpu *v;
	mm_hpa_t frame;

	if (hal->alloc(hal->ctx, 0, 1, &frame) != 1)
		return MM_NO_MEMORY;
	v = mm_hal_to_virt(hal, frame);
	*v = (struct hext_vcpu){
		.x = {[X_A0] = config->args[0], [X_A1] = config->args[1]},
		.as = config->as,
	};
	if (!hext_fpu_create(&v->fpu, hal)) {
		hal->free(hal->ctx, 0, 1, &frame);
		return MM_NO_MEMORY;
	}
	v->csr = (struct hext_csrs){
		.sepc = config->entry,
		/* sret enters VS-mode, with interrupts off: SIE and SPIE of vsstatus are 0. */
		.sstatus = SSTATUS_SPP | hext_fpu_status(SSTATUS_FS_CLEAN, SSTATUS_VS_CLEAN),
		.hstatus = FIELD_PREP(HSTATUS_VSXL, VSXL_64) | HSTATUS_VTW | HSTATUS_SPV |
	                   HSTATUS_SPVP,
		.htimedelta = HEXT_TIME_OFFSET(mm_aspace_tag(config->as)),
		.vstimecmp = UINT64_MAX,
		.scounteren = HCOUNTEREN_CY | HCOUNTEREN_TM | HCOUNTEREN_IR,
		.hgatp = hgatp_of(config->as),
	};
	*vcpu = (struct vcpu){&hext_ops, config->as, config->index, v};
	return MM_OK;
}

void hext_destroy(struct vcpu *vcpu)
{
	const struct mm_hal *hal = &vcpu->as->npt.hal;
	mm_hpa_t frame = mm_hal_to_phys(hal, vcpu->arch);

	hext_park(vcpu);
	hext_fpu_destroy(&hext_of(vcpu)->fpu, hal);
	hal->free(hal->ctx, 0, 1, &frame);
	vcpu->arch = NULL;
}

uint64_t hext_pc(const struct vcpu *vcpu)
{
	const struct hext_vcpu *v = hext_of(vcpu);

	return v->cpu != NULL ? csr_read(sepc) : v->csr.sepc;
}

size_t hext_registers(const struct vcpu *vcpu, struct vcpu_register out[VCPU_REGISTERS])
{
	static const char names[32][5] = {
		"zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
		"a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
		"s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
	};
	struct hext_vcpu *v = hext_of(vcpu);
	size_t count = 0;

	hext_save_csrs(v);
	const struct vcpu_register csrs[] = {
		{"vsstatus", v->csr.vsstatus}, {"vsatp", v->csr.vsatp},
		{"vstvec", v->csr.vstvec},     {"vsepc", v->csr.vsepc},
		{"vscause", v->csr.vscause},   {"vstval", v->csr.vstval},
		{"hstatus", v->csr.hstatus},   {"hgatp", v->csr.hgatp},
	};
	out[count++] = (struct vcpu_register){"pc", v->csr.sepc};
	for (size_t i = 1; i < MM_ARRAY_SIZE(names); i++)
		out[count++] = (struct vcpu_register){names[i], v->x[i]};
	for (size_t i = 0; i < MM_ARRAY_SIZE(csrs); i++)
		out[count++] = csrs[i];
	return count;
}
