/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of the suite's own time limits. Cases hang on purpose, each with a case after it that must
 * still pass. test=* does not include them. A pattern that begins with "selftest" selects them
 * (tests/boot/riscv64-hang.t and others).
 */
#include "kick.h"
#include "machine.h"
#include "suite/run.h"
#include "suite/suite.h"
#include "wait_limit.h"

#define PATTERN UINT64_C(0x5e1f7e57)

#define MASKED                                                                                     \
	{                                                                                          \
		OP(IRQ_MASK, .value = 1)                                                           \
	}

/*
 * The next kick does not arrive. It is the kick that gives CPU 1 its vCPU. These cases follow a
 * case that leaves CPU 1 idle for longer than a time slice. Otherwise the timer of the slice would
 * wake CPU 1.
 */
static bool lose_kick(struct suite_run *run)
{
	(void)run;
	atomic_store(&kick_lose[KICK_RUN], 1);
	return true;
}

/* Step: the next kick of this kind is lost. Then the arena is unmapped. */
static uint64_t lose_and_unmap(struct suite_run *run, uint64_t kind)
{
	atomic_store(&kick_lose[kind], 1);
	return (uint64_t)(uint32_t)mm_aspace_unmap(&run->vm->as,
	                                           mm_gpa_range(mm_gpa_at(ARENA), 4 * PAGE));
}

/* If the machine has no such kick, no kick is lost. */
static void lose_no_more(struct suite_run *run)
{
	(void)run;
	for (unsigned kind = 0; kind < KICK_KINDS; kind++)
		atomic_store(&kick_lose[kind], 0);
}

/* The hypervisor itself loops on the CPU of vCPU 1, with interrupts masked as usual. */
static uint64_t loop_forever(struct suite_run *run, uint64_t number)
{
	(void)run;
	(void)number;
	for (;;)
		machine_relax();
}

static const struct suite_case cases[] = {
	{
		.name = "selftest.hang.spin-masked",
		.script = SCRIPT(MASKED, SPIN(0)),
	},
	{
		.name = "selftest.after.spin-masked",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(WRITE(8, ARENA, PATTERN), READ(8, ARENA, PATTERN)),
		.faults = FAULTS(MAPPED(ARENA, MM_W)),
	},
	{
		.name = "selftest.hang.waiting",
		.quiet_s = 2,
		.script = SCRIPT({OP(AWAIT, .value = 1), .value = 1}),
	},
	{
		/* vCPU 0 ends by itself, and its CPU waits for the other CPU. */
		.name = "selftest.hang.lost-kick",
		.script = SCRIPT(SPIN(1000)),
		.others = {SCRIPT(SPIN(1000))},
		.cpus = 2,
		.ready = lose_kick,
	},
	{
		/* vCPU 1 never reaches the barrier. */
		.name = "selftest.hang.barrier",
		.quiet_s = 2,
		.script = SCRIPT(STAGE1(), BARRIER(0)),
		.others = {SCRIPT(MASKED, SPIN(0))},
	},
	{
		/* One hypercall per iteration, nothing else. */
		.name = "selftest.hang.calls",
		.quiet_s = 2,
		.script = SCRIPT({OP(STORM, .addr = GUEST_YIELD, .count = UINT32_MAX,
                                     .stride = UINT32_MAX)}),
	},
	{
		/* It makes progress continuously and never ends. */
		.name = "selftest.hang.endless",
		.script = SCRIPT({OP(STORM, .addr = GUEST_FAULTS, .count = UINT32_MAX,
                                     .stride = UINT32_MAX)}),
		.total_s = 3,
	},
	{
		/* vCPU 0 waits for a vCPU that never starts. */
		.name = "selftest.hang.lost-start",
		.script = SCRIPT(STAGE1(), BARRIER(0)),
		.others = {SCRIPT(STAGE1(), BARRIER(0))},
		.cpus = 2,
		.quiet_s = 2,
		.ready = lose_kick,
	},
	{
		/* vCPU 1 leaves its guest only at its timer, and then finds the page unmapped. */
		.name = "selftest.kick.lost-flush",
		.areas = AREAS(POPULATED(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), {OP(IRQ_MASK, .value = 0)}, BARRIER(0), SPIN(1000),
                                 STEP(KICK_FLUSH), SPIN(0)),
		.others = {SCRIPT(READ(8, ARENA, 0), STAGE1(), {OP(IRQ_MASK, .value = 0)},
                                  BARRIER(0), {OP(TOUCH, .addr = ARENA, .count = UINT32_MAX)})},
		.cpus = 2,
		.faults = FAULTS(FAULT(ARENA, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.step = lose_and_unmap,
		.cleanup = lose_no_more,
	},
	{
		/* vCPU 0 is killed. vCPU 1 sees this only at its timer. */
		.name = "selftest.kick.lost-kill",
		.areas = AREAS(LAZY(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), {OP(IRQ_MASK, .value = 0)}, BARRIER(0), SPIN(1000),
                                 STEP(KICK_RUN), READ(8, ARENA, 0)),
		.others = {SCRIPT(STAGE1(), {OP(IRQ_MASK, .value = 0)}, BARRIER(0), SPIN(0))},
		.cpus = 2,
		.faults = FAULTS(FAULT(ARENA, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.step = lose_and_unmap,
		.cleanup = lose_no_more,
	},
	{
		.name = "selftest.hang.neighbour",
		.quiet_s = 2,
		.script = SCRIPT(MASKED, SPIN(0)),
		.beside = {beside_neighbour},
	},
	{
		.name = "selftest.after.all",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(WRITE(8, ARENA, PATTERN), READ(8, ARENA, PATTERN)),
		.faults = FAULTS(MAPPED(ARENA, MM_W)),
	},
	{
		/* CPU 1 is idle. */
		.name = "selftest-stuck.boot-cpu",
		.script = SCRIPT(STEP(0)),
		.step = loop_forever,
	},
	{
		/* CPU 1 runs a guest that does not end. */
		.name = "selftest-stuck.beside-guest",
		.script = SCRIPT(STEP(0)),
		.others = {SCRIPT(SPIN(0))},
		.cpus = 2,
		.step = loop_forever,
	},
	{
		.name = "selftest-stuck.hypervisor",
		.script = SCRIPT(SPIN(1000)),
		.others = {SCRIPT(STEP(0))},
		.cpus = 2,
		.step = loop_forever,
	},
};

const struct suite_subject suite_selftest = {
	.name = "selftest",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.by_name_only = true,
};
