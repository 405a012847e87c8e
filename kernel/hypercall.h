/* Faultline's own hypercalls: guests/abi.h, enum guest_call. */
#ifndef KERNEL_HYPERCALL_H
#define KERNEL_HYPERCALL_H

#include "kernel/vm.h"
#include "vm_exit.h"

/* Answers one call; unknown ones with an error code. True: the vCPU gives its time slice away. */
bool hypercall(struct vm_vcpu *v, const struct vm_exit_call *call);

#endif
