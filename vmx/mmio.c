/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device access of the guest: copies the guest's registers out of the VMCS for x86/mmio.h, and
 * the changed ones back into it.
 */
#include "machine/x86_64/cpu.h"
#include "vmx/vmx.h"

/* The guest does not run until the last access of the instruction is completed. */
static void read_guest(struct vmx_vcpu *v)
{
	struct x86_guest *guest = &v->x86.guest;
	uint64_t cs = vmread(VMCS_GUEST_CS_ACCESS);

	vmx_read_stage1(v, &guest->stage1);
	v->x86.gpr[GPR_RSP] = vmread(VMCS_GUEST_RSP);
	guest->gpr = v->x86.gpr;
	guest->rip = v->rip;
	guest->rflags = vmread(VMCS_GUEST_RFLAGS);
	guest->code_width = x86_code_width(guest->stage1.efer, cs & SEGMENT_LONG, cs & SEGMENT_BIG);
	/* In 64-bit code the base of ES, CS, SS and DS is 0. */
	for (unsigned i = guest->code_width == 8 ? SEGMENT_FS : SEGMENT_ES; i <= SEGMENT_GS; i++)
		guest->segment_base[i] = vmread(VMCS_SEGMENT(VMCS_GUEST_ES_BASE, i));
}

/* The vCPU is loaded: CR2 is the guest's. */
static void inject_fault(struct vmx_vcpu *v)
{
	const struct x86_mmio *m = &v->x86.mmio;

	if (m->fault.kind == STAGE1_NOT_CANONICAL) {
		vmx_inject_exception(v, EXCEPTION_GP, 0);
	} else if (m->fault.kind == STAGE1_PAGE_FAULT) {
		write_cr2(m->fault.address);
		vmx_inject_exception(v, EXCEPTION_PF, m->fault.code);
	}
}

enum mm_error vmx_mmio_decode(struct vcpu *vcpu, const struct vm_exit *exit,
                              struct mmio_access *access)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	enum mm_error err;

	vmx_ensure_loaded(v);
	if (!v->x86.mmio.write_due)
		read_guest(v);
	err = x86_mmio_decode(&v->x86.mmio, &v->x86.guest, exit, access);
	if (MM_UNLIKELY(err != MM_OK))
		inject_fault(v);
	return err;
}

bool vmx_mmio_complete(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	struct x86_guest *guest = &v->x86.guest;
	uint64_t rsp = v->x86.gpr[GPR_RSP], rflags = guest->rflags;

	if (x86_mmio_complete(&v->x86.mmio, guest, access, value))
		return true;
	if (v->x86.gpr[GPR_RSP] != rsp)
		vmwrite(VMCS_GUEST_RSP, v->x86.gpr[GPR_RSP]);
	if (guest->rflags != rflags)
		vmwrite(VMCS_GUEST_RFLAGS, guest->rflags);
	if (guest->rip != v->rip)
		vmx_step_to(v, guest->rip);
	return false;
}
