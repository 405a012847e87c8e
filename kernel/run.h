/*
 * The run loop: a vCPU runs until its guest exits, the exit is answered, and it runs again.
 */
#ifndef KERNEL_RUN_H
#define KERNEL_RUN_H

#include "kernel/vm.h"

/*
 * Runs all vCPUs of a VM until it has ended: each on a CPU of its own as long as there are
 * enough, else by time slices. On return no CPU is in the guest.
 */
void vm_run(struct vm *vm);

/* The same for several VMs beside each other, with at most VM_RUN_VCPUS vCPUs in all. */
void vm_run_all(struct vm *const vms[], size_t count);

#define VM_RUN_VCPUS 32

/* A vCPU that takes this many nested faults in a row at one PC and GPA, although the tables permit
 * the access and do not change, is killed for a misconfigured entry. */
#define RUN_FUTILE_FAULTS 64

/* machine_cycles() when the first VM of this boot was about to run; 0 before that. */
uint64_t vm_first_run(void);

/* For the end of a run that hangs: stops every other CPU, and says for each where the hypervisor
 * was, and its guest at the last exit. */
void run_report_cpus(void);

#endif
