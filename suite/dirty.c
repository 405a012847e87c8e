/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dirty logs and snapshots. The pages that a log reports are exactly the pages that the guest
 * wrote. This holds for write protection and for the hardware's A/D bits. A guest that is restored
 * to a snapshot has the snapshot's contents in every byte.
 */
#include "mm/dirty.h"
#include "kernel/run.h"
#include "kernel/string.h"
#include "mm/snapshot.h"
#include "suite/mailbox.h"
#include "suite/run.h"
#include "suite/suite.h"

#define LOG_PAGES 32U
#define PATTERN   UINT64_C(0xd1d1d1d1d1d1d1d1)
#define RESTORES  1000U

enum {
	START_PROTECT, /* steps of this file */
	START_HARDWARE,
	START_SPLIT,
	COLLECT,
	STOP,
	HARVEST,
	TAKE,
	LOG_START,
	LOG_TAKE,
	LOG_STOP,
};

#define LOGGED 600U /* pages: more than the words of VMX's buffer */

static struct mm_snapshot snapshot;

static struct mm_gpa_range arena(void)
{
	return mm_gpa_range(mm_gpa_at(ARENA), LOG_PAGES * PAGE);
}

/* One bit for each page of the arena. */
static uint64_t collect(struct suite_run *run)
{
	uint64_t bitmap[1] = {0};

	if (mm_aspace_dirty_collect(&run->vm->as, arena(), bitmap) != MM_OK)
		return UINT64_MAX;
	return (uint32_t)bitmap[0];
}

static bool harvest_leaf(void *ctx, const struct mm_npt_leaf *leaf)
{
	uint64_t *marks = ctx;
	uint64_t page = (leaf->gpa.raw - ARENA) / PAGE;

	/* Dirty pages in the lower half, accessed pages in the upper half: 16 bits each. */
	*marks |= (uint64_t)leaf->dirty << page | (uint64_t)leaf->accessed << (page + 16);
	return true;
}

static uint64_t harvest(struct suite_run *run)
{
	uint64_t marks = 0;

	if (mm_aspace_harvest(&run->vm->as, mm_gpa_range(mm_gpa_at(ARENA), 16 * PAGE), harvest_leaf,
	                      &marks) != MM_OK)
		return UINT64_MAX;
	return (uint32_t)marks;
}

/* --- the CPU's log --- */

static bool no_matter(void *ctx, const struct mm_npt_leaf *leaf)
{
	(void)ctx;
	(void)leaf;
	return true;
}

/* Begins with clear A/D bits. A page is logged when its D bit is set. */
static uint64_t log_start(struct suite_run *run)
{
	struct vcpu *vcpu = &run->vm->vcpus[0].vcpu;

	if (mm_aspace_harvest(&run->vm->as, mm_gpa_range(mm_gpa_at(ARENA), LOGGED * PAGE),
	                      no_matter, NULL) != MM_OK)
		return 1;
	return vcpu->ops->log_writes(vcpu, true) ? 0 : 2;
}

/* The pages of the arena in the log, which must be in the order of the writes. Bits 31:16: how
 * often the CPU's buffer was full. */
static uint64_t log_take(struct suite_run *run)
{
	static mm_gpa_t pages[1024];
	struct vcpu *vcpu = &run->vm->vcpus[0].vcpu;
	struct vcpu_writes writes = vcpu->ops->take_writes(vcpu, pages, MM_ARRAY_SIZE(pages));
	uint64_t *next = &run->scratch[0], before = *next;

	for (size_t i = 0; i < writes.count; i++) {
		if (pages[i].raw < ARENA || pages[i].raw >= ARENA + LOGGED * PAGE)
			continue;
		if (pages[i].raw != ARENA + *next * PAGE)
			suite_fail(run, "0x%" PRIx64 " is in the log", pages[i].raw);
		++*next;
	}
	return (uint64_t)writes.full_exits << 16 | (*next - before);
}

static uint64_t step(struct suite_run *run, uint64_t number)
{
	struct mm_aspace *as = &run->vm->as;

	switch (number) {
	case START_PROTECT:
		return (uint64_t)(uint32_t)mm_aspace_dirty_start(as, MM_DIRTY_WRITE_PROTECT, false);
	case START_HARDWARE:
		return (uint64_t)(uint32_t)mm_aspace_dirty_start(as, MM_DIRTY_HARDWARE, false);
	case START_SPLIT:
		return (uint64_t)(uint32_t)mm_aspace_dirty_start(as, MM_DIRTY_WRITE_PROTECT, true);
	case COLLECT:
		return collect(run);
	case HARVEST:
		return harvest(run);
	case STOP:
		mm_aspace_dirty_stop(as);
		return 0;
	case LOG_START:
		return log_start(run);
	case LOG_TAKE:
		return log_take(run);
	case LOG_STOP:
		return run->vm->ops->log_writes(&run->vm->vcpus[0].vcpu, false) ? 0 : 1;
	default:
		return (uint64_t)(uint32_t)mm_aspace_snapshot_take(as, &snapshot);
	}
}

/* --- the log against what the guest wrote --- */

static const struct {
	const char *name;
	uint32_t pages; /* number of pages that the guest writes: at most 12 */
} sets[] = {
	{"none", 0},
	{"first", 0x1},
	{"last", 0x80000000},
	{"neighbours", 0x000f0000},
	{"every-third", 0x49249249},
	{"scattered", 0x81042209},
};

static const struct {
	const char *name;
	unsigned start; /* the step */
	unsigned needs;
} ways[] = {
	{"protect", START_PROTECT, 0},
	{"hardware", START_HARDWARE, SUITE_NEEDS_AD},
};

/* One write to each page of the set. With write protection also one fault each. */
static void draft_writes(struct suite_draft *d, uint32_t pages, bool protect)
{
	for (unsigned page = 0; page < LOG_PAGES; page++) {
		uint64_t at = ARENA + page * PAGE + 0x40;

		if ((pages >> page & 1) == 0)
			continue;
		draft_op(d, (struct suite_op)WRITE(8, at, page));
		if (protect)
			draft_fault(d, (struct suite_fault)FAULT(at, MM_W, MM_FAULT_UNSHARED));
	}
}

/* Every page is written before the log begins. The log must not report these writes. */
static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	size_t set = index % MM_ARRAY_SIZE(sets), way = index / MM_ARRAY_SIZE(sets);
	bool protect;

	(void)host;
	if (way >= MM_ARRAY_SIZE(ways))
		return false;
	protect = ways[way].start == START_PROTECT;
	draft_name(d, "dirty.%s.%s", ways[way].name, sets[set].name);
	d->c.needs = ways[way].needs;
	d->c.step = step;
	d->c.arena_only = true;
	draft_area(d, (struct suite_area)LAZY(ARENA, LOG_PAGES * PAGE, MM_RW));
	draft_op(d, (struct suite_op)FILL(ARENA, LOG_PAGES, PAGE, PATTERN));
	draft_fault(d, (struct suite_fault)MAPPED_SERIES(ARENA, MM_W, LOG_PAGES, PAGE));
	draft_op(d, (struct suite_op)STEP(ways[way].start));
	draft_writes(d, sets[set].pages, protect);
	draft_op(d, (struct suite_op)CHECK(ARENA, LOG_PAGES, PAGE, PATTERN));
	draft_op(d, (struct suite_op)STEP_ANSWERS(COLLECT, sets[set].pages));
	draft_op(d, (struct suite_op)STEP_ANSWERS(COLLECT, 0));
	draft_op(d, (struct suite_op)WRITE(8, ARENA + 5 * PAGE + 8, 1));
	if (protect)
		draft_fault(d, (struct suite_fault)FAULT(ARENA + 5 * PAGE + 8, MM_W,
		                                         MM_FAULT_UNSHARED));
	draft_op(d, (struct suite_op)STEP_ANSWERS(COLLECT, 1U << 5));
	draft_op(d, (struct suite_op)STEP(STOP));
	draft_op(d, (struct suite_op)FILL(ARENA, LOG_PAGES, PAGE, ~PATTERN));
	draft_op(d, (struct suite_op)CHECK(ARENA, LOG_PAGES, PAGE, ~PATTERN));
	return true;
}

/* --- restoring a snapshot --- */

static bool take_at_start(struct suite_run *run)
{
	return mm_aspace_snapshot_take(&run->vm->as, &snapshot) == MM_OK;
}

static bool fill_and_take(struct suite_run *run)
{
	return mm_aspace_fill(&run->vm->as, mm_gpa_at(ARENA), 0x5a, LOG_PAGES / 2 * PAGE) ==
	               MM_OK &&
	       take_at_start(run);
}

/* The guest has written to every page. It had not touched half of them before. */
static bool restored(struct suite_run *run)
{
	static uint8_t page[PAGE];

	if (mm_aspace_snapshot_restore(&run->vm->as, &snapshot) != MM_OK)
		return suite_fail(run, "the snapshot cannot be restored");
	for (unsigned i = 0; i < LOG_PAGES; i++) {
		uint8_t expected = i < LOG_PAGES / 2 ? 0x5a : 0;

		if (mm_aspace_read(&run->vm->as, mm_gpa_at(ARENA + i * PAGE), page, PAGE) != MM_OK)
			return suite_fail(run, "page %u cannot be read", i);
		for (size_t j = 0; j < PAGE; j++) {
			if (page[j] != expected)
				return suite_fail(run, "page %u has changed", i);
		}
	}
	mm_aspace_snapshot_drop(&run->vm->as, &snapshot);
	return true;
}

/* --- a guest that is restarted many times --- */

/* FNV-1a over the arena: identifies the result of the guest. */
static uint64_t arena_hash(struct suite_run *run)
{
	static uint64_t page[PAGE / sizeof(uint64_t)];
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (unsigned i = 0; i < LOG_PAGES; i++) {
		if (mm_aspace_read(&run->vm->as, mm_gpa_at(ARENA + i * PAGE), page, sizeof(page)) !=
		    MM_OK)
			return 0;
		for (size_t j = 0; j < MM_ARRAY_SIZE(page); j++)
			hash = (hash ^ page[j]) * UINT64_C(0x100000001b3);
	}
	return hash;
}

static bool same_again(struct suite_run *run, uint64_t hash, uint32_t operations)
{
	if (mm_aspace_snapshot_restore(&run->vm->as, &snapshot) != MM_OK || !vm_restart(run->vm))
		return suite_fail(run, "the snapshot cannot be restored");
	vm_run(run->vm);
	if (run->vm->outcome != VM_EXITED || run->vm->exit_status != 0)
		return suite_fail(run, "ended differently: %s", vm_kill_name(run->vm->reason));
	if (suite_read_mailbox(run->vm, 0)->done != operations || arena_hash(run) != hash)
		return suite_fail(run, "the contents differ");
	return true;
}

static bool restore_often(struct suite_run *run)
{
	uint64_t hash = arena_hash(run);
	uint32_t operations = suite_read_mailbox(run->vm, 0)->done;
	struct mm_aspace_stats first, last;
	unsigned i = 0;

	run->vm->trace = NULL;
	mm_aspace_get_stats(&run->vm->as, &first);
	while (i < RESTORES && same_again(run, hash, operations))
		i++;
	mm_aspace_get_stats(&run->vm->as, &last);
	if (i < RESTORES)
		return suite_fail(run, "failed in round %u", i);
	if (last.frames != first.frames || last.tables != first.tables)
		return suite_fail(
			run, "%" PRId64 " frames more after %u rounds",
			(int64_t)(last.frames + last.tables - first.frames - first.tables), i);
	mm_aspace_snapshot_drop(&run->vm->as, &snapshot);
	return true;
}

#define UNSHARED_SERIES(at, times, bytes)                                                          \
	{                                                                                          \
		.gpa = (at), .access = MM_W, .outcome = MM_FAULT_UNSHARED, .count = (times),       \
		.stride = (bytes)                                                                  \
	}

static const struct suite_case cases[] = {
	{
		.name = "dirty.marks.written",
		.rules =
			"arm.s2.af.hardware arm.s2.dbm ept.ad.accessed ept.ad.dirty npt.ad.accessed npt.ad.dirty",
		.needs = SUITE_NEEDS_AD,
		.areas = AREAS(POPULATED(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, 16, PAGE, PATTERN),
                                 {OP(STEP, .value = HARVEST), .value = UINT32_MAX},
                                 STEP_ANSWERS(HARVEST, 0), WRITE(8, ARENA + PAGE, 1),
                                 READ(8, ARENA + 2 * PAGE, PATTERN ^ (ARENA + 2 * PAGE)),
                                 WRITE(1, ARENA + 5 * PAGE, 1), STEP_ANSWERS(HARVEST, 0x00260022),
                                 STEP_ANSWERS(HARVEST, 0)),
		.step = step,
	},
	{
		.name = "dirty.marks.read-only",
		.rules = "arm.s2.dbm.read ept.ad.read npt.ad.read",
		.needs = SUITE_NEEDS_AD,
		.areas = AREAS(POPULATED(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, 16, PAGE, PATTERN), STEP_ANSWERS(HARVEST, UINT32_MAX),
                                 CHECK(ARENA, 16, PAGE, PATTERN), STEP_ANSWERS(HARVEST, 0xffff0000),
                                 STEP_ANSWERS(HARVEST, 0)),
		.step = step,
	},
	{
		/* The pages of the guest's own tables (0, 1 and 8) are read and not written. */
		.name = "dirty.marks.walked",
		.arch = "riscv64 aarch64",
		.needs = SUITE_NEEDS_AD,
		.areas = AREAS(POPULATED(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(VIRTUAL, ARENA + 8 * PAGE, 0, ARENA),
                                 WRITE(8, VIRTUAL, 1),
                                 {OP(STEP, .value = HARVEST), .any_value = true}, OP_FLUSH(),
                                 READ(8, VIRTUAL, 1), STEP_ANSWERS(HARVEST, 0x01030000)),
		.step = step,
	},
	{
		/* SDM 29.3.5, APM 15.25.6: a walk of the guest's tables counts as a write. */
		.name = "dirty.marks.walked",
		.arch = "x86_64",
		.rules = "ept.ad.walk-dirty npt.ad.walk",
		.needs = SUITE_NEEDS_AD,
		.areas = AREAS(POPULATED(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(VIRTUAL, ARENA + 8 * PAGE, 0, ARENA),
                                 WRITE(8, VIRTUAL, 1),
                                 {OP(STEP, .value = HARVEST), .any_value = true}, OP_FLUSH(),
                                 READ(8, VIRTUAL, 1), STEP_ANSWERS(HARVEST, 0x01030003)),
		.step = step,
	},
	{
		/* When the CPU updates the guest's own entry, it writes to the page that contains
                 * the entry. */
		.name = "dirty.marks.walk-updates",
		.arch = "riscv64 aarch64",
		.rules = "arm.s1.hardware.marks",
		.needs = SUITE_NEEDS_AD | SUITE_NEEDS_STAGE1_UPDATE,
		.areas = AREAS(POPULATED(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1_AD(),
                                 MAP_AS(VIRTUAL, ARENA + 8 * PAGE, 0, ARENA,
                                        AGENT_PTE_R | AGENT_PTE_W | AGENT_PTE_X),
                                 {OP(STEP, .value = HARVEST), .any_value = true}, OP_FLUSH(),
                                 WRITE(8, VIRTUAL, 1), STEP_ANSWERS(HARVEST, 0x01030102)),
		.step = step,
	},
	{
		/* The log finds it as a lazy page and does not collect it: it counts as written. */
		.name = "dirty.protect.lazy",
		.rules = "arm.s2.dbm.clear",
		.areas = AREAS(LAZY(ARENA, LOG_PAGES *PAGE, MM_RW)),
		.script = SCRIPT(STEP(START_PROTECT), WRITE(8, ARENA + 3 * PAGE, 1),
                                 STEP_ANSWERS(COLLECT, 0x8), STEP_ANSWERS(COLLECT, 0), STEP(STOP)),
		.faults = FAULTS(MAPPED(ARENA + 3 * PAGE, MM_W)),
		.arena_only = true,
		.step = step,
	},
	{
		.name = "dirty.protect.split-2m",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(POPULATED_LEAF(ARENA, MIB2, MM_RW, 1)),
		.script = SCRIPT(
			FILL(ARENA, 512, PAGE, PATTERN), STEP(START_SPLIT),
			WRITE(8, ARENA + 4 * PAGE + 8, 1), WRITE(8, ARENA + 9 * PAGE + 8, 1),
			STEP_ANSWERS(COLLECT, 0x210), CHECK(ARENA, 512, PAGE, PATTERN), STEP(STOP),
			FILL(ARENA, 512, PAGE, ~PATTERN), CHECK(ARENA, 512, PAGE, ~PATTERN)),
		.faults = FAULTS(FAULT(ARENA + 4 * PAGE + 8, MM_W, MM_FAULT_UNSHARED),
                                 FAULT(ARENA + 9 * PAGE + 8, MM_W, MM_FAULT_UNSHARED)),
		.arena_only = true,
		.step = step,
	},
	{
		.name = "dirty.protect.busy",
		.areas = AREAS(POPULATED(ARENA, LOG_PAGES *PAGE, MM_RW)),
		.script =
			SCRIPT(STEP(START_PROTECT), STEP_ANSWERS(START_PROTECT, (uint32_t)MM_BUSY),
                               STEP_ANSWERS(TAKE, (uint32_t)MM_BUSY), STEP(STOP)),
		.arena_only = true,
		.step = step,
	},
	{
		/* Page by page. A page that is already dirty is not logged again. */
		.name = "dirty.log.some",
		.needs = SUITE_NEEDS_PML,
		.areas = AREAS(POPULATED(ARENA, LOGGED *PAGE, MM_RW)),
		.script = SCRIPT(STEP(LOG_START), STEP_ANSWERS(LOG_TAKE, 0), WRITE(8, ARENA, 1),
                                 WRITE(1, ARENA + PAGE, 1), STEP_ANSWERS(LOG_TAKE, 2),
                                 WRITE(8, ARENA, 2), READ(8, ARENA + 2 * PAGE, 0),
                                 STEP_ANSWERS(LOG_TAKE, 0), WRITE(8, ARENA + 2 * PAGE, 1),
                                 STEP_ANSWERS(LOG_TAKE, 1), STEP(LOG_STOP)),
		.step = step,
	},
	{
		.name = "dirty.log.full",
		.rules = "ept.pml.full",
		.needs = SUITE_NEEDS_PML,
		.areas = AREAS(POPULATED(ARENA, LOGGED *PAGE, MM_RW)),
		.script =
			SCRIPT(STEP(LOG_START), FILL(ARENA, LOGGED, PAGE, PATTERN),
                               STEP_ANSWERS(LOG_TAKE, 1U << 16 | LOGGED), STEP_ANSWERS(LOG_TAKE, 0),
                               STEP(LOG_STOP), CHECK(ARENA, LOGGED, PAGE, PATTERN)),
		.step = step,
	},
	{
		.name = "snapshot.restore",
		.areas = AREAS(LAZY(ARENA, LOG_PAGES *PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, LOG_PAGES, PAGE, PATTERN),
                                 CHECK(ARENA, LOG_PAGES, PAGE, PATTERN)),
		.faults = FAULTS(
			UNSHARED_SERIES(ARENA, LOG_PAGES / 2, PAGE),
			MAPPED_SERIES(ARENA + LOG_PAGES / 2 * PAGE, MM_W, LOG_PAGES / 2, PAGE)),
		.arena_only = true,
		.ready = fill_and_take,
		.verify = restored,
	},
	{
		.name = "snapshot.thousand-restores",
		.areas = AREAS(LAZY(ARENA, LOG_PAGES *PAGE, MM_RW)),
		.script = SCRIPT(ZEROS(ARENA, 8, PAGE), FILL(ARENA, 4, PAGE, PATTERN),
                                 CHECK(ARENA, 4, PAGE, PATTERN)),
		.faults = FAULTS(MAPPED_SERIES(ARENA, MM_R, 8, PAGE)),
		.arena_only = true,
		.ready = take_at_start,
		.verify = restore_often,
	},
};

const struct suite_subject suite_dirty = {
	.name = "dirty",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "dirty.",
};
