/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Remote fences: after a change of the nested tables no hart uses an old translation. A vCPU on
 * each of the harts of a set writes to one page in a loop without an exit. The page becomes
 * read-only. Each of them must fault. One whose hart missed the fence would write for ever.
 */
#include "cpu_work.h"
#include "machine.h"
#include "suite/payload.h"
#include "suite/riscv64/bare.h"

#define SHARED(b) ((b)->base + (BARE_DATA) + 64 * MM_PAGE_SIZE)

struct way {
	uint64_t pages; /* of the change: a few, or more than are fenced one by one */
	bool unmap;     /* unlinks the entries, rather than changes them */
};

/* a2 = the shared page + 8 * index; a3 counts */
static void write_writer(struct bare *b, uint64_t page)
{
	struct code code = {.count = 0};
	unsigned loop;

	emit(&code, INSN_LD(A2, A0, 0));
	emit(&code, INSN_ADDI(A3, X0, 0));
	loop = emit(&code, INSN_ADDI(A3, A3, 1));
	emit(&code, INSN_SD(A3, A2, 0));
	emit(&code, insn_j(code.count, loop));
	bare_code(b, &code);
	bare_put(b, b->data, page + 8 * b->vcpu->index);
}

/* Without the rounds of bare_run(): an exit may fence by itself. The limit is for hangs only. */
static void run_elsewhere(void *arg)
{
	struct bare *b = arg;
	uint64_t limit = machine_ticks() + 6 * machine_ticks_per_second();

	do {
		b->vm->ops->run(b->vcpu, limit, &b->exit);
	} while (b->exit.kind == VM_EXIT_INTERRUPT);
	b->vm->ops->park(b->vcpu);
}

/* Until the vCPU has written twice since. False: the case has failed. */
static bool wait_for_writes(struct bare *b, uint64_t page)
{
	uint64_t at = page + 8 * b->vcpu->index, seen = bare_get(b, at);
	uint64_t limit = machine_ticks() + 3 * machine_ticks_per_second();

	while (bare_get(b, at) < seen + 2 && machine_ticks() < limit)
		machine_relax();
	return bare_get(b, at) >= seen + 2 || suite_fail(b->run, "the guest does not write");
}

static bool change(struct bare *b, const struct way *way, uint64_t page)
{
	struct mm_gpa_range range = mm_gpa_range(mm_gpa_at(page), way->pages * MM_PAGE_SIZE);
	enum mm_error error = way->unmap ? mm_aspace_unmap(&b->vm->as, range)
	                                 : mm_aspace_protect(&b->vm->as, range, MM_R);

	return error == MM_OK || suite_fail(b->run, "change: %s", mm_error_name(error));
}

static void expect_fault(struct bare *b, unsigned cpu, uint64_t page)
{
	uint64_t at = page + 8 * b->vcpu->index;

	if (b->exit.kind != VM_EXIT_NESTED_FAULT) {
		suite_fail(b->run, "cpu %u: no fault: exit %d", cpu, (int)b->exit.kind);
		return;
	}
	EXPECT_EQ(b->run, b->exit.fault.gpa.raw, at);
	EXPECT(b->run, b->exit.fault.access == MM_W);
}

/* The page is read-only: no hart writes to it any more. */
static bool expect_quiet(struct bare b[], unsigned harts, uint64_t page)
{
	uint64_t seen[BARE_VCPUS], end = machine_ticks() + machine_ticks_per_second() / 500;

	for (unsigned i = 0; i < harts; i++)
		seen[i] = bare_get(&b[i], page + 8 * i);
	while (machine_ticks() < end)
		machine_relax();
	for (unsigned i = 0; i < harts; i++)
		if (bare_get(&b[i], page + 8 * i) != seen[i])
			return suite_fail(b[0].run, "cpu %u still writes", i + 1);
	return true;
}

/* vCPU i runs on hart i + 1, if its bit in `set` is 1. This hart makes the change. */
static void run_set(struct bare b[], const struct way *way, unsigned harts, unsigned set)
{
	uint64_t page = SHARED(&b[0]);
	bool ok = true;

	for (unsigned i = 0; i < harts; i++) {
		write_writer(&b[i], page);
		if ((set >> i & 1) != 0)
			cpu_work_give(i + 1, run_elsewhere, &b[i]);
	}
	for (unsigned i = 0; i < harts && ok; i++)
		ok = (set >> i & 1) == 0 || wait_for_writes(&b[i], page);
	ok = ok && change(&b[0], way, page) && (way->unmap || expect_quiet(b, harts, page));
	for (unsigned i = 0; i < harts; i++) {
		if ((set >> i & 1) == 0)
			continue;
		cpu_work_wait(i + 1);
		if (ok)
			expect_fault(&b[i], i + 1, page);
	}
}

static void every_set(struct suite_run *run, const void *data)
{
	const struct way *way = data;
	unsigned harts = run->host->cpus - 1;

	if (harts > BARE_VCPUS)
		harts = BARE_VCPUS;
	for (unsigned set = 1; set < 1U << harts && run->complaints == 0; set++) {
		struct bare b[BARE_VCPUS];

		if (!bare_begin(run, 1, harts, b))
			return;
		run_set(b, way, harts, set);
		bare_end(1);
	}
}

/* The vCPU has used the page on each hart, and is on none of them when it changes. */
static void parked(struct suite_run *run, const void *data)
{
	static const struct way one = {.pages = 1};
	uint64_t page;
	struct bare b;

	(void)data;
	for (unsigned cpu = 0; cpu < run->host->cpus && run->complaints == 0; cpu++) {
		struct code code = {.count = 0};

		if (!bare_begin(run, 1, 1, &b))
			return;
		page = SHARED(&b);
		emit(&code, INSN_LD(A2, A0, 0));
		emit(&code, INSN_SD(A2, A2, 0));
		emit(&code, INSN_ECALL);
		emit(&code, insn_j(code.count, 1));
		bare_code(&b, &code);
		bare_put(&b, b.data, page);
		if (bare_call_on(&b, cpu) && change(&b, &one, page) && bare_run_on(&b, cpu))
			expect_fault(&b, cpu, page);
		bare_end(1);
	}
}

static const struct way one = {.pages = 1}, some = {.pages = 8}, many = {.pages = 64},
			removed = {.pages = 64, .unmap = true};

static const struct suite_case cases[] = {
	{.name = "riscv.fence.page", .run = every_set, .data = &one, .cpus = 2},
	{.name = "riscv.fence.pages", .run = every_set, .data = &some, .cpus = 2},
	{.name = "riscv.fence.all", .run = every_set, .data = &many, .cpus = 2},
	{.name = "riscv.fence.unmap", .run = every_set, .data = &removed, .cpus = 2},
	{.name = "riscv.fence.parked", .run = parked},
};

const struct suite_subject suite_riscv_fence = {
	.name = "riscv.fence",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
