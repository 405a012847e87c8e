/* Running one guest alone: by name, or an image that was given at run time. */
#ifndef KERNEL_GUEST_RUN_H
#define KERNEL_GUEST_RUN_H

#include "boot_info.h"
#include "kernel/cmdline.h"
#include "kernel/host.h"

/* Is there a guest= on the command line, or an image beside it? */
bool guest_wanted(const struct boot_info *info, const struct cmdline *options);

/* NULL, or why this guest= cannot be run beside the rest of what was given. */
const char *guest_conflict(const struct boot_info *info, const struct cmdline *options);

/* Runs it as a plan of one test: passed if the guest exits with status 0. An image that does not
 * fit, an unknown name or too little memory is a failure that says so. */
void guest_run(const struct host *host, const struct cmdline *options);

#endif
