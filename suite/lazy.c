/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lazy allocation. The first access to each page takes one nested fault, with exactly that address
 * and access type, and reads zeros. Later accesses take none.
 */
#include "frame.h"
#include "kernel/vm.h"
#include "suite/run.h"
#include "suite/suite.h"

#define PATTERN UINT64_C(0x5aa5f00d)

/* Step 0 unmaps the first 16 pages of the arena and maps them again. */
static uint64_t remap_arena(struct suite_run *run, uint64_t number)
{
	struct mm_gpa_range range = mm_gpa_range(mm_gpa_at(ARENA), 16 * PAGE);
	enum mm_error error = mm_aspace_unmap(&run->vm->as, range);

	(void)number;
	if (error == MM_OK)
		error = mm_aspace_map_alloc(&run->vm->as, range, MM_RWX,
		                            (struct mm_aspace_backing){.populate = false});
	return (uint64_t)(uint32_t)error;
}

/* --- no free 2 MiB block in the machine --- */

#define LEAF_ORDER 9U
#define CRUMBS     64U /* 4 KiB frames that stay free */

/* The first words of an allocated block. */
struct held_block {
	struct held_block *next;
	unsigned order;
};

static struct held_block *held;

static bool hold(unsigned order)
{
	mm_hpa_t block;

	if (!frame_alloc(order, &block))
		return false;
	*(struct held_block *)frame_ptr(block) = (struct held_block){held, order};
	held = frame_ptr(block);
	return true;
}

/* One 4 KiB frame is never freed, so that the frames around it do not merge into a block again. */
static bool hold_large_blocks(struct suite_run *run)
{
	mm_hpa_t crumbs[CRUMBS];
	unsigned n = 0;

	while (n < CRUMBS && frame_alloc(0, &crumbs[n]))
		n++;
	if (!hold(0))
		suite_fail(run, "no frame to hold");
	for (unsigned order = FRAME_MAX_ORDER; order >= LEAF_ORDER; order--) {
		while (hold(order))
			continue;
	}
	while (n > 0)
		frame_free(0, crumbs[--n]);
	return run->complaints == 0;
}

static void free_large_blocks(struct suite_run *run)
{
	(void)run;
	while (held != NULL) {
		struct held_block *this = held;

		held = this->next;
		frame_free(this->order, frame_of(this));
	}
}

/* --- the tables afterwards --- */

static bool takes_no_frame(struct suite_run *run)
{
	struct mm_aspace_stats stats;

	mm_aspace_get_stats(&run->vm->as, &stats);
	if (stats.frames != run->before.frames || stats.tables != run->before.tables)
		return suite_fail(run, "untouched memory took %" PRIu64 " frames",
		                  stats.frames + stats.tables - run->before.frames -
		                          run->before.tables);
	return true;
}

static bool has_one_2m_leaf(struct suite_run *run)
{
	return suite_expect_leaves(run, 1, 1);
}

static bool has_two_2m_leaves(struct suite_run *run)
{
	return suite_expect_leaves(run, 1, 2);
}

static bool has_no_2m_leaf(struct suite_run *run)
{
	return suite_expect_leaves(run, 1, 0);
}

/* --- another CPU maps the page first --- */

static void map_meanwhile(struct suite_run *run, const struct vm_exit_fault *fault)
{
	if (mm_aspace_fault(&run->vm->as, fault->gpa, fault->access) != MM_FAULT_MAPPED)
		suite_fail(run, "it was mapped already");
}

static bool takes_one_frame(struct suite_run *run)
{
	struct mm_aspace_stats stats;

	mm_aspace_get_stats(&run->vm->as, &stats);
	if (stats.frames != run->before.frames + 1)
		return suite_fail(run, "%" PRIu64 " frames for one page",
		                  stats.frames - run->before.frames);
	return true;
}

static const struct suite_case cases[] = {
	{
		.name = "lazy.first.read",
		.rules =
			"arm.s2.enabled arm.s2.stage1-off arm.s2.abort.data arm.s2.desc.invalid arm.s2.abort.elr ept.enabled ept.not-present ept.violation.reason ept.violation.read ept.violation.restart npt.enabled npt.present npt.exit.code npt.exit.read npt.exit.restart",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(READ(8, ARENA + 0x128, 0)),
		.faults = FAULTS(MAPPED(ARENA + 0x128, MM_R)),
	},
	{
		.name = "lazy.first.write",
		.rules = "arm.s2.abort.wnr ept.violation.write npt.exit.write",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(WRITE(8, ARENA + 0x128, PATTERN), READ(8, ARENA + 0x128, PATTERN)),
		.faults = FAULTS(MAPPED(ARENA + 0x128, MM_W)),
	},
	{
		.name = "lazy.first.fetch",
		.rules = "arm.s2.abort.fetch ept.violation.fetch npt.exit.fetch",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(FETCH_ZEROS(ARENA + 0x128)),
		.faults = FAULTS(MAPPED(ARENA + 0x128, MM_X)),
	},
	{
		.name = "lazy.second.read",
		.rules = "arm.s2.abort.elr ept.cache.violation",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(READ(8, ARENA, 0), READ(8, ARENA + 0xff8, 0), READ(1, ARENA, 0)),
		.faults = FAULTS(MAPPED(ARENA, MM_R)),
	},
	{
		.name = "lazy.second.write",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(READ(8, ARENA, 0), WRITE(8, ARENA, 7), WRITE(1, ARENA + 0xfff, 9),
                                 READ(8, ARENA, 7)),
		.faults = FAULTS(MAPPED(ARENA, MM_R)),
	},
	{
		.name = "lazy.second.fetch",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RWX)),
		.script =
			SCRIPT(PUT_RETURN(ARENA + 0x40), FETCH(ARENA + 0x40), FETCH(ARENA + 0x40)),
		.faults = FAULTS(MAPPED(ARENA + 0x40, MM_W)),
	},
	{
		.name = "lazy.gpa.first-byte",
		.rules =
			"arm.s2.abort.hpfar arm.s2.abort.far ept.violation.reason npt.exit.address",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(READ(1, ARENA, 0)),
		.faults = FAULTS(MAPPED(ARENA, MM_R)),
	},
	{
		.name = "lazy.gpa.last-byte",
		.rules =
			"arm.s2.abort.hpfar arm.s2.abort.far ept.violation.reason npt.exit.address",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(WRITE(1, ARENA + 16 * PAGE - 1, 0x80),
                                 READ_SIGNED(1, ARENA + 16 * PAGE - 1, UINT64_MAX - 0x7f)),
		.faults = FAULTS(MAPPED(ARENA + 16 * PAGE - 1, MM_W)),
	},
	{
		.name = "lazy.gpa.odd",
		.rules = "arm.s2.abort.hpfar arm.s2.abort.far npt.exit.address",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(READ(1, ARENA + 3 * PAGE + 0x7b3, 0),
                                 READ(2, ARENA + 4 * PAGE + 0x7b2, 0),
                                 READ(4, ARENA + 5 * PAGE + 0x7b4, 0)),
		.faults = FAULTS(MAPPED(ARENA + 3 * PAGE + 0x7b3, MM_R),
                                 MAPPED(ARENA + 4 * PAGE + 0x7b2, MM_R),
                                 MAPPED(ARENA + 5 * PAGE + 0x7b4, MM_R)),
	},
	{
		/* The page is already mapped when the fault is handled. */
		.name = "lazy.just-mapped.write",
		.rules = "ept.cache.violation ept.cache.more",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(WRITE(8, ARENA + 0x128, PATTERN), READ(8, ARENA + 0x128, PATTERN)),
		.faults = FAULTS(FAULT(ARENA + 0x128, MM_W, MM_FAULT_SPURIOUS)),
		.meanwhile = map_meanwhile,
		.verify = takes_one_frame,
	},
	{
		.name = "lazy.just-mapped.fetch",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(FETCH_ZEROS(ARENA + 0x128)),
		.faults = FAULTS(FAULT(ARENA + 0x128, MM_X, MM_FAULT_SPURIOUS)),
		.meanwhile = map_meanwhile,
		.verify = takes_one_frame,
	},
	{
		.name = "lazy.untouched.free",
		.areas = AREAS(LAZY(ARENA, GIB(2), MM_RW)),
		.script = SCRIPT(SPIN(10)),
		.verify = takes_no_frame,
	},
	{
		.name = "lazy.every.read",
		.areas = AREAS(LAZY(ARENA, 64 * PAGE, MM_RW)),
		.script = SCRIPT(TOUCH(ARENA, 64, PAGE), TOUCH(ARENA, 64, PAGE)),
		.faults = FAULTS(MAPPED_SERIES(ARENA, MM_R, 64, PAGE)),
	},
	{
		.name = "lazy.every.write",
		.areas = AREAS(LAZY(ARENA, 64 * PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA + 8, 64, PAGE, PATTERN),
                                 CHECK(ARENA + 8, 64, PAGE, PATTERN)),
		.faults = FAULTS(MAPPED_SERIES(ARENA + 8, MM_W, 64, PAGE)),
	},
	{
		.name = "lazy.every.other",
		.areas = AREAS(LAZY(ARENA, 64 * PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, 32, 2 * PAGE, PATTERN),
                                 TOUCH(ARENA + PAGE, 32, 2 * PAGE),
                                 CHECK(ARENA, 32, 2 * PAGE, PATTERN)),
		.faults = FAULTS(MAPPED_SERIES(ARENA, MM_W, 32, 2 * PAGE),
                                 MAPPED_SERIES(ARENA + PAGE, MM_R, 32, 2 * PAGE)),
	},
	{
		.name = "lazy.every.backwards",
		.areas = AREAS(LAZY(ARENA, 64 * PAGE, MM_RW)),
		.script = SCRIPT(TOUCH_DOWN(ARENA + 63 * PAGE, 64, PAGE)),
		.faults = FAULTS(MAPPED_SERIES(ARENA + 63 * PAGE, MM_R, 64, 0 - PAGE)),
	},
	{
		.name = "lazy.far-apart",
		.areas = AREAS(LAZY(ARENA, GIB(4), MM_RW)),
		.script = SCRIPT(FILL(ARENA + 0x10, 16, GIB(1) / 4, PATTERN),
                                 CHECK(ARENA + 0x10, 16, GIB(1) / 4, PATTERN)),
		.faults = FAULTS(MAPPED_SERIES(ARENA + 0x10, MM_W, 16, GIB(1) / 4)),
	},
	{
		.name = "lazy.zero.fresh",
		.areas = AREAS(LAZY(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(ZEROS(ARENA, 4 * 512, 8)),
		.faults = FAULTS(MAPPED_SERIES(ARENA, MM_R, 4, PAGE)),
	},
	{
		.name = "lazy.zero.recycled",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RWX)),
		.script =
			SCRIPT(FILL(ARENA, 4 * 512, 8, PATTERN), STEP(0), ZEROS(ARENA, 4 * 512, 8)),
		.faults = FAULTS(MAPPED_SERIES(ARENA, MM_W, 4, PAGE),
                                 MAPPED_SERIES(ARENA, MM_R, 4, PAGE)),
		.step = remap_arena,
	},
	{
		.name = "lazy.zero.2m",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(LAZY_LEAF(ARENA, MIB2, MM_RW, 1)),
		.script = SCRIPT(ZEROS(ARENA, 4096, 512)),
		.faults = FAULTS(MAPPED(ARENA, MM_R)),
	},
	{
		.name = "lazy.readonly.read",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_R)),
		.script = SCRIPT(READ(4, ARENA + 4, 0), READ(4, ARENA + 8, 0)),
		.faults = FAULTS(MAPPED(ARENA + 4, MM_R)),
	},
	{
		.name = "lazy.2m.one-fault",
		.rules = "arm.s2.desc.block.2m ept.leaf.2m npt.leaf.2m",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(LAZY_LEAF(ARENA, MIB2, MM_RW, 1)),
		.script = SCRIPT(TOUCH(ARENA + 5 * PAGE + 0x20, 500, PAGE)),
		.faults = FAULTS(MAPPED(ARENA + 5 * PAGE + 0x20, MM_R)),
		.verify = has_one_2m_leaf,
	},
	{
		.name = "lazy.2m.fault-each",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(LAZY_LEAF(ARENA, 2 * MIB2, MM_RW, 1)),
		.script =
			SCRIPT(FILL(ARENA, 1024, PAGE, PATTERN), CHECK(ARENA, 1024, PAGE, PATTERN)),
		.faults = FAULTS(MAPPED_SERIES(ARENA, MM_W, 2, MIB2)),
		.verify = has_two_2m_leaves,
	},
	{
		.name = "lazy.2m.ragged-edges",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(LAZY_LEAF(ARENA + MIB2 - PAGE, MIB2 + 2 * PAGE, MM_RW, 1)),
		.script = SCRIPT(TOUCH(ARENA + MIB2 - PAGE, 514, PAGE)),
		.faults = FAULTS(MAPPED(ARENA + MIB2 - PAGE, MM_R), MAPPED(ARENA + MIB2, MM_R),
                                 MAPPED(ARENA + 2 * MIB2, MM_R)),
		.verify = has_one_2m_leaf,
	},
	{
		.name = "lazy.2m.no-block-left",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(LAZY_LEAF(ARENA, MIB2, MM_RW, 1)),
		.script = SCRIPT(FILL(ARENA, 16, PAGE, PATTERN), CHECK(ARENA, 16, PAGE, PATTERN)),
		.faults = FAULTS(MAPPED_SERIES(ARENA, MM_W, 16, PAGE)),
		.prepare = hold_large_blocks,
		.verify = has_no_2m_leaf,
		.cleanup = free_large_blocks,
	},
	{
		.name = "lazy.populated.none",
		.areas = AREAS(POPULATED(ARENA, 64 * PAGE, MM_RWX)),
		.script = SCRIPT(TOUCH(ARENA, 64, PAGE), FILL(ARENA, 64, PAGE, PATTERN),
                                 CHECK(ARENA, 64, PAGE, PATTERN), PUT_RETURN(ARENA), FETCH(ARENA)),
	},
	{
		.name = "lazy.linear.none",
		.areas = AREAS(LINEAR(ARENA, 64 * PAGE, MM_RWX, 0)),
		.script = SCRIPT(FILL(ARENA, 64, PAGE, PATTERN), CHECK(ARENA, 64, PAGE, PATTERN)),
	},
	{
		.name = "lazy.mixed.backings",
		.areas = AREAS(LAZY(ARENA, 2 * PAGE, MM_RW),
                               POPULATED(ARENA + 2 * PAGE, 2 * PAGE, MM_RW),
                               LINEAR(ARENA + 4 * PAGE, 2 * PAGE, MM_RW, 0),
                               LAZY(ARENA + 6 * PAGE, 2 * PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, 8, PAGE, PATTERN), CHECK(ARENA, 8, PAGE, PATTERN)),
		.faults = FAULTS(MAPPED_SERIES(ARENA, MM_W, 2, PAGE),
                                 MAPPED_SERIES(ARENA + 6 * PAGE, MM_W, 2, PAGE)),
	},
	{
		.name = "lazy.stage1.tables",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), MAP(VIRTUAL, ARENA + 8 * PAGE, 0, ARENA),
                                 READ(8, VIRTUAL + 0x18, 0), WRITE(8, VIRTUAL + 0x18, PATTERN),
                                 READ(8, ARENA + 8 * PAGE + 0x18, PATTERN)),
		.faults = FAULTS(MAPPED(ARENA, MM_W), MAPPED(ARENA + PAGE, MM_W),
                                 MAPPED(ARENA + 8 * PAGE + 0x18, MM_R)),
	},
	{
		.name = "lazy.stage1.fetch",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(STAGE1(), MAP(VIRTUAL, ARENA + 8 * PAGE, 0, ARENA),
                                 FETCH_ZEROS(VIRTUAL + 0x18)),
		.faults = FAULTS(MAPPED(ARENA, MM_W), MAPPED(ARENA + PAGE, MM_W),
                                 MAPPED(ARENA + 8 * PAGE + 0x18, MM_X)),
	},
};

const struct suite_subject suite_lazy = {
	.name = "lazy",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
