/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random operations against the model: MODEL_OPS per format (4 million), in episodes that each
 * begin with an empty address space. A difference stops the run; the sequence that led to it is
 * shortened, one operation at a time, as long as it still fails, and printed.
 *
 *	MODEL_OPS=1000000000   so many per format
 *	MODEL_SEED=7           another run; it is printed
 *	MODEL_FORMAT=ept       one format alone, or one geometry (ept4)
 *	MODEL_SHRINK=0         a difference is told as it is
 *	MODEL_UNIVERSE=blocks  one universe alone
 *	MODEL_WITHOUT=limits,remap   without these operations
 *
 * In the end, every pair of features has met (pairs.h), or the run fails, unless it was cut short.
 */
#include "model.h"
#include "soak.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mm/compiler.h"

#define EPISODE     2000
#define DEFAULT_OPS 4000000U

static const struct universe small = {
	.name = "small",
	.runs = {{500, 24}, {0x40000 - 12, 24}, {UINT64_MAX, 16}},
	.host_pages = 32,
	.hal = {.frames = 256, .no_blocks = true, .tlb_entries = 32},
};

/* So few frames that they run out all the time. */
static const struct universe tight = {
	.name = "tight",
	.runs = {{500, 24}, {0x40000 - 12, 24}, {UINT64_MAX, 16}},
	.host_pages = 16,
	.hal = {.frames = 64, .hooks = true, .no_zero = true, .tlb_entries = 32},
};

static const struct universe large = {
	.name = "large",
	.runs = {{508, 4 + 1024 + 4}, {UINT64_MAX, 512}},
	.max_leaf = 2,
	.host_pages = 512,
	.hal = {.frames = 8192, .tlb_entries = 64},
};

/* Two large leaves that have interesting pages at their ends and inside, and space on both sides.
 */
#define BLOCKS                                                                                     \
	{                                                                                          \
		{511, 1}, {512, 1}, {513, 1}, {514, 254}, {768, 1}, {769, 254}, {1023, 1},         \
			{1024, 1}, {1025, 510}, {1535, 1}, {1536, 1}, {UINT64_MAX, 3},             \
	}

static const struct universe blocks = {
	.name = "blocks",
	.runs = BLOCKS,
	.segments = true,
	.max_leaf = 2,
	.host_pages = 1024,
	.look_everywhere = true,
	.hal = {.frames = 4096, .tlb_entries = 64, .edges = true},
};

/* The same with room for exactly two large leaves. */
static const struct universe budget = {
	.name = "budget",
	.runs = BLOCKS,
	.segments = true,
	.max_leaf = 1,
	.host_pages = 1024,
	.look_everywhere = true,
	.quota = 1024,
	.hal = {.frames = 4096, .tlb_entries = 64, .edges = true},
};

/* A quota on single pages. */
static const struct universe ration = {
	.name = "ration",
	.runs = {{500, 24}, {0x40000 - 12, 24}, {UINT64_MAX, 16}},
	.host_pages = 32,
	.quota = 48,
	.hal = {.frames = 256, .no_blocks = true, .tlb_entries = 32},
};

/* So many areas that their tree is three levels high. */
static const struct universe areas = {
	.name = "areas",
	.runs = {{1000, 33000}},
	.host_pages = 16,
	.areas = 33000,
	.hal = {.frames = 16384, .no_blocks = true, .tlb_entries = 32},
};

/* What a worker is at; shared with whoever waits for it. */
struct progress {
	uint64_t seed;
	const struct universe *universe;
	unsigned step;
	uint64_t done;
	struct feature_table features;
};

static struct progress *progress;
static struct feature_table all_features;

/* What cannot meet, or is always refused. */
#define LOGS (FEATURE(F_LOG_PERM) | FEATURE(F_LOG_HW))
static const struct feature_rule rules[] = {
	{F_PROTECT, LOGS, true, "MM_BUSY: a log is active (aspace.h)"},
	{F_REMAP, LOGS, true, "MM_BUSY: a log is active (aspace.h)"},
	{F_HARVEST, FEATURE(F_LOG_HW), true, "MM_BUSY: the log uses the marks (dirty.h)"},
	{F_LOG_PERM, FEATURE(F_LOG_HW), true, "MM_BUSY: one log at a time (dirty.h)"},
	{F_LOG_HW, FEATURE(F_LOG_PERM), true, "MM_BUSY: one log at a time (dirty.h)"},
	{F_HARVEST, FEATURE(F_NO_MEMORY), false, "takes no frame"},
	{F_DROPPED, FEATURE(F_NO_MEMORY), false, "takes no frame"},
};

/* MODEL_WITHOUT names it. */
static bool left_out(const struct model_op *op)
{
	const char *words = getenv("MODEL_WITHOUT");
	char text[160];

	if (!words)
		return false;
	model_describe(op, text, sizeof(text));
	*strchr(text, ' ') = 0;

	const char *at = strstr(words, text);

	return at && (at == words || at[-1] == ',');
}

static void make_episode(const struct universe *u, uint64_t seed, struct model_op ops[EPISODE])
{
	struct rng rng = rng_seeded(seed);
	unsigned pages = model_pages(u);
	for (unsigned i = 0; i < EPISODE; i++) {
		do
			ops[i] = model_random(u, pages, &rng);
		while (left_out(&ops[i]));
	}
}

static void run_ops(const struct geometry *geo, const struct universe *u,
                    const struct model_op *ops, unsigned n)
{
	struct model *m = model_open(geo, u);
	unsigned every = u->areas ? EPISODE : u->max_leaf ? 500 : 250;
	for (unsigned i = 0; i < n; i++) {
		progress->step = i;
		model_apply(m, &ops[i]);
		if (i % every == every - 1)
			model_check(m);
	}
	progress->step = n;
	model_check(m);
	model_close(m);
}

/* cmocka's handlers would go on with the next test here. */
static void become_a_child(void)
{
	check_in_child();
	signal(SIGSEGV, SIG_DFL);
	signal(SIGABRT, SIG_DFL);
}

/* Runs it in a child of its own. True: it went through. */
static bool survives(const struct geometry *geo, const struct universe *u,
                     const struct model_op *ops, unsigned n, bool quiet)
{
	int status;
	fflush(NULL);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		become_a_child();
		if (quiet && !freopen("/dev/null", "w", stderr))
			_exit(2);
		run_ops(geo, u, ops, n);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Leaves out operations, many at a time and then single ones, while it still fails. */
static unsigned shrink(const struct geometry *geo, const struct universe *u, struct model_op *ops,
                       unsigned n)
{
	struct model_op shorter[EPISODE];
	for (unsigned chunk = n / 2; chunk > 0; chunk /= 2) {
		for (unsigned at = 0; at < n;) {
			unsigned cut = chunk < n - at ? chunk : n - at;
			memcpy(shorter, ops, at * sizeof(*ops));
			memcpy(shorter + at, ops + at + cut, (n - at - cut) * sizeof(*ops));
			if (survives(geo, u, shorter, n - cut, true)) {
				at += chunk;
			} else {
				memcpy(ops, shorter, (n - cut) * sizeof(*ops));
				n -= cut;
			}
		}
	}
	return n;
}

static void report(const struct geometry *geo, const struct progress *at)
{
	struct model_op ops[EPISODE];
	unsigned n = at->step + 1 < EPISODE ? at->step + 1 : EPISODE;
	const struct universe *u = at->universe;
	uint64_t seed = at->seed;
	char text[160];

	make_episode(u, seed, ops);
	if (survives(geo, u, ops, n, true))
		check_failed(__FILE__, __LINE__, "seed %" PRIu64 " fails, but not again", seed);
	if (soak_setting("MODEL_SHRINK", 1))
		n = shrink(geo, u, ops, n);
	fprintf(stderr, "# %s, universe %s, seed %" PRIu64 ", shortened to %u:\n", geo->name,
	        u->name, seed, n);
	for (unsigned i = 0; i < n; i++) {
		model_describe(&ops[i], text, sizeof(text));
		fprintf(stderr, "#   %s\n", text);
	}
	survives(geo, u, ops, n, false); /* once more, to say what is wrong */
	check_failed(__FILE__, __LINE__, "the model differs: universe %s, seed %" PRIu64, u->name,
	             seed);
}

static unsigned geometries_of(const struct mm_npt_format *format)
{
	unsigned n = 0;
	for (size_t i = 0; i < geometry_count; i++)
		n += geometries[i].format == format;
	return n;
}

/* Episodes until this geometry's share of its format's operations is done. */
static void work(const struct geometry *geo, uint64_t ops, uint64_t seed)
{
	static const struct universe *const universes[] = {&small, &tight, &ration, &small, &tight};
	static const struct universe *const rare[] = {&large, &areas, &large, &large};
	static struct model_op episode[EPISODE];
	const char *only = getenv("MODEL_UNIVERSE");
	struct soak soak = soak_begin(ops, "model of %s, seed %" PRIu64, geo->name, seed);
	for (uint64_t e = 0; progress->done < ops; e++) {
		/* One in a hundred in a large one, whose every look is at many pages. */
		if (e % 100 == 50)
			progress->universe = rare[e / 100 % 4];
		else if (e % 25 == 1)
			progress->universe = e % 50 == 1 ? &blocks : &budget;
		else
			progress->universe = universes[e % 5];
		progress->seed = seed + e;
		if (only && strcmp(only, progress->universe->name) != 0)
			continue;
		make_episode(progress->universe, progress->seed, episode);
		run_ops(geo, progress->universe, episode, EPISODE);
		progress->done += EPISODE;
		soak_tell(&soak, progress->done);
	}
	soak_end(&soak, progress->done);
}

static void random_operations(const struct geometry *geo)
{
	uint64_t share = soak_setting("MODEL_OPS", DEFAULT_OPS) / geometries_of(geo->format);
	uint64_t seed = soak_setting("MODEL_SEED", 1) * 1000000000;
	const char *only = getenv("MODEL_FORMAT");
	int status;

	if (only && strcmp(only, geo->name) != 0 &&
	    strcmp(only, mm_npt_format_name(geo->format)) != 0)
		skip();
	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
	                -1, 0);
	CHECK(progress != MAP_FAILED);
	fflush(NULL);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		become_a_child();
		model_features = &progress->features;
		work(geo, share, seed);
		exit(0); /* and not _exit(): what was covered is written at exit */
	}
	CHECK(waitpid(child, &status, 0) == child);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		struct progress at = *progress;
		report(geo, &at);
	}
	CHECK(progress->done >= share);
	features_add(&all_features, &progress->features);
	munmap(progress, sizeof(*progress));
}

static void every_pair_of_features(const struct geometry *geo)
{
	(void)geo;
	/* Fewer operations need not make every pair meet. */
	if (getenv("MODEL_FORMAT") || getenv("MODEL_UNIVERSE") ||
	    soak_setting("MODEL_OPS", DEFAULT_OPS) < DEFAULT_OPS)
		skip();
	CHECK_EQ(features_report(&all_features, ~0U, rules, MM_ARRAY_SIZE(rules)), 0);
}

static bool is_last(const struct geometry *geo)
{
	return geo == &geometries[geometry_count - 1];
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(random_operations),
		GEOMETRY_TEST_IF(every_pair_of_features, is_last),
	};
	return run_geometry_tests("model", tests, MM_ARRAY_SIZE(tests));
}
