/*
 * What the cases on the target are made of: one VM from a description, run to its end, and its
 * account closed. One at a time; the VM's numbers can be read until the next one begins.
 */
#ifndef SUITE_SCENARIO_H
#define SUITE_SCENARIO_H

#include "kernel/vm.h"
#include "suite/test.h"

#define ARENA    GUEST_ARENA_BASE
#define MIB(n)   ((uint64_t)(n) << 20)
#define GIB(n)   ((uint64_t)(n) << 30)
#define PAGES(n) ((uint64_t)(n) << MM_PAGE_SHIFT)

#define SCENARIO_RECORDS 16384

/* What guests/lazy.c takes and tells. */
enum {
	LAZY_READ,
	LAZY_WRITE
};
enum {
	LAZY_TOUCHES,
	LAZY_NOT_ZERO,
	LAZY_NOT_KEPT,
	LAZY_FAULTS_FIRST,
	LAZY_FAULTS_AGAIN,
	LAZY_CYCLES,
};

struct scenario {
	struct vm vm;
	struct fault_trace trace;
	uint64_t setup_cycles; /* vm_create() */
	uint64_t run_cycles;   /* vm_run() */
	uint64_t leaked;
};

/* A description: payload `guest` with one area at ARENA. */
struct vm_config scenario_config(const char *name, const char *guest, enum vm_backing backing,
                                 uint64_t arena_bytes);

/* Are so many bytes of guest memory there, and what tables and the guest itself take? If not, the
 * case is skipped. */
bool scenario_fits(struct test *t, uint64_t bytes);
/* In one block, as VM_LINEAR wants it. */
bool scenario_fits_linear(struct test *t, uint64_t bytes);

/* Creates the VM. NULL: it could not be, and the test has failed. `traced`: write down the first
 * SCENARIO_RECORDS faults. */
struct scenario *scenario_begin(struct test *t, const struct vm_config *config, bool traced);
/* Runs it until it has ended, one way or another. */
void scenario_run(struct scenario *s);
/* Destroys it, prints its summary; a leaked frame fails the test. */
void scenario_end(struct test *t, struct scenario *s);

/* All of these in one, without a trace. NULL as above. */
struct scenario *scenario_do(struct test *t, const struct vm_config *config);

/* Did it exit with status 0? */
void expect_exit(struct test *t, const struct scenario *s);
/* Was it killed, for this reason, at this address? */
void expect_kill(struct test *t, const struct scenario *s, enum vm_kill reason, gpa_t gpa);
/* Were these the faults that took a frame, this many in all, and none but them? */
void expect_faults(struct test *t, const struct scenario *s, uint64_t count);
/* Did the faults written down come at `first`, `first + stride`, ... with this access? */
void expect_trace(struct test *t, const struct scenario *s, gpa_t first, uint64_t stride,
                  uint64_t count, enum mm_perm access);

#endif
