/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of one VM: it is created, runs to its end and is destroyed, and its frames are counted.
 * There is one session at a time. Its results can be read until the next one begins.
 */
#ifndef KERNEL_SESSION_H
#define KERNEL_SESSION_H

#include "kernel/vm.h"

#define MIB(n)   ((uint64_t)(n) << 20)
#define GIB(n)   ((uint64_t)(n) << 30)
#define PAGES(n) ((uint64_t)(n) << MM_PAGE_SHIFT)

/* How many faults a traced session records. Later ones are only counted. */
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
	uint64_t run_cycles;   /* machine_cycles() of vm_run() */
	uint64_t leaked;       /* frames that are missing after vm_destroy() */
};

/* The description of a VM: the linked guest `guest`, with one area at GUEST_ARENA_BASE. */
struct vm_config session_config(const char *name, const char *guest, enum vm_backing backing,
                                uint64_t arena_bytes);

/* Is there enough free memory for so many bytes of guest memory, their tables and the image? */
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

/* Compares the trace with the expected faults: `count` faults at `first`, `first + stride`, ...
 * with this access, all mapped. NULL, or the first difference as text (static). */
const char *session_trace_differs(const struct session *s, mm_gpa_t first, uint64_t stride,
                                  uint64_t count, enum mm_perm access);

#endif
