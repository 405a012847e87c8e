/*
 * The suite's own alarms: cases that hang on purpose, each with a case behind it that must still
 * pass. They are no part of test=*; a pattern that begins with "selftest." selects them
 * (tests/boot/hang.t).
 */
#include "kernel/suite/run.h"
#include "kernel/suite/suite.h"

#define PATTERN UINT64_C(0x5e1f7e57)

#define MASKED                                                                                     \
	{                                                                                          \
		OP(IRQ_MASK, .value = 1)                                                           \
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
		/* vCPU 1 never comes to the barrier. */
		.name = "selftest.hang.barrier",
		.quiet_s = 2,
		.script = SCRIPT(STAGE1(), BARRIER(0)),
		.others = {SCRIPT(MASKED, SPIN(0))},
	},
	{
		/* A hypercall per turn, and nothing else. */
		.name = "selftest.hang.calls",
		.quiet_s = 2,
		.script = SCRIPT({OP(STORM, .addr = GUEST_YIELD, .count = UINT32_MAX,
                                     .stride = UINT32_MAX)}),
	},
	{
		/* It makes progress all the time, and never ends. */
		.name = "selftest.hang.endless",
		.script = SCRIPT({OP(STORM, .addr = GUEST_FAULTS, .count = UINT32_MAX,
                                     .stride = UINT32_MAX)}),
		.total_s = 3,
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
};

const struct suite_subject suite_selftest = {
	"selftest",
	cases,
	MM_ARRAY_SIZE(cases),
	NULL,
};
