/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU: its life, the set-up of its VMCS, and its registers. The set-up follows the groups of
 * SDM vol. 3C, ch. 25, so that the checks of ch. 27 pass and the guest starts as guests/abi.h
 * promises.
 */
#include "frame.h"
#include "log.h"
#include "machine/x86_64/cpu.h"
#include "machine/x86_64/desc.h"
#include "machine/x86_64/trap.h"
#include "vmx/offsets.h"
#include "vmx/vmx.h"

_Static_assert(offsetof(struct vmx_vcpu, x86) == 0, "x86_of()");
_Static_assert(offsetof(struct vmx_vcpu, host_rsp) == VMX_HOST_RSP, "enter.S");
_Static_assert(VMCS_HOST_RSP == VMX_FIELD_HOST_RSP, "enter.S");

/* --- the VMCS --- */

static void setup_controls(const struct vmx_vcpu *v)
{
	vmwrite(VMCS_PIN_CONTROLS, vmx_caps.pin_controls);
	vmwrite(VMCS_PROC_CONTROLS, vmx_caps.proc_controls);
	vmwrite(VMCS_PROC_CONTROLS2, vmx_caps.proc2_controls);
	vmwrite(VMCS_EXIT_CONTROLS, vmx_caps.exit_controls);
	vmwrite(VMCS_ENTRY_CONTROLS, vmx_caps.entry_controls);
	vmwrite(VMCS_EXCEPTION_BITMAP, X86_EXIT_EXCEPTIONS);
	vmwrite(VMCS_CR3_TARGET_COUNT, 0);
	vmwrite(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmwrite(VMCS_EXIT_MSR_LOAD_COUNT, 0);
	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, 0);
	vmwrite(VMCS_MSR_BITMAP, (uint64_t)(uintptr_t)vmx_msr_bitmap);
	vmwrite(VMCS_EPT_POINTER, v->eptp);
	if (vmx_caps.vpid)
		vmwrite(VMCS_VPID, v->vpid);
}

/* The host state that is the same on every CPU; vmx_load() sets the rest. 25.5, 27.2.3. */
static void setup_host(void)
{
	vmwrite(VMCS_HOST_CR0, read_cr0());
	vmwrite(VMCS_HOST_CR3, read_cr3());
	vmwrite(VMCS_HOST_CR4, read_cr4());
	vmwrite(VMCS_HOST_EFER, rdmsr(MSR_EFER));
	vmwrite(VMCS_HOST_CS_SELECTOR, SELECTOR_CODE);
	vmwrite(VMCS_HOST_SS_SELECTOR, SELECTOR_DATA);
	vmwrite(VMCS_HOST_DS_SELECTOR, SELECTOR_DATA);
	vmwrite(VMCS_HOST_ES_SELECTOR, SELECTOR_DATA);
	vmwrite(VMCS_HOST_FS_SELECTOR, 0);
	vmwrite(VMCS_HOST_GS_SELECTOR, 0);
	vmwrite(VMCS_HOST_FS_BASE, 0);
	vmwrite(VMCS_HOST_GS_BASE, 0);
	vmwrite(VMCS_HOST_GDTR_BASE, desc_gdt_base());
	vmwrite(VMCS_HOST_IDTR_BASE, trap_idt_base());
	vmwrite(VMCS_HOST_SYSENTER_CS, 0);
	vmwrite(VMCS_HOST_SYSENTER_ESP, 0);
	vmwrite(VMCS_HOST_SYSENTER_EIP, 0);
	vmwrite(VMCS_HOST_RIP, (uint64_t)(uintptr_t)vmx_exit_point);
}

static void setup_segments(void)
{
	for (unsigned i = 0; i < SEGMENT_COUNT; i++) {
		const struct x86_segment_state *s = &x86_start_segments[i];

		vmwrite(VMCS_SEGMENT(VMCS_GUEST_ES_SELECTOR, i), s->selector);
		vmwrite(VMCS_SEGMENT(VMCS_GUEST_ES_BASE, i), s->base);
		vmwrite(VMCS_SEGMENT(VMCS_GUEST_ES_LIMIT, i), s->limit);
		vmwrite(VMCS_SEGMENT(VMCS_GUEST_ES_ACCESS, i), s->access);
	}
	vmwrite(VMCS_GUEST_GDTR_BASE, 0);
	vmwrite(VMCS_GUEST_GDTR_LIMIT, 0);
	vmwrite(VMCS_GUEST_IDTR_BASE, 0);
	vmwrite(VMCS_GUEST_IDTR_LIMIT, 0);
}

static void setup_guest(const struct vcpu_config *config)
{
	setup_segments();
	vmx_setup_control_registers();
	vmwrite(VMCS_GUEST_EFER, 0);
	vmwrite(VMCS_GUEST_DR7, X86_START_DR7);
	vmwrite(VMCS_GUEST_RIP, config->entry);
	vmwrite(VMCS_GUEST_RSP, 0);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_ONE);
	vmwrite(VMCS_GUEST_PENDING_DEBUG, 0);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmwrite(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	vmwrite(VMCS_GUEST_SYSENTER_CS, 0);
	vmwrite(VMCS_GUEST_SYSENTER_ESP, 0);
	vmwrite(VMCS_GUEST_SYSENTER_EIP, 0);
	vmwrite(VMCS_LINK_POINTER, UINT64_MAX);
}

static void init_vmcs(struct vmx_vcpu *v, const struct vcpu_config *config)
{
	/* 25.2: software writes the revision to memory, and all fields by VMWRITE. */
	*(uint32_t *)frame_ptr(v->vmcs) = vmx_caps.revision;
	ASSERT(vmclear(v->vmcs));
	vmx_load(v);
	setup_controls(v);
	setup_host();
	setup_guest(config);
	/* The first CPU that runs the vCPU loads it. */
	vmx_unload(v);
}

/* --- its life --- */

static uint64_t eptp_of(const struct mm_aspace *as)
{
	const struct mm_npt_config *npt = &as->npt.config;

	return mm_aspace_root(as).raw | FIELD_PREP(EPTP_WALK_LENGTH, npt->levels - 1) |
	       FIELD_PREP(EPTP_MEMTYPE, MEMTYPE_WRITE_BACK) |
	       (npt->accessed_dirty ? EPTP_ACCESSED_DIRTY : 0);
}

enum mm_error vmx_create(struct vcpu *vcpu, const struct vcpu_config *config)
{
	struct vmx_vcpu *v;
	mm_hpa_t vmcs;
	enum mm_error err = x86_vcpu_create(vcpu, &vmx_ops, config, &vmcs);

	if (err != MM_OK)
		return err;
	v = vmx_of(vcpu);
	v->vmcs = vmcs;
	v->root = mm_aspace_root(config->as);
	v->eptp = eptp_of(config->as);
	v->vpid = (uint16_t)mm_aspace_tag(config->as);
	v->rip = config->entry;
	init_vmcs(v, config);
	return MM_OK;
}

void vmx_destroy(struct vcpu *vcpu)
{
	struct vmx_vcpu *v = vmx_of(vcpu);

	(void)vmx_log_writes(vcpu, false);
	vmx_unload(v);
	x86_vcpu_destroy(vcpu, v->vmcs);
}

void vmx_park(struct vcpu *vcpu)
{
	vmx_unload(vmx_of(vcpu));
}

/* --- its registers --- */

/* CPL is the DPL of SS: 25.4.1. */
void vmx_read_stage1(const struct vmx_vcpu *v, struct stage1 *out)
{
	*out = (struct stage1){
		.as = v->x86.as,
		.cr0 = vmread(VMCS_GUEST_CR0),
		.cr3 = vmread(VMCS_GUEST_CR3),
		.cr4 = vmread(VMCS_GUEST_CR4),
		.efer = vmread(VMCS_GUEST_EFER),
		.user = FIELD_GET(SEGMENT_DPL, vmread(VMCS_GUEST_SS_ACCESS)) == 3,
		.access_user = vmread(VMCS_GUEST_RFLAGS) & RFLAGS_AC,
	};
	x86_stage1_limits(out);
}

enum mm_error vmx_translate(struct vcpu *vcpu, mm_gva_t gva, enum mm_perm access, mm_gpa_t *out)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	struct stage1 stage1;

	vmx_ensure_loaded(v);
	vmx_read_stage1(v, &stage1);
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

_Static_assert(X86_GENERAL_REGISTERS + MM_ARRAY_SIZE(special) + 1 <= VCPU_REGISTERS,
               "the registers fit a report");

size_t vmx_registers(const struct vcpu *vcpu, struct vcpu_register out[VCPU_REGISTERS])
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	size_t n;

	vmx_ensure_loaded(v);
	n = x86_general_registers(&v->x86, v->rip, vmread(VMCS_GUEST_RSP), out);
	for (size_t i = 0; i < MM_ARRAY_SIZE(special); i++)
		out[n++] = (struct vcpu_register){special[i].name, vmread(special[i].field)};
	out[n++] = (struct vcpu_register){"cr2", read_cr2()};
	return n;
}
