/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nested faults of instructions that plain loads and stores do not show: pairs in two pages,
 * write-back, vector registers on the stack, exclusives, DC ZVA, cache maintenance, and the fetch
 * of an exception vector. Each instruction has its effect once.
 */
#include "guests/agent/forms.h"
#include "kernel/string.h"
#include "suite/aarch64/arm.h"

ARM_PIECE(fault_simd_stack);
ARM_PIECE(fault_pairs);
ARM_PIECE(fault_writeback);
ARM_PIECE(fault_exclusive);
ARM_PIECE(fault_zva);
ARM_PIECE(fault_zva_once);
ARM_PIECE(fault_maintenance);
ARM_PIECE(fault_wfe);

enum {
	AGENT_PRIVS_AARCH64(AGENT_PRIV_ENUM_AARCH64)
};

#define LAZY_AT (ARENA + 64 * PAGE)
#define DEVICE  GUEST_TEST_BASE

#define LAZY_COUNT(count)                                                                          \
	AREAS(POPULATED(ARENA, 32 * PAGE, MM_RWX), LAZY(LAZY_AT, (count)*PAGE, MM_RW))

#define LIMIT  (UINT64_C(1) << 36)
#define BEYOND (LIMIT + 0x128)

/* A fault anywhere in a page. */
#define PAGE_FAULT(at, how, what)                                                                  \
	{                                                                                          \
		.gpa = (at), .access = (how), .outcome = (what), .page = true                      \
	}
#define PAGE_MAPPED(n, how) PAGE_FAULT(LAZY_AT + (n)*PAGE, how, MM_FAULT_MAPPED)

/* The table below the root's entry of VIRTUAL. */
#define LINK_DEVICE MAP_AS(VIRTUAL, ARENA, 0, DEVICE, AGENT_PTE_R | AGENT_PTE_AD | AGENT_KEEP)

#define ONCE SCRIPT(CALL_AT(ARM_CODE, LAZY_AT, 0))

/* Cache maintenance of a device: the hardware decides whether it translates the address. */
static bool ended_or_refused(struct suite_run *run)
{
	const struct vm *vm = run->vm;

	if (vm->outcome != VM_KILLED || vm->reason == KILL_MMIO_UNDECODED)
		return true;
	return suite_fail(run, "killed for %s", vm_kill_name(vm->reason));
}

/* --- beyond a geometry that is narrower than the CPU's addresses --- */

static const struct virt_geometry *find_geometry(const struct virt_caps *caps, const char *name)
{
	for (size_t i = 0; i < caps->geometry_count; i++) {
		if (strcmp(caps->geometries[i].name, name) == 0)
			return &caps->geometries[i];
	}
	return NULL;
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	static const struct {
		const char *name;
		struct suite_op op;
		unsigned access;
	} beyond[] = {
		{"read", READ(8, BEYOND, 0), MM_R},
		{"write", WRITE(1, BEYOND, 0), MM_W},
		{"fetch", FETCH(BEYOND), MM_X},
	};

	if (index >= MM_ARRAY_SIZE(beyond))
		return false;
	draft_name(d, "arm.fault.out-of-range.%s", beyond[index].name);
	d->c.geometry = find_geometry(&host->caps, "ipa36");
	if (d->c.geometry == NULL) /* no CPU of 36 bits */
		return false;
	draft_area(d, (struct suite_area)LAZY(LIMIT - PAGE, PAGE, MM_RW));
	draft_op(d, (struct suite_op)READ(1, LIMIT - 1, 0));
	draft_op(d, beyond[index].op);
	draft_fault(d, (struct suite_fault)MAPPED(LIMIT - 1, MM_R));
	draft_fault(d,
	            (struct suite_fault)FAULT(BEYOND, beyond[index].access, MM_FAULT_OUT_OF_RANGE));
	d->c.end = SUITE_DIES;
	return true;
}

static const struct suite_case cases[] = {
	{
		.name = "arm.fault.simd-stack",
		.feature = "fp",
		.areas = LAZY_COUNT(4),
		.script = ONCE,
		.faults = FAULTS(PAGE_MAPPED(2, MM_W), PAGE_MAPPED(1, MM_W)),
		.data = &fault_simd_stack,
		.ready = arm_ready,
	},
	{
		.name = "arm.fault.pairs",
		.areas = LAZY_COUNT(8),
		.script = ONCE,
		.unordered = true,
		.faults = FAULTS(PAGE_MAPPED(0, MM_W), PAGE_MAPPED(1, MM_W), PAGE_MAPPED(2, MM_R),
                                 PAGE_MAPPED(3, MM_R), PAGE_MAPPED(4, MM_W), PAGE_MAPPED(5, MM_W),
                                 PAGE_MAPPED(6, MM_R), PAGE_MAPPED(7, MM_R)),
		.data = &fault_pairs,
		.ready = arm_ready,
	},
	{
		.name = "arm.fault.write-back",
		.areas = LAZY_COUNT(4),
		.script = ONCE,
		.faults = FAULTS(MAPPED(LAZY_AT + 8, MM_W), MAPPED(LAZY_AT + PAGE, MM_R),
                                 MAPPED(LAZY_AT + 2 * PAGE + 0xf0, MM_W),
                                 MAPPED(LAZY_AT + 3 * PAGE + 0xf0, MM_W)),
		.data = &fault_writeback,
		.ready = arm_ready,
	},
	{
		.name = "arm.fault.exclusive",
		.areas = LAZY_COUNT(3),
		.script = ONCE,
		.rules = "arm.s2.exclusive",
		.faults = FAULTS(MAPPED(LAZY_AT + 0x10, MM_R), MAPPED(LAZY_AT + PAGE + 0x20, MM_R),
                                 MAPPED(LAZY_AT + 2 * PAGE + 7, MM_R)),
		.data = &fault_exclusive,
		.ready = arm_ready,
	},
	{
		.name = "arm.fault.zva",
		.areas = ARM_AREAS,
		.script = SCRIPT(CALL_AT(ARM_CODE, ARM_DATA, 0)),
		.data = &fault_zva,
		.ready = arm_ready,
	},
	{
		.name = "arm.fault.zva.lazy",
		.areas = LAZY_COUNT(1),
		.script = SCRIPT(CALL_AT(ARM_CODE, LAZY_AT + 0x800, 0)),
		.faults = FAULTS(PAGE_MAPPED(0, MM_W)),
		.data = &fault_zva_once,
		.ready = arm_ready,
	},
	{
		.name = "arm.fault.zva.readonly",
		.areas = AREAS(POPULATED(ARENA, 32 * PAGE, MM_RWX), LAZY(LAZY_AT, PAGE, MM_R)),
		.script = SCRIPT(READ(8, LAZY_AT, 0), CALL_AT(ARM_CODE, LAZY_AT + 0x800, 0)),
		.faults = FAULTS(MAPPED(LAZY_AT, MM_R),
                                 PAGE_FAULT(LAZY_AT, MM_W, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
		.data = &fault_zva_once,
		.ready = arm_ready,
	},
	{
		.name = "arm.fault.zva.unmapped",
		.areas = ARM_AREAS,
		.script = SCRIPT(CALL_AT(ARM_CODE, LAZY_AT + 0x800, 0)),
		.faults = FAULTS(PAGE_FAULT(LAZY_AT, MM_W, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.data = &fault_zva_once,
		.ready = arm_ready,
	},
	{
		.name = "arm.fault.zva.device",
		.areas = ARM_AREAS,
		.script = SCRIPT(CALL_AT(ARM_CODE, DEVICE, 0)),
		.faults = FAULTS(PAGE_FAULT(DEVICE, MM_W, MM_FAULT_IS_DEVICE)),
		.end = SUITE_DIES,
		.kill = KILL_MMIO_UNDECODED,
		.data = &fault_zva_once,
		.ready = arm_ready,
	},
	{
		/* Cache maintenance writes nothing, so a page that is only readable is enough. */
		.name = "arm.fault.maintenance",
		.areas = AREAS(POPULATED(ARENA, 32 * PAGE, MM_RWX), LAZY(LAZY_AT, PAGE, MM_RW),
                               LAZY(LAZY_AT + PAGE, PAGE, MM_RX)),
		.script =
			SCRIPT(CALL_AT(ARM_CODE, LAZY_AT + 0x40, 0), WRITE(8, LAZY_AT + 0x48, 0x55),
                               CALL_AT(ARM_CODE, LAZY_AT + 0x40, 0), READ(8, LAZY_AT + 0x48, 0x55),
                               CALL_AT(ARM_CODE, LAZY_AT + 0x40, 0)),
		.uncounted = true,
		.data = &fault_maintenance,
		.ready = arm_ready,
	},
	{
		.name = "arm.fault.maintenance.device",
		.areas = ARM_AREAS,
		.script = SCRIPT(CALL_AT(ARM_CODE, DEVICE, 0)),
		.end = SUITE_EITHER,
		.uncounted = true,
		.data = &fault_maintenance,
		.ready = arm_ready,
		.verify = ended_or_refused,
	},
	{
		.name = "arm.fault.wfe",
		.areas = ARM_AREAS,
		.script = ONCE,
		.data = &fault_wfe,
		.ready = arm_ready,
	},
	{
		/* A table of stage 1 is the device: its first register would be the descriptor. */
		.name = "arm.fault.walk.device.read",
		.script = SCRIPT(STAGE1(), LINK_DEVICE, READ(8, VIRTUAL + 0x40, 0)),
		.faults = FAULTS({.gpa = DEVICE,
                                  .access = MM_R,
                                  .outcome = MM_FAULT_IS_DEVICE,
                                  .walk = true,
                                  .page = true}),
		.end = SUITE_DIES,
	},
	{
		.name = "arm.fault.walk.device.write",
		.script = SCRIPT(STAGE1(), LINK_DEVICE, WRITE(8, VIRTUAL + 0x40, 0)),
		.faults = FAULTS({.gpa = DEVICE,
                                  .access = MM_R,
                                  .outcome = MM_FAULT_IS_DEVICE,
                                  .walk = true,
                                  .page = true}),
		.end = SUITE_DIES,
	},
	{
		/* The exception vectors are the device's registers. */
		.name = "arm.fault.vector.device",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_RWX)),
		.script = SCRIPT({OP(VECTOR, .addr = DEVICE)}, FETCH(ARENA)),
		.faults = FAULTS(MAPPED(ARENA, MM_X),
                                 FAULT(DEVICE + 0x200, MM_X, MM_FAULT_IS_DEVICE)),
		.end = SUITE_DIES,
		.kill = KILL_MMIO_UNDECODED,
	},
	{
		.name = "arm.fault.vector.not-executable",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_RWX), POPULATED(LAZY_AT, PAGE, MM_RW)),
		.script = SCRIPT({OP(VECTOR, .addr = LAZY_AT + 0x800)}, FETCH(ARENA)),
		.faults = FAULTS(MAPPED(ARENA, MM_X),
                                 FAULT(LAZY_AT + 0xa00, MM_X, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
	},
	{
		/* The same after an exception that the hypervisor injects. */
		.name = "arm.fault.vector.injected",
		.areas = AREAS(POPULATED(LAZY_AT, PAGE, MM_RW)),
		.script = SCRIPT({OP(VECTOR, .addr = LAZY_AT + 0x800)},
                                 {OP(PRIV, .count = PRIV_AARCH64_actlr)}),
		.faults = FAULTS(FAULT(LAZY_AT + 0xa00, MM_X, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
	},
};

const struct suite_subject suite_arm_fault = {
	.name = "arm.fault",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "arm.fault.out-of-range.",
};
