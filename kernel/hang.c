/* The time limits of a guest: see hang.h. */
#include "kernel/hang.h"

#include "kernel/vm.h"
#include "machine.h"

/* Loops of the hypervisor per round without progress: each is one step of the shortest loop that a
 * guest can be in, and the longest case takes less than a million of those in one operation. */
#define WORK_LOOPS (UINT32_C(1) << 21)

uint64_t hang_round(void)
{
	return machine_ticks_per_second();
}

/* Nothing but instructions that the CPU has to execute. */
static void work(void)
{
	for (uint32_t i = 0; i < WORK_LOOPS; i++)
		__asm__ volatile("" : "+r"(i) : : "memory");
}

static uint64_t progress_of(struct vm *vm)
{
	struct aspace_stats stats;
	uint64_t progress = atomic_load_explicit(&vm->calls, memory_order_relaxed);

	aspace_get_stats(&vm->as, &stats);
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

	account->used = 0;
	account->rounds++;
	if (progress == account->progress) {
		work();
		atomic_fetch_add(&account->quiet, 1);
	} else {
		account->progress = progress;
		atomic_store(&account->quiet, 0);
	}
	if (quiet != HANG_NEVER && all_quiet(v->vm, quiet))
		return HANG_NO_PROGRESS;
	return total != HANG_NEVER && account->rounds >= total ? HANG_TOO_LONG : HANG_NOT;
}

enum hang_verdict hang_check(struct vm_vcpu *v, bool waiting)
{
	struct hang_account *account = &v->hang;
	uint64_t now = machine_ticks(), round = hang_round();
	uint64_t spent = now - (waiting ? account->looked : account->entered);

	account->looked = now;
	account->used += spent < round ? spent : round;
	return account->used < round ? HANG_NOT : end_round(v);
}
