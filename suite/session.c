/* SPDX-License-Identifier: BSD-2-Clause */
/* What session.h promises: its figures, its comparison of traces, and its tests for free memory. */
#include "kernel/session.h"
#include "frame.h"
#include "kernel/string.h"
#include "machine.h"
#include "suite/payload.h"

#define TOUCHES 8U

static struct vm_config touching(void)
{
	struct vm_config config = session_config("session", "lazy", VM_LAZY, MIB(1));

	config.args[0] = LAZY_WRITE;
	config.args[1] = MM_PAGE_SIZE;
	config.args[2] = TOUCHES;
	return config;
}

static void differs(struct suite_run *run, const void *data)
{
	struct vm_config config = touching();
	struct session *s = payload_begin(run, &config, true);
	mm_gpa_t first = mm_gpa_at(ARENA);

	(void)data;
	if (s == NULL)
		return;
	session_run(s);
	payload_end(run, s);
	expect_exit(run, s);
	EXPECT_EQ(run, session_faults(s), TOUCHES);
	EXPECT(run, session_trace_differs(s, first, MM_PAGE_SIZE, TOUCHES, MM_W) == NULL);
	EXPECT(run, session_trace_differs(s, first, MM_PAGE_SIZE, TOUCHES, MM_R) != NULL);
	EXPECT(run, session_trace_differs(s, first, MM_PAGE_SIZE, TOUCHES - 1, MM_W) != NULL);
	EXPECT(run, session_trace_differs(s, first, MM_PAGE_SIZE, TOUCHES + 1, MM_W) != NULL);
	EXPECT(run, session_trace_differs(s, first, 2 * MM_PAGE_SIZE, TOUCHES, MM_W) != NULL);
	EXPECT(run, session_trace_differs(s, mm_gpa_plus(first, 8), MM_PAGE_SIZE, TOUCHES, MM_W) !=
	                    NULL);
	for (unsigned i = 0; i < TOUCHES; i++) {
		EXPECT_EQ(run, s->trace.records[i].vcpu, 0);
		EXPECT_EQ(run, s->trace.records[i].size, MM_PAGE_SIZE);
		EXPECT(run, !s->trace.records[i].stage1_walk);
	}
	EXPECT(run, s->setup_cycles != 0 || machine_cycles() == 0);
	EXPECT(run, s->run_cycles != 0 || machine_cycles() == 0);
}

/* A frame that the VM loses is missing at the end. */
static void leaks(struct suite_run *run, const void *data)
{
	struct vm_config config = touching();
	struct session *s = session_begin(run->host, &config, false);
	mm_hpa_t lost;

	(void)data;
	if (s == NULL || !frame_alloc(0, &lost)) {
		suite_fail(run, "no VM: %s", session_error());
		return;
	}
	session_run(s);
	session_end(s);
	EXPECT_EQ(run, s->leaked, 1);
	frame_free(0, lost);
}

static void fits(struct suite_run *run, const void *data)
{
	uint64_t bytes = PAGES(frames_free());
	uint64_t free = frames_free();

	(void)data;
	EXPECT(run, !session_fits(bytes));
	EXPECT(run, session_fits(bytes / 4));
	EXPECT(run, !session_fits_linear(bytes));
	EXPECT(run, session_fits_linear(MM_PAGE_SIZE));
	EXPECT_EQ(run, frames_free(), free);
	(void)session_fits_leaves(MIB(4));
	EXPECT_EQ(run, frames_free(), free);
}

/* What session_fits_linear() has found can be allocated, in one block. */
static void fits_linear(struct suite_run *run, const void *data)
{
	(void)data;
	for (uint64_t pages = 1; pages < 20; pages++) {
		unsigned order = 0;
		mm_hpa_t block;

		while ((UINT64_C(1) << order) < pages)
			order++;
		if (!session_fits_linear(PAGES(pages)))
			continue;
		if (!frame_alloc(order, &block)) {
			suite_fail(run, "%" PRIu64 " pages do not fit", pages);
			return;
		}
		frame_free(order, block);
	}
}

static const struct suite_case cases[] = {
	{.name = "session.differs", .run = differs},
	{.name = "session.leaks", .run = leaks},
	{.name = "session.fits", .run = fits},
	{.name = "session.fits.linear", .run = fits_linear},
};

const struct suite_subject suite_session = {
	.name = "session",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
