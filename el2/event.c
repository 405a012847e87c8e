/*
 * What is done to a guest between its exits: results, exceptions, interrupts; and what is read
 * of it.
 */
#include "el2/el2.h"

#define INSN_BYTES 4

/* D1.3.1: offsets in the guest's vector table, by where it was. */
#define VECTOR_EL1T 0x000
#define VECTOR_EL1H 0x200
#define VECTOR_EL0  0x400

void el2_call_return(struct vcpu *vcpu, uint64_t first, uint64_t second)
{
	struct el2_vcpu *v = el2_of(vcpu);

	v->x[0] = first;
	v->x[1] = second;
}

void el2_skip(struct vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
	struct el2_vcpu *v = el2_of(vcpu);

	if (exit->kind == VM_EXIT_SYSREG && !exit->sysreg.write && exit->sysreg.gpr < 31)
		v->x[exit->sysreg.gpr] = value;
	v->pc += INSN_BYTES;
}

static uint64_t vector_offset(uint64_t pstate)
{
	switch (FIELD_GET(PSTATE_MODE, pstate)) {
	case PSTATE_EL1H:
		return VECTOR_EL1H;
	case PSTATE_EL1T:
		return VECTOR_EL1T;
	default:
		return VECTOR_EL0;
	}
}

/* As the hardware would (D1.3.1): exception class 0, of a 32-bit instruction. */
void el2_inject_undefined(struct vcpu *vcpu)
{
	struct el2_vcpu *v = el2_of(vcpu);

	el2_load(v);
	write_esr_el1(ESR_IL);
	write_elr_el1(v->pc);
	write_spsr_el1(v->pstate);
	v->pc = read_vbar_el1() + vector_offset(v->pstate);
	v->pstate = PSTATE_EL1H | PSTATE_DAIF;
	v->mmio.second = false;
}

/* HCR_EL2.VI is the line itself: the guest takes the interrupt when it has unmasked it. */
void el2_line_changed(struct el2_vcpu *v)
{
	v->hcr = v->line || v->vtimer ? v->hcr | HCR_VI : v->hcr & ~HCR_VI;
	el2_hcr_changed(v);
}

void el2_set_interrupt(struct vcpu *vcpu, bool pending)
{
	struct el2_vcpu *v = el2_of(vcpu);

	v->line = pending;
	el2_line_changed(v);
}

/* Runs an address translation and answers its PAR_EL1; the guest's own is as it was. */
#define TRANSLATE(name, operation)                                                                 \
	static uint64_t name(uint64_t address)                                                     \
	{                                                                                          \
		uint64_t guests = read_par_el1(), answer;                                          \
                                                                                                   \
		__asm__ volatile("at " operation ", %0\n\tisb" : : "r"(address) : "memory");       \
		answer = read_par_el1();                                                           \
		write_par_el1(guests);                                                             \
		return answer;                                                                     \
	}
TRANSLATE(at_s1e0r, "s1e0r")
TRANSLATE(at_s1e0w, "s1e0w")
TRANSLATE(at_s1e1r, "s1e1r")
TRANSLATE(at_s1e1w, "s1e1w")
TRANSLATE(at_s12e0r, "s12e0r")
TRANSLATE(at_s12e1r, "s12e1r")

static bool in_el0(const struct el2_vcpu *v)
{
	return FIELD_GET(PSTATE_MODE, v->pstate) == PSTATE_EL0T;
}

uint64_t el2_stage1(uint64_t address)
{
	return at_s1e1r(address);
}

uint64_t el2_both_stages(const struct el2_vcpu *v, uint64_t address)
{
	return in_el0(v) ? at_s12e0r(address) : at_s12e1r(address);
}

static uint64_t stage1_as(const struct el2_vcpu *v, uint64_t address, bool write)
{
	if (in_el0(v))
		return write ? at_s1e0w(address) : at_s1e0r(address);
	return write ? at_s1e1w(address) : at_s1e1r(address);
}

enum mm_error el2_translate(struct vcpu *vcpu, gva_t gva, enum mm_perm access, gpa_t *out)
{
	struct el2_vcpu *v = el2_of(vcpu);
	uint64_t par;

	el2_load(v);
	par = stage1_as(v, gva.raw, access == MM_W);
	if ((par & PAR_F) != 0)
		return FIELD_GET(FSC_TYPE, FIELD_GET(PAR_FST, par)) == FSC_PERMISSION
		               ? MM_DENIED
		               : MM_NOT_MAPPED;
	*out = gpa_at((par & PAR_PA) | (gva.raw & (MM_PAGE_SIZE - 1)));
	return MM_OK;
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
