/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that a guest may not use directly. Each is emulated, or is undefined for the guest,
 * as the row of its architecture says (guests/agent/forms.h). None of them has an effect on the
 * machine, and none ends the guest.
 */
#include "guests/agent/forms.h"
#include "kernel/string.h"
#include "machine.h"
#include "suite/run.h"
#include "suite/suite.h"

struct instruction {
	const char *arch;
	const char *name;
	unsigned number;
	enum priv_outcome outcome;
};

enum {
	AGENT_PRIVS_RISCV64(AGENT_PRIV_ENUM_RISCV64)
};
enum {
	AGENT_PRIVS_AARCH64(AGENT_PRIV_ENUM_AARCH64)
};
enum {
	AGENT_PRIVS_X86_64(AGENT_PRIV_ENUM_X86_64)
};

static const struct instruction instructions[] = {
#define ROW(name, text, outcome) {"riscv64", #name, PRIV_RISCV64_##name, outcome},
	AGENT_PRIVS_RISCV64(ROW)
#undef ROW
#define ROW(name, text, outcome) {"aarch64", #name, PRIV_AARCH64_##name, outcome},
		AGENT_PRIVS_AARCH64(ROW)
#undef ROW
#define ROW(name, text, outcome) {"x86_64", #name, PRIV_X86_64_##name, outcome},
			AGENT_PRIVS_X86_64(ROW)
#undef ROW
};

static const struct instruction *instruction_number(size_t index)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(instructions); i++) {
		if (strcmp(instructions[i].arch, machine_arch) == 0 && index-- == 0)
			return &instructions[i];
	}
	return NULL;
}

/* APM vol. 3, VMRUN: the CPU checks EFER.SVME, which must be set while a guest runs. Then it
 * checks CPL and RAX, and only then the intercept. So a guest without SVM may get a fault other
 * than #UD. */
static enum agent_trap for_operand(const struct host *host)
{
	return strcmp(host->ops->name, "svm") == 0 ? AGENT_ACCESS : AGENT_UNDEFINED;
}

/* The guest continues afterwards: its memory is unchanged, and its hypercalls work. */
static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	const struct instruction *in = instruction_number(index);
	struct suite_op op = {.any_value = true};

	if (in == NULL)
		return false;
	op.op = (struct agent_op){.code = AGENT_PRIV, .count = in->number};
	op.any_trap = in->outcome == PRIV_EITHER;
	if (in->outcome == PRIV_UNDEFINED || in->outcome == PRIV_EITHER)
		op.trap = AGENT_UNDEFINED;
	else if (in->outcome == PRIV_ACCESS)
		op.trap = AGENT_ACCESS;
	else if (in->outcome == PRIV_OPERAND)
		op.trap = for_operand(host);
	else if (in->outcome == PRIV_DEBUG)
		op.trap = AGENT_DEBUG;
	draft_name(d, "privileged.%s", in->name);
	/* SBI firmware handles an undefined instruction before the guest does. OpenSBI 1.9 reports
	 * MRET as unknown, without an end of line. */
	d->c.firmware_writes = strcmp(host->ops->name, "hext") == 0 && op.trap == AGENT_UNDEFINED;
	if (in->outcome == PRIV_APART) {
		d->c.arch = "none"; /* not selected on any architecture */
		return true;
	}
	draft_area(d, (struct suite_area)LAZY(ARENA, PAGE, MM_RW));
	draft_op(d, (struct suite_op)WRITE(8, ARENA, 42));
	draft_op(d, op);
	if (in->outcome == PRIV_SHUTDOWN) {
		d->c.end = SUITE_DIES;
		d->c.kill = KILL_SHUTDOWN;
		draft_fault(d, (struct suite_fault)MAPPED(ARENA, MM_W));
		return true;
	}
	draft_op(d, op);
	draft_op(d, (struct suite_op)CALL(GUEST_NOP, 0, 0, GUEST_OK, 0));
	draft_op(d, (struct suite_op)READ(8, ARENA, 42));
	draft_fault(d, (struct suite_fault)MAPPED(ARENA, MM_W));
	return true;
}

const struct suite_subject suite_privileged = {
	.name = "privileged",
	.generate = generate,
	.generated = "privileged.",
};
