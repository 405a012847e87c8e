/* SPDX-License-Identifier: BSD-2-Clause */
#include "geometry.h"

#include <stdio.h>
#include <stdlib.h>

#include "mm/compiler.h"

#include "golden.h"

/* Every format that has a golden_*.c. */
#define FORMATS(format) format(ept) format(amd) format(stage2) format(stage2_lpa2) format(gstage)

#define DECLARE(name) extern const struct golden_format golden_##name;
#define POINTER(name) &golden_##name,

FORMATS(DECLARE)

static const struct golden_format *const formats[] = {FORMATS(POINTER)};

#define MOST_GEOMETRIES 32

static struct geometry all[MOST_GEOMETRIES];
const struct geometry *const geometries = all;
size_t geometry_count;

/* Before main(): the programs look at the list as if it were a constant. */
__attribute__((constructor)) static void list_geometries(void)
{
	for (size_t f = 0; f < MM_ARRAY_SIZE(formats); f++) {
		for (size_t g = 0; g < formats[f]->geometry_count; g++) {
			if (geometry_count == MM_ARRAY_SIZE(all))
				abort();
			all[geometry_count++] = formats[f]->geometries[g];
		}
	}
}

const struct golden_format *golden_of(const struct mm_npt_format *format)
{
	for (size_t f = 0; f < MM_ARRAY_SIZE(formats); f++) {
		if (formats[f]->format == format)
			return formats[f];
	}
	check_failed(__FILE__, __LINE__, "no golden_*.c has format %s",
	             format ? mm_npt_format_name(format) : "NULL");
}

bool is_ept(const struct geometry *geo)
{
	return geo->format == &mm_npt_ept;
}

bool is_amd(const struct geometry *geo)
{
	return geo->format == &mm_npt_amd;
}

bool is_arm(const struct geometry *geo)
{
	return geo->format == &mm_npt_stage2 || geo->format == &mm_npt_stage2_lpa2;
}

bool is_riscv(const struct geometry *geo)
{
	return geo->format == &mm_npt_gstage;
}

bool needs_break(const struct geometry *geo)
{
	return golden_of(geo->format)->break_before_make;
}

bool caches_absent(const struct geometry *geo)
{
	return golden_of(geo->format)->caches_absent;
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
