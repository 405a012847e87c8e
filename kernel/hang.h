/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time limits of a guest: it hangs, it runs for too long, or it has used its budget.
 *
 * A round is one second of machine_ticks() in which a vCPU was in its guest or waited. Time is
 * added slice by slice, and a slice counts for at most one round. While the machine is slow, a
 * round counts for less (wait_round_worth()): the hypervisor does a fixed amount of work after
 * each round and measures it.
 *
 * Progress is any of these, by any vCPU of the VM: a nested fault that was answered; a change of
 * the address space; an access to a device, port or system register; a firmware call; a hypercall
 * other than GUEST_NOP and GUEST_YIELD. A VM hangs when each vCPU that has run and not exited has
 * had HANG_QUIET rounds without progress. A VM has run for too long when one of its vCPUs has had
 * HANG_TOTAL rounds.
 *
 * A guest that works does not hang because the host is busy. An emulator that is stopped for a
 * minute adds one round, because a slice counts for one round at most. An emulator that gets
 * little CPU time slows the guest and the work of the hypervisor equally. Before a VM counts as
 * hanging, its CPU has done that work HANG_QUIET times, which is more than any case does between
 * two kinds of progress. A guest that is slow in emulators (traps to itself, new code) makes
 * progress from time to time: guests/agent.c, sweep().
 *
 * A budget (vm_config.budget_ms) is guest time of one vCPU. It is divided into HANG_BUDGET_SLICES
 * slices, and each slice of the run counts for one of them at most. So an emulator that is stopped
 * for some time does not use the budget up.
 */
#ifndef KERNEL_HANG_H
#define KERNEL_HANG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define HANG_QUIET 8U
#define HANG_TOTAL 120U
#define HANG_NEVER UINT32_MAX

#define HANG_BUDGET_SLICES 16U

struct vm;
struct vm_vcpu;

/* The time of one vCPU. Written by the CPU that runs it; others read it. */
struct hang_account {
	_Atomic uint64_t entered; /* machine_ticks() when its slice began; 0: it has not run yet */
	uint64_t looked;          /* machine_ticks() at the last hang_check() */
	uint64_t used;            /* ticks of the current round */
	uint64_t worth;           /* ticks of rounds on a slow machine: less than a round */
	uint64_t budget;          /* ticks of the budget that are used */
	uint64_t progress;        /* the progress of the VM at the last round */
	_Atomic uint32_t quiet;   /* rounds since there was progress */
	uint32_t rounds;          /* since the run began */
};

enum hang_verdict {
	HANG_NOT,
	HANG_NO_PROGRESS,
	HANG_TOO_LONG,
	HANG_BUDGET, /* vm_config.budget_ms is used */
};

/* machine_ticks() in a round. */
uint64_t hang_round(void);
/* Before the vCPUs of a VM run. */
void hang_begin(struct vm *vm);
/* The longest slice of this VM's vCPUs, in ticks. */
uint64_t hang_slice(const struct vm *vm);
/* At the start of a slice. */
void hang_enter(struct vm_vcpu *v, uint64_t now);
/* At its end. `waiting`: the guest waits (it yielded or halted), so the time since the last call
 * counts. */
enum hang_verdict hang_check(struct vm_vcpu *v, bool waiting);

#endif
