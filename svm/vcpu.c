/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU: its life, the set-up of its VMCB, and its registers. The set-up follows the groups of
 * APM vol. 2, ch. 15, so that VMRUN's checks (15.5.1) pass and the guest starts as guests/abi.h
 * promises.
 */
#include "frame.h"
#include "machine/x86_64/cpu.h"
#include "svm/svm.h"

#define PAT_AFTER_RESET UINT64_C(0x0007040600070406) /* APM vol. 2, 7.8.1 */
#define DR6_AFTER_RESET UINT64_C(0xffff0ff0)

_Static_assert(offsetof(struct svm_vcpu, x86) == 0, "x86_of()");

/* --- the VMCB --- */

static void setup_intercepts(struct vmcb *vmcb)
{
	vmcb->intercept_cr = INTERCEPT_CR_WRITE(4);
	vmcb->intercept_exceptions = X86_EXIT_EXCEPTIONS;
	vmcb->intercept1 = INTERCEPT1_INTR | INTERCEPT1_NMI | INTERCEPT1_INIT | INTERCEPT1_RDPMC |
	                   INTERCEPT1_CPUID | INTERCEPT1_INVD | INTERCEPT1_HLT |
	                   INTERCEPT1_INVLPGA | INTERCEPT1_IOIO | INTERCEPT1_MSR |
	                   INTERCEPT1_TASK_SWITCH | INTERCEPT1_SHUTDOWN;
	vmcb->intercept2 = INTERCEPT2_VMRUN | INTERCEPT2_VMMCALL | INTERCEPT2_VMLOAD |
	                   INTERCEPT2_VMSAVE | INTERCEPT2_STGI | INTERCEPT2_CLGI |
	                   INTERCEPT2_SKINIT | INTERCEPT2_RDTSCP | INTERCEPT2_WBINVD |
	                   INTERCEPT2_MONITOR | INTERCEPT2_MWAIT | INTERCEPT2_XSETBV;
	vmcb->iopm_base = (uint64_t)(uintptr_t)svm_io_bitmap;
	vmcb->msrpm_base = (uint64_t)(uintptr_t)svm_msr_bitmap;
}

static void setup_nested_paging(struct vmcb *vmcb, const struct mm_aspace *as)
{
	vmcb->asid = mm_aspace_tag(as);
	vmcb->nested_control = NESTED_PAGING;
	vmcb->nested_cr3 = mm_aspace_root(as).raw;
	vmcb->g_pat = PAT_AFTER_RESET;
}

/* Descriptor bits 55:52 are in bits 15:12 of x86_segment_state.access, and in 11:8 of a VMCB's
 * attributes. */
static struct vmcb_segment segment(enum x86_segment index)
{
	const struct x86_segment_state *s = &x86_start_segments[index];

	return (struct vmcb_segment){
		.selector = s->selector,
		.attributes = (uint16_t)((s->access & 0xff) | (s->access >> 4 & 0xf00)),
		.limit = s->limit,
		.base = s->base,
	};
}

static void setup_guest(struct vmcb *vmcb, const struct vcpu_config *config)
{
	vmcb->es = segment(SEGMENT_ES);
	vmcb->cs = segment(SEGMENT_CS);
	vmcb->ss = segment(SEGMENT_SS);
	vmcb->ds = segment(SEGMENT_DS);
	vmcb->fs = segment(SEGMENT_FS);
	vmcb->gs = segment(SEGMENT_GS);
	vmcb->ldtr = segment(SEGMENT_LDTR);
	vmcb->tr = segment(SEGMENT_TR);
	vmcb->efer = EFER_SVME; /* demanded by VMRUN: 15.5.1 */
	vmcb->cr0 = X86_START_CR0;
	vmcb->dr6 = DR6_AFTER_RESET;
	vmcb->dr7 = X86_START_DR7;
	vmcb->rflags = RFLAGS_ONE;
	vmcb->rip = config->entry;
}

/* --- its life --- */

enum mm_error svm_create(struct vcpu *vcpu, const struct vcpu_config *config)
{
	struct vmcb *vmcb;
	mm_hpa_t control;
	enum mm_error err = x86_vcpu_create(vcpu, &svm_ops, config, &control);

	if (err != MM_OK)
		return err;
	vmcb = frame_ptr(control);
	svm_of(vcpu)->vmcb = vmcb;
	vmcb->virtual_interrupt = V_INTR_MASKING;
	setup_intercepts(vmcb);
	setup_nested_paging(vmcb, config->as);
	setup_guest(vmcb, config);
	return MM_OK;
}

/* The owner has parked the vCPU, or it ran on this CPU only. */
void svm_destroy(struct vcpu *vcpu)
{
	svm_unload(svm_of(vcpu));
	x86_vcpu_destroy(vcpu, frame_of(svm_of(vcpu)->vmcb));
}

void svm_park(struct vcpu *vcpu)
{
	svm_unload(svm_of(vcpu));
}

/* --- its registers --- */

enum mm_error svm_translate(struct vcpu *vcpu, mm_gva_t gva, enum mm_perm access, mm_gpa_t *out)
{
	struct stage1 stage1;

	svm_read_stage1(svm_of(vcpu), &stage1);
	return stage1_translate(&stage1, gva, access, out);
}

uint64_t svm_pc(const struct vcpu *vcpu)
{
	return svm_of(vcpu)->vmcb->rip;
}

size_t svm_registers(const struct vcpu *vcpu, struct vcpu_register out[VCPU_REGISTERS])
{
	const struct svm_vcpu *v = svm_of(vcpu);
	const struct vmcb *vmcb = v->vmcb;
	const struct vcpu_register special[] = {
		{"rflags", vmcb->rflags},  {"cr0", vmcb->cr0},        {"cr2", vmcb->cr2},
		{"cr3", vmcb->cr3},        {"cr4", vmcb->cr4},        {"efer", vmcb->efer},
		{"cs", vmcb->cs.selector}, {"ss", vmcb->ss.selector}, {"gdtr", vmcb->gdtr.base},
		{"idtr", vmcb->idtr.base},
	};
	size_t n = x86_general_registers(&v->x86, vmcb->rip, vmcb->rsp, out);

	_Static_assert(X86_GENERAL_REGISTERS + MM_ARRAY_SIZE(special) <= VCPU_REGISTERS,
	               "the registers fit a report");
	for (size_t i = 0; i < MM_ARRAY_SIZE(special); i++)
		out[n++] = special[i];
	return n;
}
