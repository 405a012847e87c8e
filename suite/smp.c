/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several vCPUs in one address space, one on each CPU if there are enough CPUs, otherwise in turn.
 * Two vCPUs that fault on one page get one frame. A page that another vCPU has just mapped is no
 * error. Unmapped memory is unmapped for all vCPUs at once.
 */
#include "suite/run.h"
#include "suite/suite.h"

#define PATTERN   UINT64_C(0x5a11ad5a11ad5a10)
#define SMP_PAGES 64U
#define WORD      (ARENA + 0x100)
#define TABLES    (ARENA + 512 * PAGE)

/* --- storms, by 2, 3 and 4 vCPUs --- */

enum storm {
	STORM_DISJOINT,   /* each vCPU its own pages */
	STORM_SAME_PAGE,  /* all vCPUs one page */
	STORM_SAME_PAGES, /* all vCPUs the same pages in the same order */
	STORM_OPPOSITE,   /* every second vCPU backwards */
	STORM_FETCH,      /* all vCPUs the same pages, as code */
	STORM_LARGE,      /* all vCPUs the same 2 MiB page */
	STORM_ATOMIC,     /* all vCPUs add to one word */
	STORMS,
};

static const char *const storm_names[STORMS] = {"disjoint", "same-page",  "same-pages", "opposite",
                                                "fetch",    "large-page", "atomic"};

#define ADDITIONS 6U

/* Scripts of all vCPUs of one generated case. They must exist as long as the case runs. */
static struct suite_op scripts[SUITE_VCPUS][SUITE_DRAFT_OPS];

static void add(unsigned vcpu, struct suite_op op)
{
	unsigned n = 0;

	while (scripts[vcpu][n].op.code != AGENT_END)
		n++;
	scripts[vcpu][n] = op;
	scripts[vcpu][n + 1] = (struct suite_op){OP(END)};
}

static void add_storm(enum storm storm, unsigned vcpu, unsigned vcpus)
{
	uint64_t own = ARENA + vcpu * SMP_PAGES * PAGE;
	uint64_t last = ARENA + (SMP_PAGES - 1) * PAGE;

	switch (storm) {
	case STORM_DISJOINT:
		add(vcpu, (struct suite_op)FILL(own, SMP_PAGES, PAGE, PATTERN));
		add(vcpu, (struct suite_op)CHECK(own, SMP_PAGES, PAGE, PATTERN));
		break;
	case STORM_SAME_PAGE:
	case STORM_LARGE:
		add(vcpu, (struct suite_op)WRITE(8, WORD + 8 * vcpu, PATTERN + vcpu));
		add(vcpu, (struct suite_op)READ(8, WORD + 8 * vcpu, PATTERN + vcpu));
		break;
	case STORM_SAME_PAGES:
		add(vcpu, (struct suite_op)FILL(ARENA + 8 * vcpu, SMP_PAGES, PAGE, PATTERN));
		add(vcpu, (struct suite_op)CHECK(ARENA + 8 * vcpu, SMP_PAGES, PAGE, PATTERN));
		break;
	case STORM_OPPOSITE:
		add(vcpu, vcpu % 2 == 0 ? (struct suite_op)TOUCH(ARENA, SMP_PAGES, PAGE)
		                        : (struct suite_op)TOUCH_DOWN(last, SMP_PAGES, PAGE));
		break;
	case STORM_FETCH:
		for (unsigned i = 0; i < 8; i++)
			add(vcpu, (struct suite_op)FETCH_ZEROS(ARENA + i * PAGE));
		break;
	default:
		for (unsigned i = 0; i < ADDITIONS; i++) {
			struct suite_op op = {OP(LLSC, .addr = WORD, .value = 1, .width = 8),
			                      .any_value = true};

			add(vcpu, op);
		}
		add(vcpu, (struct suite_op)BARRIER(2));
		add(vcpu, (struct suite_op)READ(8, WORD, ADDITIONS * vcpus));
	}
}

/* The faulting page. The byte address and the access are those of the first vCPU. */
static struct suite_fault first_touch(uint64_t at, enum mm_perm access, uint32_t count)
{
	return (struct suite_fault){
		.gpa = at,
		.access = access,
		.outcome = MM_FAULT_MAPPED,
		.page = true,
		.count = count,
		.stride = PAGE,
	};
}

static void expect_storm(struct suite_draft *d, enum storm storm, unsigned vcpus)
{
	switch (storm) {
	case STORM_DISJOINT:
		draft_fault(d, first_touch(ARENA, MM_W, vcpus * SMP_PAGES));
		return;
	case STORM_SAME_PAGE:
		draft_fault(d, first_touch(ARENA, MM_W, 1));
		return;
	case STORM_LARGE:
		draft_fault(d, first_touch(ARENA, MM_W, 1));
		d->c.needs = SUITE_NEEDS_2M;
		d->areas[0].leaf = 1;
		return;
	case STORM_SAME_PAGES:
		draft_fault(d, first_touch(ARENA, MM_W, SMP_PAGES));
		return;
	case STORM_OPPOSITE:
		draft_fault(d, first_touch(ARENA, MM_R, SMP_PAGES));
		return;
	case STORM_FETCH:
		draft_fault(d, first_touch(ARENA, MM_X, 8));
		return;
	default:
		draft_fault(d, first_touch(ARENA, MM_RW, 1));
	}
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	enum storm storm = (enum storm)(index % STORMS);
	unsigned vcpus = 2 + (unsigned)(index / STORMS);

	(void)host;
	if (vcpus > SUITE_VCPUS)
		return false;
	draft_name(d, "smp.%u.%s", vcpus, storm_names[storm]);
	draft_area(d, (struct suite_area)LAZY(ARENA, 2 * MIB2, MM_RWX));
	d->c.unordered = true;
	for (unsigned vcpu = 0; vcpu < vcpus; vcpu++) {
		scripts[vcpu][0] = (struct suite_op){OP(END)};
		add(vcpu, (struct suite_op)STAGE1());
		add(vcpu, (struct suite_op)BARRIER(0));
		add_storm(storm, vcpu, vcpus);
		add(vcpu, (struct suite_op)BARRIER(1));
		if (vcpu > 0)
			d->c.others[vcpu - 1] = scripts[vcpu];
	}
	d->c.script = scripts[0];
	expect_storm(d, storm, vcpus);
	return true;
}

/* --- changes while another vCPU runs --- */

static uint64_t answer(enum mm_error error)
{
	return (uint64_t)(uint32_t)error;
}

static uint64_t unmap_arena(struct suite_run *run, uint64_t number)
{
	(void)number;
	return answer(mm_aspace_unmap(&run->vm->as, mm_gpa_range(mm_gpa_at(ARENA), 4 * PAGE)));
}

/* Step n: protects the arena's first pages with permission set n. */
static uint64_t protect_arena(struct suite_run *run, uint64_t number)
{
	return answer(mm_aspace_protect(&run->vm->as, mm_gpa_range(mm_gpa_at(ARENA), 4 * PAGE),
	                                (enum mm_perm)number));
}

/* Step 0 removes and restores W a hundred times. */
static uint64_t flicker(struct suite_run *run, uint64_t number)
{
	uint64_t error = 0;

	(void)number;
	for (unsigned i = 0; i < 100 && error == 0; i++)
		error = protect_arena(run, i % 2 == 0 ? MM_R : MM_RW);
	return error;
}

/* Step 0 maps and unmaps pages elsewhere a hundred times. */
static uint64_t map_and_unmap(struct suite_run *run, uint64_t number)
{
	struct mm_gpa_range range = mm_gpa_range(mm_gpa_at(ARENA + MIB2), 16 * PAGE);
	struct mm_aspace_backing populated = {.populate = true};
	enum mm_error error = MM_OK;

	(void)number;
	for (unsigned i = 0; i < 100 && error == MM_OK; i++) {
		error = mm_aspace_map_alloc(&run->vm->as, range, MM_RW, populated);
		if (error == MM_OK)
			error = mm_aspace_unmap(&run->vm->as, range);
	}
	return answer(error);
}

static bool killed_by_revocation(struct suite_run *run)
{
	if (run->vm->outcome == VM_EXITED && run->vm->exit_status == 0)
		return true;
	if (run->vm->outcome == VM_KILLED && run->vm->reason == KILL_NOT_MAPPED)
		return true;
	return suite_fail(run, "ended for %s, status 0x%" PRIx64, vm_kill_name(run->vm->reason),
	                  run->vm->exit_status);
}

/* The number of loads or stores of one word. They take longer than the other side's part. */
#define READ_ON(times)                                                                             \
	{                                                                                          \
		OP(TOUCH, .addr = WORD, .count = (times))                                          \
	}
#define WRITE_ON(times)                                                                            \
	{                                                                                          \
		OP(FILL, .addr = WORD, .count = (times), .value = PATTERN)                         \
	}
#define FOREVER UINT32_MAX

/* Interrupts are enabled, although none comes: see smp.revoke.masked. */
#define TOGETHER STAGE1(), {OP(IRQ_MASK, .value = 0)}, BARRIER(0)

static const struct suite_case cases[] = {
	{
		/* vCPU 1 never stops by itself. The memory that it reads is unmapped. */
		.name = "smp.revoke.reader",
		.rules = "arm.tlb.broadcast ept.cache.remote npt.flush.remote",
		.areas = AREAS(POPULATED(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(TOGETHER, SPIN(1000), STEP(0), SPIN(0)),
		.others = {SCRIPT(READ(8, WORD, 0), TOGETHER, READ_ON(FOREVER))},
		.faults = FAULTS(FAULT(WORD, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.step = unmap_arena,
	},
	{
		/* The same with the guest's interrupts masked. This must not matter to the
                 * hypervisor. */
		.name = "smp.revoke.masked",
		.rules = "arm.tlb.broadcast arm.irq.imo vmx.exit.interrupt svm.intercept.interrupt",
		.areas = AREAS(POPULATED(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), BARRIER(0), SPIN(1000), STEP(0), SPIN(0)),
		.others = {SCRIPT(READ(8, WORD, 0), STAGE1(), BARRIER(0), READ_ON(FOREVER))},
		.faults = FAULTS(FAULT(WORD, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.step = unmap_arena,
	},
	{
		.name = "smp.revoke.writer",
		.rules = "arm.tlb.broadcast ept.cache.remote npt.flush.remote",
		.areas = AREAS(POPULATED(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(TOGETHER, SPIN(1000), STEP(MM_R), SPIN(0)),
		.others = {SCRIPT(WRITE(8, WORD, 1), TOGETHER, WRITE_ON(FOREVER))},
		.faults = FAULTS(FAULT(WORD, MM_W, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
		.step = protect_arena,
	},
	{
		.name = "smp.revoke.by-virtual",
		.areas = AREAS(POPULATED(ARENA, 4 * PAGE, MM_RW),
                               POPULATED(TABLES, 4 * PAGE, MM_RW)),
		.script =
			SCRIPT(STAGE1(), {OP(IRQ_MASK, .value = 0)}, MAP(VIRTUAL, ARENA, 0, TABLES),
                               BARRIER(0), BARRIER(1), SPIN(1000), STEP(0), SPIN(0)),
		.others = {SCRIPT(TOGETHER, READ(8, VIRTUAL + 0x100, 0), BARRIER(1),
                                  {OP(TOUCH, .addr = VIRTUAL + 0x100, .count = FOREVER)})},
		.faults = FAULTS(FAULT(WORD, MM_R, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
		.step = unmap_arena,
	},
	{
		/* Reads continue while W is removed and restored. No read may fail or fault. */
		.name = "smp.flicker.reader",
		.areas = AREAS(POPULATED(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(TOGETHER, STEP(0), WRITE(8, WORD + 8, 1), BARRIER(1)),
		.others = {SCRIPT(TOGETHER, READ_ON(20000), BARRIER(1))},
		.uncounted = true,
		.step = flicker,
	},
	{
		.name = "smp.beside-map-and-unmap",
		.areas = AREAS(LAZY(ARENA, MIB2, MM_RW)),
		.script = SCRIPT(TOGETHER, STEP(0), BARRIER(1), CHECK(ARENA, 256, PAGE, PATTERN)),
		.others = {SCRIPT(TOGETHER, FILL(ARENA, 256, PAGE, PATTERN),
                                  CHECK(ARENA, 256, PAGE, PATTERN), BARRIER(1))},
		.unordered = true,
		.faults = FAULTS(MAPPED_SERIES(ARENA, MM_W, 256, PAGE)),
		.step = map_and_unmap,
	},
	{
		/* A fault comes while its page is unmapped. Either the old data is read, or the VM
                 * is killed. */
		.name = "smp.fault-while-unmapped",
		.areas = AREAS(LAZY(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(TOGETHER, STEP(0)),
		.others = {SCRIPT(TOGETHER, TOUCH(ARENA, 4, PAGE))},
		.end = SUITE_EITHER,
		.uncounted = true,
		.verify = killed_by_revocation,
		.step = unmap_arena,
	},
	{
		.name = "smp.killed-once",
		.script = SCRIPT(TOGETHER, READ(8, ARENA, 0)),
		.others = {SCRIPT(TOGETHER, READ(8, ARENA, 0)), SCRIPT(TOGETHER, READ(8, ARENA, 0)),
                           SCRIPT(TOGETHER, READ(8, ARENA, 0))},
		.end = SUITE_EITHER,
		.uncounted = true,
		.verify = killed_by_revocation,
		.beside = {beside_neighbour},
	},
	{
		/* The other vCPUs never leave the guest by themselves. The hypervisor forces them
                 * out. */
		.name = "smp.kill-stops-all",
		.script = SCRIPT(TOGETHER, WRITE(8, ARENA + 0x30, 0)),
		.others = {SCRIPT(TOGETHER, SPIN(0)), SCRIPT(TOGETHER, SPIN(0))},
		.faults = FAULTS(FAULT(ARENA + 0x30, MM_W, MM_FAULT_NOT_MAPPED)),
		.end = SUITE_DIES,
	},
	{
		.name = "smp.message",
		.areas = AREAS(LAZY(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(STAGE1(), FILL(ARENA, 4, PAGE, PATTERN), BARRIER(0), BARRIER(1),
                                 CHECK(ARENA + 8, 4, PAGE, ~PATTERN)),
		.others = {SCRIPT(TOGETHER, CHECK(ARENA, 4, PAGE, PATTERN),
                                  FILL(ARENA + 8, 4, PAGE, ~PATTERN), BARRIER(1))},
		.faults = FAULTS(MAPPED_SERIES(ARENA, MM_W, 4, PAGE)),
	},
};

const struct suite_subject suite_smp = {
	.name = "smp",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "smp.",
};
