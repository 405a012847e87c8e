/*
 * One VM from its description to its account: created, run to its end, destroyed, and its frames
 * counted. One at a time: there is a single session, whose numbers can be read until the next one
 * begins.
 */
#ifndef KERNEL_SESSION_H
#define KERNEL_SESSION_H

#include "kernel/vm.h"

#define MIB(n)   ((uint64_t)(n) << 20)
#define GIB(n)   ((uint64_t)(n) << 30)
#define PAGES(n) ((uint64_t)(n) << MM_PAGE_SHIFT)

/* The faults that a traced session records; later ones are only counted. */
#define SESSION_RECORDS 16384

/* The arguments and the reports of guests/lazy.c. */
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

struct session {
	struct vm vm;
	struct fault_trace trace;
	uint64_t setup_cycles; /* machine_cycles() of vm_create() */
	uint64_t run_cycles;   /* ...and of vm_run() */
	uint64_t leaked;       /* frames that vm_destroy() did not get back */
};

/* A description: the linked payload `guest` with one area at GUEST_ARENA_BASE. */
struct vm_config session_config(const char *name, const char *guest, enum vm_backing backing,
                                uint64_t arena_bytes);

/* Is there free memory for so many bytes of guest memory, their tables and the guest itself? */
bool session_fits(uint64_t bytes);
/* The same, in one block, as VM_LINEAR needs it. */
bool session_fits_linear(uint64_t bytes);
/* The same, in blocks of 2 MiB: at most 128 MiB in all. */
bool session_fits_leaves(uint64_t bytes);

/* Creates the VM. NULL: it cannot be created, and session_error() says why. `traced`: records
 * faults. */
struct session *session_begin(const struct host *host, const struct vm_config *config, bool traced);
const char *session_error(void);
/* Runs it until it has ended. */
void session_run(struct session *s);
/* Destroys it and logs its summary: one line at LOG_INFO. */
void session_end(struct session *s);

/* Nested faults of the session's VM, whatever their outcome. */
uint64_t session_faults(const struct session *s);

/* Looks for a fault in the trace that is not the expected one: `count` faults at `first`, `first +
 * stride`, ... with this access, all served. NULL, or the first difference in words (static). */
const char *session_trace_differs(const struct session *s, gpa_t first, uint64_t stride,
                                  uint64_t count, enum mm_perm access);

#endif
