/*
 * What a boot does once virtualization is on: the first job that the command line wants runs, and
 * prints a TAP plan and its results (tap.h).
 */
#ifndef KERNEL_JOB_H
#define KERNEL_JOB_H

#include "boot_info.h"
#include "kernel/cmdline.h"
#include "kernel/host.h"

struct job {
	bool (*wanted)(const struct boot_info *info, const struct cmdline *options);
	/* NULL, or why the command line is refused (static text): nothing has been printed. */
	const char *(*run)(const struct host *host, const struct cmdline *options);
};

extern const struct job job_suite; /* test=, list: the target suite, outside of kernel/ */
extern const struct job job_guest; /* guest=, or an image given at run time: one guest */
extern const struct job job_demo;  /* always wanted: the demonstration */

#endif
