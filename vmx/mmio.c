/* The shared decoder's view of a guest, out of its VMCS and back into it. */
#include "vmx/mmio.h"

#include "kernel/x86_64/cpu.h"
#include "kernel/x86_64/mmio.h"
#include "vmx/insn.h"
#include "vmx/state.h"

static unsigned code_width(uint64_t efer)
{
	uint64_t access = vmread(VMCS_GUEST_CS_ACCESS);

	if ((efer & EFER_LMA) && (access & SEGMENT_LONG))
		return 8;
	return access & SEGMENT_BIG ? 4 : 2;
}

static void read_guest(const struct vcpu *vcpu, struct x86_guest *g)
{
	struct vmx_vcpu *v = vmx_of(vcpu);

	vmx_state_load(v);
	vmx_state_stage1(vcpu, &g->stage1);
	v->gpr[GPR_RSP] = vmread(VMCS_GUEST_RSP);
	g->gpr = v->gpr;
	g->rip = v->rip;
	g->rflags = vmread(VMCS_GUEST_RFLAGS);
	g->code_width = code_width(g->stage1.efer);
	/* In 64-bit code the other four count as 0. */
	for (unsigned i = g->code_width == 8 ? SEGMENT_FS : SEGMENT_ES; i <= SEGMENT_GS; i++)
		g->segment_base[i] = vmread(VMCS_SEGMENT(VMCS_GUEST_ES_BASE, i));
}

enum mm_error vmx_mmio_decode(struct vcpu *vcpu, const struct vm_exit *exit,
                              struct mmio_access *access)
{
	struct x86_guest g;

	read_guest(vcpu, &g);
	return x86_mmio_decode(&vmx_of(vcpu)->mmio, &g, exit, access);
}

static void unblock(void)
{
	uint64_t blocked = vmread(VMCS_GUEST_INTERRUPTIBILITY);

	if (blocked & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS))
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
		        blocked & ~(BLOCKED_BY_STI | BLOCKED_BY_MOV_SS));
}

bool vmx_mmio_complete(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	struct x86_guest g;
	uint64_t rsp, rflags;

	read_guest(vcpu, &g);
	rsp = v->gpr[GPR_RSP];
	rflags = g.rflags;
	if (x86_mmio_complete(&v->mmio, &g, access, value))
		return true;
	if (v->gpr[GPR_RSP] != rsp)
		vmwrite(VMCS_GUEST_RSP, v->gpr[GPR_RSP]);
	if (g.rflags != rflags)
		vmwrite(VMCS_GUEST_RFLAGS, g.rflags);
	v->rip = g.rip;
	vmwrite(VMCS_GUEST_RIP, v->rip);
	unblock();
	return false;
}
