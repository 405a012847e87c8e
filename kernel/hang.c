/* SPDX-License-Identifier: BSD-2-Clause */
/* The time limits of a guest: see hang.h. */
#include "kernel/hang.h"

#include "kernel/vm.h"
#include "machine.h"
#include "wait_limit.h"

uint64_t hang_round(void)
{
	return machine_ticks_per_second();
}

static uint64_t progress_of(struct vm *vm)
{
	struct mm_aspace_stats stats;
	uint64_t progress = atomic_load_explicit(&vm->calls, memory_order_relaxed);

	mm_aspace_get_stats(&vm->as, &stats);
	for (unsigned i = 0; i < MM_FAULTS; i++)
		progress += i != MM_FAULT_SPURIOUS ? stats.faults[i] : 0;
	return progress + stats.changes;
}

void hang_begin(struct vm *vm)
{
	uint64_t now = machine_ticks(), progress = progress_of(vm);

	for (unsigned i = 0; i < vm->vcpu_count; i++) {
		struct hang_account *account = &vm->vcpus[i].hang;

		account->looked = now;
		account->entered = 0;
		account->used = 0;
		account->worth = 0;
		account->budget = 0;
		account->progress = progress;
		account->rounds = 0;
		atomic_store(&account->quiet, 0);
	}
}

void hang_enter(struct vm_vcpu *v, uint64_t now)
{
	atomic_store_explicit(&v->hang.entered, now, memory_order_relaxed);
}

static bool all_quiet(const struct vm *vm, uint32_t limit)
{
	for (unsigned i = 0; i < vm->vcpu_count; i++) {
		const struct vm_vcpu *v = &vm->vcpus[i];

		if (!v->exited && atomic_load(&v->hang.entered) != 0 &&
		    atomic_load(&v->hang.quiet) < limit)
			return false;
	}
	return true;
}

static enum hang_verdict end_round(struct vm_vcpu *v)
{
	const struct vm_config *config = v->vm->config;
	uint32_t quiet = config->quiet_s != 0 ? config->quiet_s : HANG_QUIET;
	uint32_t total = config->total_s != 0 ? config->total_s : HANG_TOTAL;
	struct hang_account *account = &v->hang;
	uint64_t progress = progress_of(v->vm);
	bool moved = false;

	account->used = 0;
	if (progress != account->progress) {
		account->progress = progress;
		atomic_store(&account->quiet, 0);
		moved = true;
	}
	account->worth += wait_round_worth();
	if (account->worth < hang_round())
		return HANG_NOT;
	account->worth = 0;
	account->rounds++;
	if (!moved)
		atomic_fetch_add(&account->quiet, 1);
	if (quiet != HANG_NEVER && all_quiet(v->vm, quiet))
		return HANG_NO_PROGRESS;
	return total != HANG_NEVER && account->rounds >= total ? HANG_TOO_LONG : HANG_NOT;
}

static uint64_t budget_ticks(const struct vm *vm)
{
	return vm->config->budget_ms * machine_ticks_per_second() / 1000;
}

uint64_t hang_slice(const struct vm *vm)
{
	uint64_t budget = budget_ticks(vm);

	return budget != 0 ? budget / HANG_BUDGET_SLICES : hang_round();
}

static bool budget_is_used(struct vm_vcpu *v, uint64_t spent)
{
	uint64_t budget = budget_ticks(v->vm), most = hang_slice(v->vm);

	v->hang.budget += spent < most ? spent : most;
	return budget != 0 && v->hang.budget >= most * HANG_BUDGET_SLICES;
}

enum hang_verdict hang_check(struct vm_vcpu *v, bool waiting)
{
	struct hang_account *account = &v->hang;
	uint64_t now = machine_ticks(), round = hang_round();
	uint64_t spent = now - (waiting ? account->looked : account->entered);

	account->looked = now;
	if (budget_is_used(v, spent))
		return HANG_BUDGET;
	account->used += spent < round ? spent : round;
	return account->used < round ? HANG_NOT : end_round(v);
}
