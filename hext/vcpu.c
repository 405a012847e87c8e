/*
 * A vCPU that does not run: its life, the answers it is given, and what reports ask of it.
 */
#include "hext/vcpu_ops.h"

#include "hext/features.h"
#include "hext/fields.h"
#include "hext/guest_walk.h"
#include "hext/hext.h"
#include "log.h"
#include "mm/bits.h"

/* All that hext traps with hstatus.VTW or as CSR accesses is four bytes long. */
#define TRAPPED_BYTES 4

enum {
	A0 = 10,
	A1 = 11,
};

/* --- life --- */

static enum atp_mode hgatp_mode(const struct npt_config *config)
{
	return config->levels == 3 ? ATP_SV39 : config->levels == 4 ? ATP_SV48 : ATP_SV57;
}

enum mm_error hext_create(struct vcpu *vcpu, const struct vcpu_config *config)
{
	const struct mm_hal *hal = &config->as->npt.hal;
	struct hext_vcpu *v;
	hpa_t frame;

	if (hal->alloc(hal->ctx, 0, 1, &frame) != 1)
		return MM_NO_MEMORY;
	v = hal_to_virt(hal, frame);
	*v = (struct hext_vcpu){
		.x = {[A0] = config->args[0], [A1] = config->args[1]},
		.csr =
			{
				.pc = config->entry,
				/* To VS-mode. Its interrupts are off: SIE and SPIE of
	                         * vsstatus are 0. */
				.sstatus = SSTATUS_SPP,
				.hstatus = FIELD_PREP(HSTATUS_VSXL, VSXL_64) | HSTATUS_VTW |
	                                   HSTATUS_SPV | HSTATUS_SPVP,
				.vstimecmp = UINT64_MAX,
				.scounteren = HCOUNTEREN_CY | HCOUNTEREN_TM | HCOUNTEREN_IR,
				.hgatp = FIELD_PREP(ATP_MODE, hgatp_mode(&config->as->npt.config)) |
	                                 FIELD_PREP(HGATP_VMID, aspace_tag(config->as)) |
	                                 FIELD_PREP(ATP_PPN,
	                                            aspace_root(config->as).raw >> MM_PAGE_SHIFT),
			},
		.as = config->as,
	};
	vcpu->as = config->as;
	vcpu->index = config->index;
	vcpu->arch = v;
	return MM_OK;
}

void hext_destroy(struct vcpu *vcpu)
{
	const struct mm_hal *hal = &vcpu->as->npt.hal;
	hpa_t frame = hal_to_phys(hal, vcpu->arch);

	hext_park(vcpu);
	hal->free(hal->ctx, 0, 1, &frame);
	vcpu->arch = NULL;
}

void hext_park(struct vcpu *vcpu)
{
	state_unload(vcpu->arch);
}

/* --- answers --- */

void hext_call_return(struct vcpu *vcpu, uint64_t first, uint64_t second)
{
	struct hext_vcpu *v = vcpu->arch;

	v->x[A0] = first;
	v->x[A1] = second;
}

void hext_skip(struct vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
	struct hext_vcpu *v = vcpu->arch;

	if (exit->kind == VM_EXIT_SYSREG)
		state_set_reg(v, exit->sysreg.gpr, value);
	state_advance(v, TRAPPED_BYTES);
}

/*
 * 4.1.1, 4.1.2: what the hart does when VS-mode takes an illegal-instruction exception itself.
 * Vectored mode of vstvec concerns interrupts alone.
 */
void hext_inject_undefined(struct vcpu *vcpu)
{
	struct hext_vcpu *v = vcpu->arch;
	struct hext_csrs *csr = &v->csr;
	bool from_vs, enabled;

	state_unload(v);
	from_vs = (csr->sstatus & SSTATUS_SPP) != 0;
	enabled = (csr->vsstatus & SSTATUS_SIE) != 0;
	csr->vsstatus &= ~(SSTATUS_SPP | SSTATUS_SPIE | SSTATUS_SIE);
	csr->vsstatus |= (from_vs ? SSTATUS_SPP : 0) | (enabled ? SSTATUS_SPIE : 0);
	csr->vsepc = csr->pc;
	csr->vscause = CAUSE_ILLEGAL;
	csr->vstval = 0;
	csr->pc = csr->vstvec & ~UINT64_C(3);
	csr->sstatus |= SSTATUS_SPP;
	csr->hstatus |= HSTATUS_SPVP;
}

/* The timer's line; beside it the guest may have a timer of its own in vstimecmp (Sstc). */
void hext_set_interrupt(struct vcpu *vcpu, bool pending)
{
	struct hext_vcpu *v = vcpu->arch;

	state_unload(v);
	v->csr.hvip &= ~INTERRUPT_VS_TIMER;
	if (pending)
		v->csr.hvip |= INTERRUPT_VS_TIMER;
}

enum mm_error hext_translate(struct vcpu *vcpu, gva_t gva, enum mm_perm access, gpa_t *out)
{
	return walk_translate(vcpu->arch, gva, access, out);
}

/* --- reports --- */

uint64_t hext_pc(const struct vcpu *vcpu)
{
	return state_pc(vcpu->arch);
}

size_t hext_registers(const struct vcpu *vcpu, struct vcpu_register out[VCPU_REGISTERS])
{
	static const char names[32][5] = {
		"zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
		"a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
		"s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
	};
	struct hext_vcpu *v = vcpu->arch;
	size_t count = 0;

	state_copy(v);
	const struct vcpu_register csrs[] = {
		{"vsstatus", v->csr.vsstatus}, {"vsatp", v->csr.vsatp},
		{"vstvec", v->csr.vstvec},     {"vsepc", v->csr.vsepc},
		{"vscause", v->csr.vscause},   {"vstval", v->csr.vstval},
		{"hstatus", v->csr.hstatus},   {"hgatp", v->csr.hgatp},
	};
	out[count++] = (struct vcpu_register){"pc", v->csr.pc};
	for (size_t i = 1; i < MM_ARRAY_SIZE(names); i++)
		out[count++] = (struct vcpu_register){names[i], v->x[i]};
	for (size_t i = 0; i < MM_ARRAY_SIZE(csrs); i++)
		out[count++] = csrs[i];
	return count;
}
