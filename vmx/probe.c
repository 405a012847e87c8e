/* Is VMX here, switched on, and with what it takes? SDM vol. 3C, 24.6 and 24.7. */
#include "vmx/probe.h"

#include "log.h"
#include "machine/x86_64/cpu.h"
#include "vmx/caps.h"
#include "vmx/vmcs.h"

#define CPUID1_ECX_VMX         BIT(5)
#define CPUID_ADDRESS_SIZES    0x80000008U
#define ADDRESS_SIZES_PHYSICAL GENMASK(7, 0)

#define FEATURE_CONTROL_LOCK        BIT(0)
#define FEATURE_CONTROL_OUTSIDE_SMX BIT(2)

#define VPID_BITS 16U

static const char *find_missing(void)
{
	uint64_t control;

	if (!(cpuid(1, 0).ecx & CPUID1_ECX_VMX))
		return "CPUID.1:ECX.VMX is 0: this CPU has no VMX";
	control = rdmsr(MSR_FEATURE_CONTROL);
	if ((control & FEATURE_CONTROL_LOCK) && !(control & FEATURE_CONTROL_OUTSIDE_SMX))
		return "firmware has locked VMX off (IA32_FEATURE_CONTROL)";
	return vmx_caps_read(&vmx_caps);
}

static void add_geometry(struct virt_caps *caps, const char *name, unsigned levels)
{
	uint64_t ept = vmx_caps.ept_vpid;
	unsigned max_leaf = ept & EPT_LEAF_1G ? 2 : ept & EPT_LEAF_2M ? 1 : 0;

	caps->geometries[caps->geometry_count++] = (struct virt_geometry){
		.name = name,
		.npt = {.levels = levels,
	                .root_bits = NPT_INDEX_BITS,
	                .hpa_bits = caps->hpa_bits,
	                .max_leaf = max_leaf,
	                .execute_only = ept & EPT_EXECUTE_ONLY,
	                .accessed_dirty = ept & EPT_ACCESSED_DIRTY,
	                .no_large_exec = vmx_caps.mitigations.no_large_exec},
	};
}

static void add_feature(struct virt_caps *caps, const char *name, bool present, bool used)
{
	caps->features[caps->feature_count++] = (struct virt_feature){name, present, used};
}

static void add_features(struct virt_caps *caps)
{
	const struct vmx_caps *v = &vmx_caps;
	uint64_t ept = v->ept_vpid;

	add_feature(caps, "ept", true, true);
	add_feature(caps, "unrestricted-guest", true, true);
	add_feature(caps, "vpid", v->proc2.may & PROC2_VPID, v->vpid);
	add_feature(caps, "preemption-timer", v->pin.may & PIN_PREEMPTION_TIMER,
	            v->preemption_timer);
	add_feature(caps, "invept-all", true, true);
	add_feature(caps, "invept-single", ept & EPT_INVEPT_SINGLE, true);
	add_feature(caps, "invvpid-single", ept & VPID_SINGLE, v->vpid);
	add_feature(caps, "accessed-dirty", ept & EPT_ACCESSED_DIRTY, true);
	add_feature(caps, "execute-only", ept & EPT_EXECUTE_ONLY, true);
	add_feature(caps, "leaf-2m", ept & EPT_LEAF_2M, true);
	add_feature(caps, "leaf-1g", ept & EPT_LEAF_1G, true);
	add_feature(caps, "5-level", ept & EPT_WALK_5, true);
	add_feature(caps, "uncached", ept & EPT_UNCACHED, true);
	add_feature(caps, "exit-info", ept & EPT_EXIT_INFO, false);
	add_feature(caps, "pml", v->proc2.may & PROC2_PML, true);
	add_feature(caps, "mbec", v->proc2.may & PROC2_MBEC, false);
	add_feature(caps, "spp", v->proc2.may & PROC2_SPP, false);
	add_feature(caps, "ept-ve", v->proc2.may & PROC2_EPT_VE, false);
	add_feature(caps, "vmfunc", v->proc2.may & PROC2_VMFUNC, false);
	add_feature(caps, "vmcs-shadowing", v->proc2.may & PROC2_SHADOWING, false);
	add_feature(caps, "tsc-scaling", v->proc2.may & PROC2_TSC_SCALING, false);
	add_feature(caps, "virtual-nmis", v->pin.may & PIN_VIRTUAL_NMIS, false);
	add_feature(caps, "tpr-shadow", v->proc.may & PROC_TPR_SHADOW, false);
	add_feature(caps, "posted-interrupts", v->pin.may & PIN_POSTED_INTERRUPTS, false);
}

bool vmx_probe(struct virt_caps *caps)
{
	const char *missing = find_missing();

	*caps = (struct virt_caps){.format = &npt_ept};
	if (missing != NULL) {
		format_string(caps->missing, sizeof(caps->missing), "%s", missing);
		return false;
	}
	caps->hpa_bits =
		(unsigned)FIELD_GET(ADDRESS_SIZES_PHYSICAL, cpuid(CPUID_ADDRESS_SIZES, 0).eax);
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
