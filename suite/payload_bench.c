/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cost of the hypervisor: rows T1 to T7 of the target benchmarks. The guest measures T1 to T4.
 * The figures are exact if the machine counts instructions (QEMU's -icount, Bochs). A case does not
 * fail for its figures. It fails if the guest does not end as expected.
 */
#include "kernel/run.h"
#include "kernel/string.h"
#include "log.h"
#include "machine.h"
#include "mm/dirty.h"
#include "mm/snapshot.h"
#include "suite/payload.h"

/* guests/bench.c */
enum {
	BENCH_CALL,
	BENCH_TOUCH,
	BENCH_MMIO
};
enum {
	BENCH_LEAST,
	BENCH_MOST,
	BENCH_SUM,
	BENCH_EMPTY
};

struct bench {
	const char *row;
	uint64_t what;
	enum vm_backing backing;
	uint64_t arena_bytes;
	uint64_t stride;
	uint64_t rounds;
	unsigned max_leaf;
	uint64_t faults; /* expected number of faults for lazy memory, or if: */
	bool logged;     /* write protection logs the first write to each page */
};

static void bench(struct suite_run *run, const void *data)
{
	const struct bench *b = data;
	struct vm_config config = session_config("bench", "bench", b->backing, b->arena_bytes);
	struct session *s;
	const uint64_t *r;

	config.areas[0].max_leaf = b->max_leaf;
	config.args[0] = b->what;
	config.args[1] = b->stride;
	config.args[2] = b->rounds;
	if (b->max_leaf != 0 && !payload_fits_leaves(run, b->arena_bytes))
		return;
	s = payload_begin(run, &config, false);
	if (s == NULL)
		return;
	if (b->logged)
		EXPECT_EQ(run, mm_aspace_dirty_start(&s->vm.as, MM_DIRTY_WRITE_PROTECT, false),
		          MM_OK);
	session_run(s);
	payload_end(run, s);
	expect_exit(run, s);
	/* The log also covers the guest's own few pages. */
	if (b->logged)
		EXPECT(run, s->vm.stats.faults[MM_FAULT_UNSHARED] >= b->faults);
	else
		EXPECT_EQ(run, s->vm.stats.faults[MM_FAULT_MAPPED], b->faults);
	r = s->vm.reports;
	log_line(LOG_QUIET,
	         "bench row=%s least=%" PRIu64 " mean=%" PRIu64 " most=%" PRIu64 " rounds=%" PRIu64
	         " unit=%s",
	         b->row, r[BENCH_LEAST] - r[BENCH_EMPTY], r[BENCH_SUM] / b->rounds - r[BENCH_EMPTY],
	         r[BENCH_MOST] - r[BENCH_EMPTY], b->rounds, machine_cycles_unit());
}

/* The memory's part of a lazy fault: allocating one frame and clearing it. */
static void frame(struct suite_run *run, const void *data)
{
	struct vm_config config = session_config("frame", "hello", VM_LAZY, MIB(2));
	struct session *s = payload_begin(run, &config, false);
	const struct mm_hal *hal;
	uint64_t start, taken, cleared;
	size_t count;
	mm_hpa_t at;

	(void)data;
	if (s == NULL)
		return;
	hal = &s->vm.as.npt.hal;
	/* Once without measurement: a CPU's frame cache may have to be filled first. */
	EXPECT_EQ(run, hal->alloc(hal->ctx, 0, 1, &at), 1);
	hal->free(hal->ctx, 0, 1, &at);
	start = machine_cycles();
	count = hal->alloc(hal->ctx, 0, 1, &at);
	taken = machine_cycles() - start;
	EXPECT_EQ(run, count, 1);
	start = machine_cycles();
	hal->zero(hal->ctx, mm_hal_to_virt(hal, at), MM_PAGE_SIZE);
	cleared = machine_cycles() - start;
	hal->free(hal->ctx, 0, 1, &at);
	session_run(s);
	payload_end(run, s);
	log_line(LOG_QUIET, "bench row=take-4k least=%" PRIu64 " unit=%s", taken,
	         machine_cycles_unit());
	log_line(LOG_QUIET, "bench row=zero-4k least=%" PRIu64 " unit=%s", cleared,
	         machine_cycles_unit());
}

/* A reset: the guest has written 100 pages and its own few. Their contents go back to the snapshot,
 * and the vCPU to the entry. Then it runs again. */
#define RESETS  8
#define WRITTEN 100

static void reset(struct suite_run *run, const void *data)
{
	struct vm_config config = session_config("reset", "bench", VM_POPULATED, MIB(1));
	static struct mm_snapshot snapshot;
	uint64_t start, all = 0;
	struct session *s;

	(void)data;
	config.args[0] = BENCH_TOUCH;
	config.args[1] = MM_PAGE_SIZE;
	config.args[2] = WRITTEN;
	s = payload_begin(run, &config, false);
	if (s == NULL)
		return;
	memset(&snapshot, 0, sizeof(snapshot));
	EXPECT_EQ(run, mm_aspace_snapshot_take(&s->vm.as, &snapshot), MM_OK);
	session_run(s);
	for (unsigned i = 0; i < RESETS && run->complaints == 0; i++) {
		start = machine_cycles();
		EXPECT_EQ(run, mm_aspace_snapshot_restore(&s->vm.as, &snapshot), MM_OK);
		EXPECT(run, vm_restart(&s->vm));
		all += machine_cycles() - start;
		session_run(s);
	}
	payload_end(run, s);
	expect_exit(run, s);
	EXPECT(run, s->vm.stats.faults[MM_FAULT_UNSHARED] >= (RESETS + 1) * WRITTEN);
	log_line(LOG_QUIET, "bench row=T7-reset mean=%" PRIu64 " rounds=%u unit=%s", all / RESETS,
	         RESETS, machine_cycles_unit());
}

/* From the first instruction after firmware to the first instruction of the first VM. */
static void boot(struct suite_run *run, const void *data)
{
	struct vm_config config = session_config("first", "hello", VM_LAZY, MIB(1));
	struct session *s = payload_run(run, &config);

	(void)data;
	if (s == NULL)
		return;
	expect_exit(run, s);
	log_line(LOG_QUIET, "bench row=T5-boot-to-guest least=%" PRIu64 " unit=%s",
	         vm_first_run() - run->host->boot->start_cycles, machine_cycles_unit());
}

static const struct bench t1 = {
	.row = "T1-hypercall",
	.what = BENCH_CALL,
	.arena_bytes = MIB(1),
	.rounds = 1000,
};
static const struct bench t2 = {
	.row = "T2-lazy-4k",
	.what = BENCH_TOUCH,
	.arena_bytes = MIB(2),
	.stride = MM_PAGE_SIZE,
	.rounds = 512,
	.faults = 512,
};
static const struct bench t2t = {
	.row = "T2-lazy-4k-and-table",
	.what = BENCH_TOUCH,
	.arena_bytes = MIB(256),
	.stride = MIB(2),
	.rounds = 128,
	.faults = 128,
};
/* The frame and the entry are present. The fault restores W and flushes the old entry. */
static const struct bench t2w = {
	.row = "T2w-logged-write",
	.what = BENCH_TOUCH,
	.backing = VM_POPULATED,
	.arena_bytes = MIB(2),
	.stride = MM_PAGE_SIZE,
	.rounds = 512,
	.faults = 512,
	.logged = true,
};
static const struct bench t3 = {
	.row = "T3-lazy-2m-per-4k",
	.what = BENCH_TOUCH,
	.arena_bytes = MIB(64),
	.stride = MM_PAGE_SIZE,
	.rounds = 16384,
	.max_leaf = 1,
	.faults = 32,
};
static const struct bench t4 = {
	.row = "T4-mmio-read",
	.what = BENCH_MMIO,
	.arena_bytes = MIB(1),
	.rounds = 1000,
};

static const struct suite_case cases[] = {
	{.name = "bench.boot", .run = boot},
	{.name = "bench.hypercall", .run = bench, .data = &t1},
	{.name = "bench.lazy.4k", .run = bench, .data = &t2},
	{.name = "bench.lazy.4k-table", .run = bench, .data = &t2t},
	{.name = "bench.logged", .run = bench, .data = &t2w},
	{.name = "bench.lazy.2m", .run = bench, .data = &t3},
	{.name = "bench.mmio", .run = bench, .data = &t4},
	{.name = "bench.frame", .run = frame},
	{.name = "bench.reset", .run = reset},
};

const struct suite_subject suite_payload_bench = {
	.name = "payload_bench",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
