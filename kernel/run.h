/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run loop: a vCPU runs until its guest exits; the hypervisor answers the exit; the vCPU runs
 * again.
 */
#ifndef KERNEL_RUN_H
#define KERNEL_RUN_H

#include "kernel/vm.h"
#include "vm_exit.h"

/*
 * Runs all vCPUs of a VM until it has ended: each on a CPU of its own if there are enough CPUs,
 * else in time slices. On return no CPU is in the guest. If a VM of the run has enum vm_moves, all
 * CPUs take part.
 */
void vm_run(struct vm *vm);

/* The same for several VMs at the same time, with at most VM_RUN_VCPUS vCPUs in all. */
void vm_run_all(struct vm *const vms[], size_t count);

#define VM_RUN_VCPUS 72

/* The limit of consecutive nested faults at one PC and GPA while the tables permit the access and
 * do not change. Then the VM is killed for a misconfigured entry. */
#define RUN_FUTILE_FAULTS 64

/* machine_cycles() just before the first VM of this boot ran; 0 before that. */
uint64_t vm_first_run(void);

/* For the end of a run that hangs: stops every other CPU. Logs for each where the hypervisor was,
 * and where its guest was at the last exit. */
void run_report_cpus(void);

/* --- hypercall.c: Faultline's own hypercalls, enum guest_call in guests/abi.h --- */

/* Answers one call. An unknown call is answered with an error code. True: the vCPU gives the rest
 * of its time slice away. */
bool hypercall(struct vm_vcpu *v, const struct vm_exit_call *call);

/* --- trace.c: what is recorded and logged of a guest --- */

/* mm_aspace_fault(), measured, recorded in vm->trace, and logged at LOG_FAULTS. */
enum mm_fault trace_fault(struct vm_vcpu *v, const struct vm_exit_fault *fault);
/* The log's line about a fault, whatever the level. */
void trace_log_fault(const struct vm *vm, const struct fault_record *fault);
/* A line per exit, at LOG_EXITS. */
void trace_exit(struct vm_vcpu *v, const struct vm_exit *exit);
/* The report on a killed guest, on the vCPU of that exit, after vm_kill() has answered true. */
void trace_kill(const struct vm_vcpu *v, const struct vm_exit *exit);

#endif
