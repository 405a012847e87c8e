/* SPDX-License-Identifier: BSD-2-Clause */
/* The demonstration (kernel/demo.c) as cases. It checks its own results. */
#include "kernel/job.h"
#include "suite/payload.h"

static void faults(struct suite_run *run, const void *data)
{
	const char *wrong = demo_faults(run->host);

	(void)data;
	if (wrong != NULL)
		suite_fail(run, "%s", wrong);
}

static void backings(struct suite_run *run, const void *data)
{
	const char *wrong;

	(void)data;
	if (!demo_backings_fit()) {
		run->skip = "no free block of 64 MiB, which the linear backing needs";
		return;
	}
	wrong = demo_backings(run->host);
	if (wrong != NULL)
		suite_fail(run, "%s", wrong);
}

static const struct suite_case cases[] = {
	{.name = "demo.faults", .run = faults},
	{.name = "demo.backings", .run = backings},
};

const struct suite_subject suite_payload_demo = {
	.name = "demo",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
