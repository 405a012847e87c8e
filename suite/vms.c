/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several VMs. Side by side on one CPU or on several, each sees its own memory at the same
 * addresses. One after the other with the same tag, each sees nothing of its predecessor's memory.
 */
#include "suite/beside.h"
#include "suite/run.h"
#include "suite/suite.h"

#define RED    UINT64_C(0x4ed4ed4ed4ed4ed0)
#define GREEN  UINT64_C(0x64ee64ee64ee64e0)
#define BLUE   UINT64_C(0xb1feb1feb1feb1f0)
#define GREY   UINT64_C(0x6436436436436430)
#define SECRET UINT64_C(0x5ec4e75ec4e75ec0)
#define TABLES (ARENA + 32 * PAGE)
#define ROUNDS 40 /* predecessors: more than a small tag space */

#define YIELD() CALL(GUEST_YIELD, 0, 0, GUEST_OK, 0)

/* All VMs fill the same pages. Each finds its own values, however often the others run in
 * between. */
#define COLOUR(pattern)                                                                            \
	SCRIPT(FILL(ARENA, 32, PAGE, pattern), YIELD(), CHECK(ARENA, 32, PAGE, pattern), YIELD(),  \
	       FILL(ARENA + 8, 32, PAGE, ~(pattern)), SPIN(100000),                                \
	       CHECK(ARENA, 32, PAGE, pattern), YIELD(), CHECK(ARENA + 8, 32, PAGE, ~(pattern)),   \
	       ZEROS(ARENA + 16, 32, PAGE))

/* The same virtual address maps to another page in each VM. */
#define BY_VIRTUAL(pattern, page)                                                                  \
	SCRIPT(STAGE1(), MAP(VIRTUAL, ARENA + (page)*PAGE, 0, TABLES), WRITE(8, VIRTUAL, pattern), \
	       YIELD(), READ(8, VIRTUAL, pattern), YIELD(), READ(8, ARENA + (page)*PAGE, pattern), \
	       YIELD(), READ(8, VIRTUAL, pattern))

/* Each VM also has its own devices. */
#define SCRATCH (GUEST_TEST_BASE + GUEST_TEST_SCRATCH)
#define BY_DEVICE(pattern)                                                                         \
	SCRIPT(WRITE(8, SCRATCH, pattern), YIELD(), READ(8, SCRATCH, pattern), YIELD(),            \
	       READ(8, SCRATCH, pattern))

static const struct suite_op *const leave_secret =
	SCRIPT(FILL(ARENA, 64, PAGE, SECRET), CHECK(ARENA, 64, PAGE, SECRET));

/* A VM wrote a secret to every page of the arena, with the same tag. */
static bool run_predecessor(struct suite_run *run)
{
	uint32_t tag;

	if (!beside_alone(run, leave_secret, &tag))
		return false;
	run->scratch[0] = tag;
	return true;
}

static bool had_same_tag(struct suite_run *run)
{
	if (run->vm->tag == run->scratch[0])
		return true;
	return suite_fail(run, "tag %u after %" PRIu64 ": no tag was reused", run->vm->tag,
	                  run->scratch[0]);
}

static bool run_predecessors(struct suite_run *run)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (!run_predecessor(run))
			return false;
	}
	return true;
}

/* Step 0: two VMs at the same time have two tags. One of them is flushed entirely. */
static uint64_t flush_mine(struct suite_run *run, uint64_t number)
{
	struct mm_flush everything = {
		.root = mm_aspace_root(&run->vm->as),
		.tag = mm_aspace_tag(&run->vm->as),
		.all = true,
		.tables = true,
	};

	(void)number;
	run->vm->ops->flush(run->vm->as.npt.hal.ctx, &everything);
	return run->vm->tag == beside_vm(0)->tag;
}

#define LAZY_64 AREAS(LAZY(ARENA, 64 * PAGE, MM_RWX))

static const struct suite_case cases[] = {
	{
		.name = "vms.two.same-gpa",
		.areas = LAZY_64,
		.script = COLOUR(RED),
		.beside = {COLOUR(GREEN)},
		.uncounted = true,
	},
	{
		.name = "vms.four.same-gpa",
		.rules = "arm.tlb.vmid ept.cache.vpid npt.asid",
		.areas = LAZY_64,
		.script = COLOUR(RED),
		.beside = {COLOUR(GREEN), COLOUR(BLUE), COLOUR(GREY)},
		.uncounted = true,
	},
	{
		.name = "vms.two.same-virtual",
		.areas = LAZY_64,
		.script = BY_VIRTUAL(RED, 3),
		.beside = {BY_VIRTUAL(GREEN, 4)},
		.uncounted = true,
	},
	{
		.name = "vms.two.same-virtual-and-gpa",
		.rules = "arm.tlb.vmid ept.cache.vpid npt.asid",
		.areas = LAZY_64,
		.script = BY_VIRTUAL(RED, 3),
		.beside = {BY_VIRTUAL(GREEN, 3)},
		.uncounted = true,
	},
	{
		.name = "vms.two.devices",
		.script = BY_DEVICE(RED),
		.beside = {BY_DEVICE(GREEN), BY_DEVICE(BLUE)},
		.uncounted = true,
	},
	{
		.name = "vms.two.code",
		.areas = LAZY_64,
		.script = SCRIPT(PUT_RETURN(ARENA), FETCH(ARENA), YIELD(), FETCH(ARENA), YIELD(),
                                 FETCH(ARENA)),
		.beside = {SCRIPT(FETCH_ZEROS(ARENA), YIELD(), FETCH_ZEROS(ARENA), YIELD(),
                                  FETCH_ZEROS(ARENA))},
		.uncounted = true,
	},
	{
		.name = "vms.flush.one",
		.needs = SUITE_NEEDS_TAGS,
		.areas = LAZY_64,
		.script = SCRIPT(FILL(ARENA, 32, PAGE, RED), YIELD(), STEP(0),
                                 CHECK(ARENA, 32, PAGE, RED), YIELD(), STEP(0),
                                 CHECK(ARENA, 32, PAGE, RED)),
		.beside = {COLOUR(GREEN)},
		.uncounted = true,
		.step = flush_mine,
	},
	{
		.name = "vms.tag.reused",
		.rules = "arm.tlb.vmid.reused ept.cache.vpid-reused npt.asid.reused",
		.needs = SUITE_NEEDS_TAGS,
		.areas = LAZY_64,
		.before = run_predecessor,
		.script = SCRIPT(ZEROS(ARENA, 64 * 512, 8)),
		.faults = FAULTS(MAPPED_SERIES(ARENA, MM_R, 64, PAGE)),
		.verify = had_same_tag,
	},
	{
		.name = "vms.tag.reused.unmapped",
		.rules = "arm.tlb.vmid.reused ept.cache.vpid-reused npt.asid.reused",
		.needs = SUITE_NEEDS_TAGS,
		.before = run_predecessor,
		.script = SCRIPT(READ(8, ARENA, 0)),
		.faults = FAULTS(FAULT(ARENA, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.verify = had_same_tag,
	},
	{
		.name = "vms.tag.turnover",
		.areas = LAZY_64,
		.before = run_predecessors,
		.script = SCRIPT(ZEROS(ARENA, 64, PAGE)),
		.faults = FAULTS(MAPPED_SERIES(ARENA, MM_R, 64, PAGE)),
	},
	{
		.name = "vms.memory.recycled",
		.areas = AREAS(POPULATED(ARENA, 64 * PAGE, MM_RW)),
		.before = run_predecessor,
		.script = SCRIPT(ZEROS(ARENA, 64 * 512, 8)),
	},
};

const struct suite_subject suite_vms = {
	.name = "vms",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
