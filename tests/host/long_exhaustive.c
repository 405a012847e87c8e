/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small scope, all of it: every sequence of operations up to a depth. The scopes: three pages that
 * lie on both sides of a table's end, with so few frames that they run out, and the same under a
 * quota; one and two large leaves with a few interesting pages, with what is done to parts of them
 * by snapshots, logs, harvests, quotas and remapping. Each transition is made on the library and
 * on the model and compared; where a sequence branches, the world is put back: the address space,
 * the pool, its ghosts and the model.
 *
 *	EXHAUSTIVE_DEPTH=6        one step deeper than `make test` goes
 *	EXHAUSTIVE_FORMAT=ipa48   one geometry alone
 *	EXHAUSTIVE_SCOPE=leaf     one scope alone
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

#define PAGES     5
#define MAX_DEPTH 8
#define TLB       8
#define SMALL     128  /* frames for tables and single pages, where there are blocks */
#define MANY      1024 /* as many as a block in single pages takes, and more */
#define BLOCK     512

/* One search: where, from what, by which operations, how deep. */
struct scope {
	struct universe universe;
	const struct model_op *prelude, *ops;
	unsigned prelude_count, count;
	unsigned depth; /* of most geometries */
	unsigned deep;  /* of `deep_one` */
	const char *deep_one;
	bool look; /* at everything after the last operation of a sequence too */
};

/* --- the operations --- */

#define MAP(k, p, first, count)                                                                    \
	{                                                                                          \
		.kind = OP_MAP_##k, .perm = (p), .page = (first), .n = (count)                     \
	}
#define ON(k, first, count)                                                                        \
	{                                                                                          \
		.kind = OP_##k, .page = (first), .n = (count)                                      \
	}
#define PROTECT(p, first, count)                                                                   \
	{                                                                                          \
		.kind = OP_PROTECT, .perm = (p), .page = (first), .n = (count)                     \
	}
#define TOUCH(p, first)                                                                            \
	{                                                                                          \
		.kind = OP_TOUCH, .perm = (p), .page = (first), .n = 1, .value = 0x40 + (first)    \
	}

static const struct model_op tiny_ops[] = {
	MAP(LAZY, MM_RW, 0, 3),
	MAP(LAZY, MM_RW, 1, 1),
	MAP(LAZY, MM_R, 0, 1),
	MAP(POPULATE, MM_RW, 0, 2),
	MAP(POPULATE, MM_RW, 2, 1),
	MAP(LINEAR, MM_RW, 1, 2),
	MAP(DEVICE, 0, 1, 1),
	ON(UNMAP, 0, 3),
	ON(UNMAP, 0, 1),
	ON(UNMAP, 1, 1),
	ON(UNMAP, 1, 2),
	PROTECT(MM_NONE, 1, 1),
	PROTECT(MM_R, 0, 2),
	PROTECT(MM_R, 1, 1),
	PROTECT(MM_RW, 0, 3),
	PROTECT(MM_RW, 1, 1),
	TOUCH(MM_R, 0),
	TOUCH(MM_W, 0),
	TOUCH(MM_W, 1),
	TOUCH(MM_R, 2),
	TOUCH(MM_W, 2),
	{.kind = OP_REPLACE_LAZY, .perm = MM_RW, .page = 1, .n = 1},
	{.kind = OP_WRITE, .page = 0, .n = 3, .value = 0x77},
	{.kind = OP_READ, .page = 1, .n = 2},
	{.kind = OP_TRANSLATE, .page = 1, .n = 1},
	{.kind = OP_LOG_START, .perm = 0},
	{.kind = OP_LOG_START, .perm = 1},
	{.kind = OP_LOG_COLLECT},
	{.kind = OP_LOG_STOP},
	{.kind = OP_SNAPSHOT_TAKE, .value = 0},
	{.kind = OP_SNAPSHOT_RESTORE, .value = 0},
	{.kind = OP_SNAPSHOT_DROP, .value = 0},
	{.kind = OP_SNAPSHOT_TAKE, .value = 1},
	{.kind = OP_SNAPSHOT_RESTORE, .value = 1},
	{.kind = OP_CLEAR},
};

/* A block of 2 MiB: its first page, its last, and one for all between them. */
#define SNAP(k, which)                                                                             \
	{                                                                                          \
		.kind = OP_SNAPSHOT_##k, .value = (which)                                          \
	}
#define LOG(mode)                                                                                  \
	{                                                                                          \
		.kind = OP_LOG_START, .perm = (mode)                                               \
	}
#define LINEAR(k, p, first, count, to)                                                             \
	{                                                                                          \
		.kind = OP_##k, .perm = (p), .page = (first), .n = (count), .host = (to)           \
	}

static const struct model_op populated[] = {
	MAP(POPULATE, MM_RW, 0, 3),
};
static const struct model_op leaf_ops[] = {
	SNAP(TAKE, 0),
	SNAP(RESTORE, 0),
	SNAP(DROP, 0),
	SNAP(TAKE, 1),
	SNAP(DROP, 1),
	PROTECT(MM_R, 0, 1),
	PROTECT(MM_R, 2, 1),
	PROTECT(MM_RW, 0, 3),
	TOUCH(MM_W, 0),
	TOUCH(MM_W, 2),
	TOUCH(MM_R, 1),
	{.kind = OP_WRITE, .page = 1, .n = 1, .value = 0x77},
	ON(UNMAP, 0, 1),
	ON(UNMAP, 0, 3),
	{.kind = OP_REPLACE_LAZY, .perm = MM_RW, .page = 2, .n = 1},
	MAP(LAZY, MM_RW, 0, 3),
	MAP(DEVICE, 0, 0, 1),
	LOG(0),
	LOG(1),
	LOG(2),
	{.kind = OP_LOG_COLLECT},
	{.kind = OP_LOG_STOP},
	ON(HARVEST, 0, 3),
};

static const struct model_op linear[] = {
	LINEAR(MAP_LINEAR, MM_RW, 0, 3, 0),
};
static const struct model_op linear_ops[] = {
	LINEAR(REMAP, 0, 0, 1, 7),
	LINEAR(REMAP, 0, 0, 1, 0),
	LINEAR(REMAP, 0, 2, 1, 511),
	LINEAR(REPLACE_LINEAR, MM_RW, 0, 3, 0),
	LINEAR(REPLACE_LINEAR, MM_RW, 0, 1, 0),
	{.kind = OP_REPLACE_POPULATE, .perm = MM_RW, .page = 2, .n = 1},
	{.kind = OP_REPLACE_DEVICE, .page = 2, .n = 1},
	PROTECT(MM_R, 0, 1),
	PROTECT(MM_RW, 0, 3),
	TOUCH(MM_W, 0),
	TOUCH(MM_W, 2),
	TOUCH(MM_R, 1),
	ON(UNMAP, 0, 1),
	SNAP(TAKE, 0),
	SNAP(RESTORE, 0),
	SNAP(DROP, 0),
	LOG(0),
	LOG(1),
	LOG(2),
	{.kind = OP_LOG_COLLECT},
	{.kind = OP_LOG_STOP},
	ON(HARVEST, 0, 3),
	ON(HARVEST, 0, 1),
};

/* Two blocks under a quota that both fit into exactly, and hardware marks in two leaves that a
 * range cuts in the middle: the last page of one, the first of the other. */
static const struct model_op quota_leaf_ops[] = {
	MAP(POPULATE, MM_RW, 0, 3),
	MAP(POPULATE, MM_RW, 3, 2),
	MAP(POPULATE, MM_RW, 0, 5),
	MAP(LAZY, MM_RW, 0, 5),
	TOUCH(MM_W, 0),
	TOUCH(MM_W, 2),
	TOUCH(MM_W, 3),
	TOUCH(MM_W, 4),
	PROTECT(MM_R, 2, 2),
	PROTECT(MM_RW, 0, 5),
	ON(UNMAP, 2, 2),
	ON(UNMAP, 0, 5),
	{.kind = OP_REPLACE_POPULATE, .perm = MM_RW, .page = 2, .n = 1},
	SNAP(TAKE, 0),
	SNAP(RESTORE, 0),
	SNAP(DROP, 0),
	LOG(2),
	LOG(1),
	{.kind = OP_LOG_COLLECT, .page = 2, .n = 2},
	{.kind = OP_LOG_STOP},
	ON(HARVEST, 2, 2),
	ON(HARVEST, 1, 3),
	LINEAR(MAP_LINEAR, MM_RW, 0, 3, 0),
	LINEAR(REMAP, 0, 0, 1, 3),
	MAP(DEVICE, 0, 2, 1),
};

static const struct model_op both[] = {
	MAP(POPULATE, MM_RW, 0, 5),
};
static const struct model_op marks_ops[] = {
	TOUCH(MM_W, 0),
	TOUCH(MM_W, 2),
	TOUCH(MM_W, 3),
	TOUCH(MM_R, 4),
	ON(HARVEST, 0, 5),
	ON(HARVEST, 2, 2),
	ON(HARVEST, 1, 3),
	PROTECT(MM_R, 2, 2),
	PROTECT(MM_NONE, 3, 1),
	PROTECT(MM_RW, 0, 5),
	LOG(1),
	LOG(2),
	{.kind = OP_LOG_COLLECT},
	{.kind = OP_LOG_COLLECT, .page = 1, .n = 3},
	{.kind = OP_LOG_STOP},
	SNAP(TAKE, 0),
	SNAP(DROP, 0),
	{.kind = OP_WRITE, .page = 4, .n = 1, .value = 0x77},
};

#define OF(list)   .ops = (list), .count = MM_ARRAY_SIZE(list)
#define FROM(list) .prelude = (list), .prelude_count = MM_ARRAY_SIZE(list)
#define LEAF_HAL                                                                                   \
	{                                                                                          \
		.frames = 2048, .small = SMALL, .tlb_entries = TLB, .light = true, .edges = true   \
	}

static const struct scope scopes[] = {
	/* Pages 511 to 513: two tables at the lowest level, one above; so few frames that they run
         * out. */
	{.universe = {.name = "tiny",
                      .runs = {{511, 3}},
                      .host_pages = 2,
                      .hal = {.frames = 16, .no_blocks = true, .tlb_entries = TLB, .light = true}},
         OF(tiny_ops),
         .depth = 4,
         .deep = 5,
         .deep_one = "ipa48"},
	/* The same under a quota that all three fit into exactly. */
	{.universe = {.name = "quota",
                      .runs = {{511, 3}},
                      .host_pages = 2,
                      .quota = 5,
                      .hal = {.frames = 32, .no_blocks = true, .tlb_entries = TLB, .light = true}},
         OF(tiny_ops),
         .depth = 3,
         .deep = 3,
         .deep_one = "sv39x4",
         .look = true},
	{.universe = {.name = "leaf",
                      .runs = {{512, 1}, {513, 510}, {1023, 1}},
                      .segments = true,
                      .max_leaf = 1,
                      .hal = LEAF_HAL},
         FROM(populated),
         OF(leaf_ops),
         .depth = 3,
         .deep = 4,
         .deep_one = "ept4 amd4 ipa40 ipa48 sv39x4",
         .look = true},
	{.universe = {.name = "linear leaf",
                      .runs = {{512, 1}, {513, 510}, {1023, 1}},
                      .segments = true,
                      .max_leaf = 1,
                      .host_pages = 512,
                      .hal = LEAF_HAL},
         FROM(linear),
         OF(linear_ops),
         .depth = 3,
         .deep = 4,
         .deep_one = "ept4 ipa48",
         .look = true},
	{.universe = {.name = "quota leaf",
                      .runs = {{512, 1}, {513, 510}, {1023, 1}, {1024, 1}, {1025, 511}},
                      .segments = true,
                      .max_leaf = 1,
                      .host_pages = 512,
                      .quota = 1024,
                      .hal = {.frames = 4096,
                              .small = MANY,
                              .tlb_entries = TLB,
                              .light = true,
                              .edges = true}},
         OF(quota_leaf_ops),
         .depth = 3,
         .deep = 4,
         .deep_one = "sv39x4 amd4",
         .look = true},
	{.universe = {.name = "marks",
                      .runs = {{512, 1}, {513, 510}, {1023, 1}, {1024, 1}, {1025, 511}},
                      .segments = true,
                      .max_leaf = 1,
                      .hal = LEAF_HAL},
         FROM(both),
         OF(marks_ops),
         .depth = 3,
         .deep = 4,
         .deep_one = "ept4 ipa48 sv39x4",
         .look = true},
};

/* --- putting the world back --- */

/* Where there are no blocks, only the first and last 64 bytes of a frame are kept: the entries of
 * three pages at every level lie there, and so do the bytes that are compared. Between them is
 * zero in a table; in a page, what a write across all three has filled it with, which nobody looks
 * at. Where leaves are split, tables are full: of the frames that are given out, all is kept; and
 * of blocks, the bytes that are compared. */
#define EDGE   64
#define FRAMES 4096
#define VALUES 48

struct world {
	char as[sizeof(struct mm_aspace)];
	uint8_t edges[SMALL][2][EDGE];
	uint8_t whole[MANY][MM_PAGE_SIZE];
	uint8_t values[VALUES][2];
	bool owner[FRAMES];
	size_t in_use, cursor, tlb_count;
	struct ghost_entry tlb[TLB];
	struct model_page page[PAGES];
	uint8_t host_value[BLOCK][2];
	bool log_active, log_hardware, log_split, withheld_once;
	uint64_t log_refusals, refusals;
	uint32_t done;
	unsigned snapshots;
	bool snapshot_live[MODEL_SNAPSHOTS], may_need[MODEL_SNAPSHOTS];
	struct mm_snapshot snapshot[MODEL_SNAPSHOTS];
	struct model_page saved[MODEL_SNAPSHOTS][PAGES];
};

typedef void (*copier)(void *kept, void *live, size_t bytes);

static inline __attribute__((always_inline)) void copy_frames(struct world *w, struct model *m,
                                                              copier copy)
{
	struct hal_test *hal = m->guest->hal;
	unsigned frames = (unsigned)(hal->options.small ? hal->options.small : hal->frames);
	unsigned blocks = hal->options.small ? (unsigned)(hal->frames / BLOCK) : 0;

	for (unsigned f = 0; f < frames; f++) {
		uint8_t *frame = hal->memory + f * MM_PAGE_SIZE;
		if (blocks != 0 && w->owner[f]) {
			copy(w->whole[f], frame, MM_PAGE_SIZE);
		} else if (blocks == 0) {
			copy(w->edges[f][0], frame, EDGE);
			copy(w->edges[f][1], frame + MM_PAGE_SIZE - EDGE, EDGE);
		}
	}
	for (unsigned v = 0; v < blocks * 6; v++) {
		static const unsigned pages[] = {0, 1, 3, 7, 510, 511};
		uint8_t *frame = hal->memory + (v / 6 * BLOCK + pages[v % 6]) * MM_PAGE_SIZE;
		if (v / 6 * BLOCK < hal->options.small)
			continue;
		copy(&w->values[v][0], frame, 1);
		copy(&w->values[v][1], frame + MM_PAGE_SIZE - 1, 1);
	}
}

static inline __attribute__((always_inline)) void copy_model(struct world *w, struct model *m,
                                                             copier copy)
{
	copy(w->page, m->page, m->pages * sizeof(w->page[0]));
	copy(w->host_value, m->host_value, m->universe->host_pages * sizeof(w->host_value[0]));
	copy(&w->log_active, &m->log_active, sizeof(bool));
	copy(&w->log_hardware, &m->log_hardware, sizeof(bool));
	copy(&w->log_split, &m->log_split, sizeof(bool));
	copy(&w->log_refusals, &m->log_refusals, sizeof(w->log_refusals));
	copy(&w->withheld_once, &m->withheld_once, sizeof(bool));
	copy(&w->done, &m->done, sizeof(w->done));
	copy(&w->snapshots, &m->snapshots, sizeof(w->snapshots));
	copy(w->snapshot_live, m->snapshot_live, sizeof(w->snapshot_live));
	copy(w->may_need, m->may_need, sizeof(w->may_need));
	copy(w->snapshot, m->snapshot, sizeof(w->snapshot));
	for (unsigned s = 0; s < MODEL_SNAPSHOTS; s++)
		copy(w->saved[s], m->saved[s], m->pages * sizeof(w->saved[s][0]));
}

/* Copies between the world as it is and one that is kept. */
static inline __attribute__((always_inline)) void copy_world(struct world *w, struct model *m,
                                                             copier copy)
{
	struct guest *g = m->guest;
	struct hal_test *hal = g->hal;

	copy(&w->as, &g->as, sizeof(w->as));
	copy(w->owner, hal->owner, hal->frames);
	copy(&w->in_use, &hal->in_use, sizeof(w->in_use));
	copy(&w->cursor, &hal->cursor, sizeof(w->cursor));
	copy(&w->refusals, &hal->refusals, sizeof(w->refusals));
	copy(&w->tlb_count, &hal->tlb.count, sizeof(w->tlb_count));
	copy(w->tlb, hal->tlb.entries, sizeof(w->tlb));
	copy_frames(w, m, copy);
	copy_model(w, m, copy);
}

static inline void copy_out(void *kept, void *live, size_t bytes)
{
	memcpy(kept, live, bytes);
}

static inline void copy_in(void *kept, void *live, size_t bytes)
{
	memcpy(live, kept, bytes);
}

static void keep(struct world *w, struct model *m)
{
	copy_world(w, m, copy_out);
}

static void put_back(struct world *w, struct model *m)
{
	struct hal_test *hal = m->guest->hal;

	copy_world(w, m, copy_in);
	/* What became a page in between, and was filled, may be a table again. */
	for (unsigned f = 0; !hal->options.small && f < hal->frames; f++) {
		uint8_t *frame = hal->memory + f * MM_PAGE_SIZE;
		if (frame[EDGE] != 0)
			memset(frame + EDGE, 0, MM_PAGE_SIZE - 2 * EDGE);
	}
}

/* --- the search --- */

struct search {
	unsigned path[MAX_DEPTH]; /* indexes of ops[], for whoever reports a failure */
	unsigned length;
	uint64_t transitions;
	struct feature_table features;
};

static struct search *search; /* shared with the parent */
static struct feature_table all_features;
static struct soak soak;
static struct world worlds[MAX_DEPTH];

static void explore(struct model *m, const struct scope *scope, unsigned depth, unsigned max_depth)
{
	keep(&worlds[depth], m);
	search->length = depth + 1;
	for (unsigned i = 0; i < scope->count; i++) {
		search->path[depth] = i;
		model_apply(m, &scope->ops[i]);
		search->transitions++;
		if (scope->look || depth + 1 < max_depth)
			model_check(m);
		if (depth + 1 < max_depth) {
			explore(m, scope, depth + 1, max_depth);
			search->length = depth + 1;
		}
		put_back(&worlds[depth], m);
	}
	if (depth + 2 == max_depth)
		soak_tell(&soak, search->transitions);
}

static uint64_t transitions_to(const struct scope *scope, unsigned depth)
{
	uint64_t sequences = 1, total = 0;
	for (unsigned d = 0; d < depth; d++)
		total += sequences *= scope->count;
	return total;
}

static void explore_all(const struct geometry *geo, const struct scope *scope, unsigned depth)
{
	struct model *m = model_open(geo, &scope->universe);

	for (unsigned i = 0; i < scope->prelude_count; i++)
		model_apply(m, &scope->prelude[i]);
	explore(m, scope, 0, depth);
	model_close(m);
}

static void report(const struct scope *scope, int status)
{
	char text[160];

	for (unsigned i = 0; i < scope->prelude_count; i++) {
		model_describe(&scope->prelude[i], text, sizeof(text));
		fprintf(stderr, "#   %s\n", text);
	}
	for (unsigned i = 0; i < search->length; i++) {
		model_describe(&scope->ops[search->path[i]], text, sizeof(text));
		fprintf(stderr, "#   %s\n", text);
	}
	check_failed(__FILE__, __LINE__, "%s: a sequence of %u operations differs (status 0x%x)",
	             scope->universe.name, search->length, (unsigned)status);
}

static void all_sequences_up_to(const struct geometry *geo, const struct scope *scope,
                                unsigned depth)
{
	int status;

	search = mmap(NULL, sizeof(*search), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
	              0);
	CHECK(search != MAP_FAILED);
	soak = soak_begin(transitions_to(scope, depth), "every sequence on %s", geo->name);
	fflush(NULL);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		check_in_child();
		signal(SIGSEGV, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		model_features = &search->features;
		explore_all(geo, scope, depth);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		report(scope, status);
	CHECK_EQ(search->transitions, transitions_to(scope, depth));
	printf("# %s, %s: %" PRIu64 " transitions to depth %u\n", geo->name, scope->universe.name,
	       search->transitions, depth);
	fflush(stdout);
	features_add(&all_features, &search->features);
	munmap(search, sizeof(*search));
}

/* Is this one of the words? */
static bool names(const char *words, const char *name)
{
	const char *at = strstr(words, name);
	size_t n = strlen(name);

	return at && (at == words || at[-1] == ' ') && (at[n] == 0 || at[n] == ' ');
}

/* The formats share the walker, so one or some go a step deeper than the others. */
static void every_sequence(const struct geometry *geo)
{
	unsigned deeper = (unsigned)soak_setting("EXHAUSTIVE_DEPTH", 5);
	const char *only = getenv("EXHAUSTIVE_FORMAT"), *scope_only = getenv("EXHAUSTIVE_SCOPE");

	if (only && strcmp(only, geo->name) != 0)
		skip();
	CHECK(deeper >= 1 && deeper + 1 <= MAX_DEPTH);
	for (size_t i = 0; i < MM_ARRAY_SIZE(scopes); i++) {
		const struct scope *scope = &scopes[i];
		unsigned depth = names(scope->deep_one, geo->name) ? scope->deep : scope->depth;
		unsigned more = deeper + depth > 5 ? deeper + depth - 5 : 1;

		if (scope_only && strcmp(scope_only, scope->universe.name) != 0)
			continue;
		/* A root of 16 frames leaves nothing of so small a pool. */
		if (scope->universe.hal.no_blocks && mm_npt_root_order(&geo->config) >= 4)
			continue;
		all_sequences_up_to(geo, scope, more);
	}
}

/* What other tests are for, and what cannot meet. */
#define LOGS (FEATURE(F_LOG_PERM) | FEATURE(F_LOG_HW))
static const struct feature_rule rules[] = {
	{F_CONCURRENT, ~0U, false, "one CPU: long_model, test_interleave and long_interleave"},
	{F_NO_MEMORY, ~0U, false, "counted where refusals are injected: long_model"},
	{FEATURES, FEATURE(F_CONCURRENT) | FEATURE(F_NO_MEMORY), false, "see above"},
	{F_PROTECT, LOGS, true, "MM_BUSY: a log is active (aspace.h)"},
	{F_REMAP, LOGS, true, "MM_BUSY: a log is active (aspace.h)"},
	{F_HARVEST, FEATURE(F_LOG_HW), true, "MM_BUSY: the log uses the marks (dirty.h)"},
	{F_LOG_PERM, FEATURE(F_LOG_HW), true, "MM_BUSY: one log at a time (dirty.h)"},
	{F_LOG_HW, FEATURE(F_LOG_PERM), true, "MM_BUSY: one log at a time (dirty.h)"},
};

static void every_pair_of_features(const struct geometry *geo)
{
	(void)geo;
	if (getenv("EXHAUSTIVE_FORMAT") || getenv("EXHAUSTIVE_SCOPE"))
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
		GEOMETRY_TEST(every_sequence),
		GEOMETRY_TEST_IF(every_pair_of_features, is_last),
	};
	return run_geometry_tests("exhaustive", tests, MM_ARRAY_SIZE(tests));
}
