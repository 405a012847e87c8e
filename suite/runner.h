/* The suite as the rest of the kernel sees it. */
#ifndef SUITE_RUNNER_H
#define SUITE_RUNNER_H

#include "kernel/cmdline.h"
#include "kernel/host.h"

/* First of all: which geometry of nested tables the cases run on. NULL, or what is wrong. */
const char *suite_choose_geometry(const struct virt_caps *caps, const struct cmdline *options);
/* How many cases the command line selects on this machine. */
unsigned suite_count(const struct host *host, const struct cmdline *options);
/* Offers the names of all cases to a search that nearest_begin() started. */
struct nearest;
void suite_nearest(const struct host *host, struct nearest *near);
/* Their names, one line each. */
void suite_list(const struct host *host, const struct cmdline *options);
/* Runs them, a TAP line each. */
void suite_run(const struct host *host, const struct cmdline *options);

#endif
