/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several vCPUs on one CPU take turns: at the end of a slice, and when they yield or wait. The
 * timer of a vCPU is its own. A VM ends once, for the first reason.
 */
#include "machine.h"
#include "suite/mailbox.h"
#include "suite/run.h"
#include "suite/suite.h"

#define WORD      (ARENA + 0x40)
#define TURNS     16U
#define LEAD_MOST 8
#define SOON_US   1000U
#define LATE_US   20000U
#define HOUR_US   UINT64_C(3600000000)

/* Step n, by vCPU n: counts. scratch[2]: the longest lead of one vCPU. */
static uint64_t count_turn(struct suite_run *run, uint64_t vcpu)
{
	int64_t lead;

	run->scratch[vcpu]++;
	lead = (int64_t)(run->scratch[0] - run->scratch[1]);
	lead = lead < 0 ? -lead : lead;
	/* After the other one has ended, this one goes on alone. */
	if (run->scratch[0] < TURNS && run->scratch[1] < TURNS && lead > (int64_t)run->scratch[2])
		run->scratch[2] = (uint64_t)lead;
	return 0;
}

static bool took_turns(struct suite_run *run)
{
	if (run->scratch[0] != TURNS || run->scratch[1] != TURNS)
		return suite_fail(run, "%" PRIu64 " and %" PRIu64 " turns", run->scratch[0],
		                  run->scratch[1]);
	return run->scratch[2] <= LEAD_MOST ||
	       suite_fail(run, "one vCPU had %" PRIu64 " turns more than the other",
	                  run->scratch[2]);
}

#define YIELD() CALL(GUEST_YIELD, 0, 0, GUEST_OK, 0)
#define WAIT()                                                                                     \
	{                                                                                          \
		OP(WAIT)                                                                           \
	}
#define TIMES_4(...)  __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__
#define TIMES_16(...) TIMES_4(TIMES_4(__VA_ARGS__))

#define UNMASK                                                                                     \
	{                                                                                          \
		OP(IRQ_MASK, .value = 0)                                                           \
	}
#define TIMER(us)                                                                                  \
	{                                                                                          \
		OP(TIMER, .value = (us))                                                           \
	}
#define AWAIT(n)                                                                                   \
	{                                                                                          \
		OP(AWAIT, .value = (n)), .value = (n)                                              \
	}
#define SPIN_UNTIL(n)                                                                              \
	{                                                                                          \
		OP(AWAIT, .value = (n), .count = 1), .value = (n)                                  \
	}
#define IRQS(n)                                                                                    \
	{                                                                                          \
		OP(IRQS), .value = (n)                                                             \
	}

/* --- timers --- */

/* Step 0 notes the time. Step n: n microseconds have passed. scratch[1]: 1 + the least delay after
 * that. */
static uint64_t measure(struct suite_run *run, uint64_t us)
{
	uint64_t now = machine_ticks(), due = us * machine_ticks_per_second() / 1000000;

	if (us == 0) {
		run->scratch[0] = now;
		return 0;
	}
	if (now - run->scratch[0] < due)
		return 1;
	now -= run->scratch[0] + due;
	if (run->scratch[1] == 0 || now + 1 < run->scratch[1])
		run->scratch[1] = now + 1;
	return 0;
}

/* Of several timers, the least late one: on a busy host some are late. */
static bool once_on_time(struct suite_run *run)
{
	uint64_t most = machine_ticks_per_second() / 4;

	if (run->scratch[1] - 1 <= most)
		return true;
	return suite_fail(run, "each interrupt was more than a quarter of a second late");
}

#define TIMED(us, n) STEP(0), TIMER(us), AWAIT(n), STEP(us), TIMER(0), UNMASK
#define SPINS(us, n) STEP(0), TIMER(us), SPIN_UNTIL(n), STEP(us), TIMER(0), UNMASK

/* --- the end --- */

/* A kill after the end changes nothing. */
static bool killed_once(struct suite_run *run)
{
	struct vm *vm = run->vm;
	enum vm_kill reason = vm->reason;
	enum vm_outcome outcome = vm->outcome;
	mm_gpa_t gpa = vm->kill_gpa;

	if (vm_kill(vm, KILL_SHUTDOWN, mm_gpa_at(0x5000)))
		return suite_fail(run, "killed after its end");
	if (vm->reason != reason || vm->kill_gpa.raw != gpa.raw || vm->outcome != outcome)
		return suite_fail(run, "a second kill has changed the first");
	return true;
}

static bool exited_with_5(struct suite_run *run)
{
	if (run->vm->outcome != VM_EXITED || run->vm->exit_status != 5)
		return suite_fail(run, "status 0x%" PRIx64, run->vm->exit_status);
	return killed_once(run);
}

static bool exited_with_0(struct suite_run *run)
{
	const struct agent_mailbox *mailbox = suite_read_mailbox(run->vm, 1);

	if (run->vm->outcome != VM_EXITED || run->vm->exit_status != 0)
		return suite_fail(run, "status 0x%" PRIx64, run->vm->exit_status);
	return mailbox->done == 3 || suite_fail(run, "vcpu 1 was stopped");
}

static const struct suite_case cases[] = {
	{
		/* vCPU 0 never leaves the guest by itself. */
		.name = "turns.slice",
		.areas = AREAS(POPULATED(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(POLL(WORD, 1), WRITE(8, WORD, 2)),
		.others = {SCRIPT(WRITE(8, WORD, 1), POLL(WORD, 2))},
		.share_cpu = true,
	},
	{
		.name = "turns.slice.three",
		.areas = AREAS(POPULATED(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(POLL(WORD, 2), WRITE(8, WORD, 3)),
		.others = {SCRIPT(WRITE(8, WORD, 1), POLL(WORD, 3)),
                           SCRIPT(POLL(WORD, 1), WRITE(8, WORD, 2), POLL(WORD, 3))},
		.share_cpu = true,
	},
	{
		/* The guest's interrupts do not matter. */
		.name = "turns.slice.masked",
		.areas = AREAS(POPULATED(ARENA, PAGE, MM_RW)),
		.script = SCRIPT({OP(IRQ_MASK, .value = 1)}, POLL(WORD, 1), WRITE(8, WORD, 2)),
		.others = {SCRIPT(UNMASK, WRITE(8, WORD, 1), POLL(WORD, 2))},
		.share_cpu = true,
	},
	{
		.name = "turns.slice.vms",
		.script = SCRIPT(SPIN(0)),
		.beside = {beside_neighbour, beside_neighbour},
		.budget = 200,
		.end = SUITE_DIES,
		.kill = KILL_BUDGET,
		.share_cpu = true,
	},
	{
		.name = "turns.yield",
		.script = SCRIPT(TIMES_16(STEP(0), YIELD())),
		.others = {SCRIPT(TIMES_16(STEP(1), YIELD()))},
		.step = count_turn,
		.verify = took_turns,
		.share_cpu = true,
	},
	{
		.name = "turns.wait",
		.script = SCRIPT(TIMES_16(STEP(0), WAIT())),
		.others = {SCRIPT(TIMES_16(STEP(1), WAIT()))},
		.step = count_turn,
		.verify = took_turns,
		.share_cpu = true,
	},
	{
		/* The slices end, and the timer has not expired. */
		.name = "turns.timer.not-at-slice-end",
		.areas = AREAS(POPULATED(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(UNMASK, TIMER(HOUR_US), POLL(WORD, 1), WRITE(8, WORD, 2),
                                 POLL(WORD, 3), IRQS(0)),
		.others = {SCRIPT(UNMASK, WRITE(8, WORD, 1), POLL(WORD, 2), WRITE(8, WORD, 3),
                                  IRQS(0))},
		.share_cpu = true,
	},
	{
		/* The interrupt goes to the vCPU that has requested it. */
		.name = "turns.timer.own",
		.script = SCRIPT(UNMASK, TIMER(SOON_US), AWAIT(1), TIMER(0), UNMASK, BARRIER(0),
                                 IRQS(1)),
		.others = {SCRIPT(UNMASK, BARRIER(0), IRQS(0)),
                           SCRIPT(UNMASK, BARRIER(0), IRQS(0))},
		.share_cpu = true,
	},
	{
		.name = "turns.timer.not-early",
		.script = SCRIPT(UNMASK, TIMED(LATE_US, 1), TIMED(LATE_US, 2), TIMED(LATE_US, 3)),
		.step = measure,
	},
	{
		.name = "turns.timer.on-time",
		.script = SCRIPT(UNMASK, TIMED(SOON_US, 1), TIMED(SOON_US, 2), TIMED(SOON_US, 3),
                                 TIMED(SOON_US, 4), TIMED(SOON_US, 5), TIMED(SOON_US, 6),
                                 TIMED(SOON_US, 7), TIMED(SOON_US, 8)),
		.step = measure,
		.verify = once_on_time,
	},
	{
		/* A timer is cancelled while it runs, and when its interrupt is pending. */
		.name = "turns.timer.cancelled",
		.script = SCRIPT({OP(IRQ_MASK, .value = 1)}, STEP(0), TIMER(SOON_US), TIMER(0),
                                 SPIN(200000), UNMASK, SPIN(1000), IRQS(0)),
		.step = measure,
	},
	{
		/* The interrupt is pending, and masked, when its timer is cancelled. */
		.name = "turns.timer.withdrawn",
		.script = SCRIPT({OP(IRQ_MASK, .value = 1)}, TIMER(1), SPIN(200000), TIMER(0),
                                 UNMASK, SPIN(1000), IRQS(0)),
	},
	{
		/* The same with slices that end before. */
		.name = "turns.timer.not-early.shared",
		.areas = AREAS(POPULATED(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(UNMASK, TIMED(LATE_US, 1), TIMED(LATE_US, 2), WRITE(8, WORD, 1)),
		.others = {SCRIPT(POLL(WORD, 1))},
		.step = measure,
		.share_cpu = true,
	},
	{
		/* The guest exits only because slices end: the timer has not expired then. */
		.name = "turns.timer.not-early.slices",
		.areas = AREAS(POPULATED(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(UNMASK, SPINS(2500, 1), SPINS(4500, 2), SPINS(7300, 3),
                                 SPINS(LATE_US, 4), WRITE(8, WORD, 1)),
		.others = {SCRIPT(POLL(WORD, 1))},
		.step = measure,
		.share_cpu = true,
	},
	{
		/* Masked until the second call: the first timer may expire before that on a slow
                 * machine. */
		.name = "turns.timer.replaced",
		.script = SCRIPT({OP(IRQ_MASK, .value = 1)}, TIMER(SOON_US), TIMER(HOUR_US), UNMASK,
                                 SPIN(200000), IRQS(0), TIMER(0), IRQS(0)),
	},
	{
		.name = "turns.end.killed-once",
		.script = SCRIPT(READ(8, ARENA, 0)),
		.faults = FAULTS(FAULT(ARENA, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.verify = killed_once,
	},
	{
		.name = "turns.end.exited",
		.script = SCRIPT(SPIN(1)),
		.verify = killed_once,
	},
	{
		/* A status that is not 0 ends all vCPUs. */
		.name = "turns.end.status",
		.areas = AREAS(POPULATED(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(POLL(WORD, 1), CALL(GUEST_EXIT, 5, 0, GUEST_OK, 0)),
		.others = {SCRIPT(WRITE(8, WORD, 1), SPIN(0))},
		.end = SUITE_EITHER,
		.uncounted = true,
		.verify = exited_with_5,
		.share_cpu = true,
	},
	{
		/* Status 0 ends only one. */
		.name = "turns.end.one-of-two",
		.areas = AREAS(POPULATED(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(WRITE(8, WORD, 1), CALL(GUEST_EXIT, 0, 0, GUEST_OK, 0)),
		.others = {SCRIPT(POLL(WORD, 1), SPIN(20000), WRITE(8, WORD, 2))},
		.end = SUITE_EITHER,
		.uncounted = true,
		.verify = exited_with_0,
		.share_cpu = true,
	},
};

const struct suite_subject suite_turns = {
	.name = "turns",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
