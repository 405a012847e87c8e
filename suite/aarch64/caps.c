/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report of the machine's features agrees with the ID registers (Arm ARM, DDI 0487, D17.2), and
 * everything that can be used is used.
 */
#include "kernel/string.h"
#include "machine/aarch64/board.h"
#include "machine/aarch64/sysreg.h"
#include "suite/aarch64/arm.h"

SYSREG_READ(id_aa64pfr0_el1, "id_aa64pfr0_el1")
SYSREG_READ(id_aa64pfr1_el1, "id_aa64pfr1_el1")
SYSREG_READ(id_aa64dfr0_el1, "id_aa64dfr0_el1")
SYSREG_READ(id_aa64isar0_el1, "id_aa64isar0_el1")
SYSREG_READ(id_aa64isar1_el1, "id_aa64isar1_el1")
SYSREG_READ(id_aa64mmfr0_el1, "id_aa64mmfr0_el1")
SYSREG_READ(id_aa64mmfr1_el1, "id_aa64mmfr1_el1")
SYSREG_READ(id_aa64mmfr2_el1, "id_aa64mmfr2_el1")

/* Present if the field is at least `from`. */
static const struct {
	const char *name;
	uint64_t (*read)(void);
	unsigned low;
	uint64_t from;
	bool used;
} features[] = {
	{"vmid16", read_id_aa64mmfr1_el1, 4, 2, true},
	{"range-tlbi", read_id_aa64isar0_el1, 56, 2, true},
	{"dirty-state", read_id_aa64mmfr1_el1, 0, 2, true},
	{"access-flag", read_id_aa64mmfr1_el1, 0, 1, true},
	{"xnx", read_id_aa64mmfr1_el1, 28, 1, false},
	{"vhe", read_id_aa64mmfr1_el1, 8, 1, false},
	{"fwb", read_id_aa64mmfr2_el1, 40, 1, false},
	{"bbm1", read_id_aa64mmfr2_el1, 52, 1, false},
	{"bbm2", read_id_aa64mmfr2_el1, 52, 2, false},
	{"ttst", read_id_aa64mmfr2_el1, 28, 1, false},
	{"ttl", read_id_aa64mmfr2_el1, 48, 1, false},
	{"cnp", read_id_aa64mmfr2_el1, 0, 1, false},
	{"nested-virt", read_id_aa64mmfr2_el1, 24, 1, false},
	{"evt", read_id_aa64mmfr2_el1, 56, 1, false},
	{"fgt", read_id_aa64mmfr0_el1, 56, 1, false},
	{"ecv", read_id_aa64mmfr0_el1, 60, 1, false},
	{"lse", read_id_aa64isar0_el1, 20, 1, false},
	{"ras", read_id_aa64pfr0_el1, 28, 1, false},
	{"sve", read_id_aa64pfr0_el1, 32, 1, false},
	{"mte", read_id_aa64pfr1_el1, 8, 1, false},
};

static const struct virt_feature *feature_of(const struct suite_run *run, const char *name)
{
	const struct virt_caps *caps = &run->host->caps;

	for (size_t i = 0; i < caps->feature_count; i++) {
		if (strcmp(caps->features[i].name, name) == 0)
			return &caps->features[i];
	}
	return NULL;
}

/* TGran4_2, or TGran4 if that is 0. */
static bool has_lpa2(void)
{
	uint64_t mmfr0 = read_id_aa64mmfr0_el1();
	uint64_t stage1 = mmfr0 >> 28 & 15, stage2 = mmfr0 >> 40 & 15;

	return (mmfr0 & 15) == 6 && (stage2 == 3 || (stage2 == 0 && stage1 == 1));
}

/* Features of more than one field, or with a value for "not as the architecture says". */
static void check_others(struct suite_run *run)
{
	uint64_t pmu = read_id_aa64dfr0_el1() >> 8 & 15;
	const struct {
		const char *name;
		bool present;
	} others[] = {
		{"pmu", pmu != 0 && pmu != 15},
		{"fp", (read_id_aa64pfr0_el1() >> 16 & 15) != 15},
		{"pauth", (read_id_aa64isar1_el1() & 0xff0) != 0},
		{"lpa2", has_lpa2()},
		{"gic-sysregs", board.irq == IRQ_GICV3},
	};

	for (size_t i = 0; i < MM_ARRAY_SIZE(others); i++) {
		const struct virt_feature *got = feature_of(run, others[i].name);

		if (got == NULL || got->present != others[i].present)
			suite_fail(run, "%s: the CPU has %d", others[i].name, others[i].present);
	}
}

static bool features_agree(struct suite_run *run)
{
	check_others(run);
	for (size_t i = 0; i < MM_ARRAY_SIZE(features); i++) {
		const struct virt_feature *got = feature_of(run, features[i].name);
		bool present = (features[i].read() >> features[i].low & 15) >= features[i].from;

		if (got == NULL)
			suite_fail(run, "no feature %s", features[i].name);
		else if (got->present != present)
			suite_fail(run, "%s: reported %d, the CPU has %d", features[i].name,
			           got->present, present);
		else if (present && features[i].used && !got->used)
			suite_fail(run, "%s: not used", features[i].name);
	}
	return run->complaints == 0;
}

static bool sizes_agree(struct suite_run *run)
{
	static const unsigned bits[] = {32, 36, 40, 42, 44, 48, 48};
	const struct virt_caps *caps = &run->host->caps;
	uint64_t range = read_id_aa64mmfr0_el1() & 15;
	unsigned tags = (read_id_aa64mmfr1_el1() >> 4 & 15) == 2 ? 16 : 8;
	unsigned largest = mm_npt_gpa_bits(&caps->geometries[caps->geometry_count - 1].npt);

	if (range < MM_ARRAY_SIZE(bits) && caps->hpa_bits != bits[range])
		suite_fail(run, "%u bits of addresses, not %u", caps->hpa_bits, bits[range]);
	if (caps->tag_bits != tags)
		suite_fail(run, "%u bits of VMIDs, not %u", caps->tag_bits, tags);
	if (has_lpa2() != (largest == 52))
		suite_fail(run, "the largest geometry has %u bits, LPA2 is %d", largest,
		           has_lpa2());
	return run->complaints == 0;
}

static const struct suite_case cases[] = {
	{
		.name = "arm.caps.features",
		.script = SCRIPT(SPIN(1)),
		.verify = features_agree,
	},
	{
		.name = "arm.caps.sizes",
		.script = SCRIPT(SPIN(1)),
		.verify = sizes_agree,
	},
};

const struct suite_subject suite_arm_caps = {
	.name = "arm.caps",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
