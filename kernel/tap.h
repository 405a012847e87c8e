/*
 * TAP 13, the way tests are reported: a plan first, then one line per test in order. Only one
 * CPU reports.
 */
#ifndef KERNEL_TAP_H
#define KERNEL_TAP_H

#include <stdbool.h>

#include "mm/compiler.h"

enum tap_directive {
	TAP_NORMAL,
	TAP_SKIP, /* not run here: always counts as passed */
	TAP_TODO, /* expected to fail here: a failure does not count */
};

/* "TAP version 13". */
void tap_begin(void);
/* "1..count"; `why` says why it is none, or is NULL. */
void tap_plan(unsigned count, const char *why);
/* "ok 3 - name" or "not ok 3 - name", with "# SKIP why" or "# TODO why" behind it. */
void tap_result(bool ok, const char *name, enum tap_directive directive, const char *why);
/* "# RESULT: PASS" or "# RESULT: FAIL": true if the plan is complete and nothing failed. */
bool tap_end(void);
/* The verdict of a run that could not even begin. */
void tap_fail(void);

#endif
