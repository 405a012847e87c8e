/* SPDX-License-Identifier: BSD-2-Clause */
/* The features that the extension's probe found, by name. */
#ifndef SUITE_FEATURE_H
#define SUITE_FEATURE_H

#include <stdbool.h>

#include "kernel/vm.h"

/* True if the machine reports this feature. */
bool suite_has_feature(const struct host *host, const char *name);

#endif
