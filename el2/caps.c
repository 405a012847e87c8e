/* SPDX-License-Identifier: BSD-2-Clause */
/* Detects the features of this CPU, by the ID registers. */
#include "el2/el2.h"
#include "log.h"
#include "machine/aarch64/board.h"
#include "mm/npt.h"

struct el2_caps el2_caps;

/* D17.2.64: address bits by PARange. With a 4 KiB granule 52 bits need LPA2. */
static const uint8_t pa_bits[] = {32, 36, 40, 42, 44, 48, 52};

/* Without FEAT_TTST T0SZ is 16 to 39. By concatenation of tables the start level translates up to
 * four bits more than one table does (D8.2.6). */
static const struct virt_geometry geometries[] = {
	{"ipa32", {.levels = 2, .root_bits = 11, .max_leaf = 1}, NULL},
	{"ipa36", {.levels = 3, .root_bits = 6, .max_leaf = 2}, NULL},
	{"ipa39", {.levels = 3, .root_bits = 9, .max_leaf = 2}, NULL},
	{"ipa40", {.levels = 3, .root_bits = 10, .max_leaf = 2}, NULL},
	{"ipa42", {.levels = 3, .root_bits = 12, .max_leaf = 2}, NULL},
	{"ipa44", {.levels = 4, .root_bits = 5, .max_leaf = 2}, NULL},
	{"ipa48", {.levels = 4, .root_bits = 9, .max_leaf = 2}, NULL},
};

/* With LPA2: 16 concatenated tables at level 0, not a start at level -1. */
static const struct virt_geometry lpa2_geometry = {
	"ipa52",
	{.levels = 4, .root_bits = 13, .hpa_bits = 52, .max_leaf = 3},
	&mm_npt_stage2_lpa2};

/* Does stage 2 support the 4 KiB granule? TGran4_2 has the answer; if it is 0, TGran4 has it. */
static bool granule_4k(uint64_t mmfr0, bool *lpa2)
{
	uint64_t stage1 = FIELD_GET(MMFR0_TGRAN4, mmfr0);
	uint64_t stage2 = FIELD_GET(MMFR0_TGRAN4_2, mmfr0);

	*lpa2 = stage2 == 3 || (stage2 == 0 && stage1 == 1);
	return stage2 >= 2 || (stage2 == 0 && stage1 <= 1);
}

static void list_features(struct virt_caps *caps)
{
	uint64_t mmfr0 = read_id_aa64mmfr0_el1(), mmfr1 = read_id_aa64mmfr1_el1();
	uint64_t mmfr2 = read_id_aa64mmfr2_el1(), isar0 = read_id_aa64isar0_el1();
	uint64_t pfr0 = read_id_aa64pfr0_el1(),
		 pmu = FIELD_GET(DFR0_PMUVER, read_id_aa64dfr0_el1());

	virt_add_feature(caps, "fp", el2_caps.fp, true);
	virt_add_feature(caps, "gic-sysregs", el2_caps.gicv3, true);
	virt_add_feature(caps, "pmu", pmu != 0 && pmu != 15, true);
	virt_add_feature(caps, "vmid16", el2_caps.vmid16, true);
	virt_add_feature(caps, "range-tlbi", el2_caps.range_tlbi, true);
	virt_add_feature(caps, "lpa2", el2_caps.lpa2, true);
	virt_add_feature(caps, "access-flag", FIELD_GET(MMFR1_HAFDBS, mmfr1) >= 1,
	                 el2_caps.dirty_state);
	virt_add_feature(caps, "dirty-state", el2_caps.dirty_state, true);
	virt_add_feature(caps, "xnx", FIELD_GET(MMFR1_XNX, mmfr1) != 0, false);
	virt_add_feature(caps, "vhe", FIELD_GET(MMFR1_VH, mmfr1) != 0, false);
	virt_add_feature(caps, "fwb", FIELD_GET(MMFR2_FWB, mmfr2) != 0, false);
	virt_add_feature(caps, "bbm1", FIELD_GET(MMFR2_BBM, mmfr2) >= 1, false);
	virt_add_feature(caps, "bbm2", FIELD_GET(MMFR2_BBM, mmfr2) >= 2, false);
	virt_add_feature(caps, "ttst", FIELD_GET(MMFR2_ST, mmfr2) != 0, false);
	virt_add_feature(caps, "ttl", FIELD_GET(MMFR2_TTL, mmfr2) != 0, false);
	virt_add_feature(caps, "cnp", FIELD_GET(MMFR2_CNP, mmfr2) != 0, false);
	virt_add_feature(caps, "nested-virt", FIELD_GET(MMFR2_NV, mmfr2) != 0, false);
	virt_add_feature(caps, "evt", FIELD_GET(MMFR2_EVT, mmfr2) != 0, false);
	virt_add_feature(caps, "fgt", FIELD_GET(MMFR0_FGT, mmfr0) != 0, false);
	virt_add_feature(caps, "ecv", FIELD_GET(MMFR0_ECV, mmfr0) != 0, false);
	virt_add_feature(caps, "lse", FIELD_GET(ISAR0_ATOMIC, isar0) != 0, false);
	virt_add_feature(caps, "ras", FIELD_GET(PFR0_RAS, pfr0) != 0, false);
	virt_add_feature(caps, "sve", FIELD_GET(PFR0_SVE, pfr0) != 0, false);
	virt_add_feature(caps, "pauth", (read_id_aa64isar1_el1() & ISAR1_PAUTH) != 0, false);
	virt_add_feature(caps, "mte", FIELD_GET(PFR1_MTE, read_id_aa64pfr1_el1()) != 0, false);
}

/* Stage 2 has execute-only permission on every CPU (D8.4.2). */
static void add_geometry(struct virt_caps *caps, struct virt_geometry geometry)
{
	geometry.npt.execute_only = true;
	geometry.npt.accessed_dirty = el2_caps.dirty_state;
	ASSERT(caps->geometry_count < VIRT_GEOMETRIES);
	caps->geometries[caps->geometry_count++] = geometry;
}

/* The geometries whose IPA size is at most the physical address size. A larger IPA faults at level
 * 0, and a start at level 0 needs more than 43 bits (D8.2.6). */
static void list_geometries(struct virt_caps *caps)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(geometries); i++) {
		struct virt_geometry geometry = geometries[i];

		if (mm_npt_gpa_bits(&geometry.npt) > caps->hpa_bits)
			continue;
		geometry.npt.hpa_bits = caps->hpa_bits;
		add_geometry(caps, geometry);
	}
	if (el2_caps.lpa2)
		add_geometry(caps, lpa2_geometry);
}

bool el2_probe(struct virt_caps *caps)
{
	uint64_t mmfr0 = read_id_aa64mmfr0_el1();
	uint64_t pa_range = FIELD_GET(MMFR0_PARANGE, mmfr0);
	bool lpa2;

	*caps = (struct virt_caps){.format = &mm_npt_stage2};
	if (!granule_4k(mmfr0, &lpa2)) {
		format_string(caps->missing, sizeof(caps->missing),
		              "stage 2 has no 4 KiB granule (ID_AA64MMFR0_EL1 0x%llx)",
		              (unsigned long long)mmfr0);
		return false;
	}
	/* Descriptors without LPA2 have addresses of 48 bits. */
	el2_caps.pa_range = (uint8_t)(pa_range < PARANGE_48 ? pa_range : PARANGE_48);
	el2_caps.lpa2 = lpa2 && pa_range == PARANGE_52;
	el2_caps.vmid16 = FIELD_GET(MMFR1_VMIDBITS, read_id_aa64mmfr1_el1()) == 2;
	el2_caps.dirty_state = FIELD_GET(MMFR1_HAFDBS, read_id_aa64mmfr1_el1()) >= 2;
	el2_caps.range_tlbi = FIELD_GET(ISAR0_TLB, read_id_aa64isar0_el1()) == 2;
	el2_caps.gicv3 = board.irq == IRQ_GICV3;
	el2_caps.fp = FIELD_GET(PFR0_FP, read_id_aa64pfr0_el1()) != PFR0_FP_NONE;
	el2_caps.ras = FIELD_GET(PFR0_RAS, read_id_aa64pfr0_el1()) != 0;
	el2_caps.csv2 = FIELD_GET(PFR0_CSV2, read_id_aa64pfr0_el1()) >= 2;
	el2_caps.sme = FIELD_GET(PFR1_SME, read_id_aa64pfr1_el1()) != 0;

	caps->stage1_ad = FIELD_GET(MMFR1_HAFDBS, read_id_aa64mmfr1_el1()) >= 1 ? STAGE1_AD_CHOSEN
	                                                                        : STAGE1_AD_FAULTS;
	caps->hpa_bits = pa_bits[el2_caps.pa_range];
	caps->tag_bits = el2_caps.vmid16 ? 16 : 8;
	caps->max_tag = BIT(caps->tag_bits) - 1;
	list_geometries(caps);
	list_features(caps);
	return true;
}
