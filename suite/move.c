/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPUs that move to another CPU. MOVE(n) is hypercall GUEST_MOVE: the vCPU goes on on CPU n. All
 * of its state goes with it, and nothing of it is left behind: neither a translation in the TLB of
 * the old CPU nor a timer.
 */
#include "machine.h"
#include "suite/run.h"
#include "suite/suite.h"

#define PATTERN UINT64_C(0x30e5a11330e5a110)
#define OTHER   UINT64_C(0x07e207e207e207e0)
#define TABLES  (ARENA + 512 * PAGE)

#define YIELD() CALL(GUEST_YIELD, 0, 0, GUEST_OK, 0)

/* Step 0 answers on which CPU the vCPU runs. */
static uint64_t cpu_now(struct suite_run *run, uint64_t number)
{
	(void)run;
	(void)number;
	return machine_cpu_index();
}

/* Answers 0 if the vCPU runs on another CPU than at the last step. */
static uint64_t cpu_is_new(struct suite_run *run, uint64_t number)
{
	uint64_t cpu = machine_cpu_index() + 1, last = run->scratch[0];

	(void)number;
	run->scratch[0] = cpu;
	return cpu == last;
}

#define ON(cpu) MOVE(cpu), STEP_ANSWERS(0, cpu)

/*
 * The vCPU goes on on another CPU after this fault. The instruction is executed again there. It may
 * have been executed in part.
 */
static void move_now(struct suite_run *run, const struct vm_exit_fault *fault)
{
	struct vm_vcpu *v = &run->vm->vcpus[0];

	(void)fault;
	v->next_cpu = (machine_cpu_index() + 1) % run->host->cpus;
	run->scratch[1] += run->scratch[0] != machine_cpu_index() + 1;
	run->scratch[0] = machine_cpu_index() + 1;
}

static bool moved_often(struct suite_run *run)
{
	return run->scratch[1] >= 4 || suite_fail(run, "moved %" PRIu64 " times", run->scratch[1]);
}

/* Two pages at one virtual address, one after the other, on two CPUs. The guest flushes the CPU on
 * which it changes its tables; CPU 0 still has the translation to the first page. */
#define CHANGE_ELSEWHERE                                                                           \
	STAGE1(), WRITE(8, ARENA, PATTERN), WRITE(8, ARENA + PAGE, OTHER),                         \
		MAP(VIRTUAL, ARENA, 0, TABLES), READ(8, VIRTUAL, PATTERN), MOVE(1),                \
		READ(8, VIRTUAL, PATTERN), MAP(VIRTUAL, ARENA + PAGE, 0, TABLES), OP_FLUSH(),      \
		READ(8, VIRTUAL, OTHER), MOVE(0), READ(8, VIRTUAL, OTHER)

static const struct suite_case cases[] = {
	{
		.name = "move.each-cpu",
		.script =
			SCRIPT(STEP_ANSWERS(0, 0), ON(1), ON(0), ON(3), ON(2), ON(2), ON(1), ON(0)),
		.moves = VM_MOVES,
		.cpus = 4,
		.step = cpu_now,
	},
	{
		.name = "move.next-cpu",
		.script = SCRIPT(ON(1), ON(0), ON(1), ON(1)),
		.moves = VM_MOVES,
		.step = cpu_now,
	},
	{
		.name = "move.refused",
		.script = SCRIPT(CALL(GUEST_MOVE, 0, 0, GUEST_REFUSED, 0),
                                 CALL(GUEST_MOVE, 1, 0, GUEST_REFUSED, 0), STEP_ANSWERS(0, 0)),
		.step = cpu_now,
	},
	{
		.name = "move.no-such-cpu",
		.script = SCRIPT(CALL(GUEST_MOVE, 4096, 0, GUEST_BAD_ARGUMENT, 0),
                                 CALL(GUEST_MOVE, UINT64_MAX, 0, GUEST_BAD_ARGUMENT, 0),
                                 CALL(GUEST_MOVE, GIB(4), 0, GUEST_BAD_ARGUMENT, 0),
                                 STEP_ANSWERS(0, 0)),
		.moves = VM_MOVES,
		.step = cpu_now,
	},
	{
		.name = "move.wander",
		.script = SCRIPT(STEP(0), STEP(0), STEP(0), STEP(0), STEP(0), STEP(0), STEP(0),
                                 STEP(0)),
		.moves = VM_WANDERS,
		.step = cpu_is_new,
	},
	{
		.name = "move.faults",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, 4, PAGE, PATTERN), MOVE(1),
                                 CHECK(ARENA, 4, PAGE, PATTERN),
                                 FILL(ARENA + 4 * PAGE, 4, PAGE, PATTERN), MOVE(0),
                                 CHECK(ARENA, 8, PAGE, PATTERN), TOUCH(ARENA + 8 * PAGE, 8, PAGE)),
		.faults = FAULTS(MAPPED_SERIES(ARENA, MM_W, 8, PAGE),
                                 MAPPED_SERIES(ARENA + 8 * PAGE, MM_R, 8, PAGE)),
		.moves = VM_MOVES,
	},
	{
		/* Loads and stores of two pages each: a fault, and a move, between the two parts of
                 * one access. */
		.name = "move.inside-instruction",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(STAGE1(), READ(8, ARENA + PAGE - 4, 0),
                                 WRITE(8, ARENA + 3 * PAGE - 4, PATTERN),
                                 READ(8, ARENA + 3 * PAGE - 4, PATTERN),
                                 READ(4, ARENA + 5 * PAGE - 1, 0)),
		.uncounted = true,
		.moves = VM_MOVES,
		.meanwhile = move_now,
		.verify = moved_often,
	},
	{
		.name = "move.killed-elsewhere",
		.script = SCRIPT(MOVE(1), READ(8, ARENA, 0)),
		.faults = FAULTS(FAULT(ARENA, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.moves = VM_MOVES,
	},
	{
		.name = "move.tables-changed",
		.areas = AREAS(POPULATED(ARENA, 4 * PAGE, MM_RW),
                               POPULATED(TABLES, 4 * PAGE, MM_RW)),
		.script = SCRIPT(CHANGE_ELSEWHERE),
		.moves = VM_MOVES,
	},
	{
		/* Two vCPUs of one VM do the same with the same address at the same time. */
		.name = "move.two.same-page",
		.areas = AREAS(POPULATED(ARENA, 64 * PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, 32, PAGE, PATTERN), BARRIER(0), MOVE(1),
                                 CHECK(ARENA + 8, 32, PAGE, OTHER), BARRIER(1),
                                 FILL(ARENA, 32, PAGE, OTHER), BARRIER(2), MOVE(0), BARRIER(3),
                                 CHECK(ARENA + 8, 32, PAGE, PATTERN)),
		.others = {SCRIPT(FILL(ARENA + 8, 32, PAGE, OTHER), BARRIER(0),
                                  CHECK(ARENA, 32, PAGE, PATTERN), MOVE(1), BARRIER(1),
                                  FILL(ARENA + 8, 32, PAGE, PATTERN), BARRIER(2), MOVE(0),
                                  BARRIER(3), CHECK(ARENA, 32, PAGE, OTHER))},
		.moves = VM_MOVES,
	},
	{
		.name = "move.vms",
		.areas = AREAS(LAZY(ARENA, 64 * PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, 32, PAGE, PATTERN), YIELD(), MOVE(1),
                                 CHECK(ARENA, 32, PAGE, PATTERN), YIELD(), MOVE(0),
                                 CHECK(ARENA, 32, PAGE, PATTERN)),
		.uncounted = true,
		.beside = {SCRIPT(FILL(ARENA, 32, PAGE, OTHER), YIELD(), MOVE(1),
                                  CHECK(ARENA, 32, PAGE, OTHER), MOVE(0), YIELD(),
                                  CHECK(ARENA, 32, PAGE, OTHER)),
                           beside_neighbour},
		.moves = VM_MOVES,
	},
	{
		.name = "move.vms.wander",
		.areas = AREAS(LAZY(ARENA, 64 * PAGE, MM_RW)),
		.script =
			SCRIPT(STAGE1(), FILL(ARENA, 32, PAGE, PATTERN),
                               CHECK(ARENA, 32, PAGE, PATTERN), SPIN(20000),
                               CHECK(ARENA, 32, PAGE, PATTERN), TOUCH(ARENA + 32 * PAGE, 32, PAGE)),
		.uncounted = true,
		.beside = {SCRIPT(STAGE1(), FILL(ARENA, 32, PAGE, OTHER), SPIN(20000),
                                  CHECK(ARENA, 32, PAGE, OTHER), CHECK(ARENA, 32, PAGE, OTHER)),
                           beside_neighbour},
		.moves = VM_WANDERS,
	},
	{
		/* The interrupt of GUEST_TIMER comes on the CPU to which the vCPU has moved. */
		.name = "move.timer",
		.script = SCRIPT({OP(IRQ_MASK, .value = 0)}, {OP(TIMER, .value = 5000)}, MOVE(1),
                                 {OP(AWAIT, .value = 1), .value = 1}),
		.moves = VM_MOVES,
	},
	{
		/* The interrupt is pending when the vCPU moves. It is taken there, once. */
		.name = "move.pending",
		.script = SCRIPT({OP(TIMER, .value = 1)}, SPIN(20000), MOVE(1),
                                 {OP(IRQS), .value = 0}, {OP(IRQ_MASK, .value = 0)},
                                 {OP(AWAIT, .value = 1), .value = 1}),
		.moves = VM_MOVES,
	},
};

/* The number behind the last CPU, which depends on the machine. */
static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	if (index != 0)
		return false;
	draft_name(d, "move.behind-last-cpu");
	draft_op(d, (struct suite_op)CALL(GUEST_MOVE, host->cpus, 0, GUEST_BAD_ARGUMENT, 0));
	draft_op(d, (struct suite_op)MOVE(host->cpus - 1));
	d->c.moves = VM_MOVES;
	return true;
}

const struct suite_subject suite_move = {
	.name = "move",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "move.behind-",
};
