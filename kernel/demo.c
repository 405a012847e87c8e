/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The demonstration: what a boot without `test=` and `guest=` prints, on one screen. It shows the
 * first nested faults of a guest with lazy memory, which pages are backed afterwards, and the costs
 * of the three kinds of backing. Every figure is counted or measured in this run.
 */
#include "guests/abi.h"
#include "kernel/job.h"
#include "kernel/run.h"
#include "kernel/session.h"
#include "kernel/tap.h"
#include "log.h"

#define FAULTS_SHOWN 3

/* --- which part of a range is backed --- */

#define STRIP_CELLS 64

struct strip {
	struct mm_gpa_range range;
	uint64_t pages;
	uint64_t in_cell[STRIP_CELLS];
};

static bool count_leaf(void *ctx, const struct mm_npt_leaf *leaf)
{
	struct strip *strip = ctx;
	uint64_t cell_bytes = strip->range.size / STRIP_CELLS;
	uint64_t pages = MM_LEVEL_SIZE(leaf->level) >> MM_PAGE_SHIFT;

	strip->pages += pages;
	strip->in_cell[mm_gpa_diff(leaf->gpa, strip->range.start) / cell_bytes] += pages;
	return true;
}

static struct strip count_backed(struct vm *vm)
{
	const struct vm_area *arena = &vm->config->areas[0];
	struct strip strip = {.range = mm_gpa_range(arena->start, arena->bytes)};

	/* The area exists, and no other call changes it. */
	ASSERT(mm_aspace_for_each_leaf(&vm->as, strip.range, count_leaf, &strip) == MM_OK);
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

static void show_faults(const struct session *s)
{
	for (size_t i = 0; i < FAULTS_SHOWN && i < s->trace.count; i++)
		trace_log_fault(&s->vm, &s->trace.records[i]);
	if (s->trace.count > FAULTS_SHOWN)
		log_line(LOG_INFO, "... and %zu more", s->trace.count - FAULTS_SHOWN);
}

/* Checks what every session of the demonstration must be. NULL, or what is wrong. */
static const char *session_wrong(const struct session *s)
{
	if (vm_outcome(&s->vm) != VM_EXITED || s->vm.exit_status != 0)
		return "the guest did not exit with status 0";
	if (s->leaked != 0 || s->vm.frames.taken != 0)
		return "frames leaked";
	return NULL;
}

/* Touches 64 pages of 1 GiB, 5 MiB apart. */
const char *demo_faults(const struct host *host)
{
	struct vm_config config = session_config("lazy", "lazy", VM_LAZY, GIB(1));
	struct session *s;
	struct strip strip;
	const char *wrong;

	config.args[0] = LAZY_WRITE;
	config.args[1] = MIB(5);
	config.args[2] = 64;
	config.args[3] = MIB(256);
	s = session_begin(host, &config, true);
	if (s == NULL)
		return session_error();
	session_run(s);
	strip = count_backed(&s->vm);
	log_line(LOG_INFO, "boot cycles=%" PRIu64 " to the first guest instruction",
	         vm_first_run() - host->boot->start_cycles);
	show_faults(s);
	show_strip(&strip);
	session_end(s);

	wrong = session_wrong(s);
	if (wrong == NULL)
		wrong = session_trace_differs(s, mm_gpa_at(GUEST_ARENA_BASE + MIB(256)), MIB(5), 64,
		                              MM_W);
	if (wrong == NULL && (session_faults(s) != 64 || strip.pages != 64))
		wrong = "not one fault and one page for each of 64 touches";
	return wrong;
}

/* --- the three kinds of backing --- */

struct figures {
	const char *name;
	uint64_t faults, frames, tables, setup, run;
};

/* Touches 64 pages of 64 MiB, 1 MiB apart. */
static const char *measure(const struct host *host, struct figures *figures,
                           enum vm_backing backing)
{
	struct vm_config config = session_config(figures->name, "lazy", backing, MIB(64));
	struct session *s;

	/* 4 KiB pages, but the largest leaves for linear memory. */
	config.areas[0].max_leaf = backing == VM_LINEAR ? 2 : 0;
	config.args[0] = LAZY_WRITE;
	config.args[1] = MIB(1);
	config.args[2] = 64;
	s = session_begin(host, &config, false);
	if (s == NULL)
		return session_error();
	session_run(s);
	figures->frames = count_backed(&s->vm).pages;
	session_end(s);
	figures->faults = s->vm.stats.faults[MM_FAULT_MAPPED];
	figures->tables = s->vm.stats.tables;
	figures->setup = s->setup_cycles;
	figures->run = s->run_cycles;
	return session_wrong(s);
}

static void show_figures(const struct figures *f)
{
	log_line(LOG_INFO,
	         "%-10s %6" PRIu64 " %8" PRIu64 " of %" PRIu64 " %8" PRIu64 " %14" PRIu64
	         " %12" PRIu64,
	         f->name, f->faults, f->frames, MIB(64) >> MM_PAGE_SHIFT, f->tables, f->setup,
	         f->run);
}

bool demo_backings_fit(void)
{
	return session_fits_linear(MIB(64));
}

const char *demo_backings(const struct host *host)
{
	struct figures figures[] = {{.name = "lazy"}, {.name = "populate"}, {.name = "linear"}};
	static const enum vm_backing backings[] = {VM_LAZY, VM_POPULATED, VM_LINEAR};
	static const uint64_t faults[] = {64, 0, 0}, frames[] = {64, 16384, 16384};

	for (size_t i = 0; i < MM_ARRAY_SIZE(figures); i++) {
		const char *wrong = measure(host, &figures[i], backings[i]);

		if (wrong != NULL)
			return wrong;
	}
	log_line(LOG_INFO, "%-10s %6s %17s %8s %14s %12s", "backing", "faults", "frames taken",
	         "tables", "cycles: setup", "run");
	for (size_t i = 0; i < MM_ARRAY_SIZE(figures); i++)
		show_figures(&figures[i]);
	for (size_t i = 0; i < MM_ARRAY_SIZE(figures); i++) {
		if (figures[i].faults != faults[i] || figures[i].frames != frames[i])
			return "faults and frames are not those of the backing";
	}
	/* On a machine without a counter all cycles are 0. */
	return figures[0].setup <= figures[1].setup ? NULL : "lazy memory was not set up faster";
}

/* --- the job --- */

static void report(const char *name, const char *wrong)
{
	tap_result(wrong == NULL, name, TAP_NORMAL, NULL);
	if (wrong != NULL)
		log_line(LOG_QUIET, "  %s", wrong);
}

static bool always(const struct boot_info *info, const struct cmdline *options)
{
	(void)info;
	(void)options;
	return true;
}

static const char *run(const struct host *host, const struct cmdline *options)
{
	tap_plan(2 * options->repeat, NULL);
	for (unsigned i = 0; i < options->repeat; i++) {
		report("demo.faults", demo_faults(host));
		if (demo_backings_fit())
			report("demo.backings", demo_backings(host));
		else
			tap_result(true, "demo.backings", TAP_SKIP,
			           "no free block of 64 MiB, which the linear backing needs");
	}
	return NULL;
}

const struct job job_demo = {always, run};
