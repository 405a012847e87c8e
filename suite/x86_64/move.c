/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moves vCPU 0 to another CPU and back, in the middle of its script. The CPU that is left gets the
 * vCPU back at the guest's next hypercall, which it then answers.
 */
#include "cpu_work.h"
#include "machine.h"
#include "suite/x86_64/x86.h"

#define OTHER_CPU 1U

/* Exits that do not end the stay: the deadline of the other CPU's slice, interrupts. */
static void run_there(void *arg)
{
	struct vcpu *vcpu = arg;
	struct vm_exit exit;

	vcpu->ops->call_return(vcpu, GUEST_OK, 0);
	do {
		vcpu->ops->run(vcpu, UINT64_MAX, &exit);
	} while (exit.kind == VM_EXIT_INTERRUPT || exit.kind == VM_EXIT_DEADLINE);
	vcpu->ops->park(vcpu);
}

uint64_t x86_move(struct suite_run *run, uint64_t number)
{
	struct vcpu *vcpu = &run->vm->vcpus[0].vcpu;

	(void)number;
	vcpu->ops->park(vcpu);
	cpu_work_give(OTHER_CPU, run_there, vcpu);
	cpu_work_wait(OTHER_CPU);
	return 0;
}
