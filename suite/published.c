/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Published defects that several architectures can have: docs/published.md. Each row names its
 * source. Those of one architecture are in suite/<arch>/published.c.
 */
#include "suite/published.h"

#include "kernel/string.h"
#include "machine.h"
#include "suite/run.h"

#define TABLES ARENA /* 2 pages: the guest's tables of VIRTUAL */
#define DATA   (ARENA + 8 * PAGE)
#define INDEX  5U
#define TARGET (VIRTUAL + INDEX * PAGE)
#define ENTRY  (INDEX * UINT64_C(8))
#define VALUE  UINT64_C(0x600dda7a600dda7a)

static bool put(struct suite_run *run, uint64_t at, struct published_text text)
{
	size_t bytes = (size_t)(text.end - text.start);

	if (bytes == 0)
		return true;
	if (bytes > PAGE)
		return suite_fail(run, "%zu bytes of code", bytes);
	return mm_aspace_write(&run->vm->as, mm_gpa_at(at), text.start, bytes) == MM_OK;
}

bool published_put(struct suite_run *run)
{
	const struct published *p = run->c->data;

	return put(run, CODE, p->code) && put(run, USER, p->user);
}

/* --- guest-physical addresses that are too wide --- */

/* Step 0 uses the address of the arena with one more bit, which is beyond the address width. */
static uint64_t use_aliases(struct suite_run *run, uint64_t number)
{
	struct mm_aspace *as = &run->vm->as;
	uint64_t word = 0;

	(void)number;
	for (unsigned bit = mm_npt_gpa_bits(&as->npt.config); bit < 64; bit++) {
		mm_gpa_t alias = mm_gpa_at(ARENA | UINT64_C(1) << bit);
		struct mm_gpa_range page = mm_gpa_range(alias, PAGE);

		if (mm_aspace_load(as, alias, 8, &word) != MM_OUT_OF_RANGE ||
		    mm_aspace_store(as, alias, 8, 0) != MM_OUT_OF_RANGE ||
		    mm_aspace_protect(as, page, MM_NONE) != MM_OUT_OF_RANGE ||
		    mm_aspace_unmap(as, page) != MM_OUT_OF_RANGE ||
		    mm_aspace_fault(as, alias, MM_W) != MM_FAULT_OUT_OF_RANGE)
			return bit;
	}
	return 0;
}

/* --- an instruction fetch that continues on an absent page --- */

#define NEXT   (ARENA + 2 * PAGE)
#define BEFORE 16U /* bytes of code before NEXT */

/* Instructions that do nothing. */
static const struct {
	const char *arch;
	uint8_t bytes[4];
} nops[] = {
	{"riscv64", {0x13, 0, 0, 0}},
	{"aarch64", {0x1f, 0x20, 0x03, 0xd5}},
	{"x86_64", {0x90, 0x90, 0x90, 0x90}},
};

static bool put_nops(struct suite_run *run)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(nops); i++) {
		for (uint64_t at = NEXT - BEFORE; at < NEXT; at += 4) {
			if (strcmp(nops[i].arch, machine_arch) == 0 &&
			    mm_aspace_write(&run->vm->as, mm_gpa_at(at), nops[i].bytes, 4) != MM_OK)
				return false;
		}
	}
	return true;
}

static void check_fetch(struct suite_run *run, const struct vm_exit *exit)
{
	if (exit->kind != VM_EXIT_NESTED_FAULT || exit->fault.access != MM_X)
		return;
	run->scratch[0]++;
	if (exit->pc != NEXT)
		suite_fail(run, "pc=0x%" PRIx64 " in a fetch fault at 0x%" PRIx64, exit->pc, NEXT);
	if (exit->fault.gva_valid && exit->fault.gva.raw != NEXT)
		suite_fail(run, "address 0x%" PRIx64 " in a fetch fault at 0x%" PRIx64,
		           exit->fault.gva.raw, NEXT);
}

static bool fetched_once(struct suite_run *run)
{
	return run->scratch[0] == 1 || suite_fail(run, "%" PRIu64 " fetch faults", run->scratch[0]);
}

/* --- the guest's tables, read-only --- */

static uint64_t protect_tables(struct suite_run *run, uint64_t number)
{
	(void)number;
	return (uint64_t)(uint32_t)mm_aspace_protect(
		&run->vm->as, mm_gpa_range(mm_gpa_at(TABLES), 2 * PAGE), MM_R);
}

static bool allow_write(struct suite_run *run, const struct vm_exit *exit)
{
	mm_gpa_t page = mm_gpa_align_down(exit->fault.gpa, PAGE);

	return mm_aspace_protect(&run->vm->as, mm_gpa_range(page, PAGE), MM_RW) == MM_OK;
}

#define RWX (AGENT_PTE_R | AGENT_PTE_W | AGENT_PTE_X)

static const struct suite_case cases[] = {
	{
		/* Xen, XSA-301: the p2m helpers ignored the unused top bits of a frame number, so
                 * that it named another frame. */
		.name = "published.xen.301",
		.areas = AREAS(POPULATED(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(WRITE(8, ARENA, VALUE), STEP(0), READ(8, ARENA, VALUE)),
		.step = use_aliases,
		/* Each refused access is counted as a fault by the library only. */
		.uncounted = true,
	},
	{
		/* Xen, XSA-239: device handlers ignored the width of an access, and the rest of a
                 * variable kept older data. A narrow access after a wide one has no bits of it. */
		.name = "published.xen.239",
		.script = SCRIPT(WRITE(8, GUEST_TEST_BASE + GUEST_TEST_SCRATCH, UINT64_MAX),
                                 READ(1, GUEST_TEST_BASE + GUEST_TEST_ID, 0x11),
                                 READ(8, GUEST_TEST_BASE + GUEST_TEST_NEG, 0xfffefdfcfbfaf9f8),
                                 READ(2, GUEST_TEST_BASE + GUEST_TEST_ID + 2, 0x4433),
                                 READ(4, GUEST_TEST_BASE + GUEST_TEST_ID + 4, 0x88776655),
                                 WRITE(1, GUEST_TEST_BASE + GUEST_TEST_SCRATCH + 3, 0),
                                 WRITE(2, GUEST_TEST_BASE + GUEST_TEST_SCRATCH + 6, 0x1234),
                                 READ(8, GUEST_TEST_BASE + GUEST_TEST_SCRATCH, 0x1234ffff00ffffff)),
		.uncounted = true,
	},
	{
		/* QEMU, issue 1155: in a fetch fault on the page after a block of code, the PC was
                 * that of an earlier instruction. */
		.name = "published.qemu.1155",
		.areas = AREAS(POPULATED(ARENA, 2 * PAGE, MM_RWX), LAZY(NEXT, PAGE, MM_RWX)),
		.script = SCRIPT(
			{OP(FETCH, .addr = NEXT - BEFORE), .any_value = true, .any_trap = true}),
		.ready = put_nops,
		.seen = check_fetch,
		.verify = fetched_once,
		.uncounted = true,
	},
	{
		/* Linux, commit c4ad98e4b72c: KVM took every fault of an instruction fetch for a
                 * read. The walk of the fetch sets the accessed bit, which is a write. The guest
                 * did not continue. */
		.name = "published.linux.c4ad98e4b72c",
		.arch = "riscv64 aarch64",
		.needs = SUITE_NEEDS_STAGE1_UPDATE,
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(STAGE1_AD(), MAP_AS(TARGET, DATA, 0, TABLES, RWX),
                                 PUT_RETURN(DATA), STEP(0), OP_FLUSH(), FETCH(TARGET)),
		.faults = FAULTS(MAPPED(TABLES, MM_W), MAPPED(TABLES + PAGE, MM_W),
                                 MAPPED(DATA, MM_W),
                                 FAULT_IN_WALK(TABLES + PAGE + ENTRY, MM_W, MM_FAULT_PERMISSION)),
		.step = protect_tables,
		.repair = allow_write,
	},
	{
		/* Linux, commit ba6a35415455: guest tables in read-only memory ended the guest,
                 * although no accessed or dirty bit had to be set. */
		.name = "published.linux.ba6a35415455",
		.arch = "riscv64 aarch64",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(STAGE1(), MAP(TARGET, DATA, 0, TABLES), PUT_RETURN(DATA), STEP(0),
                                 OP_FLUSH(), FETCH(TARGET), OP_FLUSH(),
                                 {OP(AMO, .width = 4, .addr = TARGET + 8, .value = 3)}, OP_FLUSH(),
                                 READ(4, TARGET + 8, 3)),
		.faults = FAULTS(MAPPED(TABLES, MM_W), MAPPED(TABLES + PAGE, MM_W),
                                 MAPPED(DATA, MM_W)),
		.step = protect_tables,
	},
	{
		/* cva6, issue 3426: a store that both stages refuse was an error of the G-stage if
                 * its translation was in the TLB, and of the guest's table if not. */
		.name = "published.cva6.3426",
		.areas = AREAS(LAZY(ARENA, 4 * PAGE, MM_RW), LAZY(DATA, PAGE, MM_R)),
		.script = SCRIPT(STAGE1(),
                                 MAP_AS(TARGET, DATA, 0, TABLES, AGENT_PTE_R | AGENT_PTE_AD),
                                 READ(8, TARGET, 0),
                                 {OP(WRITE, .width = 8, .addr = TARGET), .trap = AGENT_PAGE_FAULT,
                                  .addr = TARGET},
                                 OP_FLUSH(),
                                 {OP(WRITE, .width = 8, .addr = TARGET), .trap = AGENT_PAGE_FAULT,
                                  .addr = TARGET}),
		.faults = FAULTS(MAPPED(TABLES, MM_W), MAPPED(TABLES + PAGE, MM_W),
                                 MAPPED(DATA, MM_R)),
	},
	{
		/* XiangShan, issue 6212: a fetch whose walk faulted reported the first byte of the
                 * table, and not its entry. */
		.name = "published.xiangshan.6212",
		.areas = AREAS(LAZY(ARENA, 16 * PAGE, MM_RWX)),
		.script = SCRIPT(
			STAGE1(), MAP(VIRTUAL + MIB2, ARENA + MIB2, 1, TABLES),
			MAP_AS(TARGET, DATA, 0, TABLES + PAGE, AGENT_KEEP),
			{OP(FETCH, .addr = TARGET), .trap = AGENT_PAGE_FAULT, .addr = TARGET}),
		.faults = FAULTS(MAPPED(TABLES, MM_W),
                                 FAULT_IN_WALK(TABLES + PAGE + ENTRY, MM_RW, MM_FAULT_MAPPED)),
	},
};

/* --- guest tables that lead beyond guest-physical space --- */

/* The guest's entry can hold more address bits than the nested table translates. */
#define WIDEST 47U

/* cva6, issue 3401: an entry that points at a table beyond the guest-physical space was an error of
 * the guest's table. rocket-chip, pull request 3591: the address of a page was not checked.
 * cva6, issue 3428: with stage 1 off, a fetch from such an address was a fault of stage 1. */
static const struct {
	const char *name;
	const char *arch;
	bool table;
	bool off;
	bool fetch;
} beyond[] = {
	{"published.cva6.3401", "riscv64 aarch64", true, false, false},
	{"published.cva6.3401.fetch", "riscv64 aarch64", true, false, true},
	{"published.rocket.3591", "riscv64 aarch64", false, false, false},
	{"published.rocket.3591.fetch", "riscv64 aarch64", false, false, true},
	{"published.cva6.3428", "riscv64", false, true, true},
	{"published.cva6.3428.read", "riscv64", false, true, false},
};

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	unsigned bits = mm_npt_gpa_bits(&suite_geometry()->npt);
	uint64_t address = (UINT64_C(1) << bits) + ARENA;
	enum mm_perm access;

	(void)host;
	if (index >= MM_ARRAY_SIZE(beyond))
		return false;
	access = beyond[index].fetch ? MM_X : MM_R;
	draft_name(d, "%s", beyond[index].name);
	d->c.arch = bits <= WIDEST || beyond[index].off ? beyond[index].arch : "none";
	d->c.end = SUITE_DIES;
	d->c.beside[0] = beside_neighbour;
	draft_area(d, (struct suite_area)POPULATED(ARENA, 16 * PAGE, MM_RWX));
	if (!beyond[index].off)
		draft_op(d, (struct suite_op)STAGE1());
	if (beyond[index].table)
		draft_op(d, (struct suite_op)MAP_AS(TARGET, DATA, 0, address, AGENT_KEEP));
	else if (!beyond[index].off)
		draft_op(d, (struct suite_op)MAP(TARGET, address, 0, TABLES));
	if (beyond[index].fetch)
		draft_op(d, (struct suite_op)FETCH(beyond[index].off ? address : TARGET));
	else
		draft_op(d, (struct suite_op)READ(8, beyond[index].off ? address : TARGET, 0));
	draft_fault(d, (struct suite_fault){
			       .gpa = address,
			       .access = beyond[index].table ? MM_RW : (unsigned)access,
			       .outcome = MM_FAULT_OUT_OF_RANGE,
			       .walk = beyond[index].table,
			       .page = true,
		       });
	return true;
}

const struct suite_subject suite_published = {
	.name = "published",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "published.",
};
