/* A case while it runs: what its own hypervisor code (steps, verify) works on. */
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
	hpa_t linear;               /* the suite's own 2 MiB of host memory */
	struct aspace_stats before; /* as the guest started */
	struct fault_trace trace;
	uint64_t scratch[8]; /* for the steps of the case; zero at the start */
	unsigned complaints; /* things that were not as they must be; the first few in words: */
	char why[SUITE_WHYS][SUITE_WHY];
	char place[SUITE_VCPUS][SUITE_WHY]; /* of each vCPU, if the VM did not end by itself */
	const char *skip;                   /* why it cannot run here; NULL if it can */
	uint64_t seed;
};

/* Notes what was not as it must be, for the log. Always false. */
bool suite_fail(struct suite_run *run, const char *format, ...) MM_PRINTF_LIKE(2, 3);

/* Has the arena so many present leaves of this level? Complains if not. */
bool suite_expect_leaves(struct suite_run *run, unsigned level, uint64_t count);

/* Notes where each vCPU of a VM that did not end by itself was, for the log. */
void suite_note_places(struct suite_run *run, const struct vm *vm);

/* Is there a present leaf of exactly this level at that address? Complains if not. */
bool suite_expect_leaf_at(struct suite_run *run, uint64_t gpa, unsigned level);

/* Chooses the geometry of nested tables that the cases of this run have. False: there is none. */

bool suite_choose_geometry(const struct virt_caps *caps, const struct cmdline *options);

/* The suite's linear memory: 2 MiB, cleared once, the same for the whole run from the first case
 * that takes it. False: there is none. */
bool suite_linear_take(void) MM_MUST_CHECK;
void suite_linear_give(void);
uint64_t suite_linear_offset(void);
void *suite_linear_memory(void);

/* Maps the aligned host memory of a leaf of this level, in which the suite's linear memory lies,
 * into the arena that begins at gpa (a multiple of 1 GiB), at the same offset in its GiB. */
bool suite_linear_around(struct suite_run *run, uint64_t gpa, unsigned level);

#endif
