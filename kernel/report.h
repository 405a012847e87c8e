/* What the log says of the machine and of the virtualization it offers. */
#ifndef KERNEL_REPORT_H
#define KERNEL_REPORT_H

#include "boot_info.h"
#include "vcpu.h"

void report_boot(const struct boot_info *info);
void report_caps(const struct virt_ops *ops, const struct virt_caps *caps);

#endif
