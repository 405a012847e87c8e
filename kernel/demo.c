/*
 * The demonstration, what a boot without `test=` shows, on one screen: the first few real faults
 * of a guest with more memory than the machine has, which part of that memory came to be backed,
 * and the three ways of backing side by side. Every figure is counted or measured in this run.
 */
#include "kernel/run.h"
#include "kernel/watch.h"
#include "log.h"
#include "suite/scenario.h"
#include "suite/tests.h"

#define FAULTS_SHOWN 3

/* --- which part of a range is backed --- */

#define STRIP_CELLS 64

struct strip {
	struct gpa_range range;
	uint64_t pages;
	uint64_t in_cell[STRIP_CELLS];
};

static bool count_leaf(void *ctx, const struct npt_leaf *leaf)
{
	struct strip *strip = ctx;
	uint64_t cell_bytes = strip->range.size / STRIP_CELLS;
	uint64_t pages = MM_LEVEL_SIZE(leaf->level) >> MM_PAGE_SHIFT;

	strip->pages += pages;
	strip->in_cell[gpa_diff(leaf->gpa, strip->range.start) / cell_bytes] += pages;
	return true;
}

static struct strip count_backed(struct test *t, struct vm *vm)
{
	const struct vm_area *arena = &vm->config->areas[0];
	struct strip strip = {.range = gpa_range(arena->start, arena->bytes)};

	EXPECT_EQ(t, aspace_for_each_leaf(&vm->as, strip.range, count_leaf, &strip), MM_OK);
	return strip;
}

static void show_strip(const struct strip *strip)
{
	uint64_t cell_pages = strip->range.size / STRIP_CELLS >> MM_PAGE_SHIFT;
	char text[STRIP_CELLS + 1];

	for (size_t i = 0; i < STRIP_CELLS; i++) {
		if (strip->in_cell[i] == 0)
			text[i] = '.';
		else
			text[i] = strip->in_cell[i] < cell_pages ? '+' : '#';
	}
	text[STRIP_CELLS] = '\0';
	log_line(LOG_INFO, "backed |%s| %" PRIu64 " of %" PRIu64 " pages", text, strip->pages,
	         strip->range.size >> MM_PAGE_SHIFT);
}

/* --- the first few faults --- */

static void show_faults(const struct scenario *s)
{
	for (size_t i = 0; i < FAULTS_SHOWN && i < s->trace.count; i++)
		watch_log_fault(&s->vm, &s->trace.records[i]);
	if (s->trace.count > FAULTS_SHOWN)
		log_line(LOG_INFO, "... and %zu more", s->trace.count - FAULTS_SHOWN);
}

/* 64 pages of 1 GiB, 5 MiB apart. */
static void faults(struct test *t, const void *data)
{
	struct vm_config config = scenario_config("lazy", "lazy", VM_LAZY, GIB(1));
	struct scenario *s;
	struct strip strip;

	(void)data;
	config.args[0] = LAZY_WRITE;
	config.args[1] = MIB(5);
	config.args[2] = 64;
	config.args[3] = MIB(256);
	s = scenario_begin(t, &config, true);
	if (s == NULL)
		return;
	scenario_run(s);
	strip = count_backed(t, &s->vm);
	log_line(LOG_INFO, "boot cycles=%" PRIu64 " to the first guest instruction",
	         vm_first_run() - t->host->boot->start_cycles);
	show_faults(s);
	show_strip(&strip);
	scenario_end(t, s);
	expect_exit(t, s);
	expect_faults(t, s, 64);
	expect_trace(t, s, gpa_at(ARENA + MIB(256)), MIB(5), 64, MM_W);
	EXPECT_EQ(t, strip.pages, 64);
}

/* --- the three ways --- */

struct figures {
	const char *name;
	uint64_t faults, frames, tables, setup, run;
};

/* 64 pages of 64 MiB, 1 MiB apart, whatever backs them. */
static struct figures measure(struct test *t, const char *name, enum vm_backing backing)
{
	struct vm_config config = scenario_config(name, "lazy", backing, MIB(64));
	struct figures figures = {.name = name};
	struct scenario *s;

	/* Pages, but for the linear mapping, which is at its best with leaves as large as they go.
	 */
	config.areas[0].max_leaf = backing == VM_LINEAR ? 2 : 0;
	config.args[0] = LAZY_WRITE;
	config.args[1] = MIB(1);
	config.args[2] = 64;
	s = scenario_begin(t, &config, false);
	if (s == NULL)
		return figures;
	scenario_run(s);
	figures.frames = count_backed(t, &s->vm).pages;
	scenario_end(t, s);
	expect_exit(t, s);
	figures.faults = s->vm.stats.faults[MM_FAULT_MAPPED];
	figures.tables = s->vm.stats.tables;
	figures.setup = s->setup_cycles;
	figures.run = s->run_cycles;
	return figures;
}

static void show_figures(const struct figures *f)
{
	log_line(LOG_INFO,
	         "%-10s %6" PRIu64 " %8" PRIu64 " of %" PRIu64 " %8" PRIu64 " %14" PRIu64
	         " %12" PRIu64,
	         f->name, f->faults, f->frames, MIB(64) >> MM_PAGE_SHIFT, f->tables, f->setup,
	         f->run);
}

static void backings(struct test *t, const void *data)
{
	struct figures lazy, populate, linear;

	(void)data;
	if (!scenario_fits_linear(t, MIB(64)))
		return;
	lazy = measure(t, "lazy", VM_LAZY);
	populate = measure(t, "populate", VM_POPULATED);
	linear = measure(t, "linear", VM_LINEAR);
	log_line(LOG_INFO, "%-10s %6s %17s %8s %14s %12s", "backing", "faults", "frames taken",
	         "tables", "cycles: setup", "run");
	show_figures(&lazy);
	show_figures(&populate);
	show_figures(&linear);

	EXPECT_EQ(t, lazy.faults, 64);
	EXPECT_EQ(t, lazy.frames, 64);
	EXPECT_EQ(t, populate.faults, 0);
	EXPECT_EQ(t, populate.frames, 16384);
	EXPECT_EQ(t, linear.faults, 0);
	EXPECT_EQ(t, linear.frames, 16384);
	/* All of them are 0 on a machine without a counter. */
	EXPECT(t, lazy.setup <= populate.setup);
}

static const struct test_case cases[] = {
	{"demo.faults", faults, NULL},
	{"demo.backings", backings, NULL},
};

const struct test_suite tests_demo = {.cases = cases, .count = MM_ARRAY_SIZE(cases)};
