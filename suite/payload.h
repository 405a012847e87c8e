/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases that are a function. Most of them run a payload guest (guests/) as one VM and check its
 * counters. EXPECT and EXPECT_EQ note the first few differences for the log.
 *
 *	static void hello(struct suite_run *run, const void *data)
 *	{
 *		struct vm_config config = session_config("hello", "hello", VM_LAZY, MIB(1));
 *		struct session *s = payload_run(run, &config);
 *
 *		if (s != NULL)
 *			expect_exit(run, s);
 *	}
 */
#ifndef SUITE_PAYLOAD_H
#define SUITE_PAYLOAD_H

#include "kernel/session.h"
#include "suite/run.h"
#include "suite/suite.h"

/* With less free memory the case is skipped: see session_fits(). */
bool payload_fits(struct suite_run *run, uint64_t bytes);
bool payload_fits_linear(struct suite_run *run, uint64_t bytes);
bool payload_fits_leaves(struct suite_run *run, uint64_t bytes);

/* Calls session_begin(). NULL: the VM cannot be created, and the case has failed. */
struct session *payload_begin(struct suite_run *run, const struct vm_config *config, bool traced);
/* Calls session_end(). A leaked frame fails the case. */
void payload_end(struct suite_run *run, struct session *s);
/* A whole session without a trace. NULL as for payload_run(). */
struct session *payload_run(struct suite_run *run, const struct vm_config *config);

#define EXPECT(run, condition)                                                                     \
	do {                                                                                       \
		if (!(condition))                                                                  \
			suite_fail(run, "%s:%d: expected %s", __FILE__, __LINE__, #condition);     \
	} while (0)

#define EXPECT_EQ(run, got, expected)                                                              \
	payload_expect_eq(run, __FILE__, __LINE__, #got, (uint64_t)(got), (uint64_t)(expected))

bool payload_expect_eq(struct suite_run *run, const char *file, int line, const char *what,
                       uint64_t got, uint64_t expected);

/* Expects that the guest exited with status 0. */
void expect_exit(struct suite_run *run, const struct session *s);
/* Expects that the guest was killed for this reason at this address. */
void expect_kill(struct suite_run *run, const struct session *s, enum vm_kill reason, mm_gpa_t gpa);
/* Expects exactly these faults that took a frame, and this total number of them. */
void expect_faults(struct suite_run *run, const struct session *s, uint64_t count);
/* Calls session_trace_differs(). */
void expect_trace(struct suite_run *run, const struct session *s, mm_gpa_t first, uint64_t stride,
                  uint64_t count, enum mm_perm access);

#endif
