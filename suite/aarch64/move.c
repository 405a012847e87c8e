/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs vCPUs that move between CPUs: see arm.h. The run loop of kernel/ keeps each vCPU on one CPU,
 * so this file has a small one of its own.
 */
#include "cpu_work.h"
#include "kernel/run.h"
#include "machine.h"
#include "machine/aarch64/timer.h"
#include "suite/aarch64/arm.h"
#include "suite/compare.h"
#include "suite/mailbox.h"

SYSREG_READ(cntv_ctl_el0, "cntv_ctl_el0")

/* Limits for hangs: exits of a turn, and seconds of it. */
#define MOST_EXITS   100000
#define MOST_SECONDS 300

struct turn {
	struct vm_vcpu *v;
	unsigned halts;
	const char *wrong;
};

/* False: the turn is over. */
static bool answer(struct turn *turn, const struct vm_exit *exit)
{
	struct vm_vcpu *v = turn->v;
	enum mm_fault fault;

	switch (exit->kind) {
	case VM_EXIT_HYPERCALL:
		return !hypercall(v, &exit->call) && !v->exited;
	case VM_EXIT_NESTED_FAULT:
		fault = mm_aspace_fault(&v->vm->as, exit->fault.gpa, exit->fault.access);
		if (fault == MM_FAULT_MAPPED || fault == MM_FAULT_SPURIOUS)
			return true;
		turn->wrong = mm_fault_name(fault);
		return false;
	case VM_EXIT_SYSREG:
	case VM_EXIT_UNDEFINED:
		v->vm->ops->inject_undefined(&v->vcpu);
		return true;
	case VM_EXIT_HALT:
		turn->halts++;
		v->vm->ops->skip(&v->vcpu, exit, 0);
		return true;
	case VM_EXIT_INTERRUPT:
	case VM_EXIT_DEADLINE:
		return true;
	default:
		turn->wrong = "an exit that no such guest has";
		return false;
	}
}

static void run_turn(void *arg)
{
	struct turn *turn = arg;
	struct vm_vcpu *v = turn->v;
	const struct virt_ops *ops = v->vm->ops;
	uint64_t second = machine_ticks_per_second();
	struct vm_exit exit;
	unsigned exits = 0, seconds = 0;

	/* The deadline is a full second, so it is the same for most turns of the VMs. */
	do {
		ops->run(&v->vcpu, (machine_ticks() / second + 2) * second, &exit);
		seconds += exit.kind == VM_EXIT_DEADLINE;
		if (++exits == MOST_EXITS || seconds == MOST_SECONDS)
			turn->wrong = "no end of its turn";
	} while (turn->wrong == NULL && answer(turn, &exit));
	ops->park(&v->vcpu);
	if ((read_cntv_ctl_el0() & TIMER_ENABLE) != 0)
		turn->wrong = "the virtual timer runs without its vCPU";
}

static bool give_turn(struct suite_run *run, struct vm *vm, unsigned cpu, unsigned *halts)
{
	struct turn turn = {.v = &vm->vcpus[0]};

	if (cpu == 0) {
		run_turn(&turn);
	} else {
		cpu_work_give(cpu, run_turn, &turn);
		cpu_work_wait(cpu);
	}
	*halts += turn.halts;
	return turn.wrong == NULL || suite_fail(run, "on cpu %u: %s", cpu, turn.wrong);
}

bool arm_run_moving(struct suite_run *run, struct vm *const vms[], size_t count, unsigned cpus,
                    unsigned *halts)
{
	bool more = true, good = true;

	*halts = 0;
	for (unsigned round = 0; more && good; round++) {
		more = false;
		for (size_t i = 0; i < count && good; i++) {
			if (vms[i]->vcpus[0].exited)
				continue;
			good = give_turn(run, vms[i], (unsigned)(round + i) % cpus, halts);
			more = true;
		}
	}
	return good;
}

static const struct suite_op call_once[] = {CALL_AT(ARM_CODE, 0, 0), {OP(END)}};

bool arm_make_moving(struct suite_run *run, struct vm *vm, struct arm_piece piece)
{
	static struct vm_config config;
	struct mm_gpa_range arena = mm_gpa_range(mm_gpa_at(ARENA), 32 * PAGE);
	struct mm_aspace_backing backing = {.populate = true};

	config = (struct vm_config){.name = "moving", .geometry = suite_geometry()};
	if (!guest_image_find("agent", &config.image) || !vm_create(vm, run->host, &config))
		return suite_fail(run, "no VM: %s", vm->error);
	if (mm_aspace_map_alloc(&vm->as, arena, MM_RWX, backing) == MM_OK &&
	    suite_write_script(vm, 0, call_once) && arm_place_piece(run, vm, ARM_CODE, piece))
		return true;
	(void)vm_destroy(vm);
	return suite_fail(run, "no memory for a VM");
}

void arm_compare_moving(struct suite_run *run, struct vm *vm)
{
	compare_script(run, "moving", call_once, suite_read_mailbox(vm, 0), 1);
}
