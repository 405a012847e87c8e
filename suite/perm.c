/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Permissions. Each of the eight sets, against each kind of access, on memory in three states: not
 * touched yet, present, and changed while present. An access that the set allows succeeds. Any
 * other access kills the guest at exactly that address.
 */
#include "kernel/vm.h"
#include "suite/run.h"
#include "suite/suite.h"

#define WORD  (ARENA + 2 * PAGE + 0x48)
#define VALUE UINT64_C(0x1122334455667788)

static const char *const set_names[MM_PERM_SETS] = {"none", "ro", "wo", "rw",
                                                    "xo",   "rx", "wx", "rwx"};

static const struct {
	const char *name;
	enum mm_perm access;
} accesses[] = {{"read", MM_R}, {"write", MM_W}, {"fetch", MM_X}};

static const struct {
	const char *name; /* between "s2.perm." and the set in the name */
	enum suite_area_kind kind;
	bool protect; /* mapped with all permissions, touched, and then protected */
} states[] = {
	{"", SUITE_POPULATED, false},
	{"lazy.", SUITE_LAZY, false},
	{"protected.", SUITE_LAZY, true},
};

/* Step n: protects the arena with permission set n. */
static uint64_t protect_arena(struct suite_run *run, uint64_t number)
{
	struct mm_gpa_range range = mm_gpa_range(mm_gpa_at(ARENA), 8 * PAGE);

	return (uint64_t)(uint32_t)mm_aspace_protect(&run->vm->as, range, (enum mm_perm)number);
}

/* `written`: the guest has written there before. */
static struct suite_op access_op(enum mm_perm access, bool written)
{
	if (access == MM_R)
		return (struct suite_op)READ(8, WORD, written ? ~VALUE : 0);
	if (access == MM_W)
		return (struct suite_op)WRITE(8, WORD, VALUE);
	return written ? (struct suite_op)FETCH(WORD + 8) : (struct suite_op)FETCH_ZEROS(WORD + 8);
}

/* 8 sets x 3 accesses x 3 states. */
static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	size_t access = index % MM_ARRAY_SIZE(accesses);
	size_t set = index / MM_ARRAY_SIZE(accesses) % MM_PERM_SETS;
	size_t state = index / MM_ARRAY_SIZE(accesses) / MM_PERM_SETS;
	const struct mm_npt_config *config = &suite_geometry()->npt;
	enum mm_perm perm = (enum mm_perm)set, how;
	bool allowed, dynamic, known;
	uint64_t at;

	if (state >= MM_ARRAY_SIZE(states))
		return false;
	how = accesses[access].access;
	at = how == MM_X ? WORD + 8 : WORD;
	allowed = mm_permits(perm, how);
	dynamic = states[state].protect;
	known = mm_npt_can_express(suite_format(host), config, 0, perm, MM_NORMAL) == MM_OK;

	draft_name(d, "s2.perm.%s%s.%s", states[state].name, set_names[set], accesses[access].name);
	d->c.step = protect_arena;
	draft_area(d, (struct suite_area){
			      .kind = states[state].kind,
			      .base = ARENA,
			      .size = 8 * PAGE,
			      .perm = dynamic ? MM_RWX : perm,
			      .refused = known || dynamic ? MM_OK : MM_UNSUPPORTED,
		      });
	if (!known && !dynamic) {
		d->c.end = SUITE_REFUSED;
		return true;
	}
	if (dynamic) {
		draft_op(d, (struct suite_op)WRITE(8, WORD, ~VALUE));
		draft_fault(d, (struct suite_fault)MAPPED(WORD, MM_W));
		if (how == MM_X)
			draft_op(d, (struct suite_op)PUT_RETURN(WORD + 8));
		draft_op(d,
		         (struct suite_op)STEP_ANSWERS(set, known ? 0 : (uint32_t)MM_UNSUPPORTED));
		if (!known)
			return true;
	}
	draft_op(d, access_op(how, dynamic));
	if (!allowed) {
		draft_fault(d, (struct suite_fault)FAULT(at, how, MM_FAULT_PERMISSION));
		d->c.end = SUITE_DIES;
		return true;
	}
	if (states[state].kind == SUITE_LAZY && !dynamic)
		draft_fault(d, (struct suite_fault)MAPPED(at, how));
	if (how == MM_W && mm_permits(perm, MM_R))
		draft_op(d, (struct suite_op)READ(8, WORD, VALUE));
	return true;
}

/* Step 0 removes MM_W from the arena's second page only. Step 1 restores it. */
static uint64_t protect_page(struct suite_run *run, uint64_t number)
{
	struct mm_gpa_range range = mm_gpa_range(mm_gpa_at(ARENA + PAGE), PAGE);

	return (uint64_t)(uint32_t)mm_aspace_protect(&run->vm->as, range,
	                                             number == 0 ? MM_R : MM_RW);
}

static uint64_t protect_twice(struct suite_run *run, uint64_t number)
{
	uint64_t error = protect_page(run, 0);

	(void)number;
	return error != 0 ? error : protect_page(run, 1);
}

static const struct suite_case cases[] = {
	{
		.name = "s2.protect.down.write",
		.rules = "arm.s2.abort.dfsc ept.perm.write npt.write npt.exit.present",
		.areas = AREAS(LAZY(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, 4, PAGE, VALUE), STEP(0), CHECK(ARENA, 4, PAGE, VALUE),
                                 WRITE(8, ARENA, 1), WRITE(8, ARENA + 2 * PAGE, 1),
                                 WRITE(8, ARENA + PAGE, 1)),
		.faults = FAULTS(MAPPED_SERIES(ARENA, MM_W, 4, PAGE),
                                 FAULT(ARENA + PAGE, MM_W, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
		.step = protect_page,
	},
	{
		.name = "s2.protect.down.up",
		.areas = AREAS(LAZY(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, 4, PAGE, VALUE), STEP(0), READ(8, ARENA + PAGE + 8, 0),
                                 STEP(1), FILL(ARENA, 4, PAGE, ~VALUE),
                                 CHECK(ARENA, 4, PAGE, ~VALUE)),
		.faults = FAULTS(MAPPED_SERIES(ARENA, MM_W, 4, PAGE)),
		.step = protect_page,
	},
	{
		.name = "s2.protect.up.write",
		.rules = "ept.cache.more",
		.areas = AREAS(LAZY(ARENA, 4 * PAGE, MM_R)),
		.script = SCRIPT(READ(8, ARENA + PAGE, 0), STEP(1), WRITE(8, ARENA + PAGE, VALUE),
                                 READ(8, ARENA + PAGE, VALUE)),
		.faults = FAULTS(MAPPED(ARENA + PAGE, MM_R)),
		.step = protect_page,
	},
	{
		.name = "s2.protect.untouched",
		.areas = AREAS(LAZY(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(STEP(0), READ(8, ARENA + PAGE, 0), WRITE(8, ARENA + PAGE, 1)),
		.faults = FAULTS(MAPPED(ARENA + PAGE, MM_R),
                                 FAULT(ARENA + PAGE, MM_W, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
		.step = protect_page,
	},
	{
		.name = "s2.protect.back-and-forth",
		.areas = AREAS(LAZY(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(FILL(ARENA, 4, PAGE, VALUE), STEP(0), STEP(0), STEP(0),
                                 FILL(ARENA, 4, PAGE, ~VALUE), CHECK(ARENA, 4, PAGE, ~VALUE)),
		.faults = FAULTS(MAPPED_SERIES(ARENA, MM_W, 4, PAGE)),
		.step = protect_twice,
	},
	{
		.name = "s2.protect.inside-2m",
		.rules = "arm.tlb.size",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(LAZY_LEAF(ARENA, MIB2, MM_RW, 1)),
		.script = SCRIPT(FILL(ARENA, 512, PAGE, VALUE), STEP(0),
                                 CHECK(ARENA, 512, PAGE, VALUE), WRITE(8, ARENA, 1),
                                 WRITE(8, ARENA + 2 * PAGE, 1), WRITE(8, ARENA + 2 * PAGE - 8, 1)),
		.faults = FAULTS(MAPPED(ARENA, MM_W),
                                 FAULT(ARENA + 2 * PAGE - 8, MM_W, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
		.step = protect_page,
	},
};

const struct suite_subject suite_perm = {
	.name = "perm",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "s2.perm.",
};
