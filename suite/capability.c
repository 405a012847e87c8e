/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capabilities. The machine's report is consistent. Every feature has a name, and is marked as used
 * or as unused.
 */
#include "kernel/string.h"
#include "suite/run.h"
#include "suite/suite.h"

static bool features_have_names(struct suite_run *run)
{
	const struct virt_caps *caps = &run->host->caps;

	for (size_t i = 0; i < caps->feature_count; i++) {
		const struct virt_feature *feature = &caps->features[i];

		if (feature->name == NULL || feature->name[0] == '\0')
			return suite_fail(run, "feature %zu has no name", i);
		for (size_t j = 0; j < i; j++) {
			if (strcmp(feature->name, caps->features[j].name) == 0)
				suite_fail(run, "feature %s is listed twice", feature->name);
		}
	}
	return run->complaints == 0;
}

static const struct mm_npt_format *format_of(const struct virt_caps *caps,
                                             const struct virt_geometry *geometry)
{
	return geometry->format != NULL ? geometry->format : caps->format;
}

static bool geometries_are_sound(struct suite_run *run)
{
	const struct virt_caps *caps = &run->host->caps;
	unsigned bits = 0;

	for (size_t i = 0; i < caps->geometry_count; i++) {
		const struct virt_geometry *geometry = &caps->geometries[i];

		if (mm_npt_config_check(format_of(caps, geometry), &geometry->npt) != MM_OK)
			suite_fail(run, "geometry %s does not suit the format", geometry->name);
		if (mm_npt_gpa_bits(&geometry->npt) < bits)
			suite_fail(run, "geometry %s is not in order", geometry->name);
		bits = mm_npt_gpa_bits(&geometry->npt);
		if (geometry->npt.hpa_bits > 52 + 4 || geometry->npt.hpa_bits < 32)
			suite_fail(run, "geometry %s: %u bits of host addresses", geometry->name,
			           geometry->npt.hpa_bits);
	}
	if (caps->geometry_count == 0)
		suite_fail(run, "no geometry at all");
	return run->complaints == 0;
}

static bool tags_are_sound(struct suite_run *run)
{
	const struct virt_caps *caps = &run->host->caps;

	if (caps->tag_bits > 32 || (caps->max_tag == 0) != (caps->tag_bits == 0))
		suite_fail(run, "%u tag bits, largest tag %" PRIu64, caps->tag_bits, caps->max_tag);
	if (caps->tag_bits != 0 && caps->max_tag >> caps->tag_bits != 0)
		suite_fail(run, "the largest tag has more than %u bits", caps->tag_bits);
	return run->complaints == 0;
}

/* Each reported geometry is tried. */
static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	const struct virt_caps *caps = &host->caps;
	const struct virt_geometry *geometry;
	uint64_t last;

	if (index >= caps->geometry_count)
		return false;
	geometry = &caps->geometries[index];
	last = (UINT64_C(1) << mm_npt_gpa_bits(&geometry->npt)) - PAGE;
	draft_name(d, "capability.geometry.%s", geometry->name);
	d->c.geometry = geometry;
	draft_area(d, (struct suite_area)LAZY(GUEST_RAM_BASE + 16 * MIB2, 4 * PAGE, MM_RW));
	draft_area(d, (struct suite_area)LAZY(last, PAGE, MM_RW));
	draft_op(d, (struct suite_op)FILL(GUEST_RAM_BASE + 16 * MIB2, 4, PAGE, 42));
	draft_op(d, (struct suite_op)CHECK(GUEST_RAM_BASE + 16 * MIB2, 4, PAGE, 42));
	draft_fault(d,
	            (struct suite_fault)MAPPED_SERIES(GUEST_RAM_BASE + 16 * MIB2, MM_W, 4, PAGE));
	return true;
}

static const struct suite_case cases[] = {
	{
		.name = "capability.features",
		.script = SCRIPT(SPIN(1)),
		.verify = features_have_names,
	},
	{
		.name = "capability.geometries",
		.script = SCRIPT(SPIN(1)),
		.verify = geometries_are_sound,
	},
	{
		.name = "capability.tags",
		.script = SCRIPT(SPIN(1)),
		.verify = tags_are_sound,
	},
};

const struct suite_subject suite_capability = {
	.name = "capability",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "capability.geometry.",
};
