/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TAP 13, the format of test results: a plan, then one line per test. Only CPU 0 writes them.
 */
#ifndef KERNEL_TAP_H
#define KERNEL_TAP_H

#include <stdbool.h>

#include "mm/compiler.h"

enum tap_directive {
	TAP_NORMAL,
	TAP_SKIP, /* not run here: counts as passed */
	TAP_TODO, /* expected to fail here: a failure does not count */
};

/* "TAP version 13". */
void tap_begin(void);
/* "1..count". `why`: the reason for a count of 0, or NULL. */
void tap_plan(unsigned count, const char *why);
/* "ok 3 - name" or "not ok 3 - name", followed by "# SKIP why" or "# TODO why". */
void tap_result(bool ok, const char *name, enum tap_directive directive, const char *why);
/* "# RESULT: PASS" or "# RESULT: FAIL": true if the plan is complete and nothing failed. */
bool tap_end(void);
/* "# RESULT: FAIL", for a run that cannot begin. */
void tap_fail(void);

#endif
