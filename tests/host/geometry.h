/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every table geometry that the tests run on: each format, in the shapes that machines have. The
 * rows are in golden_ept.c and its like.
 */
#ifndef GEOMETRY_H
#define GEOMETRY_H

#include <stddef.h>

#include "mm/npt_format.h"

#include "check.h"

struct geometry {
	const char *name;
	const struct mm_npt_format *format;
	struct mm_npt_config config;
};

extern const struct geometry *const geometries;
extern size_t geometry_count;

/* A test that runs once per geometry, or per geometry of some formats. */
struct geometry_test {
	const char *name;
	void (*run)(const struct geometry *geo);
	bool (*applies)(const struct geometry *geo); /* NULL: to all */
};

#define GEOMETRY_TEST(function)                                                                    \
	{                                                                                          \
#function, function, NULL                                                          \
	}
#define GEOMETRY_TEST_IF(function, when)                                                           \
	{                                                                                          \
#function, function, when                                                          \
	}

/* Runs all of them as one cmocka group, named "case/geometry". */
int run_geometry_tests(const char *group, const struct geometry_test *tests, size_t n);

bool is_ept(const struct geometry *geo);
bool is_amd(const struct geometry *geo);
bool is_arm(const struct geometry *geo);
bool is_riscv(const struct geometry *geo);

/* See struct golden_format. */
bool needs_break(const struct geometry *geo);
bool caches_absent(const struct geometry *geo);

#endif
