/* What this machine gives to every VM: the extension that was found, and what it can do. */
#ifndef KERNEL_HOST_H
#define KERNEL_HOST_H

#include "boot_info.h"
#include "vcpu.h"

struct host {
	const struct boot_info *boot;
	const struct virt_ops *ops;
	struct virt_caps caps;
	unsigned cpus; /* that are up and have the extension on */
};

#endif
