/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The jobs of a boot. Once virtualization is on, the first job that the command line selects runs.
 * It prints a TAP plan and its results (tap.h).
 */
#ifndef KERNEL_JOB_H
#define KERNEL_JOB_H

#include <stdbool.h>

#include "boot_info.h"
#include "kernel/cmdline.h"
#include "kernel/vm.h"

struct job {
	bool (*wanted)(const struct boot_info *info, const struct cmdline *options);
	/* NULL, or why the command line is refused (static text): then nothing was printed. */
	const char *(*run)(const struct host *host, const struct cmdline *options);
};

extern const struct job job_suite; /* test=, list: the target suite, in suite/ */
extern const struct job job_guest; /* guest=, or an image given at run time: guest_run.c */
extern const struct job job_demo;  /* otherwise: the demonstration, demo.c */

/* --- guest_run.c --- */

/* NULL, or why this guest= contradicts the other options (static text). */
const char *guest_conflict(const struct boot_info *info, const struct cmdline *options);

/* --- demo.c: its two parts, which the suite runs as cases. NULL, or what is wrong (static text)
 * --- */

/* The first faults of a guest with lazy memory, and which pages are backed. */
const char *demo_faults(const struct host *host);
/* Lazy, populated and linear backing, one after the other. */
const char *demo_backings(const struct host *host);
/* Is there enough memory for demo_backings()? */
bool demo_backings_fit(void);

#endif
