/* What the extension's probe found, asked by name. */
#ifndef SUITE_FEATURE_H
#define SUITE_FEATURE_H

#include <stdbool.h>

#include "kernel/host.h"

/* Does the machine report this feature? */
bool suite_has_feature(const struct host *host, const char *name);

#endif
