/* A guest's registers, read from its VMCS and its saved state: for reports and for the software
 * walk of its tables. */
#include "vmx/state.h"
#include "machine/x86_64/cpu.h"
#include "vmx/insn.h"

/* CPL is the DPL of SS: SDM vol. 3C, 25.4.1. */
void vmx_state_stage1(const struct vcpu *vcpu, struct stage1 *out)
{
	*out = (struct stage1){
		.as = vcpu->as,
		.cr0 = vmread(VMCS_GUEST_CR0),
		.cr3 = vmread(VMCS_GUEST_CR3),
		.cr4 = vmread(VMCS_GUEST_CR4),
		.efer = vmread(VMCS_GUEST_EFER),
		.user = FIELD_GET(SEGMENT_DPL, vmread(VMCS_GUEST_SS_ACCESS)) == 3,
		.access_user = vmread(VMCS_GUEST_RFLAGS) & RFLAGS_AC,
	};
}

enum mm_error vmx_translate(struct vcpu *vcpu, gva_t gva, enum mm_perm access, gpa_t *out)
{
	struct stage1 stage1;

	vmx_need(vmx_of(vcpu));
	vmx_state_stage1(vcpu, &stage1);
	return stage1_translate(&stage1, gva, access, out);
}

uint64_t vmx_pc(const struct vcpu *vcpu)
{
	return vmx_of(vcpu)->rip;
}

static const struct {
	const char *name;
	enum vmcs_field field;
} special[] = {
	{"rflags", VMCS_GUEST_RFLAGS},
	{"cr0", VMCS_GUEST_CR0},
	{"cr3", VMCS_GUEST_CR3},
	{"cr4", VMCS_GUEST_CR4},
	{"efer", VMCS_GUEST_EFER},
	{"cs", VMCS_GUEST_CS_SELECTOR},
	{"ss", VMCS_GUEST_SS_SELECTOR},
	{"gdtr", VMCS_GUEST_GDTR_BASE},
	{"idtr", VMCS_GUEST_IDTR_BASE},
	{"activity", VMCS_GUEST_ACTIVITY},
	{"blocked", VMCS_GUEST_INTERRUPTIBILITY},
};

_Static_assert(1 + GPR_COUNT + MM_ARRAY_SIZE(special) + 1 <= VCPU_REGISTERS, "they fit a report");

size_t vmx_registers(const struct vcpu *vcpu, struct vcpu_register out[VCPU_REGISTERS])
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	size_t n = 0;

	vmx_need(v);
	out[n++] = (struct vcpu_register){"rip", v->rip};
	for (unsigned i = 0; i < GPR_COUNT; i++) {
		uint64_t value = i == GPR_RSP ? vmread(VMCS_GUEST_RSP) : v->gpr[i];

		out[n++] = (struct vcpu_register){x86_gpr_names[i], value};
	}
	for (size_t i = 0; i < MM_ARRAY_SIZE(special); i++)
		out[n++] = (struct vcpu_register){special[i].name, vmread(special[i].field)};
	out[n++] = (struct vcpu_register){"cr2", read_cr2()};
	return n;
}
