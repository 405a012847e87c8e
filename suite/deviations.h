/* SPDX-License-Identifier: BSD-2-Clause */
/* Known deviations of emulators from the manuals: one table. See docs/testing.md. */
#ifndef SUITE_DEVIATIONS_H
#define SUITE_DEVIATIONS_H

#include "kernel/tap.h"
#include "kernel/vm.h"

/* TAP_TODO: this case is expected to fail on this emulator (kernel/emulator.h) with the machine's
 * extension, features and CPUs. TAP_SKIP: the case must not be run. *reason gives the reason.
 * Otherwise TAP_NORMAL, and *reason is NULL. */
enum tap_directive deviation(const char *emulator, const struct host *host, const char *name,
                             const char **reason);

#endif
