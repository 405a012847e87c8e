/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's own page tables: nested faults during their walk, which stage reports a fault if both
 * refuse an access, and updates of accessed and dirty bits in tables that the guest may not write.
 *
 * The guest's tables for VIRTUAL are two pages. The first maps 2 MiB per entry, the second 4 KiB. A
 * table page that was never touched reads as zeros, so all its entries are invalid. The walk of
 * such a table first takes a nested fault. After the page is mapped, the guest takes its own page
 * fault.
 */
#include "frame.h"
#include "suite/run.h"
#include "suite/suite.h"

#define TABLES  ARENA /* 2 pages */
#define DATA    (ARENA + 8 * PAGE)
#define KEEP    AGENT_KEEP
#define INDEX   5U /* index of the page in its table: VIRTUAL has index 0 */
#define TARGET  (VIRTUAL + INDEX * PAGE)
#define ENTRY   (INDEX * UINT64_C(8)) /* offset of its entry in the table */
#define RWX     (AGENT_PTE_R | AGENT_PTE_W | AGENT_PTE_X)
#define RWX_AD  (RWX | AGENT_PTE_AD)
#define NOWHERE (ARENA + 64 * PAGE)

#define PAGE_FAULT(code, at)                                                                       \
	{                                                                                          \
		OP(code, .width = 8, .addr = (at)), .trap = AGENT_PAGE_FAULT, .addr = (at)         \
	}

/* Step 0 makes the guest's tables read-only in the nested table. */
static uint64_t protect_tables(struct suite_run *run, uint64_t number)
{
	(void)number;
	return (uint64_t)(uint32_t)mm_aspace_protect(
		&run->vm->as, mm_gpa_range(mm_gpa_at(TABLES), 2 * PAGE), MM_R);
}

/* Step 0 removes all permissions from the guest's tables. The walk faults, and show_table()
 * restores them. */
static uint64_t hide_tables(struct suite_run *run, uint64_t number)
{
	(void)number;
	return (uint64_t)(uint32_t)mm_aspace_protect(
		&run->vm->as, mm_gpa_range(mm_gpa_at(TABLES), 2 * PAGE), MM_NONE);
}

static bool show_table(struct suite_run *run, const struct vm_exit *exit)
{
	mm_gpa_t page = mm_gpa_align_down(exit->fault.gpa, PAGE);

	return mm_aspace_protect(&run->vm->as, mm_gpa_range(page, PAGE), MM_RW) == MM_OK;
}

enum {
	KEEP_ENTRY,
	HAS_CHANGED,
};

/* The guest's entry for TARGET: KEEP_ENTRY stores it, HAS_CHANGED compares it. */
static uint64_t watch_entry(struct suite_run *run, uint64_t number)
{
	uint64_t entry;

	if (mm_aspace_load(&run->vm->as, mm_gpa_at(TABLES + PAGE + ENTRY), 8, &entry) != MM_OK)
		return UINT32_MAX;
	if (number == HAS_CHANGED)
		return entry != run->scratch[0];
	run->scratch[0] = entry;
	return 0;
}

static const struct suite_case cases[] = {
	{
		.name = "stage1.on.populated",
		.rules = "arm.s2.both ept.enabled npt.enabled H_vm_twostage",
		.areas = AREAS(POPULATED(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(STAGE1(), MAP(TARGET, DATA, 0, TABLES), WRITE(8, TARGET + 8, 42),
                                 READ(8, DATA + 8, 42), PUT_RETURN(TARGET), FETCH(TARGET)),
	},
	{
		.name = "stage1.walk.lazy.last-table",
		.rules =
			"arm.s1.walk.abort arm.s1.walk.hpfar ept.violation.walk ept.violation.walk-address npt.exit.walk npt.exit.final H_trap_xtinst_guestpage",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		/* Another mapping creates the upper table. This one only links the lower table. */
		.script = SCRIPT(STAGE1(), MAP(VIRTUAL + MIB2, ARENA + MIB2, 1, TABLES),
                                 MAP_AS(TARGET, DATA, 0, TABLES + PAGE, KEEP),
                                 PAGE_FAULT(READ, TARGET + 0x10)),
		.faults = FAULTS(MAPPED(TABLES, MM_W),
                                 FAULT_IN_WALK(TABLES + PAGE + ENTRY, MM_RW, MM_FAULT_MAPPED)),
	},
	{
		.name = "stage1.walk.lazy.first-table",
		.rules =
			"arm.s1.walk.abort arm.s1.walk.hpfar ept.violation.walk ept.violation.walk-address npt.exit.walk H_trap_xtinst_guestpage",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP_AS(TARGET, DATA, 0, TABLES, KEEP),
                                 PAGE_FAULT(WRITE, TARGET + 0x10)),
		.faults = FAULTS(FAULT_IN_WALK(TABLES, MM_RW, MM_FAULT_MAPPED)),
	},
	{
		.name = "stage1.walk.lazy.fetch",
		.rules = "arm.s1.walk.abort ept.violation.walk npt.exit.walk",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(STAGE1(), MAP_AS(TARGET, DATA, 0, TABLES, KEEP),
                                 PAGE_FAULT(FETCH, TARGET + 0x10)),
		.faults = FAULTS(FAULT_IN_WALK(TABLES, MM_RW, MM_FAULT_MAPPED)),
	},
	{
		.name = "stage1.walk.restored",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(TARGET, DATA, 0, TABLES), WRITE(8, TARGET, 42),
                                 STEP(0), OP_FLUSH(), READ(8, TARGET, 42)),
		.faults = FAULTS(MAPPED(TABLES, MM_W), MAPPED(TABLES + PAGE, MM_W),
                                 MAPPED(DATA, MM_W),
                                 FAULT_IN_WALK(TABLES, MM_RW, MM_FAULT_PERMISSION),
                                 FAULT_IN_WALK(TABLES + PAGE + ENTRY, MM_RW, MM_FAULT_PERMISSION)),
		.step = hide_tables,
		.repair = show_table,
	},
	{
		.name = "stage1.walk.unmapped",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP_AS(TARGET, DATA, 0, NOWHERE, KEEP),
                                 READ(8, TARGET, 0)),
		.faults = FAULTS(FAULT_IN_WALK(NOWHERE, MM_RW, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
	},
	{
		.name = "stage1.walk.device",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP_AS(TARGET, DATA, 0, GUEST_TEST_BASE, KEEP),
                                 READ(8, TARGET, 0)),
		.faults = FAULTS(FAULT_IN_WALK(GUEST_TEST_BASE, MM_RW, MM_FAULT_IS_DEVICE)),
		.end = SUITE_DIES,
	},
	{
		.name = "stage1.walk.readonly",
		.arch = "riscv64 aarch64",
		.rules = "arm.s1.walk.read H_vm_gpapriv",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(TARGET, DATA, 0, TABLES), WRITE(8, DATA, 42),
                                 STEP(0), OP_FLUSH(), READ(8, TARGET, 42), WRITE(8, TARGET, 43)),
		.faults = FAULTS(MAPPED(TABLES, MM_W), MAPPED(TABLES + PAGE, MM_W),
                                 MAPPED(DATA, MM_W)),
		.step = protect_tables,
	},
	{
		/* Intel SDM 29.3.3.2 with A and D in EPT, AMD APM 15.25.6 always: a walk of the
                 * guest's tables counts as a write. */
		.name = "stage1.walk.readonly.is-write",
		.arch = "x86_64",
		.rules = "ept.ad.walk-is-write npt.walk.is-write",
		.needs = SUITE_NEEDS_AD,
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(TARGET, DATA, 0, TABLES), WRITE(8, DATA, 42),
                                 STEP(0), OP_FLUSH(), READ(8, TARGET, 42)),
		.faults = FAULTS(MAPPED(TABLES, MM_W), MAPPED(TABLES + PAGE, MM_W),
                                 MAPPED(DATA, MM_W),
                                 FAULT_IN_WALK(TABLES, MM_W, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
		.step = protect_tables,
	},
	{
		.name = "stage1.ad.readonly.accessed",
		.arch = "riscv64 aarch64",
		.rules = "arm.s1.hardware.readonly H_trap_xtinst_guestpage_rw",
		.needs = SUITE_NEEDS_STAGE1_UPDATE,
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1_AD(), MAP_AS(TARGET, DATA, 0, TABLES, RWX),
                                 WRITE(8, DATA, 42), STEP(0), OP_FLUSH(), READ(8, TARGET, 42)),
		.faults = FAULTS(MAPPED(TABLES, MM_W), MAPPED(TABLES + PAGE, MM_W),
                                 MAPPED(DATA, MM_W),
                                 FAULT_IN_WALK(TABLES + PAGE + ENTRY, MM_W, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
		.step = protect_tables,
	},
	{
		/* A is set already. A read updates nothing, and a write updates D. */
		.name = "stage1.ad.readonly.dirty",
		.arch = "riscv64 aarch64",
		.rules = "arm.s1.hardware.readonly",
		.needs = SUITE_NEEDS_STAGE1_UPDATE,
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1_AD(), MAP_AS(TARGET, DATA, 0, TABLES, RWX | AGENT_PTE_A),
                                 WRITE(8, DATA, 42), STEP(0), OP_FLUSH(), READ(8, TARGET, 42),
                                 WRITE(8, TARGET, 43)),
		.faults = FAULTS(MAPPED(TABLES, MM_W), MAPPED(TABLES + PAGE, MM_W),
                                 MAPPED(DATA, MM_W),
                                 FAULT_IN_WALK(TABLES + PAGE + ENTRY, MM_W, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
		.step = protect_tables,
	},
	{
		.name = "stage1.ad.updated",
		.needs = SUITE_NEEDS_STAGE1_UPDATE,
		.areas = AREAS(POPULATED(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1_AD(), MAP_AS(TARGET, DATA, 0, TABLES, RWX),
                                 STEP(KEEP_ENTRY), READ(8, TARGET, 0), STEP_ANSWERS(HAS_CHANGED, 1),
                                 STEP(KEEP_ENTRY), WRITE(8, TARGET, 42),
                                 STEP_ANSWERS(HAS_CHANGED, 1), READ(8, DATA, 42)),
		.step = watch_entry,
	},
	{
		/* The other scheme: the guest's handler sets A. The hypervisor is not involved. */
		.name = "stage1.ad.faults.accessed",
		.arch = "riscv64 aarch64",
		.needs = SUITE_NEEDS_STAGE1_FAULT,
		.areas = AREAS(POPULATED(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(STAGE1(), MAP_AS(TARGET, DATA, 0, TABLES, RWX), STEP(KEEP_ENTRY),
                                 PAGE_FAULT(READ, TARGET + 8), PAGE_FAULT(WRITE, TARGET + 8),
                                 PAGE_FAULT(FETCH, TARGET + 8), STEP_ANSWERS(HAS_CHANGED, 0),
                                 MAP(TARGET, DATA, 0, TABLES), WRITE(8, TARGET + 8, 42),
                                 READ(8, DATA + 8, 42)),
		.step = watch_entry,
	},
	{
		/* A is set and D is clear. Arm has such an entry only if the CPU sets D. */
		.name = "stage1.ad.faults.dirty",
		.arch = "riscv64",
		.needs = SUITE_NEEDS_STAGE1_FAULT,
		.areas = AREAS(POPULATED(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP_AS(TARGET, DATA, 0, TABLES, RWX | AGENT_PTE_A),
                                 STEP(KEEP_ENTRY), READ(8, TARGET + 8, 0),
                                 PAGE_FAULT(WRITE, TARGET + 8), STEP_ANSWERS(HAS_CHANGED, 0),
                                 MAP(TARGET, DATA, 0, TABLES), WRITE(8, TARGET + 8, 42),
                                 READ(8, DATA + 8, 42)),
		.step = watch_entry,
	},
	{
		.name = "stage1.own.invalid",
		.rules = "arm.s2.stage1-first ept.fault.guest-first npt.guest-first",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(
			STAGE1(), MAP(TARGET, DATA, 0, TABLES), PAGE_FAULT(READ, TARGET + PAGE + 8),
			PAGE_FAULT(WRITE, TARGET + PAGE + 8), PAGE_FAULT(FETCH, TARGET + PAGE + 8)),
		.faults = FAULTS(MAPPED(TABLES, MM_W), MAPPED(TABLES + PAGE, MM_W)),
	},
	{
		.name = "stage1.own.both-invalid",
		.rules =
			"arm.s2.stage1-first ept.fault.guest-first npt.guest-first H_exception_priority",
		.areas = AREAS(LAZY(ARENA, 2 * PAGE, MM_RW)),
		/* No entry in the guest's table, and no memory at DATA. */
		.script = SCRIPT(STAGE1(), MAP_AS(TARGET, DATA, 0, TABLES, 0),
                                 PAGE_FAULT(READ, TARGET + 8)),
		.faults = FAULTS(MAPPED(TABLES, MM_W), MAPPED(TABLES + PAGE, MM_W)),
	},
	{
		.name = "stage1.own.readonly",
		.rules = "arm.s2.both-stages ept.perm.both-stages npt.both-stages",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(),
                                 MAP_AS(TARGET, DATA, 0, TABLES, AGENT_PTE_R | AGENT_PTE_AD),
                                 READ(8, TARGET + 8, 0), PAGE_FAULT(WRITE, TARGET + 8)),
		.faults = FAULTS(MAPPED(TABLES, MM_W), MAPPED(TABLES + PAGE, MM_W),
                                 MAPPED(DATA + 8, MM_R)),
	},
	{
		.name = "stage1.own.readonly.absent",
		.rules =
			"arm.s2.stage1-first ept.fault.guest-first npt.guest-first H_exception_priority",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		/* Stage 1 forbids the write. The guest must not see a missing permission of stage
                 * 2. */
		.script = SCRIPT(STAGE1(),
                                 MAP_AS(TARGET, DATA, 0, TABLES, AGENT_PTE_R | AGENT_PTE_AD),
                                 PAGE_FAULT(WRITE, TARGET + 8)),
		.faults = FAULTS(MAPPED(TABLES, MM_W), MAPPED(TABLES + PAGE, MM_W)),
	},
	{
		.name = "stage1.data.readonly",
		.rules =
			"arm.s2.both-stages arm.s2.abort.hpfar.unknown ept.perm.both-stages npt.both-stages npt.exit.final",
		.areas = AREAS(LAZY(ARENA, 2 * PAGE, MM_RW), LAZY(DATA, PAGE, MM_R)),
		.script = SCRIPT(STAGE1(), MAP(TARGET, DATA, 0, TABLES), READ(8, TARGET + 8, 0),
                                 WRITE(8, TARGET + 0x10, 1)),
		.faults = FAULTS(MAPPED(TABLES, MM_W), MAPPED(TABLES + PAGE, MM_W),
                                 MAPPED(DATA + 8, MM_R),
                                 FAULT(DATA + 0x10, MM_W, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
	},
	{
		.name = "stage1.data.unmapped",
		.areas = AREAS(LAZY(ARENA, 2 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(TARGET, DATA, 0, TABLES), READ(8, TARGET + 8, 0)),
		.faults = FAULTS(MAPPED(TABLES, MM_W), MAPPED(TABLES + PAGE, MM_W),
                                 FAULT(DATA + 8, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
	},
	{
		.name = "stage1.alias",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(TARGET, DATA, 0, TABLES),
                                 MAP(TARGET + PAGE, DATA, 0, TABLES), WRITE(8, TARGET, 7),
                                 READ(8, TARGET + PAGE, 7), READ(8, DATA, 7)),
		.faults = FAULTS(MAPPED(TABLES, MM_W), MAPPED(TABLES + PAGE, MM_W),
                                 MAPPED(DATA, MM_W)),
	},
	{
		.name = "stage1.remap",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(TARGET, DATA, 0, TABLES), WRITE(8, TARGET, 7),
                                 MAP(TARGET, DATA + PAGE, 0, TABLES), READ(8, TARGET, 0),
                                 READ(8, DATA, 7)),
		.faults = FAULTS(MAPPED(TABLES, MM_W), MAPPED(TABLES + PAGE, MM_W),
                                 MAPPED(DATA, MM_W), MAPPED(DATA + PAGE, MM_R)),
	},
};

const struct suite_subject suite_stage1 = {
	.name = "stage1",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
