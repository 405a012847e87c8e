/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hypervisor counts and notes of a guest: the exits that are progress (hang.h), and the
 * vCPU of each recorded fault.
 */
#include "kernel/run.h"
#include "kernel/string.h"
#include "machine.h"
#include "suite/run.h"
#include "suite/suite.h"

/* --- exits that are progress --- */

/* Step: the exits that were counted since the step before, this one included. */
static uint64_t calls_since(struct suite_run *run, uint64_t number)
{
	uint64_t calls = run->vm->calls, since = calls - run->scratch[0];

	(void)number;
	run->scratch[0] = calls;
	return since;
}

/* An operation, and the number of its exits that count. The guest's result does not matter. */
static const struct counted {
	const char *name;
	const char *arch; /* NULL: all */
	struct agent_op op;
	unsigned exits;
} counted[] = {
	/* A guest that only yields, or calls the empty hypercall, makes no progress. */
	{"nop", NULL, {.code = AGENT_CALL, .addr = GUEST_NOP, .count = 1}, 0},
	{"yield", NULL, {.code = AGENT_CALL, .addr = GUEST_YIELD, .count = 1}, 0},
	{"cycles", NULL, {.code = AGENT_CALL, .addr = GUEST_CYCLES, .count = 1}, 1},
	{"unknown", NULL, {.code = AGENT_CALL, .addr = 999, .count = 1}, 1},
	{"timer", NULL, {.code = AGENT_TIMER}, 1},
	{"spin", NULL, {.code = AGENT_SPIN, .count = 100}, 0},
	{"firmware", "riscv64 aarch64", {.code = AGENT_FIRMWARE, .addr = 0x84000000}, 1},
	{"smc", "aarch64", {.code = AGENT_FIRMWARE, .addr = 0x84000000, .flags = AGENT_SMC}, 1},
};

static bool make_counted(size_t index, struct suite_draft *d)
{
	const struct counted *row = &counted[index];

	draft_name(d, "account.calls.%s", row->name);
	d->c.arch = row->arch;
	d->c.step = calls_since;
	draft_op(d, (struct suite_op){OP(STEP), .any_value = true});
	for (unsigned i = 0; i < 3; i++) {
		draft_op(d, (struct suite_op){.op = row->op, .any_value = true});
		draft_op(d, (struct suite_op)STEP_ANSWERS(0, row->exits + 1));
	}
	return true;
}

/* --- the vCPU of a fault --- */

#define OWN(vcpu) (ARENA + (vcpu)*4 * PAGE)

/* Each vCPU touches the 4 pages at OWN(its index). */
static bool vcpus_are_noted(struct suite_run *run)
{
	unsigned seen[SUITE_VCPUS] = {0};

	for (size_t i = 0; i < run->trace.count && i < run->trace.capacity; i++) {
		const struct fault_record *fault = &run->trace.records[i];

		if (fault->result != MM_FAULT_MAPPED || fault->gpa.raw < ARENA)
			continue;
		if (fault->vcpu != (fault->gpa.raw - ARENA) / (4 * PAGE))
			return suite_fail(run, "fault at 0x%" PRIx64 " is noted for vcpu %u",
			                  fault->gpa.raw, fault->vcpu);
		seen[fault->vcpu]++;
	}
	for (unsigned i = 0; i < run->vm->vcpu_count; i++) {
		if (seen[i] != 4)
			return suite_fail(run, "vcpu %u: %u faults", i, seen[i]);
	}
	return true;
}

/* --- the line of a fault in the log --- */

static char text[512];

static bool divert(struct suite_run *run)
{
	(void)run;
	log_divert(text, sizeof(text));
	return true;
}

static void undivert(struct suite_run *run)
{
	(void)run;
	log_divert(NULL, 0);
}

/* Each outcome, vCPU 1. */
static bool lines_are_right(struct suite_run *run)
{
	static const struct {
		struct fault_record fault;
		const char *line; /* after the name of the VM */
	} rows[] = {
		{{.gpa = {ARENA + 0x18}, .access = MM_R, .result = MM_FAULT_MAPPED, .size = 4096},
	         "gpa=0x100000018 access=r cause=lazy action=alloc size=4096 cycles=0"},
		{{.gpa = {8}, .access = MM_W, .result = MM_FAULT_MAPPED, .stage1_walk = true},
	         "gpa=0x8 access=w cause=lazy-stage1-walk action=alloc size=0 cycles=0"},
		{{.gpa = {8}, .access = MM_X, .result = MM_FAULT_SPURIOUS, .cycles = 77},
	         "gpa=0x8 access=x cause=spurious action=retry size=0 cycles=77"},
		{{.gpa = {8}, .access = MM_W, .result = MM_FAULT_UNSHARED},
	         "gpa=0x8 access=w cause=write-protected action=unshare size=0 cycles=0"},
		{{.gpa = {8}, .access = MM_R, .result = MM_FAULT_IS_DEVICE},
	         "gpa=0x8 access=r cause=device action=emulate size=0 cycles=0"},
		{{.gpa = {8}, .access = MM_R, .result = MM_FAULT_NOT_MAPPED},
	         "gpa=0x8 access=r cause=not-mapped action=kill size=0 cycles=0"},
		{{.gpa = {8}, .access = MM_R, .result = MM_FAULT_PERMISSION},
	         "gpa=0x8 access=r cause=permission action=kill size=0 cycles=0"},
	};
	char expected[256];

	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		struct fault_record fault = rows[i].fault;

		fault.vcpu = 1;
		log_divert(text, sizeof(text));
		trace_log_fault(run->vm, &fault);
		log_divert(NULL, 0);
		format_string(expected, sizeof(expected), "# fault vm=%s vcpu=1 %s\n", run->c->name,
		              rows[i].line);
		if (strcmp(text, expected) != 0)
			suite_fail(run, "expected \"%.90s\", got \"%.90s\"", expected, text);
	}
	return run->complaints == 0;
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	(void)host;
	return index < MM_ARRAY_SIZE(counted) && make_counted(index, d);
}

#define TOUCH_OWN(vcpu) SCRIPT(TOUCH(OWN(vcpu), 4, PAGE))

static const struct suite_case cases[] = {
	{
		.name = "account.vcpu",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = TOUCH_OWN(0),
		.others = {TOUCH_OWN(1), TOUCH_OWN(2), TOUCH_OWN(3)},
		.uncounted = true,
		.verify = vcpus_are_noted,
		.share_cpu = true,
	},
	{
		.name = "account.lines",
		.script = SCRIPT(SPIN(1)),
		.ready = divert,
		.verify = lines_are_right,
		.cleanup = undivert,
	},
};

const struct suite_subject suite_account = {
	.name = "account",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "account.calls.",
};
