/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page-modification logging (SDM vol. 3C, 29.3.6) through virt_ops.log_writes() and take_writes().
 * The log has each page that the guest writes first, once, oldest first; it says how often the
 * CPU's buffer was full, and whether writes were lost.
 */
#include "mm/bits.h"
#include "suite/x86_64/vmx_read.h"
#include "suite/x86_64/vmx_subjects.h"

#define BUFFER 512U  /* entries of the CPU's buffer */
#define RING   4096U /* entries that vmx/pml.c keeps beyond that */
#define MOST   (RING + 2 * BUFFER)

/* Steps. TAKE + n: takes the log, which must have the next n pages of the arena. */
#define START 1U
#define STOP  2U
#define PARK  3U
#define LOST  4U
#define FEW   5U
#define REST  6U
#define TAKE  0x1000U

#define PROC2_PML BIT(17)

static mm_gpa_t taken[MOST];

static struct vcpu *vcpu_of(struct suite_run *run)
{
	return &run->vm->vcpus[0].vcpu;
}

/* scratch[0]: the pages that were taken so far. Pages of the agent itself do not count. */
static unsigned arena_pages(struct suite_run *run, size_t count)
{
	unsigned pages = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t expected = ARENA + run->scratch[0] * PAGE;

		if (taken[i].raw < ARENA)
			continue;
		if (mm_align_down(taken[i].raw, PAGE) != expected)
			suite_fail(run, "page %u: expected 0x%" PRIx64 ", got 0x%" PRIx64, pages,
			           expected, taken[i].raw);
		run->scratch[0]++;
		pages++;
	}
	return pages;
}

/* scratch[1]: entries since the log was empty, which tell how often the buffer was full. */
static void take(struct suite_run *run, unsigned expected)
{
	struct vcpu_writes writes = vcpu_of(run)->ops->take_writes(vcpu_of(run), taken, MOST);
	unsigned pages = arena_pages(run, writes.count);
	/* The exit comes before the entry that finds the buffer full. */
	unsigned full = writes.count == 0 ? 0 : (unsigned)(writes.count - 1) / BUFFER;

	if (pages != expected)
		suite_fail(run, "expected %u pages, got %u", expected, pages);
	if (writes.full_exits != full)
		suite_fail(run, "%zu entries: expected %u exits for a full log, got %u",
		           writes.count, full, writes.full_exits);
	if (writes.lost)
		suite_fail(run, "writes were lost");
}

/* More writes than the ring holds: it has the oldest ones. */
static void take_lost(struct suite_run *run)
{
	struct vcpu_writes writes = vcpu_of(run)->ops->take_writes(vcpu_of(run), taken, MOST);

	(void)arena_pages(run, writes.count);
	if (writes.count != RING || !writes.lost)
		suite_fail(run, "%zu entries, lost=%d", writes.count, writes.lost);
	writes = vcpu_of(run)->ops->take_writes(vcpu_of(run), taken, MOST);
	if (writes.count != 0 || writes.lost || writes.full_exits != 0)
		suite_fail(run, "then %zu entries, lost=%d, %u exits", writes.count, writes.lost,
		           writes.full_exits);
}

/* At most 3 pages of the log: the rest stays in it. The fourth element is not written. */
static void take_few(struct suite_run *run)
{
	struct vcpu_writes writes;

	taken[3] = mm_gpa_at(~UINT64_C(0));
	writes = vcpu_of(run)->ops->take_writes(vcpu_of(run), taken, 3);
	if (writes.count != 3 || taken[3].raw != ~UINT64_C(0))
		suite_fail(run, "%zu entries instead of 3", writes.count);
	(void)arena_pages(run, writes.count);
}

/* Everything else that the log has, up to page 11. */
static void take_rest(struct suite_run *run)
{
	struct vcpu_writes writes = vcpu_of(run)->ops->take_writes(vcpu_of(run), taken, MOST);

	(void)arena_pages(run, writes.count);
	if (run->scratch[0] != 12)
		suite_fail(run, "expected 12 pages, got %" PRIu64, run->scratch[0]);
}

static void switch_log(struct suite_run *run, bool on)
{
	if (!vcpu_of(run)->ops->log_writes(vcpu_of(run), on))
		suite_fail(run, "the log cannot be switched");
	if (((vmcs_read(0x401e) & PROC2_PML) != 0) != on)
		suite_fail(run, "the control of the log is not %d", on);
}

static uint64_t on_step(struct suite_run *run, uint64_t number)
{
	if (number >= TAKE)
		take(run, (unsigned)(number - TAKE));
	else if (number == LOST)
		take_lost(run);
	else if (number == FEW)
		take_few(run);
	else if (number == REST)
		take_rest(run);
	else if (number == PARK)
		vcpu_of(run)->ops->park(vcpu_of(run));
	else
		switch_log(run, number == START);
	return 0;
}

/* There are more faults than a trace has. */
static bool without_trace(struct suite_run *run)
{
	run->vm->trace = NULL;
	return true;
}

#define PAGES_OF(count)      AREAS(LAZY(ARENA, (uint64_t)(count)*PAGE, MM_RW))
#define WRITES(first, count) FILL(ARENA + (uint64_t)(first)*PAGE, count, PAGE, 5)

static const struct suite_case cases[] = {
	{
		.name = "vmx.log.order",
		.areas = PAGES_OF(16),
		.script = SCRIPT(STEP(START), WRITES(0, 5), STEP(TAKE + 5), STEP(TAKE),
                                 WRITES(5, 7), STEP(TAKE + 7), WRITES(0, 12), STEP(TAKE)),
	},
	{
		/* The entries of a buffer that the vCPU has left on another CPU. */
		.name = "vmx.log.parked",
		.areas = PAGES_OF(16),
		.script =
			SCRIPT(STEP(START), WRITES(0, 5), STEP(PARK), WRITES(5, 3), STEP(TAKE + 8)),
	},
	{
		.name = "vmx.log.full",
		.areas = PAGES_OF(2000),
		.script = SCRIPT(STEP(START), WRITES(0, 2), STEP(TAKE + 2), WRITES(2, 500),
                                 STEP(TAKE + 500), WRITES(502, 600), STEP(TAKE + 600),
                                 WRITES(1102, 800), STEP(TAKE + 800), STEP(TAKE)),
	},
	{
		.name = "vmx.log.few",
		.areas = PAGES_OF(16),
		.script = SCRIPT(STEP(START), WRITES(0, 8), STEP(FEW), STEP(FEW), WRITES(8, 4),
                                 STEP(REST)),
	},
	{
		/* The ring goes on at its beginning. */
		.name = "vmx.log.around",
		.areas = PAGES_OF(6000),
		.script = SCRIPT(STEP(START), WRITES(0, 3000), STEP(TAKE + 3000),
                                 WRITES(3000, 3000), STEP(TAKE + 3000)),
	},
	{
		.name = "vmx.log.lost",
		.areas = PAGES_OF(RING + 2 * BUFFER),
		.script = SCRIPT(STEP(START), WRITES(0, RING + BUFFER), STEP(LOST)),
	},
	{
		/* The VM ends with the log on: its frames are free again. */
		.name = "vmx.log.off",
		.areas = PAGES_OF(16),
		.script = SCRIPT(STEP(START), WRITES(0, 5), STEP(STOP), WRITES(5, 5), STEP(TAKE),
                                 STEP(START), WRITES(0, 10), STEP(TAKE)),
	},
};

static bool generate(size_t index, const struct host *host, struct suite_draft *draft)
{
	if (!vmx_case(cases, MM_ARRAY_SIZE(cases), index, host, draft))
		return false;
	draft->c.needs = SUITE_NEEDS_PML;
	draft->c.uncounted = true;
	draft->c.step = on_step;
	draft->c.ready = without_trace;
	return true;
}

const struct suite_subject suite_vmx_log = {
	.name = "vmx",
	.generate = generate,
	.generated = "vmx.log.",
};
