/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's firmware calls: SBI, and PSCI by HVC and by SMC. Faultline emulates none of them. Each
 * call returns "not supported" for any hart mask and any address. No call reaches the machine's
 * firmware. The guest and its neighbour continue.
 */
#include "kernel/string.h"
#include "machine.h"
#include "suite/run.h"
#include "suite/suite.h"

#define EVERY UINT64_MAX /* hart, mask or address: none of them exists */

/* SBI 1.0, 3: error -2 in a0; a1 is 0. SMCCC 1.2, 5: -1 in x0. */
#define SBI_NOT_SUPPORTED   (UINT64_C(0xfffffffe) << 32)
#define SMCCC_NOT_SUPPORTED UINT64_MAX

static const struct firmware_call {
	const char *arch;
	const char *name;
	uint64_t number; /* SBI extension, PSCI function */
	uint32_t function;
	uint64_t args[2];
} calls[] = {
	{"riscv64", "base.version", 0x10, 0, {0, 0}},
	{"riscv64", "legacy.set-timer", 0, 0, {0, 0}},
	{"riscv64", "legacy.putchar", 1, 0, {'!', 0}},
	{"riscv64", "legacy.ipi.bad-mask", 4, 0, {EVERY - 7, 0}},
	{"riscv64", "legacy.fence.bad-mask", 6, 0, {GUEST_RAM_BASE - 8, 0}},
	{"riscv64", "legacy.shutdown", 8, 0, {0, 0}},
	{"riscv64", "time", 0x54494d45, 0, {0, 0}},
	{"riscv64", "ipi.all", 0x735049, 0, {0, EVERY}},
	{"riscv64", "ipi.bad-mask", 0x735049, 0, {EVERY, 4096}},
	{"riscv64", "ipi.mask-wraps", 0x735049, 0, {EVERY, EVERY - 1}},
	{"riscv64", "rfence.bad-mask", 0x52464e43, 1, {EVERY, EVERY - 63}},
	{"riscv64", "rfence.hfence-gvma", 0x52464e43, 4, {1, 0}},
	{"riscv64", "hsm.start.bad-hart", 0x48534d, 0, {EVERY, EVERY}},
	{"riscv64", "hsm.start.bad-address", 0x48534d, 0, {1, EVERY}},
	{"riscv64", "hsm.stop", 0x48534d, 1, {0, 0}},
	{"riscv64", "hsm.suspend", 0x48534d, 3, {0x80000000, EVERY}},
	{"riscv64", "srst.shutdown", 0x53525354, 0, {0, 0}},
	{"riscv64", "pmu.start", 0x504d55, 3, {EVERY, EVERY}},
	{"riscv64", "arguments", 0x08ffffff, 0x7fff1234, {0x1122334455667788, 0x99aabbccddeeff01}},
	{"aarch64", "arguments", 0xc3001234, 0x7fff1234, {0x1122334455667788, 0x99aabbccddeeff01}},
	{"riscv64", "unknown", EVERY, UINT32_MAX, {EVERY, EVERY}},
	{"aarch64", "psci.version", 0x84000000, 0, {0, 0}},
	{"aarch64", "psci.cpu-suspend", 0xc4000001, 0, {EVERY, EVERY}},
	{"aarch64", "psci.cpu-off", 0x84000002, 0, {0, 0}},
	{"aarch64", "psci.cpu-on.bad-target", 0xc4000003, 0, {EVERY, EVERY}},
	{"aarch64", "psci.cpu-on.bad-address", 0xc4000003, 0, {1, EVERY}},
	{"aarch64", "psci.migrate", 0xc4000005, 0, {EVERY, 0}},
	{"aarch64", "psci.system-off", 0x84000008, 0, {0, 0}},
	{"aarch64", "psci.system-reset", 0x84000009, 0, {0, 0}},
	{"aarch64", "psci.mem-protect", 0xc4000014, 0, {0, EVERY}},
	{"aarch64", "smccc.version", 0x80000000, 0, {0, 0}},
	{"aarch64", "sip", 0xc2000000, 0, {EVERY, EVERY}},
	{"aarch64", "trusted-os", 0xb2000000, 0, {EVERY, EVERY}},
	{"aarch64", "unknown", EVERY, 0, {EVERY, EVERY}},
};

static const struct firmware_call *call_number(size_t index)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(calls); i++) {
		if (strcmp(calls[i].arch, machine_arch) == 0 && index-- == 0)
			return &calls[i];
	}
	return NULL;
}

static struct suite_op call_op(const struct firmware_call *call, uint8_t flags, uint64_t answer)
{
	return (struct suite_op){
		OP(FIRMWARE, .addr = call->number, .count = call->function, .value = call->args[0],
	           .stride = call->args[1], .flags = flags),
		.value = answer,
	};
}

/* The operation of the script that makes firmware call number n. */
static const struct agent_op *operation(const struct suite_case *c, uint64_t n)
{
	for (const struct suite_op *op = c->script; op->op.code != AGENT_END; op++) {
		if (op->op.code == AGENT_FIRMWARE && n-- == 0)
			return &op->op;
	}
	return NULL;
}

/* The exit has the number, the arguments and the instruction of the call. */
static void check_exit(struct suite_run *run, const struct vm_exit *exit)
{
	const struct vm_exit_call *call = &exit->call;
	bool sbi = strcmp(machine_arch, "riscv64") == 0;
	const struct agent_op *op;

	if (exit->kind != VM_EXIT_FIRMWARE)
		return;
	op = operation(run->c, run->scratch[0]++);
	if (op == NULL) {
		suite_fail(run, "one call too many");
		return;
	}
	if (call->function != op->addr || call->args[0] != op->value ||
	    call->args[1] != op->stride || call->args[sbi ? 5 : 2] != op->count ||
	    call->smc != ((op->flags & AGENT_SMC) != 0))
		suite_fail(run,
		           "call 0x%" PRIx64 " is seen as 0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64,
		           op->addr, call->function, call->args[0], call->args[1]);
}

static bool all_were_seen(struct suite_run *run)
{
	return operation(run->c, run->scratch[0]) == NULL ||
	       suite_fail(run, "only %" PRIu64 " calls", run->scratch[0]);
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	const struct firmware_call *call = call_number(index);

	(void)host;
	if (call == NULL)
		return false;
	draft_name(d, "firmware.%s", call->name);
	d->c.beside[0] = beside_neighbour;
	d->c.seen = check_exit;
	d->c.verify = all_were_seen;
	draft_area(d, (struct suite_area)LAZY(ARENA, PAGE, MM_RW));
	draft_op(d, (struct suite_op)WRITE(8, ARENA, 42));
	if (strcmp(machine_arch, "riscv64") == 0) {
		draft_op(d, call_op(call, 0, SBI_NOT_SUPPORTED));
	} else {
		draft_op(d, call_op(call, 0, SMCCC_NOT_SUPPORTED));
		draft_op(d, call_op(call, AGENT_SMC, SMCCC_NOT_SUPPORTED));
	}
	draft_op(d, (struct suite_op)CALL(GUEST_NOP, 0, 0, GUEST_OK, 0));
	draft_op(d, (struct suite_op)READ(8, ARENA, 42));
	draft_fault(d, (struct suite_fault)MAPPED(ARENA, MM_W));
	return true;
}

const struct suite_subject suite_firmware = {
	.name = "firmware",
	.generate = generate,
	.generated = "firmware.",
};
