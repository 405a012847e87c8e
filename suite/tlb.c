/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translations that the hardware may have cached. After the hypervisor unmaps or replaces memory,
 * or changes the size of its leaf, the guest sees the new state at once. This holds for every
 * address of the guest and for any number of flushed pages.
 */
#include "kernel/string.h"
#include "suite/run.h"
#include "suite/suite.h"

#define PATTERN UINT64_C(0x7ab1e7ab1e7ab1e0)
#define OLD     UINT64_C(0x01d01d01d01d01d0)
#define FIRST   UINT64_C(0x1111111111111111)
#define SECOND  UINT64_C(0x2222222222222222)
#define TABLES  (ARENA + GIB(2))
#define MANY    600 /* more pages than a flush covers one by one */

static uint64_t answer(enum mm_error error)
{
	return (uint64_t)(uint32_t)error;
}

/* --- unmapping --- */

static uint64_t unmap_bytes(struct suite_run *run, uint64_t bytes)
{
	return answer(mm_aspace_unmap(&run->vm->as, mm_gpa_range(mm_gpa_at(ARENA), bytes)));
}

/* Step n: unmaps the first n pages of the arena. */
static uint64_t unmap_pages(struct suite_run *run, uint64_t pages)
{
	return unmap_bytes(run, pages * PAGE);
}

/* --- replacing --- */

/* FIRST in the first page of the linear memory, SECOND in the second. */
static bool prepare_pages(struct suite_run *run)
{
	uint64_t *words = suite_linear_memory();

	(void)run;
	words[0] = FIRST;
	words[PAGE / sizeof(*words)] = SECOND;
	return true;
}

static enum mm_error replace(struct suite_run *run, uint64_t size, mm_hpa_t host)
{
	struct mm_gpa_range range = mm_gpa_range(mm_gpa_at(ARENA), size);
	enum mm_error error = mm_aspace_unmap(&run->vm->as, range);

	if (error == MM_OK)
		error = mm_aspace_map_linear(&run->vm->as, range, host, MM_RW, MM_NORMAL, 1);
	return error;
}

/* Step n: maps page n of the linear memory at the arena's first page. */
static uint64_t replace_page(struct suite_run *run, uint64_t number)
{
	return answer(replace(run, PAGE, mm_hpa_plus(run->linear, number * PAGE)));
}

/* Step 0: maps the linear memory at the arena's first 2 MiB, as one leaf. */
static uint64_t replace_2m(struct suite_run *run, uint64_t number)
{
	(void)number;
	return answer(replace(run, MIB2, run->linear));
}

/* Step 0: maps new zeroed 4 KiB frames at the arena's first 2 MiB. */
static uint64_t replace_by_small(struct suite_run *run, uint64_t number)
{
	struct mm_gpa_range range = mm_gpa_range(mm_gpa_at(ARENA), MIB2);
	enum mm_error error = mm_aspace_unmap(&run->vm->as, range);

	(void)number;
	if (error == MM_OK)
		error = mm_aspace_map_alloc(&run->vm->as, range, MM_RW,
		                            (struct mm_aspace_backing){.populate = true});
	return answer(error);
}

static bool leaf_is_2m(struct suite_run *run)
{
	return suite_expect_leaf_at(run, ARENA, 1);
}

static const struct suite_case cases[] = {
	{
		.name = "tlb.revoke.addr",
		.rules = "arm.tlb.ipa ept.cache.invept npt.flush.asid hfence-gvma_op",
		.areas = AREAS(POPULATED(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(READ(8, ARENA + 8, 0), STEP(1), READ(8, ARENA + 8, 0)),
		.faults = FAULTS(FAULT(ARENA + 8, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.step = unmap_pages,
	},
	{
		.name = "tlb.revoke.write",
		.rules = "arm.tlb.ipa ept.cache.invept npt.flush.asid",
		.areas = AREAS(POPULATED(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(WRITE(8, ARENA + 8, 1), STEP(1), WRITE(8, ARENA + 8, 2)),
		.faults = FAULTS(FAULT(ARENA + 8, MM_W, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.step = unmap_pages,
	},
	{
		.name = "tlb.revoke.fetch",
		.rules = "arm.tlb.ipa ept.cache.invept npt.flush.asid",
		.areas = AREAS(POPULATED(ARENA, 4 * PAGE, MM_RWX)),
		.script =
			SCRIPT(PUT_RETURN(ARENA + 8), FETCH(ARENA + 8), STEP(1), FETCH(ARENA + 8)),
		.faults = FAULTS(FAULT(ARENA + 8, MM_X, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.step = unmap_pages,
	},
	{
		.name = "tlb.revoke.others-stay",
		.areas = AREAS(POPULATED(ARENA, 64 * PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, 64, PAGE, PATTERN), STEP(32),
                                 CHECK(ARENA + 32 * PAGE, 32, PAGE, PATTERN)),
		.step = unmap_pages,
	},
	{
		.name = "tlb.revoke.range",
		.rules = "arm.tlb.range",
		.areas = AREAS(POPULATED(ARENA, 64 * PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, 64, PAGE, PATTERN), STEP(32),
                                 READ(8, ARENA + 31 * PAGE, 0)),
		.faults = FAULTS(FAULT(ARENA + 31 * PAGE, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.step = unmap_pages,
	},
	{
		.name = "tlb.revoke.all",
		.rules = "arm.tlb.vmalls12 hfence-gvma_op",
		.areas = AREAS(POPULATED(ARENA, MANY *PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, MANY, PAGE, PATTERN), STEP(MANY),
                                 READ(8, ARENA + (MANY - 1) * PAGE, 0)),
		.faults = FAULTS(FAULT(ARENA + (MANY - 1) * PAGE, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.step = unmap_pages,
	},
	{
		.name = "tlb.revoke.2m",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(POPULATED_LEAF(ARENA, MIB2, MM_RW, 1)),
		.script = SCRIPT(FILL(ARENA, 512, PAGE, PATTERN), STEP(512),
                                 READ(8, ARENA + 300 * PAGE, 0)),
		.faults = FAULTS(FAULT(ARENA + 300 * PAGE, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.step = unmap_pages,
	},
	{
		.name = "tlb.revoke.by-virtual",
		.rules = "arm.tlb.combined ept.cache.invept npt.flush.asid",
		.areas = AREAS(POPULATED(ARENA, 4 * PAGE, MM_RW),
                               POPULATED(TABLES, 4 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(VIRTUAL, ARENA, 0, TABLES), WRITE(8, VIRTUAL + 8, 1),
                                 STEP(1), READ(8, VIRTUAL + 8, 1)),
		.faults = FAULTS(FAULT(ARENA + 8, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.step = unmap_pages,
	},
	{
		.name = "tlb.revoke.beside-neighbour",
		.areas = AREAS(POPULATED(ARENA, MANY *PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, MANY, PAGE, PATTERN), STEP(1), STEP(MANY),
                                 CALL(GUEST_YIELD, 0, 0, GUEST_OK, 0)),
		.beside = {beside_neighbour},
		.step = unmap_pages,
	},
	{
		.name = "tlb.remap.addr",
		.areas = AREAS(POPULATED(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(WRITE(8, ARENA, OLD), STEP(0), READ(8, ARENA, FIRST), STEP(1),
                                 READ(8, ARENA, SECOND)),
		.prepare = prepare_pages,
		.step = replace_page,
	},
	{
		.name = "tlb.remap.by-virtual",
		.rules = "arm.tlb.combined",
		.areas = AREAS(POPULATED(ARENA, 4 * PAGE, MM_RW),
                               POPULATED(TABLES, 4 * PAGE, MM_RW)),
		.script =
			SCRIPT(STAGE1(), MAP(VIRTUAL, ARENA, 0, TABLES), WRITE(8, VIRTUAL, OLD),
                               STEP(0), READ(8, VIRTUAL, FIRST), STEP(1), READ(8, VIRTUAL, SECOND)),
		.prepare = prepare_pages,
		.step = replace_page,
	},
	{
		.name = "tlb.remap.to-and-fro",
		.areas = AREAS(POPULATED(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(STEP(0), READ(8, ARENA, FIRST), STEP(1), READ(8, ARENA, SECOND),
                                 STEP(0), READ(8, ARENA, FIRST), STEP(1), READ(8, ARENA, SECOND),
                                 STEP(0), READ(8, ARENA, FIRST), STEP(1), READ(8, ARENA, SECOND),
                                 STEP(0), READ(8, ARENA, FIRST), STEP(1), READ(8, ARENA, SECOND)),
		.prepare = prepare_pages,
		.step = replace_page,
	},
	{
		.name = "tlb.remap.4k-to-2m",
		.rules = "arm.tlb.size",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(POPULATED(ARENA, MIB2, MM_RW)),
		.script = SCRIPT(FILL(ARENA, 512, PAGE, PATTERN), STEP(0), READ(8, ARENA, FIRST),
                                 READ(8, ARENA + PAGE, SECOND)),
		.prepare = prepare_pages,
		.step = replace_2m,
		.verify = leaf_is_2m,
	},
	{
		.name = "tlb.remap.2m-to-4k",
		.rules = "arm.tlb.size",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(LINEAR(ARENA, MIB2, MM_RW, 0)),
		.script = SCRIPT(FILL(ARENA, 512, PAGE, PATTERN), STEP(0), ZEROS(ARENA, 512, PAGE)),
		.step = replace_by_small,
	},
	{
		.name = "tlb.stage1.own-flush",
		.rules = "arm.tlb.guest ept.cache.guest npt.guest-flush sfence_vma_v1",
		.areas = AREAS(POPULATED(ARENA, 4 * PAGE, MM_RW),
                               POPULATED(TABLES, 4 * PAGE, MM_RW)),
		/* The guest's own remapping and flush need no help from the hypervisor. */
		.script = SCRIPT(STAGE1(), FILL(ARENA, 2, PAGE, PATTERN),
                                 MAP(VIRTUAL, ARENA, 0, TABLES), READ(8, VIRTUAL, PATTERN ^ ARENA),
                                 MAP(VIRTUAL, ARENA + PAGE, 0, TABLES),
                                 READ(8, VIRTUAL, PATTERN ^ (ARENA + PAGE))),
	},
};

const struct suite_subject suite_tlb = {
	.name = "tlb",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
