/* What is written down of a guest's exits while a test or the log wants to know. */
#ifndef KERNEL_WATCH_H
#define KERNEL_WATCH_H

#include "kernel/vm.h"
#include "vm_exit.h"

/* aspace_fault(), timed, recorded in vm->trace, and logged at LOG_FAULTS. */
enum mm_fault watch_fault(struct vm_vcpu *v, const struct vm_exit_fault *fault);

/* The log's line about a fault, whatever the level. */
void watch_log_fault(const struct vm *vm, const struct fault_record *fault);

/* A line per exit, at LOG_EXITS. */
void watch_exit(struct vm_vcpu *v, const struct vm_exit *exit);

#endif
