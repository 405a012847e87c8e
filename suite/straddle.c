/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One access to two pages: unaligned data and instructions that cross a page boundary. Either page
 * is absent, denied or unmapped.
 *
 * The implementation decides which page faults first. It also decides whether the reported address
 * is the first byte of the access or of its second part. So the cases compare pages, not bytes.
 */
#include "suite/run.h"
#include "suite/suite.h"

#define BOUNDARY (ARENA + 8 * PAGE)
#define VALUE    UINT64_C(0x8877665544332211)

/* The state of the page after the boundary. */
enum second {
	SECOND_ABSENT,
	SECOND_PRESENT,
	SECOND_DENIED, /* no access at all */
	SECOND_MISSING,
	SECONDS,
};

static const char *const second_names[SECONDS] = {"absent", "present", "denied", "missing"};

static struct suite_fault page_fault(uint64_t gpa, enum mm_perm access, enum mm_fault outcome)
{
	struct suite_fault fault = FAULT(gpa, access, outcome);

	fault.page = true;
	return fault;
}

static void add_second_area(struct suite_draft *d, enum second second)
{
	if (second == SECOND_MISSING)
		return;
	draft_area(d, (struct suite_area){
			      .kind = second == SECOND_PRESENT ? SUITE_POPULATED : SUITE_LAZY,
			      .base = BOUNDARY,
			      .size = PAGE,
			      .perm = second == SECOND_DENIED ? MM_NONE : MM_RWX,
		      });
}

/*
 * {read, write} x {2, 4, 8 bytes} x {first page absent, present} x the state of the second page.
 * The access begins one byte before the boundary, or half its width before it.
 */
static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	static const uint8_t widths[] = {2, 4, 8};
	enum second second = (enum second)(index % SECONDS);
	bool first_present = index / SECONDS % 2 != 0;
	uint8_t width = widths[index / SECONDS / 2 % MM_ARRAY_SIZE(widths)];
	size_t kind = index / SECONDS / 2 / MM_ARRAY_SIZE(widths);
	enum mm_perm access = kind == 0 ? MM_R : MM_W;
	uint64_t at = BOUNDARY - width / 2;
	uint64_t mask = width == 8 ? UINT64_MAX : (UINT64_C(1) << 8U * width) - 1;

	(void)host;
	if (kind > 1)
		return false;
	draft_name(d, "straddle.%s.%u.%s-%s", kind == 0 ? "read" : "write", 8U * width,
	           first_present ? "present" : "absent", second_names[second]);
	draft_area(d, (struct suite_area){
			      .kind = first_present ? SUITE_POPULATED : SUITE_LAZY,
			      .base = ARENA,
			      .size = 8 * PAGE,
			      .perm = MM_RWX,
		      });
	add_second_area(d, second);
	draft_op(d, (struct suite_op)STAGE1());
	if (kind == 0)
		draft_op(d, (struct suite_op)READ(width, at, 0));
	else
		draft_op(d, (struct suite_op)WRITE(width, at, VALUE));
	if (!first_present) {
		draft_fault(d, page_fault(BOUNDARY - 1, access, MM_FAULT_MAPPED));
		/* The second page may be refused first. Then there is no other fault. */
		d->faults[0].optional = second == SECOND_DENIED || second == SECOND_MISSING;
	}
	d->c.unordered = true;
	if (second == SECOND_DENIED || second == SECOND_MISSING) {
		draft_fault(d, page_fault(BOUNDARY, access,
		                          second == SECOND_DENIED ? MM_FAULT_PERMISSION
		                                                  : MM_FAULT_NOT_MAPPED));
		d->c.end = SUITE_DIES;
		return true;
	}
	if (second == SECOND_ABSENT)
		draft_fault(d, page_fault(BOUNDARY, access, MM_FAULT_MAPPED));
	if (kind == 1)
		draft_op(d, (struct suite_op)READ(width, at, VALUE & mask));
	return true;
}

/* For a fetch, too, only the page of the address is compared. */
#define FETCH_FAULT(at, what)                                                                      \
	{                                                                                          \
		.gpa = (at), .access = MM_X, .outcome = (what), .page = true                       \
	}
#define DATA (ARENA + 4 * PAGE)

static const struct suite_case cases[] = {
	{
		/* ADDI x0, x0, 0: its upper half is in the second page and is zero. */
		.name = "straddle.fetch.second-absent",
		.arch = "riscv64",
		.areas = AREAS(LAZY(ARENA, 2 * PAGE, MM_RWX)),
		.script = SCRIPT(WRITE(2, ARENA + PAGE - 2, 0x0013),
                                 FETCH_FROM(ARENA + PAGE - 2, ARENA + PAGE + 2)),
		.faults = FAULTS(MAPPED(ARENA + PAGE - 2, MM_W),
                                 FETCH_FAULT(ARENA + PAGE, MM_FAULT_MAPPED)),
	},
	{
		.name = "straddle.fetch.second-denied",
		.arch = "riscv64",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_RWX), LAZY(ARENA + PAGE, PAGE, MM_RW)),
		.script = SCRIPT(WRITE(2, ARENA + PAGE - 2, 0x0013), FETCH(ARENA + PAGE - 2)),
		.faults = FAULTS(MAPPED(ARENA + PAGE - 2, MM_W),
                                 FETCH_FAULT(ARENA + PAGE, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
	},
	{
		/* ADD %al, (%rax) is two bytes of zero: one in each page. */
		.name = "straddle.fetch.second-absent",
		.arch = "x86_64",
		.areas = AREAS(LAZY(ARENA, 2 * PAGE, MM_RWX)),
		.script = SCRIPT(FETCH_ZEROS(ARENA + PAGE - 1)),
		.faults = FAULTS(FETCH_FAULT(ARENA, MM_FAULT_MAPPED),
                                 FETCH_FAULT(ARENA + PAGE, MM_FAULT_MAPPED)),
	},
	{
		.name = "straddle.fetch.second-denied",
		.arch = "x86_64",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_RWX), LAZY(ARENA + PAGE, PAGE, MM_RW)),
		.script = SCRIPT(FETCH(ARENA + PAGE - 1)),
		.faults = FAULTS(FETCH_FAULT(ARENA, MM_FAULT_MAPPED),
                                 FETCH_FAULT(ARENA + PAGE, MM_FAULT_PERMISSION)),
		.end = SUITE_DIES,
	},
	{
		/* A load that crosses a page boundary, from data in a page that is also absent. */
		.name = "straddle.code-and-data",
		.arch = "riscv64 x86_64",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(RUN_AT(AGENT_LOAD_PLAIN, ARENA + PAGE - 2, DATA, 0)),
		.faults = FAULTS(MAPPED(ARENA + PAGE - 2, MM_W), MAPPED(ARENA + PAGE, MM_W),
                                 MAPPED(DATA, MM_R)),
	},
	{
		.name = "straddle.2m.read",
		.needs = SUITE_NEEDS_2M,
		.areas = AREAS(LAZY_LEAF(ARENA, 2 * MIB2, MM_RW, 1)),
		.script = SCRIPT(STAGE1(), READ(8, ARENA + MIB2 - 4, 0),
                                 WRITE(8, ARENA + MIB2 - 4, VALUE),
                                 READ(4, ARENA + MIB2, VALUE >> 32)),
		.unordered = true,
		.faults = FAULTS({.gpa = ARENA + MIB2 - 4,
                                  .access = MM_R,
                                  .outcome = MM_FAULT_MAPPED,
                                  .page = true},
                                 {.gpa = ARENA + MIB2,
                                  .access = MM_R,
                                  .outcome = MM_FAULT_MAPPED,
                                  .page = true}),
	},
};

const struct suite_subject suite_straddle = {
	.name = "straddle",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "straddle.",
};
