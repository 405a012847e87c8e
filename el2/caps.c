/*
 * What this CPU offers for stage 2: read from the ID registers, changing nothing.
 */
#include "el2/el2.h"
#include "log.h"
#include "machine/aarch64/board.h"
#include "mm/npt/npt.h"

struct el2_machine el2_machine;

/* D17.2.64: PARange, in bits. 6 needs LPA2 with a 4 KiB granule. */
static const uint8_t pa_bits[] = {32, 36, 40, 42, 44, 48, 52};

/* Without FEAT_TTST, T0SZ is at least 16 and at most 39; with concatenation a start level spans
 * up to four bits more than one table (D8.2.6). */
static const struct virt_geometry geometries[] = {
	{"ipa32", {.levels = 2, .root_bits = 11, .max_leaf = 1}, NULL},
	{"ipa36", {.levels = 3, .root_bits = 6, .max_leaf = 2}, NULL},
	{"ipa39", {.levels = 3, .root_bits = 9, .max_leaf = 2}, NULL},
	{"ipa40", {.levels = 3, .root_bits = 10, .max_leaf = 2}, NULL},
	{"ipa42", {.levels = 3, .root_bits = 12, .max_leaf = 2}, NULL},
	{"ipa44", {.levels = 4, .root_bits = 5, .max_leaf = 2}, NULL},
	{"ipa48", {.levels = 4, .root_bits = 9, .max_leaf = 2}, NULL},
};

/* With LPA2: 16 concatenated tables at level 0, rather than a start at level -1. */
static const struct virt_geometry lpa2_geometry = {
	"ipa52", {.levels = 4, .root_bits = 13, .hpa_bits = 52, .max_leaf = 3}, &npt_stage2_lpa2};

/* Stage 2 with the 4 KiB granule: of its own field, or, where that says 0, as in stage 1. */
static bool granule_4k(uint64_t mmfr0, bool *lpa2)
{
	uint64_t stage1 = FIELD_GET(MMFR0_TGRAN4, mmfr0);
	uint64_t stage2 = FIELD_GET(MMFR0_TGRAN4_2, mmfr0);

	*lpa2 = stage2 == 3 || (stage2 == 0 && stage1 == 1);
	return stage2 >= 2 || (stage2 == 0 && stage1 <= 1);
}

static void add_feature(struct virt_caps *caps, const char *name, bool present, bool used)
{
	ASSERT(caps->feature_count < VIRT_FEATURES);
	caps->features[caps->feature_count++] = (struct virt_feature){name, present, used};
}

static void list_features(struct virt_caps *caps)
{
	uint64_t mmfr0 = read_id_aa64mmfr0_el1(), mmfr1 = read_id_aa64mmfr1_el1();
	uint64_t mmfr2 = read_id_aa64mmfr2_el1(), isar0 = read_id_aa64isar0_el1();
	uint64_t pfr0 = read_id_aa64pfr0_el1(),
		 pmu = FIELD_GET(DFR0_PMUVER, read_id_aa64dfr0_el1());

	add_feature(caps, "gic-sysregs", el2_machine.gicv3, true);
	add_feature(caps, "pmu", pmu != 0 && pmu != 15, true);
	add_feature(caps, "vmid16", el2_machine.vmid16, true);
	add_feature(caps, "range-tlbi", el2_machine.range_tlbi, true);
	add_feature(caps, "lpa2", el2_machine.lpa2, true);
	add_feature(caps, "access-flag", FIELD_GET(MMFR1_HAFDBS, mmfr1) >= 1,
	            el2_machine.dirty_state);
	add_feature(caps, "dirty-state", el2_machine.dirty_state, true);
	add_feature(caps, "xnx", FIELD_GET(MMFR1_XNX, mmfr1) != 0, false);
	add_feature(caps, "vhe", FIELD_GET(MMFR1_VH, mmfr1) != 0, false);
	add_feature(caps, "fwb", FIELD_GET(MMFR2_FWB, mmfr2) != 0, false);
	add_feature(caps, "bbm1", FIELD_GET(MMFR2_BBM, mmfr2) >= 1, false);
	add_feature(caps, "bbm2", FIELD_GET(MMFR2_BBM, mmfr2) >= 2, false);
	add_feature(caps, "ttst", FIELD_GET(MMFR2_ST, mmfr2) != 0, false);
	add_feature(caps, "ttl", FIELD_GET(MMFR2_TTL, mmfr2) != 0, false);
	add_feature(caps, "cnp", FIELD_GET(MMFR2_CNP, mmfr2) != 0, false);
	add_feature(caps, "nested-virt", FIELD_GET(MMFR2_NV, mmfr2) != 0, false);
	add_feature(caps, "evt", FIELD_GET(MMFR2_EVT, mmfr2) != 0, false);
	add_feature(caps, "fgt", FIELD_GET(MMFR0_FGT, mmfr0) != 0, false);
	add_feature(caps, "ecv", FIELD_GET(MMFR0_ECV, mmfr0) != 0, false);
	add_feature(caps, "lse", FIELD_GET(ISAR0_ATOMIC, isar0) != 0, false);
	add_feature(caps, "ras", FIELD_GET(PFR0_RAS, pfr0) != 0, false);
	add_feature(caps, "sve", FIELD_GET(PFR0_SVE, pfr0) != 0, false);
	add_feature(caps, "pauth", (read_id_aa64isar1_el1() & ISAR1_PAUTH) != 0, false);
	add_feature(caps, "mte", FIELD_GET(PFR1_MTE, read_id_aa64pfr1_el1()) != 0, false);
}

/* Stage 2 can always forbid reads and allow fetches (D8.4.2). */
static void add_geometry(struct virt_caps *caps, struct virt_geometry geometry)
{
	geometry.npt.execute_only = true;
	geometry.npt.accessed_dirty = el2_machine.dirty_state;
	ASSERT(caps->geometry_count < VIRT_GEOMETRIES);
	caps->geometries[caps->geometry_count++] = geometry;
}

/* Those whose IPA fits into the physical address size (D8.2.6: a larger one faults at level 0;
 * and a level 0 start needs more than 43 bits of it). */
static void list_geometries(struct virt_caps *caps)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(geometries); i++) {
		struct virt_geometry geometry = geometries[i];

		if (npt_gpa_bits(&geometry.npt) > caps->hpa_bits)
			continue;
		geometry.npt.hpa_bits = caps->hpa_bits;
		add_geometry(caps, geometry);
	}
	if (el2_machine.lpa2)
		add_geometry(caps, lpa2_geometry);
}

bool el2_probe(struct virt_caps *caps)
{
	uint64_t mmfr0 = read_id_aa64mmfr0_el1();
	uint64_t pa_range = FIELD_GET(MMFR0_PARANGE, mmfr0);
	bool lpa2;

	*caps = (struct virt_caps){.format = &npt_stage2};
	if (!granule_4k(mmfr0, &lpa2)) {
		format_string(caps->missing, sizeof(caps->missing),
		              "stage 2 has no 4 KiB granule (ID_AA64MMFR0_EL1 0x%llx)",
		              (unsigned long long)mmfr0);
		return false;
	}
	/* Without LPA2's descriptors 48 bits is the limit whatever the bus has. */
	el2_machine.pa_range = (uint8_t)(pa_range < PARANGE_48 ? pa_range : PARANGE_48);
	el2_machine.lpa2 = lpa2 && pa_range == PARANGE_52;
	el2_machine.vmid16 = FIELD_GET(MMFR1_VMIDBITS, read_id_aa64mmfr1_el1()) == 2;
	el2_machine.dirty_state = FIELD_GET(MMFR1_HAFDBS, read_id_aa64mmfr1_el1()) >= 2;
	el2_machine.range_tlbi = FIELD_GET(ISAR0_TLB, read_id_aa64isar0_el1()) == 2;
	el2_machine.gicv3 = board.irq == IRQ_GICV3;

	caps->stage1_ad = FIELD_GET(MMFR1_HAFDBS, read_id_aa64mmfr1_el1()) >= 1 ? STAGE1_AD_CHOSEN
	                                                                        : STAGE1_AD_FAULTS;
	caps->hpa_bits = pa_bits[el2_machine.pa_range];
	caps->tag_bits = el2_machine.vmid16 ? 16 : 8;
	caps->max_tag = BIT(caps->tag_bits) - 1;
	list_geometries(caps);
	list_features(caps);
	return true;
}
