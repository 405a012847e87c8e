/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As many vCPUs as there are CPUs, on one address space: on machines with more than four, up to 64.
 * suite/smp.c has the same with two to four; suite/shootdown.c has the shootdowns.
 */
#include "kernel/string.h"
#include "machine.h"
#include "suite/run.h"
#include "suite/suite.h"

#define PATTERN    UINT64_C(0xc407dc407dc407d0)
#define PAGES_EACH 4U
#define MOST       VM_MOST_VCPUS
#define OWN(vcpu)  (ARENA + PAGES_EACH * PAGE * (uint64_t)(vcpu))
#define WORD(vcpu) (ARENA + 64 * (uint64_t)(vcpu))
#define BESIDE     (ARENA + GIB(1))

enum kind {
	SAME_PAGE,    /* each its own word of one page */
	DISJOINT,     /* each its own pages */
	BESIDE_UNMAP, /* the same while vCPU 0 maps and unmaps elsewhere */
	ONE_EACH,     /* each notes its CPU */
	KINDS,
};

static const char *const names[KINDS] = {"same-page", "disjoint", "unmap-beside", "one-each"};

static enum kind now;               /* of the case that was generated last */
static _Atomic uint32_t seen[MOST]; /* by vCPU: 1 + its CPU */

static const struct suite_op *member(const struct suite_case *c, unsigned vcpu)
{
	static struct suite_op script[10];
	const struct suite_op same_page[] = {
		STAGE1(),
		BARRIER(0),
		WRITE(8, WORD(vcpu), PATTERN + vcpu),
		BARRIER(1),
		READ(8, WORD(vcpu), PATTERN + vcpu),
		READ(8, WORD((vcpu + 1) % c->crowd), PATTERN + (vcpu + 1) % c->crowd),
		{OP(END)},
	};
	const struct suite_op disjoint[] = {
		STAGE1(),
		BARRIER(0),
		FILL(OWN(vcpu), PAGES_EACH, PAGE, PATTERN),
		BARRIER(1),
		CHECK(OWN(vcpu), PAGES_EACH, PAGE, PATTERN),
		ZEROS(OWN(vcpu) + 8, PAGES_EACH, PAGE),
		{OP(END)},
	};
	const struct suite_op unmaps[] = {STAGE1(), BARRIER(0), STEP(0), BARRIER(1), {OP(END)}};
	const struct suite_op one_each[] = {STEP(vcpu), BARRIER(0), {OP(END)}};

	if (now == SAME_PAGE)
		memcpy(script, same_page, sizeof(same_page));
	else if (now == ONE_EACH)
		memcpy(script, one_each, sizeof(one_each));
	else if (now == BESIDE_UNMAP && vcpu == 0)
		memcpy(script, unmaps, sizeof(unmaps));
	else
		memcpy(script, disjoint, sizeof(disjoint));
	return script;
}

static uint64_t map_and_unmap(struct suite_run *run, uint64_t number)
{
	struct mm_gpa_range range = mm_gpa_range(mm_gpa_at(BESIDE), 16 * PAGE);
	struct mm_aspace_backing populated = {.populate = true};

	(void)number;
	for (unsigned i = 0; i < 4; i++) {
		if (mm_aspace_map_alloc(&run->vm->as, range, MM_RW, populated) != MM_OK ||
		    mm_aspace_unmap(&run->vm->as, range) != MM_OK)
			return 1;
	}
	return 0;
}

static uint64_t note_cpu(struct suite_run *run, uint64_t vcpu)
{
	(void)run;
	atomic_store(&seen[vcpu % MOST], machine_cpu_index() + 1);
	return 0;
}

static bool one_each(struct suite_run *run)
{
	for (unsigned i = 0; i < run->vm->vcpu_count; i++) {
		if (atomic_exchange(&seen[i], 0) != i + 1)
			return suite_fail(run, "vcpu %u did not run on CPU %u", i, i);
	}
	return true;
}

static void expect_faults(struct suite_draft *d, uint32_t count)
{
	draft_fault(d, (struct suite_fault){.gpa = ARENA,
	                                    .access = MM_W,
	                                    .outcome = MM_FAULT_MAPPED,
	                                    .page = true,
	                                    .count = count,
	                                    .stride = PAGE});
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	if (index >= KINDS)
		return false;
	now = (enum kind)index;
	draft_name(d, "crowd.%s", names[now]);
	draft_area(d, (struct suite_area)LAZY(ARENA, 4 * MIB2, MM_RW));
	d->c.crowd = host->cpus;
	d->c.member = member;
	d->c.cpus = SUITE_VCPUS + 1;
	d->c.unordered = true;
	if (now == SAME_PAGE)
		expect_faults(d, 1);
	else if (now == DISJOINT)
		expect_faults(d, host->cpus * PAGES_EACH);
	else
		d->c.uncounted = true;
	d->c.step = now == ONE_EACH ? note_cpu : map_and_unmap;
	d->c.verify = now == ONE_EACH ? one_each : NULL;
	return true;
}

const struct suite_subject suite_crowd = {
	.name = "crowd",
	.generate = generate,
	.generated = "crowd.",
};
