/* SPDX-License-Identifier: BSD-2-Clause */
/* Cases that are a function: see payload.h. */
#include "suite/payload.h"

bool payload_fits(struct suite_run *run, uint64_t bytes)
{
	if (session_fits(bytes))
		return true;
	run->skip = "less free memory than the case fills";
	return false;
}

bool payload_fits_linear(struct suite_run *run, uint64_t bytes)
{
	if (session_fits_linear(bytes))
		return true;
	run->skip = "no free block of memory as large as the case needs";
	return false;
}

bool payload_fits_leaves(struct suite_run *run, uint64_t bytes)
{
	if (session_fits_leaves(bytes))
		return true;
	run->skip = "fewer free blocks of 2 MiB than the case fills";
	return false;
}

struct session *payload_begin(struct suite_run *run, const struct vm_config *config, bool traced)
{
	struct session *s = session_begin(run->host, config, traced);

	if (s == NULL)
		suite_fail(run, "vm %s: %s", config->name, session_error());
	return s;
}

void payload_end(struct suite_run *run, struct session *s)
{
	if (vm_outcome(&s->vm) == VM_KILLED)
		suite_note_places(run, &s->vm);
	session_end(s);
	EXPECT_EQ(run, s->leaked, 0);
	EXPECT_EQ(run, s->vm.frames.taken, 0);
}

struct session *payload_run(struct suite_run *run, const struct vm_config *config)
{
	struct session *s = payload_begin(run, config, false);

	if (s == NULL)
		return NULL;
	session_run(s);
	payload_end(run, s);
	return s;
}

/* --- expectations --- */

bool payload_expect_eq(struct suite_run *run, const char *file, int line, const char *what,
                       uint64_t got, uint64_t expected)
{
	return got == expected || suite_fail(run,
	                                     "%s:%d: %s: expected %" PRIu64 " (0x%" PRIx64
	                                     "), got %" PRIu64 " (0x%" PRIx64 ")",
	                                     file, line, what, expected, expected, got, got);
}

void expect_exit(struct suite_run *run, const struct session *s)
{
	EXPECT_EQ(run, vm_outcome(&s->vm), VM_EXITED);
	EXPECT_EQ(run, s->vm.exit_status, 0);
}

void expect_kill(struct suite_run *run, const struct session *s, enum vm_kill reason, mm_gpa_t gpa)
{
	EXPECT_EQ(run, vm_outcome(&s->vm), VM_KILLED);
	EXPECT_EQ(run, s->vm.reason, reason);
	EXPECT_EQ(run, s->vm.kill_gpa.raw, gpa.raw);
}

void expect_faults(struct suite_run *run, const struct session *s, uint64_t count)
{
	EXPECT_EQ(run, s->vm.stats.faults[MM_FAULT_MAPPED], count);
	EXPECT_EQ(run, session_faults(s), count);
}

void expect_trace(struct suite_run *run, const struct session *s, mm_gpa_t first, uint64_t stride,
                  uint64_t count, enum mm_perm access)
{
	const char *difference = session_trace_differs(s, first, stride, count, access);

	if (difference != NULL)
		suite_fail(run, "%s", difference);
}
