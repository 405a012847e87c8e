/* Is SVM here, switched on, and with nested paging? APM vol. 2, 15.4 and 15.25.1. */
#include "log.h"
#include "machine/x86_64/cpu.h"
#include "mm/bits.h"
#include "svm/svm.h"

#define CPUID_MAX_EXTENDED  0x80000000U
#define CPUID_EXTENDED      0x80000001U
#define CPUID_ADDRESS_SIZES 0x80000008U
#define CPUID_SVM           0x8000000aU

#define EXTENDED_ECX_SVM     BIT(2)
#define EXTENDED_EDX_NX      BIT(20)
#define EXTENDED_EDX_PAGE1GB BIT(26)
#define SIZES_EAX_PHYSICAL   GENMASK(7, 0)

#define SVM_EDX_NPT            BIT(0)
#define SVM_EDX_LBR            BIT(1)
#define SVM_EDX_LOCK           BIT(2)
#define SVM_EDX_NRIPS          BIT(3)
#define SVM_EDX_TSC_RATE       BIT(4)
#define SVM_EDX_VMCB_CLEAN     BIT(5)
#define SVM_EDX_FLUSH_BY_ASID  BIT(6)
#define SVM_EDX_DECODE_ASSISTS BIT(7)
#define SVM_EDX_PAUSE_FILTER   BIT(10)
#define SVM_EDX_AVIC           BIT(13)
#define SVM_EDX_VLOAD          BIT(15)
#define SVM_EDX_VGIF           BIT(16)
#define SVM_EDX_GMET           BIT(17)

struct svm_caps svm_caps;

static const char *find_missing(void)
{
	if (cpuid(CPUID_MAX_EXTENDED, 0).eax < CPUID_SVM ||
	    !(cpuid(CPUID_EXTENDED, 0).ecx & EXTENDED_ECX_SVM))
		return "CPUID.8000_0001:ECX.SVM is 0: this CPU has no SVM";
	if (rdmsr(MSR_VM_CR) & VM_CR_SVMDIS)
		return cpuid(CPUID_SVM, 0).edx & SVM_EDX_LOCK
		               ? "firmware has locked SVM off (VM_CR.SVMDIS, with a lock)"
		               : "firmware has switched SVM off for good (VM_CR.SVMDIS)";
	if (!(cpuid(CPUID_SVM, 0).edx & SVM_EDX_NPT))
		return "no nested paging (CPUID.8000_000A:EDX.NP is 0)";
	if (cpuid(CPUID_SVM, 0).ebx < 2)
		return "no ASID for a guest (CPUID.8000_000A:EBX)";
	if (!(cpuid(CPUID_EXTENDED, 0).edx & EXTENDED_EDX_NX))
		return "no NX: nested tables could not withhold execution";
	return NULL;
}

static void read_caps(void)
{
	struct cpuid svm = cpuid(CPUID_SVM, 0);

	svm_caps = (struct svm_caps){
		.next_rip = svm.edx & SVM_EDX_NRIPS,
		.flush_by_asid = svm.edx & SVM_EDX_FLUSH_BY_ASID,
		.decode_assists = svm.edx & SVM_EDX_DECODE_ASSISTS,
		.vmcb_clean = svm.edx & SVM_EDX_VMCB_CLEAN,
		.asids = svm.ebx,
	};
}

/*
 * Nested tables are walked in the host's paging mode (15.25.5), so its CR4.LA57 chooses between
 * 4 levels and 5; the boot path leaves firmware's 4 on.
 */
static void add_geometry(struct virt_caps *caps)
{
	bool five = read_cr4() & CR4_LA57;

	caps->geometries[caps->geometry_count++] = (struct virt_geometry){
		.name = five ? "npt5" : "npt4",
		.npt = {.levels = five ? 5 : 4,
	                .root_bits = NPT_INDEX_BITS,
	                .hpa_bits = caps->hpa_bits,
	                .max_leaf = cpuid(CPUID_EXTENDED, 0).edx & EXTENDED_EDX_PAGE1GB ? 2 : 1,
	                .execute_only = false,
	                .accessed_dirty = true},
	};
}

static void add_feature(struct virt_caps *caps, const char *name, bool present, bool used)
{
	caps->features[caps->feature_count++] = (struct virt_feature){name, present, used};
}

static void add_features(struct virt_caps *caps)
{
	uint32_t edx = cpuid(CPUID_SVM, 0).edx;

	add_feature(caps, "nested-paging", true, true);
	add_feature(caps, "accessed-dirty", true, true);
	add_feature(caps, "leaf-1g", caps->geometries[0].npt.max_leaf == 2, true);
	add_feature(caps, "nrips", edx & SVM_EDX_NRIPS, true);
	add_feature(caps, "flush-by-asid", edx & SVM_EDX_FLUSH_BY_ASID, true);
	add_feature(caps, "vmcb-clean", edx & SVM_EDX_VMCB_CLEAN, true);
	add_feature(caps, "svm-lock", edx & SVM_EDX_LOCK, true);
	add_feature(caps, "decode-assists", edx & SVM_EDX_DECODE_ASSISTS, true);
	add_feature(caps, "lbr-virtualization", edx & SVM_EDX_LBR, false);
	add_feature(caps, "tsc-rate", edx & SVM_EDX_TSC_RATE, false);
	add_feature(caps, "pause-filter", edx & SVM_EDX_PAUSE_FILTER, false);
	add_feature(caps, "avic", edx & SVM_EDX_AVIC, false);
	add_feature(caps, "virtual-vmload", edx & SVM_EDX_VLOAD, false);
	add_feature(caps, "vgif", edx & SVM_EDX_VGIF, false);
	add_feature(caps, "gmet", edx & SVM_EDX_GMET, false);
}

/* How many bits hold every ASID up to the last. */
static unsigned asid_bits(uint32_t asids)
{
	return mm_fls64(asids - 1) + 1;
}

bool svm_probe(struct virt_caps *caps)
{
	const char *missing = find_missing();

	*caps = (struct virt_caps){.format = &npt_amd};
	if (missing != NULL) {
		format_string(caps->missing, sizeof(caps->missing), "%s", missing);
		return false;
	}
	read_caps();
	caps->hpa_bits = (unsigned)FIELD_GET(SIZES_EAX_PHYSICAL, cpuid(CPUID_ADDRESS_SIZES, 0).eax);
	caps->max_tag = svm_caps.asids - 1;
	caps->tag_bits = asid_bits(svm_caps.asids);
	add_geometry(caps);
	add_features(caps);
	/* Both are errata of Intel CPUs (vmx/mitigations.h), which have no SVM. */
	format_string(caps->mitigations, sizeof(caps->mitigations),
	              "l1tf=not-affected itlb-multihit=not-affected");
	return true;
}
