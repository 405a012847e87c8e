/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of a running case. The case's hypervisor code (steps, verify) works on it. */
#ifndef SUITE_RUN_H
#define SUITE_RUN_H

#include "kernel/cmdline.h"
#include "kernel/vm.h"
#include "log.h"
#include "suite/feature.h"
#include "suite/suite.h"

#define SUITE_TRACE 4096
#define SUITE_WHY   192
#define SUITE_WHYS  6

struct suite_run {
	const struct suite_case *c;
	const struct host *host;
	struct vm *vm;
	mm_hpa_t linear;               /* the suite's 2 MiB of host memory */
	struct mm_aspace_stats before; /* when the guest started */
	struct fault_trace trace;
	uint64_t scratch[8]; /* for the steps of the case; zero at the start */
	unsigned complaints; /* number of differences; the text of the first few: */
	char why[SUITE_WHYS][SUITE_WHY];
	char place[SUITE_VCPUS][SUITE_WHY]; /* of each vCPU, if the VM did not end by itself */
	const char *skip;                   /* why the case cannot run here; NULL if it can */
	uint64_t seed;
};

/* Notes a difference for the log. Always returns false. */
bool suite_fail(struct suite_run *run, const char *format, ...) MM_PRINTF_LIKE(2, 3);

/* True if the arena has this many present leaves of this level. Otherwise notes the difference. */
bool suite_expect_leaves(struct suite_run *run, unsigned level, uint64_t count);

/* Notes for the log where each vCPU of a VM was that did not end by itself. */
void suite_note_places(struct suite_run *run, const struct vm *vm);

/* True if there is a present leaf of exactly this level at that address. Otherwise notes the
 * difference. */
bool suite_expect_leaf_at(struct suite_run *run, uint64_t gpa, unsigned level);

/* Chooses the geometry of nested tables for the cases of this run. False: there is none. */

bool suite_choose_geometry(const struct virt_caps *caps, const struct cmdline *options);

/* Returns the suite's linear memory: 2 MiB. The first case that calls this function allocates and
 * clears it. All later cases of the run use the same memory. False: no memory. */
bool suite_linear_take(void) MM_MUST_CHECK;
void suite_linear_give(void);
uint64_t suite_linear_offset(void);
void *suite_linear_memory(void);

/* Maps a leaf of this level into the arena that begins at gpa (a multiple of 1 GiB). The leaf
 * covers the aligned host memory that contains the suite's linear memory. The offset in the GiB is
 * the same on both sides. */
bool suite_linear_around(struct suite_run *run, uint64_t gpa, unsigned level);

#endif
