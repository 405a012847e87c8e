/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile guests. Each guest tries to harm the hypervisor or its neighbour. The neighbour runs
 * beside it, does its own work, and finds its memory unchanged.
 *
 * Other files contain these attacks: stray accesses (range.c), permissions (perm.c), page tables at
 * unusual addresses (stage1.c), devices (mmio.c), forbidden instructions (privileged.c), firmware
 * calls (firmware.c), code that changes (hostile_code.c), storms and races (smp.c).
 */
#include "guests/agent/forms.h"
#include "kernel/run.h"
#include "kernel/string.h"
#include "suite/beside.h"
#include "suite/run.h"
#include "suite/suite.h"

#define PATTERN UINT64_C(0xbadbadbadbadbad0)
#define ROOM    UINT64_C(8) /* frames beyond those that the VM starts with */

/* --- memory beyond the quota --- */

static bool leave_little_room(struct suite_run *run)
{
	run->vm->frames.limit = run->vm->frames.taken + ROOM;
	return true;
}

/* All remaining frames were used, and no more. */
static bool used_its_room(struct suite_run *run)
{
	if (run->vm->frames.taken <= run->vm->frames.limit)
		return true;
	return suite_fail(run, "%" PRIu64 " frames taken of %" PRIu64,
	                  (uint64_t)run->vm->frames.taken, run->vm->frames.limit);
}

/* --- hypercalls with invalid buffers and lengths --- */

#define HOLE (ARENA + 2 * PAGE)

#define BAD_CALL(number, a0, a1, error) CALL(number, a0, a1, error, 0)

/* --- page tables that point at the hypervisor --- */

/* The physical address of the hypervisor's own memory is not mapped in a guest. */
static bool generate_at_hypervisor(size_t index, struct suite_draft *d)
{
	static const char *const names[] = {"read", "tables"};
	uint64_t at = suite_linear_offset();
	/* Some machines have their RAM above the limit of a guest's address space. */
	bool beyond = at >> mm_npt_gpa_bits(&suite_geometry()->npt) != 0;
	enum mm_fault outcome = beyond ? MM_FAULT_OUT_OF_RANGE : MM_FAULT_NOT_MAPPED;

	draft_name(d, "hostile.hypervisor.%s", names[index]);
	d->c.end = SUITE_DIES;
	draft_area(d, (struct suite_area)LAZY(ARENA, 4 * PAGE, MM_RW));
	draft_op(d, (struct suite_op)STAGE1());
	if (index == 0) {
		draft_op(d, (struct suite_op){OP(FAR, .width = 8, .addr = at)});
		draft_fault(d, (struct suite_fault)FAULT(at, MM_R, outcome));
		return true;
	}
	draft_op(d, (struct suite_op)MAP_AS(VIRTUAL, ARENA, 0, at, AGENT_KEEP));
	draft_op(d, (struct suite_op)READ(8, VIRTUAL, 0));
	draft_fault(d, (struct suite_fault)FAULT_IN_WALK(at, MM_RW, outcome));
	return true;
}

/* --- exit storms --- */

/* Step 0, repeated: has the neighbour finished? A storm continues until it has, on slow hosts too.
 * If the storm left no time slices to the neighbour, the storm would reach its own limit first. */
static uint64_t neighbour_is_done(struct suite_run *run, uint64_t number)
{
	(void)run;
	(void)number;
	return vm_outcome(beside_vm(0)) == VM_EXITED ? 0 : 1;
}

enum {
	AGENT_PRIVS_X86_64(AGENT_PRIV_ENUM_X86_64)
};

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	(void)host;
	d->c.beside[0] = beside_neighbour;
	return index < 2 && generate_at_hypervisor(index, d);
}

#define SWEEP(kind)                                                                                \
	{                                                                                          \
		OP(SWEEP, .count = (kind))                                                         \
	}
/* At most ten million exits. */
#define STORM(number, each)                                                                        \
	{                                                                                          \
		OP(STORM, .addr = (number), .count = (each), .stride = 10000000 / (each))          \
	}
#define VECTOR(at)                                                                                 \
	{                                                                                          \
		OP(VECTOR, .addr = (at))                                                           \
	}

#define NEIGHBOUR .beside = {beside_neighbour}

static const struct suite_case cases[] = {
	{
		.name = "hostile.unmapped.read",
		.script = SCRIPT(READ(8, ARENA + 0x18, 0)),
		.faults = FAULTS(FAULT(ARENA + 0x18, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		NEIGHBOUR,
	},
	{
		.name = "hostile.unmapped.write",
		.script = SCRIPT(WRITE(8, ARENA + 0x18, 0)),
		.faults = FAULTS(FAULT(ARENA + 0x18, MM_W, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		NEIGHBOUR,
	},
	{
		.name = "hostile.unmapped.fetch",
		.script = SCRIPT(FETCH(ARENA + 0x18)),
		.faults = FAULTS(FAULT(ARENA + 0x18, MM_X, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		NEIGHBOUR,
	},
	{
		.name = "hostile.readonly.write",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_R)),
		.script = SCRIPT(READ(8, ARENA, 0), WRITE(8, ARENA, 1)),
		.faults = FAULTS(MAPPED(ARENA, MM_R), FAULT(ARENA, MM_W, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
		NEIGHBOUR,
	},
	{
		.name = "hostile.no-execute.fetch",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(PUT_RETURN(ARENA), FETCH(ARENA)),
		.faults = FAULTS(MAPPED(ARENA, MM_W), FAULT(ARENA, MM_X, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
		NEIGHBOUR,
	},
	{
		.name = "hostile.info-page.write",
		.script = SCRIPT(WRITE(8, GUEST_INFO_BASE, 0)),
		.faults = FAULTS(FAULT(GUEST_INFO_BASE, MM_W, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
		NEIGHBOUR,
	},
	{
		.name = "hostile.memory.dry",
		.areas = AREAS(LAZY(ARENA, 1024 * PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, 1024, PAGE, PATTERN)),
		.end = SUITE_DIES,
		.kill = KILL_NO_MEMORY,
		.uncounted = true,
		.ready = leave_little_room,
		.verify = used_its_room,
		NEIGHBOUR,
	},
	{
		.name = "hostile.memory.quota",
		.areas = AREAS(LAZY(ARENA, 1024 * PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, 1024, PAGE, PATTERN)),
		.quota = ROOM,
		.end = SUITE_DIES,
		.kill = KILL_QUOTA,
		.uncounted = true,
		NEIGHBOUR,
	},
	{
		.name = "hostile.memory.quota.large-pages",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(LAZY_LEAF(ARENA, 8 * MIB2, MM_RW, 1)),
		.script = SCRIPT(FILL(ARENA, 1024, PAGE, PATTERN)),
		.quota = ROOM,
		.end = SUITE_DIES,
		.kill = KILL_QUOTA,
		.uncounted = true,
		NEIGHBOUR,
	},
	{
		.name = "hostile.call.unknown",
		.rules = "arm.trap.hvc vmx.exit.vmcall svm.intercept.vmmcall H_cause_ecall",
		.script = SCRIPT(BAD_CALL(GUEST_CALLS, 0, 0, GUEST_UNKNOWN_CALL),
                                 BAD_CALL(UINT32_MAX, 0, 0, GUEST_UNKNOWN_CALL),
                                 BAD_CALL(0xffff, UINT64_MAX, UINT64_MAX, GUEST_UNKNOWN_CALL)),
		NEIGHBOUR,
	},
	{
		.name = "hostile.call.lengths",
		.areas = AREAS(LAZY(ARENA, 2 * PAGE, MM_RW)),
		.script = SCRIPT(
			BAD_CALL(GUEST_PRINT, ARENA, UINT32_MAX, GUEST_BAD_ARGUMENT),
			BAD_CALL(GUEST_PRINT, ARENA, UINT64_MAX, GUEST_BAD_ARGUMENT),
			BAD_CALL(GUEST_PRINT, ARENA, 129, GUEST_BAD_ARGUMENT),
			BAD_CALL(GUEST_UNMAP, ARENA, UINT64_MAX, GUEST_BAD_ARGUMENT),
			BAD_CALL(GUEST_UNMAP, ARENA, 0, GUEST_BAD_ARGUMENT),
			BAD_CALL(GUEST_UNMAP, ARENA, 1, GUEST_BAD_ARGUMENT),
			BAD_CALL(GUEST_UNMAP, UINT64_MAX - PAGE + 1, 2 * PAGE, GUEST_BAD_ARGUMENT),
			BAD_CALL(GUEST_PROTECT, ARENA, UINT64_MAX, GUEST_BAD_ARGUMENT),
			BAD_CALL(GUEST_REPORT, UINT64_MAX, 0, GUEST_BAD_ARGUMENT)),
		NEIGHBOUR,
	},
	{
		.name = "hostile.call.across-a-hole",
		.areas = AREAS(POPULATED(ARENA, 2 * PAGE, MM_RW)),
		.script = SCRIPT(BAD_CALL(GUEST_PRINT, HOLE - 8, 16, GUEST_BAD_ADDRESS),
                                 BAD_CALL(GUEST_PRINT, HOLE, 16, GUEST_BAD_ADDRESS),
                                 BAD_CALL(GUEST_PRINT, GUEST_TEST_BASE, 16, GUEST_BAD_ADDRESS),
                                 BAD_CALL(GUEST_PRINT, UINT64_MAX - 7, 16, GUEST_BAD_ADDRESS),
                                 ZEROS(ARENA, 2 * 512, 8)),
		NEIGHBOUR,
	},
	{
		/* Another vCPU writes to the buffer meanwhile. */
		.name = "hostile.call.buffer-changes",
		.areas = AREAS(POPULATED(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(BARRIER(0), {OP(CALL, .addr = GUEST_PRINT, .value = ARENA,
                                                 .stride = 128, .count = 200)}),
		.others = {SCRIPT(BARRIER(0),
                                  {OP(FILL, .addr = ARENA, .count = 20000, .value = PATTERN)})},
		NEIGHBOUR,
	},
	{
		/* It unmaps its own data, and then its own code. */
		.name = "hostile.call.unmaps-itself",
		.script = SCRIPT(CALL(GUEST_UNMAP, GUEST_RAM_BASE,
                                      GUEST_ARENA_BASE - GUEST_RAM_BASE, GUEST_OK, 0)),
		.end = SUITE_DIES,
		.kill = KILL_NOT_MAPPED,
		.uncounted = true,
		NEIGHBOUR,
	},
	{
		.name = "hostile.exit-storm",
		.script = SCRIPT(STORM(GUEST_NOP, 1000)),
		.step = neighbour_is_done,
		.share_cpu = true,
		NEIGHBOUR,
	},
	{
		.name = "hostile.yield-storm",
		.script = SCRIPT(STORM(GUEST_YIELD, 100)),
		.step = neighbour_is_done,
		.share_cpu = true,
		NEIGHBOUR,
	},
	{
		.name = "hostile.fault-storm",
		.areas = AREAS(LAZY(ARENA, 1024 * PAGE, MM_RW)),
		.script =
			SCRIPT(FILL(ARENA, 1024, PAGE, PATTERN), CHECK(ARENA, 1024, PAGE, PATTERN)),
		.faults = FAULTS(MAPPED_SERIES(ARENA, MM_W, 1024, PAGE)),
		NEIGHBOUR,
	},
	{
		.name = "hostile.sweep.registers",
		.rules =
			"arm.trap.any-register vmx.msr.any vmx.exit.rdmsr svm.msr.any svm.msr.read",
		.script = SCRIPT(SWEEP(AGENT_SWEEP_REGISTERS), CALL(GUEST_NOP, 0, 0, GUEST_OK, 0)),
		NEIGHBOUR,
	},
	{
		.name = "hostile.sweep.forbidden",
		.arch = "riscv64 aarch64",
		.rules = "arm.trap.any-write",
		.script = SCRIPT(SWEEP(AGENT_SWEEP_FORBIDDEN), CALL(GUEST_NOP, 0, 0, GUEST_OK, 0)),
		NEIGHBOUR,
	},
	{
		.name = "hostile.sweep.firmware",
		.arch = "riscv64 aarch64",
		.script = SCRIPT(SWEEP(AGENT_SWEEP_FIRMWARE), CALL(GUEST_NOP, 0, 0, GUEST_OK, 0)),
		NEIGHBOUR,
	},
	{
		/* Its exception vectors point to an unmapped address: a fault while an exception is
                 * delivered. */
		.name = "hostile.vector.unmapped",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_RWX)),
		.script = SCRIPT(VECTOR(ARENA + 16 * PAGE), FETCH(ARENA)),
		.faults = FAULTS(MAPPED(ARENA, MM_X), {.gpa = ARENA + 16 * PAGE,
                                                       .access = MM_R | MM_X,
                                                       .outcome = MM_FAULT_NOT_MAPPED,
                                                       .page = true}),
		.end = SUITE_DIES,
		NEIGHBOUR,
	},
	{
		/* The frame of an exception goes to a page that is not populated yet. The exception
                 * is still delivered, exactly once. */
		.name = "hostile.delivery.lazy-stack",
		.arch = "x86_64",
		.rules =
			"ept.violation.delivery vmx.inject.again npt.exit.delivery svm.inject.again",
		.areas = AREAS(LAZY(ARENA, 2 * PAGE, MM_RW)),
		.script =
			SCRIPT({OP(PRIV, .count = PRIV_X86_64_foreign_stack, .value = ARENA + PAGE),
                                .trap = AGENT_UNDEFINED},
                               READ(8, ARENA + PAGE, 0)),
		.faults = FAULTS(
			{.gpa = ARENA, .access = MM_W, .outcome = MM_FAULT_MAPPED, .page = true},
			MAPPED(ARENA + PAGE, MM_R)),
		NEIGHBOUR,
	},
	{
		.name = "hostile.delivery.readonly-stack",
		.arch = "x86_64",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_R)),
		.script = SCRIPT(
			{OP(PRIV, .count = PRIV_X86_64_foreign_stack, .value = ARENA + PAGE)}),
		.faults = FAULTS({.gpa = ARENA,
                                  .access = MM_W,
                                  .outcome = MM_FAULT_PERMISSION,
                                  .page = true}),
		.end = SUITE_DIES,
		NEIGHBOUR,
	},
};

const struct suite_subject suite_hostile = {
	.name = "hostile",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "hostile.hypervisor.",
};
