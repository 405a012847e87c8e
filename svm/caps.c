/* SPDX-License-Identifier: BSD-2-Clause */
/* Detects the features of SVM: APM vol. 2, 15.4 and 15.25.1; vol. 3, appendix E. */
#include "log.h"
#include "machine/x86_64/cpu.h"
#include "mm/bits.h"
#include "svm/svm.h"

#define CPUID_MAX_EXTENDED 0x80000000U
#define CPUID_EXTENDED     0x80000001U
#define CPUID_SVM          0x8000000aU

#define EXTENDED_ECX_SVM     BIT(2)
#define EXTENDED_EDX_NX      BIT(20)
#define EXTENDED_EDX_PAGE1GB BIT(26)

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
		               : "firmware has disabled SVM until reset (VM_CR.SVMDIS)";
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
		.asids = svm.ebx,
	};
}

/* The CPU walks nested tables in the host's paging mode (15.25.5): CR4.LA57 selects 4 levels or 5.
 * The boot path keeps the mode that firmware has chosen. */
static void add_geometry(struct virt_caps *caps)
{
	bool five = read_cr4() & CR4_LA57;

	caps->geometries[caps->geometry_count++] = (struct virt_geometry){
		.name = five ? "npt5" : "npt4",
		.npt = {.levels = five ? 5 : 4,
	                .root_bits = MM_NPT_INDEX_BITS,
	                .hpa_bits = caps->hpa_bits,
	                .max_leaf = cpuid(CPUID_EXTENDED, 0).edx & EXTENDED_EDX_PAGE1GB ? 2 : 1,
	                .execute_only = false,
	                .accessed_dirty = true},
	};
}

static void add_features(struct virt_caps *caps)
{
	uint32_t edx = cpuid(CPUID_SVM, 0).edx;

	virt_add_feature(caps, "nested-paging", true, true);
	virt_add_feature(caps, "accessed-dirty", true, true);
	virt_add_feature(caps, "leaf-1g", caps->geometries[0].npt.max_leaf == 2, true);
	virt_add_feature(caps, "nrips", edx & SVM_EDX_NRIPS, true);
	virt_add_feature(caps, "flush-by-asid", edx & SVM_EDX_FLUSH_BY_ASID, true);
	virt_add_feature(caps, "vmcb-clean", edx & SVM_EDX_VMCB_CLEAN, true);
	virt_add_feature(caps, "svm-lock", edx & SVM_EDX_LOCK, true);
	virt_add_feature(caps, "decode-assists", edx & SVM_EDX_DECODE_ASSISTS, true);
	virt_add_feature(caps, "lbr-virtualization", edx & SVM_EDX_LBR, false);
	virt_add_feature(caps, "tsc-rate", edx & SVM_EDX_TSC_RATE, false);
	virt_add_feature(caps, "pause-filter", edx & SVM_EDX_PAUSE_FILTER, false);
	virt_add_feature(caps, "avic", edx & SVM_EDX_AVIC, false);
	virt_add_feature(caps, "virtual-vmload", edx & SVM_EDX_VLOAD, false);
	virt_add_feature(caps, "vgif", edx & SVM_EDX_VGIF, false);
	virt_add_feature(caps, "gmet", edx & SVM_EDX_GMET, false);
}

/* The width of the largest ASID. */
static unsigned asid_bits(uint32_t asids)
{
	return mm_fls64(asids - 1) + 1;
}

bool svm_probe(struct virt_caps *caps)
{
	const char *missing = find_missing();

	*caps = (struct virt_caps){.format = &mm_npt_amd};
	if (missing != NULL) {
		format_string(caps->missing, sizeof(caps->missing), "%s", missing);
		return false;
	}
	read_caps();
	x86_state_probe();
	svm_sysreg_init();
	caps->hpa_bits = x86_physical_bits();
	caps->max_tag = svm_caps.asids - 1;
	caps->tag_bits = asid_bits(svm_caps.asids);
	add_geometry(caps);
	add_features(caps);
	/* Both errata are Intel's: vmx/mitigations.h. */
	format_string(caps->mitigations, sizeof(caps->mitigations),
	              "l1tf=not-affected itlb-multihit=not-affected");
	return true;
}
