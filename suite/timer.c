/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time. A guest that never exits loses its CPU, with interrupts masked or not. A guest's timer
 * interrupts it. A wait for an interrupt ends when an interrupt is pending.
 */
#include "suite/run.h"
#include "suite/suite.h"

#define BUDGET 200           /* ms: longer than a busy host delays an emulator */
#define SOON   UINT64_C(200) /* microseconds */

#define MASK_IRQ(masked)                                                                           \
	{                                                                                          \
		OP(IRQ_MASK, .value = (masked))                                                    \
	}
#define TIMER(microseconds)                                                                        \
	{                                                                                          \
		OP(TIMER, .value = (microseconds))                                                 \
	}
#define AWAIT(interrupts)                                                                          \
	{                                                                                          \
		OP(AWAIT, .value = (interrupts)), .value = (interrupts)                            \
	}
#define IRQS(expected)                                                                             \
	{                                                                                          \
		OP(IRQS), .value = (expected)                                                      \
	}
#define WAIT()                                                                                     \
	{                                                                                          \
		OP(WAIT)                                                                           \
	}

static const struct suite_case cases[] = {
	{
		.name = "timer.budget.spin",
		.rules = "vmx.exit.preemption",
		.script = SCRIPT(SPIN(0)),
		.budget = BUDGET,
		.end = SUITE_DIES,
		.kill = KILL_BUDGET,
	},
	{
		.name = "timer.budget.spin-masked",
		.rules = "arm.irq.imo vmx.exit.preemption svm.intercept.interrupt",
		.script = SCRIPT(MASK_IRQ(1), SPIN(0)),
		.budget = BUDGET,
		.end = SUITE_DIES,
		.kill = KILL_BUDGET,
	},
	{
		.name = "timer.budget.beside-neighbour",
		.script = SCRIPT(MASK_IRQ(1), SPIN(0)),
		.budget = BUDGET,
		.end = SUITE_DIES,
		.kill = KILL_BUDGET,
		.beside = {beside_neighbour},
	},
	{
		.name = "timer.budget.waiting",
		.script = SCRIPT(AWAIT(1)),
		.budget = BUDGET,
		.end = SUITE_DIES,
		.kill = KILL_BUDGET,
	},
	{
		.name = "timer.fires.waiting",
		.rules =
			"arm.irq.virtual vmx.inject.interrupt vmx.hlt.wakes vmx.exit.hlt svm.inject.interrupt svm.hlt.wakes svm.intercept.hlt",
		.script =
			SCRIPT(MASK_IRQ(0), TIMER(SOON), AWAIT(1), MASK_IRQ(1), TIMER(0), IRQS(1)),
	},
	{
		.name = "timer.fires.twice",
		.rules = "arm.irq.virtual vmx.inject.interrupt svm.inject.interrupt",
		.script = SCRIPT(MASK_IRQ(0), TIMER(SOON), AWAIT(1), TIMER(SOON), MASK_IRQ(0),
                                 AWAIT(2), TIMER(0), IRQS(2)),
	},
	{
		/* The timer expires while interrupts are masked. The interrupt is taken when they
                 * are enabled. */
		.name = "timer.fires.masked",
		.rules = "arm.irq.virtual.masked vmx.inject.window svm.inject.window",
		.script = SCRIPT(MASK_IRQ(1), TIMER(1), SPIN(200000), IRQS(0), MASK_IRQ(0),
                                 AWAIT(1), TIMER(0)),
	},
	{
		.name = "timer.cancelled",
		.script = SCRIPT(MASK_IRQ(0), TIMER(UINT64_C(3600000000)), TIMER(0), SPIN(10000),
                                 IRQS(0)),
	},
	{
		.name = "timer.beyond-all-time",
		.script = SCRIPT(CALL(GUEST_TIMER, UINT64_MAX, 0, GUEST_BAD_ARGUMENT, 0), IRQS(0)),
	},
	{
		.name = "timer.wait.goes-on",
		.script = SCRIPT(WAIT(), WAIT(), IRQS(0)),
	},
	{
		/* A pending interrupt ends a wait even if it is masked. */
		.name = "timer.wait.pending",
		.arch = "riscv64 aarch64",
		.rules = "arm.irq.wfi",
		.script = SCRIPT(MASK_IRQ(1), TIMER(1), SPIN(200000), WAIT(), WAIT(), IRQS(0),
                                 TIMER(0)),
	},
};

const struct suite_subject suite_timer = {
	.name = "timer",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
