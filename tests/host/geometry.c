#include "geometry.h"

#include <stdio.h>
#include <stdlib.h>

const struct geometry geometries[] = {
	{"ept4",
         &npt_ept,
         {.levels = 4,
          .root_bits = 9,
          .hpa_bits = 46,
          .max_leaf = 2,
          .execute_only = true,
          .accessed_dirty = true}},
	/* A Sandy Bridge: no 1 GiB leaves, no execute-only, no A/D. */
	{"ept4-old", &npt_ept, {.levels = 4, .root_bits = 9, .hpa_bits = 40, .max_leaf = 1}},
	{"ept5",
         &npt_ept,
         {.levels = 5, .root_bits = 9, .hpa_bits = 52, .max_leaf = 2, .accessed_dirty = true}},
	{"amd4",
         &npt_amd,
         {.levels = 4, .root_bits = 9, .hpa_bits = 48, .max_leaf = 2, .accessed_dirty = true}},
	{"amd5", &npt_amd, {.levels = 5, .root_bits = 9, .hpa_bits = 52, .max_leaf = 2}},
	/* T0SZ = 32: three levels with a root of 4 entries, or two with 4 concatenated tables. */
	{"ipa32",
         &npt_stage2,
         {.levels = 3, .root_bits = 2, .hpa_bits = 40, .max_leaf = 2, .execute_only = true}},
	{"ipa32c",
         &npt_stage2,
         {.levels = 2, .root_bits = 11, .hpa_bits = 40, .max_leaf = 1, .execute_only = true}},
	/* A Cortex-A72: two concatenated tables at level 1. */
	{"ipa40",
         &npt_stage2,
         {.levels = 3, .root_bits = 10, .hpa_bits = 44, .max_leaf = 2, .execute_only = true}},
	{"ipa48",
         &npt_stage2,
         {.levels = 4,
          .root_bits = 9,
          .hpa_bits = 48,
          .max_leaf = 2,
          .execute_only = true,
          .accessed_dirty = true}},
	{"ipa52",
         &npt_stage2_lpa2,
         {.levels = 5, .root_bits = 4, .hpa_bits = 52, .max_leaf = 3, .execute_only = true}},
	/* 16 concatenated tables at level 0. */
	{"ipa52c",
         &npt_stage2_lpa2,
         {.levels = 4,
          .root_bits = 13,
          .hpa_bits = 52,
          .max_leaf = 3,
          .execute_only = true,
          .accessed_dirty = true}},
	{"sv39x4",
         &npt_gstage,
         {.levels = 3,
          .root_bits = 11,
          .hpa_bits = 56,
          .max_leaf = 2,
          .execute_only = true,
          .accessed_dirty = true}},
	{"sv48x4",
         &npt_gstage,
         {.levels = 4, .root_bits = 11, .hpa_bits = 56, .max_leaf = 3, .execute_only = true}},
	{"sv57x4",
         &npt_gstage,
         {.levels = 5,
          .root_bits = 11,
          .hpa_bits = 50,
          .max_leaf = 4,
          .execute_only = true,
          .accessed_dirty = true}},
};

const size_t geometry_count = sizeof(geometries) / sizeof(geometries[0]);

bool is_ept(const struct geometry *geo)
{
	return geo->format == &npt_ept;
}

bool is_amd(const struct geometry *geo)
{
	return geo->format == &npt_amd;
}

bool is_arm(const struct geometry *geo)
{
	return geo->format == &npt_stage2 || geo->format == &npt_stage2_lpa2;
}

bool is_riscv(const struct geometry *geo)
{
	return geo->format == &npt_gstage;
}

/* One test on one geometry: what cmocka's state points to. */
struct instance {
	const struct geometry_test *test;
	const struct geometry *geo;
};

static void run_instance(void **state)
{
	const struct instance *instance = *state;
	check_context("format=%s", instance->geo->name);
	instance->test->run(instance->geo);
}

int run_geometry_tests(const char *group, const struct geometry_test *tests, size_t n)
{
	struct CMUnitTest *units = calloc(n * geometry_count, sizeof(*units));
	struct instance *instances = calloc(n * geometry_count, sizeof(*instances));
	size_t count = 0;
	for (size_t t = 0; t < n; t++) {
		for (size_t g = 0; g < geometry_count; g++) {
			const struct geometry *geo = &geometries[g];
			char *name;
			if (tests[t].applies && !tests[t].applies(geo))
				continue;
			if (asprintf(&name, "%s/%s", tests[t].name, geo->name) < 0)
				abort();
			instances[count] = (struct instance){&tests[t], geo};
			units[count] = (struct CMUnitTest){name, run_instance, NULL, NULL,
			                                   &instances[count]};
			count++;
		}
	}
	int failed = _cmocka_run_group_tests(group, units, count, NULL, NULL);
	for (size_t i = 0; i < count; i++)
		free((char *)(uintptr_t)units[i].name);
	free(units);
	free(instances);
	return failed;
}
