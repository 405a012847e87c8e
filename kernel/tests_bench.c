/*
 * What the hypervisor costs a guest, measured by the guest: the rows T1 to T5 of the target
 * benchmarks. Exact where the machine counts instructions (QEMU's -icount, Bochs). A figure is
 * never a reason to fail; a guest that does not end as it should is.
 */
#include "frame.h"
#include "kernel/run.h"
#include "kernel/scenario.h"
#include "kernel/tests.h"
#include "log.h"
#include "machine.h"

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
	uint64_t faults; /* that lazy memory must have cost */
};

static void bench(struct test *t, const void *data)
{
	const struct bench *b = data;
	struct vm_config config = scenario_config("bench", "bench", b->backing, b->arena_bytes);
	struct scenario *s;
	const uint64_t *r;

	config.areas[0].max_leaf = b->max_leaf;
	config.args[0] = b->what;
	config.args[1] = b->stride;
	config.args[2] = b->rounds;
	s = scenario_do(t, &config);
	if (s == NULL)
		return;
	expect_exit(t, s);
	EXPECT_EQ(t, s->vm.stats.faults[MM_FAULT_MAPPED], b->faults);
	r = s->vm.reports;
	log_line(LOG_QUIET,
	         "bench row=%s least=%" PRIu64 " mean=%" PRIu64 " most=%" PRIu64 " rounds=%" PRIu64
	         " unit=%s",
	         b->row, r[BENCH_LEAST] - r[BENCH_EMPTY], r[BENCH_SUM] / b->rounds - r[BENCH_EMPTY],
	         r[BENCH_MOST] - r[BENCH_EMPTY], b->rounds, machine_cycles_unit());
}

/* How dear clearing one frame is: it is part of every lazy fault. */
static void zeroing(struct test *t, const void *data)
{
	struct scenario *s;
	struct vm_config config = scenario_config("zero", "hello", VM_LINEAR, MIB(2));
	uint64_t start, cycles;

	(void)data;
	s = scenario_begin(t, &config, false);
	if (s == NULL)
		return;
	start = machine_cycles();
	machine_zero(NULL, frame_ptr(s->vm.blocks[1].start), PAGE_SIZE);
	cycles = machine_cycles() - start;
	scenario_run(s);
	scenario_end(t, s);
	log_line(LOG_QUIET, "bench row=zero-4k least=%" PRIu64 " unit=%s", cycles,
	         machine_cycles_unit());
}

/* From the first instruction after firmware to the first VM's, whichever that was. */
static void boot(struct test *t, const void *data)
{
	struct vm_config config = scenario_config("first", "hello", VM_LAZY, MIB(1));
	struct scenario *s = scenario_do(t, &config);

	(void)data;
	if (s == NULL)
		return;
	expect_exit(t, s);
	log_line(LOG_QUIET, "bench row=T5-boot-to-guest least=%" PRIu64 " unit=%s",
	         vm_first_run() - t->host->boot->start_cycles, machine_cycles_unit());
}

static const struct bench t1 = {"T1-hypercall", BENCH_CALL, VM_LAZY, MIB(1), 0, 1000, 0, 0};
static const struct bench t2 = {"T2-lazy-4k", BENCH_TOUCH, VM_LAZY, MIB(2), PAGE_SIZE, 512, 0, 512};
static const struct bench t2t = {
	"T2-lazy-4k-and-table", BENCH_TOUCH, VM_LAZY, MIB(256), MIB(2), 128, 0, 128};
static const struct bench t3 = {"T3-lazy-2m-per-4k", BENCH_TOUCH, VM_LAZY, MIB(64),
                                PAGE_SIZE,           16384,       1,       32};
static const struct bench t4 = {"T4-mmio-read", BENCH_MMIO, VM_LAZY, MIB(1), 0, 1000, 0, 0};

static const struct test_case cases[] = {
	{"bench.boot", boot, NULL},    {"bench.hypercall", bench, &t1},
	{"bench.lazy.4k", bench, &t2}, {"bench.lazy.4k-table", bench, &t2t},
	{"bench.lazy.2m", bench, &t3}, {"bench.mmio", bench, &t4},
	{"bench.zero", zeroing, NULL},
};

const struct test_suite tests_bench = {.cases = cases, .count = ARRAY_SIZE(cases)};
