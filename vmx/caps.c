/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Detects the features of VMX. A capability MSR has two halves for each control word: the low one
 * has the bits that must be 1, the high one the bits that may be (SDM vol. 3D, A.2 to A.5). From
 * these and from the tables of requirements below the probe makes the five control words.
 */
#include "log.h"
#include "machine/x86_64/cpu.h"
#include "vmx/vmx.h"

#define CPUID1_ECX_VMX               BIT(5)
#define CPUID7_EDX_L1D_FLUSH         BIT(28)
#define CPUID7_EDX_ARCH_CAPABILITIES BIT(29)

#define VPID_BITS 16U

struct vmx_caps vmx_caps;

/* Bits that Faultline cannot do without, and the message if one is missing. */
struct requirement {
	uint64_t bit;
	const char *missing;
};

static const struct requirement proc_needs[] = {
	{PROC_SECONDARY, "no secondary processor-based VM-execution controls"},
	{PROC_HLT_EXITING, "HLT cannot be made to exit"},
	{PROC_IO_EXITING, "port accesses cannot be made to exit"},
	{PROC_MSR_BITMAPS, "no MSR bitmaps"},
	{PROC_CR8_LOAD | PROC_CR8_STORE, "CR8 accesses cannot be made to exit"},
	{PROC_RDPMC_EXITING | PROC_MWAIT_EXITING | PROC_MONITOR_EXITING,
         "RDPMC, MONITOR or MWAIT cannot be made to exit"},
};

static const struct requirement proc2_needs[] = {
	{PROC2_EPT, "no extended page tables (EPT)"},
	{PROC2_UNRESTRICTED, "no unrestricted guest"},
};

static const struct requirement ept_needs[] = {
	{EPT_WALK_4, "EPT has no 4-level walk"},
	{EPT_WRITE_BACK, "EPT tables cannot be write-back"},
	{EPT_INVEPT, "no INVEPT"},
	{EPT_INVEPT_ALL, "no all-context INVEPT"},
};

static const struct requirement pin_needs[] = {
	{PIN_INTERRUPT_EXITING, "external interrupts cannot be made to exit"},
	{PIN_NMI_EXITING, "NMIs cannot be made to exit"},
};

static const struct requirement exit_needs[] = {
	{EXIT_HOST_64, "exits cannot lead to 64-bit mode"},
	{EXIT_ACKNOWLEDGE, "exits cannot acknowledge interrupts"},
	{EXIT_SAVE_DEBUG, "exits cannot save DR7"},
	{EXIT_SAVE_EFER | EXIT_LOAD_EFER, "exits cannot switch EFER"},
};

static const struct requirement entry_needs[] = {
	{ENTRY_LOAD_DEBUG, "entries cannot load DR7"},
	{ENTRY_LOAD_EFER, "entries cannot load EFER"},
};

static const char *unmet(const struct requirement *needs, size_t count, uint64_t have)
{
	for (size_t i = 0; i < count; i++) {
		if ((needs[i].bit & ~have) != 0)
			return needs[i].missing;
	}
	return NULL;
}

static uint32_t all_bits(const struct requirement *needs, size_t count)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < count; i++)
		bits |= needs[i].bit;
	return (uint32_t)bits;
}

#define UNMET(needs, have) unmet(needs, MM_ARRAY_SIZE(needs), have)
#define ALL_BITS(needs)    all_bits(needs, MM_ARRAY_SIZE(needs))

static struct vmx_control read_control(uint32_t msr)
{
	uint64_t value = rdmsr(msr);

	return (struct vmx_control){(uint32_t)value, (uint32_t)(value >> 32)};
}

static bool may(struct vmx_control control, uint64_t bits)
{
	return (bits & ~(uint64_t)control.may) == 0;
}

static void read_msrs(struct vmx_caps *caps)
{
	uint64_t basic = rdmsr(MSR_VMX_BASIC);
	bool true_msrs = basic & BASIC_TRUE;

	caps->revision = (uint32_t)(basic & BASIC_REVISION);
	caps->pin = read_control(true_msrs ? MSR_VMX_TRUE_PIN : MSR_VMX_PIN);
	caps->proc = read_control(true_msrs ? MSR_VMX_TRUE_PROC : MSR_VMX_PROC);
	caps->exit = read_control(true_msrs ? MSR_VMX_TRUE_EXIT : MSR_VMX_EXIT);
	caps->entry = read_control(true_msrs ? MSR_VMX_TRUE_ENTRY : MSR_VMX_ENTRY);
	/* Each of these two MSRs exists only if the control in its condition may be 1. */
	if (may(caps->proc, PROC_SECONDARY))
		caps->proc2 = read_control(MSR_VMX_PROC2);
	if (may(caps->proc2, PROC2_EPT) || may(caps->proc2, PROC2_VPID))
		caps->ept_vpid = rdmsr(MSR_VMX_EPT_VPID_CAP);
	caps->preemption_shift = (unsigned)FIELD_GET(MISC_TIMER_SHIFT, rdmsr(MSR_VMX_MISC));
}

/* The first requirement that is not met, or NULL. Primary controls come first, since the others
 * depend on them. */
static const char *find_unmet(const struct vmx_caps *caps)
{
	const char *missing = UNMET(proc_needs, caps->proc.may);

	if (missing == NULL)
		missing = UNMET(proc2_needs, caps->proc2.may);
	if (missing == NULL)
		missing = UNMET(ept_needs, caps->ept_vpid);
	if (missing == NULL)
		missing = UNMET(pin_needs, caps->pin.may);
	if (missing == NULL)
		missing = UNMET(exit_needs, caps->exit.may);
	if (missing == NULL)
		missing = UNMET(entry_needs, caps->entry.may);
	if (missing == NULL && (caps->proc.must & (PROC_CR3_LOAD | PROC_CR3_STORE)))
		missing = "CR3 accesses cannot be kept from exiting";
	return missing;
}

static void choose(struct vmx_caps *caps)
{
	/* If exits did not save its value, the timer would start again with each entry. */
	caps->preemption_timer =
		may(caps->pin, PIN_PREEMPTION_TIMER) && may(caps->exit, EXIT_SAVE_PREEMPTION);
	caps->vpid = may(caps->proc2, PROC2_VPID) && (caps->ept_vpid & VPID_INVVPID) &&
	             (caps->ept_vpid & VPID_SINGLE);

	caps->pin_controls = caps->pin.must | ALL_BITS(pin_needs);
	caps->proc_controls = caps->proc.must | ALL_BITS(proc_needs);
	caps->proc2_controls = caps->proc2.must | ALL_BITS(proc2_needs);
	caps->exit_controls = caps->exit.must | ALL_BITS(exit_needs);
	caps->entry_controls = caps->entry.must | ALL_BITS(entry_needs);
	if (caps->preemption_timer) {
		caps->pin_controls |= (uint32_t)PIN_PREEMPTION_TIMER;
		caps->exit_controls |= (uint32_t)EXIT_SAVE_PREEMPTION;
	}
	if (caps->vpid)
		caps->proc2_controls |= (uint32_t)PROC2_VPID;
	if (may(caps->proc2, PROC2_WBINVD))
		caps->proc2_controls |= (uint32_t)PROC2_WBINVD;
}

/* CPUID.0: "GenuineIntel" in EBX, EDX, ECX. */
static bool is_intel(struct cpuid vendor)
{
	return vendor.ebx == 0x756e6547 && vendor.edx == 0x49656e69 && vendor.ecx == 0x6c65746e;
}

/* Without CPUID leaf 7, or a bit in it, the MSR that the bit reports does not exist: RDMSR would
 * raise #GP. */
static struct vmx_cpu_id read_cpu_id(void)
{
	struct cpuid vendor = cpuid(0, 0), features = {0};
	struct vmx_cpu_id id = {.intel = is_intel(vendor)};

	if (vendor.eax >= 7)
		features = cpuid(7, 0);
	vmx_cpu_signature(cpuid(1, 0).eax, &id);
	id.flush = features.edx & CPUID7_EDX_L1D_FLUSH;
	if (features.edx & CPUID7_EDX_ARCH_CAPABILITIES)
		id.arch = rdmsr(MSR_ARCH_CAPABILITIES);
	return id;
}

/* Reads the capability MSRs, which exist if CPUID reports VMX, and chooses the controls. */
static const char *read_caps(struct vmx_caps *caps)
{
	struct vmx_cpu_id id = read_cpu_id();
	const char *unmet;

	*caps = (struct vmx_caps){.mitigations = vmx_mitigations_for(&id)};
	read_msrs(caps);
	unmet = find_unmet(caps);
	if (unmet == NULL)
		choose(caps);
	return unmet;
}

static const char *find_missing(void)
{
	uint64_t control;

	if (!(cpuid(1, 0).ecx & CPUID1_ECX_VMX))
		return "CPUID.1:ECX.VMX is 0: this CPU has no VMX";
	control = rdmsr(MSR_FEATURE_CONTROL);
	if ((control & FEATURE_CONTROL_LOCK) && !(control & FEATURE_CONTROL_OUTSIDE_SMX))
		return "firmware has locked VMX off (IA32_FEATURE_CONTROL)";
	return read_caps(&vmx_caps);
}

static void add_geometry(struct virt_caps *caps, const char *name, unsigned levels)
{
	uint64_t ept = vmx_caps.ept_vpid;
	unsigned max_leaf = ept & EPT_LEAF_1G ? 2 : ept & EPT_LEAF_2M ? 1 : 0;

	caps->geometries[caps->geometry_count++] = (struct virt_geometry){
		.name = name,
		.npt = {.levels = levels,
	                .root_bits = MM_NPT_INDEX_BITS,
	                .hpa_bits = caps->hpa_bits,
	                .max_leaf = max_leaf,
	                .execute_only = ept & EPT_EXECUTE_ONLY,
	                .accessed_dirty = ept & EPT_ACCESSED_DIRTY,
	                .no_large_exec = vmx_caps.mitigations.no_large_exec},
	};
}

static void add_features(struct virt_caps *caps)
{
	const struct vmx_caps *v = &vmx_caps;
	uint64_t ept = v->ept_vpid;

	virt_add_feature(caps, "ept", true, true);
	virt_add_feature(caps, "unrestricted-guest", true, true);
	virt_add_feature(caps, "vpid", v->proc2.may & PROC2_VPID, v->vpid);
	virt_add_feature(caps, "preemption-timer", v->pin.may & PIN_PREEMPTION_TIMER,
	                 v->preemption_timer);
	virt_add_feature(caps, "invept-all", true, true);
	virt_add_feature(caps, "invept-single", ept & EPT_INVEPT_SINGLE, true);
	virt_add_feature(caps, "invvpid-single", ept & VPID_SINGLE, v->vpid);
	virt_add_feature(caps, "accessed-dirty", ept & EPT_ACCESSED_DIRTY, true);
	virt_add_feature(caps, "execute-only", ept & EPT_EXECUTE_ONLY, true);
	virt_add_feature(caps, "leaf-2m", ept & EPT_LEAF_2M, true);
	virt_add_feature(caps, "leaf-1g", ept & EPT_LEAF_1G, true);
	virt_add_feature(caps, "5-level", ept & EPT_WALK_5, true);
	virt_add_feature(caps, "uncached", ept & EPT_UNCACHED, true);
	virt_add_feature(caps, "exit-info", ept & EPT_EXIT_INFO, false);
	virt_add_feature(caps, "pml", v->proc2.may & PROC2_PML, true);
	virt_add_feature(caps, "mbec", v->proc2.may & PROC2_MBEC, false);
	virt_add_feature(caps, "spp", v->proc2.may & PROC2_SPP, false);
	virt_add_feature(caps, "ept-ve", v->proc2.may & PROC2_EPT_VE, false);
	virt_add_feature(caps, "vmfunc", v->proc2.may & PROC2_VMFUNC, false);
	virt_add_feature(caps, "vmcs-shadowing", v->proc2.may & PROC2_SHADOWING, false);
	virt_add_feature(caps, "tsc-scaling", v->proc2.may & PROC2_TSC_SCALING, false);
	virt_add_feature(caps, "virtual-nmis", v->pin.may & PIN_VIRTUAL_NMIS, false);
	virt_add_feature(caps, "tpr-shadow", v->proc.may & PROC_TPR_SHADOW, false);
	virt_add_feature(caps, "posted-interrupts", v->pin.may & PIN_POSTED_INTERRUPTS, false);
}

bool vmx_probe(struct virt_caps *caps)
{
	const char *missing = find_missing();

	*caps = (struct virt_caps){.format = &mm_npt_ept};
	if (missing != NULL) {
		format_string(caps->missing, sizeof(caps->missing), "%s", missing);
		return false;
	}
	x86_state_probe();
	vmx_sysreg_init();
	caps->hpa_bits = x86_physical_bits();
	caps->tag_bits = vmx_caps.vpid ? VPID_BITS : 0;
	caps->max_tag = (UINT64_C(1) << caps->tag_bits) - 1;
	add_geometry(caps, "ept4", 4);
	if (vmx_caps.ept_vpid & EPT_WALK_5)
		add_geometry(caps, "ept5", 5);
	add_features(caps);
	format_string(caps->mitigations, sizeof(caps->mitigations), "l1tf=%s itlb-multihit=%s",
	              vmx_caps.mitigations.l1tf, vmx_caps.mitigations.itlb);
	return true;
}
