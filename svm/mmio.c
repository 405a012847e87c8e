/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device access of the guest: copies the guest's registers out of the VMCB for x86/mmio.h, and
 * the changed ones back into it.
 */
#include "svm/svm.h"

/* The guest does not run until the last access of the instruction is completed. */
static void read_guest(struct svm_vcpu *v)
{
	const struct vmcb *vmcb = v->vmcb;
	struct x86_guest *guest = &v->x86.guest;

	svm_read_stage1(v, &guest->stage1);
	v->x86.gpr[GPR_RSP] = vmcb->rsp;
	guest->gpr = v->x86.gpr;
	guest->rip = vmcb->rip;
	guest->rflags = vmcb->rflags;
	guest->code_width = svm_code_width(vmcb);
	guest->segment_base[SEGMENT_FS] = vmcb->fs.base;
	guest->segment_base[SEGMENT_GS] = vmcb->gs.base;
	/* In 64-bit code the base of ES, CS, SS and DS is 0. */
	if (guest->code_width == 8)
		return;
	guest->segment_base[SEGMENT_ES] = vmcb->es.base;
	guest->segment_base[SEGMENT_CS] = vmcb->cs.base;
	guest->segment_base[SEGMENT_SS] = vmcb->ss.base;
	guest->segment_base[SEGMENT_DS] = vmcb->ds.base;
}

/* 15.8.4. The count is 0 if the CPU could not fetch; some CPUs never can while SMAP is on. */
static size_t given_bytes(const struct vmcb *vmcb)
{
	return svm_caps.decode_assists ? FIELD_GET(INSN_COUNT, vmcb->insn_count) : 0;
}

size_t svm_given_insn(const struct vcpu *vcpu, uint8_t out[VCPU_INSN_BYTES])
{
	const struct vmcb *vmcb = svm_of(vcpu)->vmcb;

	__builtin_memcpy(out, vmcb->insn, sizeof(vmcb->insn));
	return given_bytes(vmcb);
}

static void inject_fault(struct svm_vcpu *v)
{
	const struct x86_mmio *m = &v->x86.mmio;

	if (m->fault.kind == STAGE1_NOT_CANONICAL) {
		svm_inject_exception(v, EXCEPTION_GP, 0);
	} else if (m->fault.kind == STAGE1_PAGE_FAULT) {
		v->vmcb->cr2 = m->fault.address;
		v->vmcb->clean &= ~CLEAN_CR2;
		svm_inject_exception(v, EXCEPTION_PF, m->fault.code);
	}
}

enum mm_error svm_mmio_decode(struct vcpu *vcpu, const struct vm_exit *exit,
                              struct mmio_access *access)
{
	struct svm_vcpu *v = svm_of(vcpu);
	enum mm_error err;

	if (!v->x86.mmio.write_due)
		read_guest(v);
	v->x86.guest.given = v->vmcb->insn;
	v->x86.guest.given_count = given_bytes(v->vmcb);
	err = x86_mmio_decode(&v->x86.mmio, &v->x86.guest, exit, access);
	if (MM_UNLIKELY(err != MM_OK))
		inject_fault(v);
	return err;
}

bool svm_mmio_complete(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value)
{
	struct svm_vcpu *v = svm_of(vcpu);

	if (x86_mmio_complete(&v->x86.mmio, &v->x86.guest, access, value))
		return true;
	v->vmcb->rsp = v->x86.gpr[GPR_RSP];
	v->vmcb->rflags = v->x86.guest.rflags;
	svm_step_to(v, v->x86.guest.rip);
	return false;
}
