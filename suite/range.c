/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The limits of guest-physical space. The last address of a geometry can be mapped and accessed.
 * The first address beyond it cannot: the VM is killed, or the guest takes an exception because its
 * own first stage cannot express the address. A high address never reaches the memory of a low
 * address.
 */
#include "kernel/string.h"
#include "machine.h"
#include "suite/mailbox.h"
#include "suite/run.h"
#include "suite/suite.h"

#define VALUE UINT64_C(0x600dda7a600dda7a)

/* One load at guest-physical `at`, by any means that the architecture has. */
#define FAR(bytes, at, expected)                                                                   \
	{                                                                                          \
		OP(FAR, .width = (bytes), .addr = (at)), .value = (expected)                       \
	}

/* The addresses that a guest can express: x86's own page tables have no more bits than the CPU's
 * address width. */
static unsigned reachable_bits(const struct host *host)
{
	unsigned bits = mm_npt_gpa_bits(&suite_geometry()->npt);

	if (strcmp(machine_arch, "x86_64") == 0 && host->caps.hpa_bits < bits)
		return host->caps.hpa_bits;
	return bits;
}

/* The VM was killed for exactly that access, or the guest's own first stage refused it. The access
 * was not done. */
static bool out_of_reach(struct suite_run *run)
{
	const struct vm *vm = run->vm;
	uint64_t at = run->c->script[1].op.addr;
	const struct agent_result *result = &suite_read_mailbox(run->vm, 0)->results[1];

	if (vm->outcome == VM_KILLED) {
		bool beyond = vm->kill_gpa.raw >> mm_npt_gpa_bits(&suite_geometry()->npt) != 0;

		if (vm->reason != (beyond ? KILL_OUT_OF_RANGE : KILL_NOT_MAPPED))
			return suite_fail(run, "killed for %s", vm_kill_name(vm->reason));
		if (mm_align_down(vm->kill_gpa.raw ^ at, PAGE) << 8 != 0)
			return suite_fail(run, "killed at 0x%" PRIx64, vm->kill_gpa.raw);
		return true;
	}
	if (result->trap != AGENT_PAGE_FAULT && result->trap != AGENT_ACCESS)
		return suite_fail(run, "answered %u, 0x%" PRIx64, result->trap, result->value);
	return true;
}

/* The first address beyond the limit, and every power of two from 2^39 that is beyond it. */
static bool generate_beyond(size_t index, const struct host *host, struct suite_draft *d)
{
	static const uint8_t powers[] = {0, 39, 40, 41, 44, 48, 50, 52, 59, 62};
	unsigned limit = mm_npt_gpa_bits(&suite_geometry()->npt);
	unsigned bits;

	if (index >= MM_ARRAY_SIZE(powers))
		return false;
	bits = powers[index] != 0 ? powers[index] : limit;
	if (powers[index] == 0)
		draft_name(d, "range.limit");
	else
		draft_name(d, "range.2^%u", bits);
	/* An entry of x86's own tables has 52 address bits. The higher bits have other meanings. */
	if (bits >= 52)
		d->c.arch = "riscv64 aarch64";
	/* Below the limit the address is only unmapped. In both cases the guest must not see the
	 * data at the address without its high bits. */
	draft_area(d, (struct suite_area)POPULATED(ARENA, PAGE, MM_RW));
	draft_op(d, (struct suite_op)WRITE(8, ARENA, VALUE));
	draft_op(d, (struct suite_op)FAR(8, (UINT64_C(1) << bits) + ARENA, 0));
	d->c.end = SUITE_EITHER;
	d->c.uncounted = true;
	d->c.verify = out_of_reach;
	(void)host;
	return true;
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	static const uint8_t widths[] = {1, 8};
	uint64_t top = UINT64_C(1) << reachable_bits(host);
	uint8_t width;

	if (index >= MM_ARRAY_SIZE(widths))
		return generate_beyond(index - MM_ARRAY_SIZE(widths), host, d);
	width = widths[index];
	draft_name(d, "range.limit-minus-1.%u", 8U * width);
	draft_area(d, (struct suite_area)LAZY(top - 4 * PAGE, 4 * PAGE, MM_RW));
	draft_op(d, (struct suite_op)FAR(width, top - width, 0));
	draft_op(d, (struct suite_op)FAR(width, top - 4 * PAGE, 0));
	draft_fault(d, (struct suite_fault)MAPPED(top - width, MM_R));
	draft_fault(d, (struct suite_fault)MAPPED(top - 4 * PAGE, MM_R));
	return true;
}

static const struct suite_case cases[] = {
	{
		.name = "range.zero",
		.areas = AREAS(LAZY(0, PAGE, MM_RW)),
		.script = SCRIPT(WRITE(8, 0x10, VALUE), READ(8, 0x10, VALUE)),
		.faults = FAULTS(MAPPED(0x10, MM_W)),
	},
	{
		.name = "range.unmapped.read",
		.rules = "arm.s2.abort.dfsc",
		.script = SCRIPT(READ(8, ARENA + 0x18, 0)),
		.faults = FAULTS(FAULT(ARENA + 0x18, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
	},
	{
		.name = "range.unmapped.write",
		.script = SCRIPT(WRITE(1, ARENA + 0x19, 0)),
		.faults = FAULTS(FAULT(ARENA + 0x19, MM_W, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
	},
	{
		.name = "range.unmapped.fetch",
		.script = SCRIPT(FETCH(ARENA + 0x20)),
		.faults = FAULTS(FAULT(ARENA + 0x20, MM_X, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
	},
	{
		.name = "range.area.byte-before",
		.areas = AREAS(LAZY(ARENA + 4 * PAGE, PAGE, MM_RW)),
		.script = SCRIPT(READ(1, ARENA + 4 * PAGE, 0), READ(1, ARENA + 4 * PAGE - 1, 0)),
		.faults = FAULTS(MAPPED(ARENA + 4 * PAGE, MM_R),
                                 FAULT(ARENA + 4 * PAGE - 1, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
	},
	{
		.name = "range.area.byte-after",
		.areas = AREAS(LAZY(ARENA + 4 * PAGE, PAGE, MM_RW)),
		.script = SCRIPT(READ(1, ARENA + 5 * PAGE - 1, 0), READ(1, ARENA + 5 * PAGE, 0)),
		.faults = FAULTS(MAPPED(ARENA + 5 * PAGE - 1, MM_R),
                                 FAULT(ARENA + 5 * PAGE, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
	},
};

const struct suite_subject suite_range = {
	.name = "range",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "range.",
};
