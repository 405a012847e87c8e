/* What the log says when a guest is killed. */
#ifndef KERNEL_KILL_REPORT_H
#define KERNEL_KILL_REPORT_H

#include "kernel/vm.h"
#include "vm_exit.h"

/* By the vCPU whose exit it was, after vm_kill() has answered true. */
void kill_report(const struct vm_vcpu *v, const struct vm_exit *exit);

#endif
