/* The shared decoder's view of a guest, out of its VMCS and back into it. */
#include "vmx/mmio.h"

#include "machine/x86_64/cpu.h"
#include "vmx/insn.h"
#include "vmx/state.h"
#include "x86/mmio.h"

static unsigned code_width(uint64_t efer)
{
	uint64_t access = vmread(VMCS_GUEST_CS_ACCESS);

	if ((efer & EFER_LMA) && (access & SEGMENT_LONG))
		return 8;
	return access & SEGMENT_BIG ? 4 : 2;
}

/* Fills the view that decode and complete share; in between, the guest does not run. */
static void read_guest(const struct vcpu *vcpu, struct vmx_vcpu *v)
{
	struct x86_guest *view = &v->view;

	vmx_state_stage1(vcpu, &view->stage1);
	v->gpr[GPR_RSP] = vmread(VMCS_GUEST_RSP);
	view->gpr = v->gpr;
	view->rip = v->rip;
	view->rflags = vmread(VMCS_GUEST_RFLAGS);
	view->code_width = code_width(view->stage1.efer);
	/* In 64-bit code the other four count as 0. */
	for (unsigned i = view->code_width == 8 ? SEGMENT_FS : SEGMENT_ES; i <= SEGMENT_GS; i++)
		view->segment_base[i] = vmread(VMCS_SEGMENT(VMCS_GUEST_ES_BASE, i));
}

enum mm_error vmx_mmio_decode(struct vcpu *vcpu, const struct vm_exit *exit,
                              struct mmio_access *access)
{
	struct vmx_vcpu *v = vmx_of(vcpu);

	vmx_need(v);
	if (!v->mmio.write_due)
		read_guest(vcpu, v);
	return x86_mmio_decode(&v->mmio, &v->view, exit, access);
}

bool vmx_mmio_complete(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	uint64_t rsp = v->gpr[GPR_RSP], rflags = v->view.rflags;

	if (x86_mmio_complete(&v->mmio, &v->view, access, value))
		return true;
	if (v->gpr[GPR_RSP] != rsp)
		vmwrite(VMCS_GUEST_RSP, v->gpr[GPR_RSP]);
	if (v->view.rflags != rflags)
		vmwrite(VMCS_GUEST_RFLAGS, v->view.rflags);
	if (v->view.rip != v->rip)
		vmx_move_rip(v, v->view.rip);
	return false;
}
