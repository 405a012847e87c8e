/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leaf sizes: 4 KiB, 2 MiB and 1 GiB, each under each leaf size of the guest's own tables. The
 * guest's data must survive a split of a large leaf.
 */
#include "suite/run.h"
#include "suite/suite.h"

#define PATTERN UINT64_C(0x0f1e2d3c4b5a6978)
#define VALUE   UINT64_C(0xfeedface00c0ffee)

static const char *const size_names[] = {"4k", "2m", "1g"};
static const unsigned size_needs[] = {0, SUITE_NEEDS_2M, SUITE_NEEDS_1G};

/* The guest's tables for MAP are here, outside the ranges of all cases. */
#define TABLES (ARENA + GIB(3))

/* --- each stage-1 leaf size over each stage-2 leaf size --- */

/*
 * The nested leaf contains the suite's linear memory. It is mapped at the same offset in the arena
 * as in host memory, so that 1 GiB is aligned on both sides. The guest touches only the suite's own
 * 2 MiB.
 */
static bool place_linear(struct suite_run *run)
{
	run->scratch[0] = run->linear.raw & (GIB(1) - 1);
	return suite_linear_around(run, ARENA, run->c->areas[0].leaf);
}

static bool has_leaf(struct suite_run *run)
{
	return suite_expect_leaf_at(run, ARENA + run->scratch[0], run->c->areas[0].leaf);
}

/* --- no large leaf is executable: mm_npt_config.no_large_exec --- */

#define CODE (ARENA + 8 * PAGE)

enum code_way {
	CODE_POPULATED, /* fetched from memory that is populated as one leaf */
	CODE_LAZY,      /* the fetch is the first access */
	CODE_WRITTEN,   /* fetched after data accesses made the leaf */
	CODE_PROTECTED, /* fetched after a protect call removed a permission and another restored it
	                 */
	CODE_WAYS,
};

static const char *const code_names[CODE_WAYS] = {"populated", "lazy", "written", "protected"};

static bool count_large_code(void *ctx, const struct mm_npt_leaf *leaf)
{
	unsigned *large = ctx;

	if (leaf->level > 0 && mm_permits(leaf->perm, MM_X))
		++*large;
	return true;
}

/* Counts executable large leaves anywhere in the VM, including its RAM. */
static bool no_large_code(struct suite_run *run)
{
	uint64_t space = UINT64_C(1) << mm_npt_gpa_bits(&run->c->geometry->npt);
	unsigned large = 0;
	enum mm_error error = mm_aspace_for_each_leaf(
		&run->vm->as, mm_gpa_range(mm_gpa_at(0), space), count_large_code, &large);

	if (error != MM_OK || large != 0)
		return suite_fail(run, "%u large leaves are executable", large);
	return true;
}

/* Removes X from the whole 2 MiB, and restores it. */
static uint64_t code_step(struct suite_run *run, uint64_t number)
{
	enum mm_perm perm = number == 0 ? MM_RW : MM_RWX;
	struct mm_gpa_range all = mm_gpa_range(mm_gpa_at(ARENA), MIB2);

	return (uint64_t)(uint32_t)mm_aspace_protect(&run->vm->as, all, perm);
}

static bool generate_code(size_t index, struct suite_draft *d)
{
	static struct virt_geometry geometry;
	enum code_way way = (enum code_way)index;

	if (way >= CODE_WAYS)
		return false;
	geometry = *suite_geometry();
	geometry.npt.no_large_exec = true;
	draft_name(d, "size.2m.code.%s", code_names[way]);
	draft_area(d, way == CODE_POPULATED
	                      ? (struct suite_area)POPULATED_LEAF(ARENA, MIB2, MM_RWX, 1)
	                      : (struct suite_area)LAZY_LEAF(ARENA, MIB2, MM_RWX, 1));
	if (way == CODE_LAZY)
		draft_op(d, (struct suite_op)FETCH_ZEROS(CODE));
	if (way == CODE_WRITTEN || way == CODE_PROTECTED)
		draft_op(d, (struct suite_op)FILL(ARENA, 512, PAGE, PATTERN));
	draft_op(d, (struct suite_op)PUT_RETURN(CODE));
	draft_op(d, (struct suite_op)FETCH(CODE));
	for (unsigned i = 0; way == CODE_PROTECTED && i < 2; i++)
		draft_op(d, (struct suite_op)STEP(i));
	draft_op(d, (struct suite_op)FETCH(CODE));
	draft_op(d, (struct suite_op)FILL(ARENA + 64, 512, PAGE, ~PATTERN));
	draft_op(d, (struct suite_op)FETCH(CODE));
	draft_op(d, (struct suite_op)CHECK(ARENA + 64, 512, PAGE, ~PATTERN));
	if (way == CODE_WRITTEN || way == CODE_PROTECTED)
		draft_op(d, (struct suite_op)CHECK(ARENA + 16 * PAGE, 496, PAGE, PATTERN));
	d->c.geometry = &geometry;
	d->c.needs = SUITE_NEEDS_2M;
	d->c.uncounted = true;
	d->c.step = code_step;
	d->c.verify = no_large_code;
	return true;
}

/* --- splits of 1 GiB: the guest touches only the suite's own part --- */

static uint64_t change_linear_page(struct suite_run *run, uint64_t perm)
{
	struct mm_gpa_range page =
		mm_gpa_range(mm_gpa_at(ARENA + run->scratch[0] + 7 * PAGE), PAGE);

	return (uint64_t)(uint32_t)mm_aspace_protect(&run->vm->as, page, (enum mm_perm)perm);
}

/* 4 KiB leaves around the changed page, and 2 MiB leaves elsewhere. */
static bool split_1g(struct suite_run *run)
{
	uint64_t beside = (run->scratch[0] + MIB2) & (GIB(1) - 1);

	return suite_expect_leaf_at(run, ARENA + run->scratch[0], 0) &&
	       suite_expect_leaf_at(run, ARENA + beside, 1);
}

static bool generate_1g(size_t index, struct suite_draft *d)
{
	uint64_t at = ARENA + (suite_linear_offset() & (GIB(1) - 1));

	if (index > 1)
		return generate_code(index - 2, d);
	draft_name(d, index == 0 ? "size.1g.split.keeps-data" : "size.1g.split.and-back");
	d->c.needs = SUITE_NEEDS_1G;
	d->c.prepare = place_linear;
	d->c.step = change_linear_page;
	d->c.verify = index == 0 ? split_1g : has_leaf;
	draft_area(d, (struct suite_area){.kind = SUITE_PLACED, .base = ARENA, .leaf = 2});
	draft_op(d, (struct suite_op)FILL(at, 4096, 512, PATTERN));
	draft_op(d, (struct suite_op)STEP(MM_R));
	draft_op(d, (struct suite_op)CHECK(at, 4096, 512, PATTERN));
	draft_op(d, (struct suite_op)FILL(at + 8 * PAGE, 504, PAGE, ~PATTERN));
	if (index == 1)
		draft_op(d, (struct suite_op)STEP(MM_RW));
	draft_op(d, (struct suite_op)CHECK(at, 8, PAGE, PATTERN));
	draft_op(d, (struct suite_op)CHECK(at + 8 * PAGE, 504, PAGE, ~PATTERN));
	return true;
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	unsigned inner = (unsigned)(index % MM_ARRAY_SIZE(size_names));
	unsigned outer = (unsigned)(index / MM_ARRAY_SIZE(size_names));
	uint64_t offset = suite_linear_offset() & (GIB(1) - 1);
	uint64_t at = VIRTUAL + (offset & (MM_LEVEL_SIZE(inner) - 1)) + 0x28;

	(void)host;
	if (outer >= MM_ARRAY_SIZE(size_names))
		return generate_1g(index - MM_ARRAY_SIZE(size_names) * MM_ARRAY_SIZE(size_names),
		                   d);
	draft_name(d, "size.stage1-%s.stage2-%s", size_names[inner], size_names[outer]);
	d->c.needs = size_needs[outer];
	d->c.prepare = place_linear;
	d->c.verify = has_leaf;
	/* The first row only gives the leaf size: place_linear() maps it. */
	draft_area(d, (struct suite_area){.kind = SUITE_PLACED, .base = ARENA, .leaf = outer});
	draft_area(d, (struct suite_area)POPULATED(TABLES, 4 * PAGE, MM_RW));
	draft_op(d, (struct suite_op)STAGE1());
	draft_op(d,
	         (struct suite_op)MAP(VIRTUAL, ARENA + mm_align_down(offset, MM_LEVEL_SIZE(inner)),
	                              inner, TABLES));
	draft_op(d, (struct suite_op)WRITE(8, at, VALUE));
	draft_op(d, (struct suite_op)READ(8, at, VALUE));
	draft_op(d, (struct suite_op)READ(4, ARENA + offset + 0x28, (uint32_t)VALUE));
	return true;
}

/* --- splits --- */

static uint64_t change_page(struct suite_run *run, enum mm_perm perm)
{
	struct mm_gpa_range page = mm_gpa_range(mm_gpa_at(ARENA + 7 * PAGE), PAGE);

	return (uint64_t)(uint32_t)mm_aspace_protect(&run->vm->as, page, perm);
}

/* Step 0 splits: it removes a permission from one page. Step 1 restores it. */
static uint64_t protect_inside(struct suite_run *run, uint64_t number)
{
	return change_page(run, number == 0 ? MM_R : MM_RW);
}

static uint64_t unmap_inside(struct suite_run *run, uint64_t number)
{
	struct mm_gpa_range page = mm_gpa_range(mm_gpa_at(ARENA + 7 * PAGE), PAGE);

	(void)number;
	return (uint64_t)(uint32_t)mm_aspace_unmap(&run->vm->as, page);
}

static bool one_2m_leaf(struct suite_run *run)
{
	return suite_expect_leaf_at(run, ARENA, 1);
}

static bool small_leaves(struct suite_run *run)
{
	return suite_expect_leaf_at(run, ARENA, 0);
}

static bool one_4k_leaf(struct suite_run *run)
{
	return suite_expect_leaf_at(run, ARENA + 5 * PAGE, 0);
}

static const struct suite_case cases[] = {
	{
		.name = "size.4k.populated",
		.areas = AREAS(POPULATED(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, 16, PAGE, PATTERN), CHECK(ARENA, 16, PAGE, PATTERN)),
		.verify = one_4k_leaf,
	},
	{
		.name = "size.2m.populated",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(POPULATED_LEAF(ARENA, 2 * MIB2, MM_RW, 1)),
		.script =
			SCRIPT(FILL(ARENA, 1024, PAGE, PATTERN), CHECK(ARENA, 1024, PAGE, PATTERN)),
		.verify = one_2m_leaf,
	},
	{
		.name = "size.2m.linear",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(LINEAR(ARENA, MIB2, MM_RW, 0)),
		.script = SCRIPT(FILL(ARENA, 512, PAGE, PATTERN), CHECK(ARENA, 512, PAGE, PATTERN)),
		.verify = one_2m_leaf,
	},
	{
		.name = "size.2m.linear.misaligned",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(LINEAR(ARENA, MIB2 - PAGE, MM_RW, PAGE)),
		.script = SCRIPT(FILL(ARENA, 511, PAGE, PATTERN), CHECK(ARENA, 511, PAGE, PATTERN)),
		.verify = small_leaves,
	},
	{
		.name = "size.2m.split.keeps-data",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(POPULATED_LEAF(ARENA, MIB2, MM_RW, 1)),
		.script = SCRIPT(FILL(ARENA, 4096, 512, PATTERN), STEP(0),
                                 CHECK(ARENA, 4096, 512, PATTERN),
                                 FILL(ARENA + 8 * PAGE, 504, PAGE, ~PATTERN),
                                 CHECK(ARENA + 8 * PAGE, 504, PAGE, ~PATTERN)),
		.step = protect_inside,
		.verify = small_leaves,
	},
	{
		.name = "size.2m.split.and-back",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(POPULATED_LEAF(ARENA, MIB2, MM_RW, 1)),
		.script = SCRIPT(FILL(ARENA, 4096, 512, PATTERN), STEP(0), STEP(1),
                                 CHECK(ARENA, 4096, 512, PATTERN), FILL(ARENA, 512, PAGE, ~PATTERN),
                                 CHECK(ARENA, 512, PAGE, ~PATTERN)),
		.step = protect_inside,
		.verify = one_2m_leaf, /* merged again */
	},
	{
		.name = "size.2m.split.write",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(POPULATED_LEAF(ARENA, MIB2, MM_RW, 1)),
		.script = SCRIPT(FILL(ARENA, 512, PAGE, PATTERN), STEP(0),
                                 WRITE(1, ARENA + 7 * PAGE + 9, 1)),
		.faults = FAULTS(FAULT(ARENA + 7 * PAGE + 9, MM_W, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
		.step = protect_inside,
	},
	{
		.name = "size.2m.split.unmap",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(POPULATED_LEAF(ARENA, MIB2, MM_RW, 1)),
		.script = SCRIPT(
			FILL(ARENA, 512, PAGE, PATTERN), STEP(0), CHECK(ARENA, 7, PAGE, PATTERN),
			CHECK(ARENA + 8 * PAGE, 504, PAGE, PATTERN), READ(8, ARENA + 7 * PAGE, 0)),
		.faults = FAULTS(FAULT(ARENA + 7 * PAGE, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.step = unmap_inside,
	},
	{
		.name = "size.2m.split.lazy",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(LAZY_LEAF(ARENA, MIB2, MM_RW, 1)),
		.script = SCRIPT(WRITE(8, ARENA + 7 * PAGE, VALUE), STEP(0),
                                 READ(8, ARENA + 7 * PAGE, VALUE), FILL(ARENA, 7, PAGE, PATTERN),
                                 CHECK(ARENA, 7, PAGE, PATTERN)),
		.faults = FAULTS(MAPPED(ARENA + 7 * PAGE, MM_W)),
		.step = protect_inside,
		.verify = small_leaves,
	},
};

const struct suite_subject suite_size = {
	.name = "size",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "size.",
};
