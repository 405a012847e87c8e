/* Running one guest alone: by name, or an image that was given at run time. The job is in job.h. */
#ifndef KERNEL_GUEST_RUN_H
#define KERNEL_GUEST_RUN_H

#include "boot_info.h"
#include "kernel/cmdline.h"

/* NULL, or why this guest= cannot be run beside the rest of what was given. */
const char *guest_conflict(const struct boot_info *info, const struct cmdline *options);

#endif
