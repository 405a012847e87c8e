/* SPDX-License-Identifier: BSD-2-Clause */
/* TAP 13: see tap.h. */
#include "kernel/tap.h"

#include "log.h"

static struct {
	unsigned planned;
	unsigned done;
	unsigned failed;
	unsigned skipped;
	unsigned todo;        /* failed, as expected here */
	unsigned passed_todo; /* expected to fail, and passed */
} tap;

void tap_begin(void)
{
	log_raw("TAP version 13");
}

void tap_plan(unsigned count, const char *why)
{
	tap.planned = count;
	if (why != NULL)
		log_raw("1..%u # SKIP %s", count, why);
	else
		log_raw("1..%u", count);
}

void tap_result(bool ok, const char *name, enum tap_directive directive, const char *why)
{
	static const char *const marks[] = {
		[TAP_NORMAL] = "",
		[TAP_SKIP] = " # SKIP ",
		[TAP_TODO] = " # TODO ",
	};

	tap.done++;
	tap.failed += !ok && directive == TAP_NORMAL;
	tap.skipped += directive == TAP_SKIP;
	tap.todo += !ok && directive == TAP_TODO;
	tap.passed_todo += ok && directive == TAP_TODO;
	log_raw("%s %u - %s%s%s", ok ? "ok" : "not ok", tap.done, name, marks[directive],
	        directive != TAP_NORMAL ? why : "");
}

bool tap_end(void)
{
	bool pass = tap.done == tap.planned && tap.failed == 0;

	log_line(LOG_INFO, "tests passed=%u failed=%u skipped=%u todo=%u unexpected_passes=%u",
	         tap.done - tap.failed - tap.skipped - tap.todo, tap.failed, tap.skipped, tap.todo,
	         tap.passed_todo);
	log_raw("# RESULT: %s", pass ? "PASS" : "FAIL");
	return pass;
}

void tap_fail(void)
{
	log_raw("# RESULT: FAIL");
}
