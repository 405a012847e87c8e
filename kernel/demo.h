/* The demonstration: what a boot without test= and guest= shows. The suite runs it as well. */
#ifndef KERNEL_DEMO_H
#define KERNEL_DEMO_H

#include <stdbool.h>

#include "kernel/host.h"

/* Both answer NULL, or what is not as it must be (static text). */

/* The first faults of a guest with lazily backed memory, and what came to be backed. */
const char *demo_faults(const struct host *host);
/* Lazy, populated and linear backing side by side. */
const char *demo_backings(const struct host *host);
/* Is there enough memory for it? */
bool demo_backings_fit(void);

#endif
