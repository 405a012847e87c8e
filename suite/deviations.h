/* Where emulators are known to be otherwise than the manuals: one table, docs/testing.md. */
#ifndef SUITE_DEVIATIONS_H
#define SUITE_DEVIATIONS_H

#include "kernel/host.h"
#include "kernel/tap.h"

/* TAP_TODO: this case is expected to fail on this emulator (kernel/emulator.h) with
 * the extension, the features and the CPUs that the machine has; TAP_SKIP: it must not even be
 * tried. *reason says why. Otherwise TAP_NORMAL, and *reason is NULL. */
enum tap_directive deviation(const char *emulator, const struct host *host, const char *name,
                             const char **reason);

#endif
