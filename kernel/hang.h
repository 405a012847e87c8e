/*
 * The time limits of a guest: when it hangs, when it has run for too long, and its budget.
 *
 * A round is one second of machine_ticks() that a vCPU has spent in its guest, or waiting for
 * something that does not come. Time is added up slice by slice, and no slice counts for more than
 * one round, and for less while the machine is slow (wait_round_worth()).
 *
 * Progress is a nested fault that was answered, a change of the address space, an access to a
 * device, port or system register, a firmware call, or a hypercall other than GUEST_NOP and
 * GUEST_YIELD, by any vCPU of the VM. A VM hangs when each vCPU that has
 * run and not exited has had HANG_QUIET rounds without progress. It has run for too long when one
 * vCPU has had HANG_TOTAL rounds, whatever it did in them.
 *
 * A busy host cannot make a working guest hang. An emulator that is stopped for a minute adds one
 * round, since a slice counts once. An emulator that gets little of its host's time runs the
 * guest and the hypervisor's own work equally slowly: before a guest hangs, its CPU has done
 * HANG_QUIET times that work, which is more than any case does between two signs of progress.
 * A guest that does what is slow in emulators (traps to itself, new code) makes progress now and
 * then: guests/agent.c, sweep().
 *
 * A budget (vm_config.budget_ms) is guest time of one vCPU. It is used up in HANG_BUDGET_SLICES
 * slices, each of which counts for its part of the budget at most, so that an emulator that is
 * stopped for a while does not use it up.
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

/* A vCPU's account. Written by the CPU that runs it; others read it. */
struct hang_account {
	_Atomic uint64_t entered; /* machine_ticks() when its slice began; 0: it has not run yet */
	uint64_t looked;          /* ...and when hang_check() was last called */
	uint64_t used;            /* ticks of the round that has begun */
	uint64_t worth;           /* ticks that rounds on a slow machine count for, less than one */
	uint64_t budget;          /* ticks of the budget that are used up */
	uint64_t progress;        /* of the VM, as it was at the last round */
	_Atomic uint32_t quiet;   /* rounds since there was progress */
	uint32_t rounds;          /* since the run began */
};

enum hang_verdict {
	HANG_NOT,
	HANG_NO_PROGRESS,
	HANG_TOO_LONG,
	HANG_BUDGET, /* of vm_config.budget_ms nothing is left */
};

/* machine_ticks() in a round. */
uint64_t hang_round(void);
/* Before the vCPUs of a VM run. */
void hang_begin(struct vm *vm);
/* The longest slice of this VM's vCPUs, in ticks. */
uint64_t hang_slice(const struct vm *vm);
/* At the start of a slice. */
void hang_enter(struct vm_vcpu *v, uint64_t now);
/* At its end. `waiting`: the guest gave its CPU away, so the time in between counts, too. */
enum hang_verdict hang_check(struct vm_vcpu *v, bool waiting);

#endif
