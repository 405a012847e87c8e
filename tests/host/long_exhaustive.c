/*
 * Small scope, all of it: every sequence of operations up to a depth, on three pages that lie on
 * both sides of a table's end, with so few frames that they run out. Each transition is made on
 * the library and on the model and compared; where a sequence branches, the world is put back:
 * the address space, the pool, its ghosts and the model.
 *
 *	EXHAUSTIVE_DEPTH=6        one step deeper than `make test` goes
 *	EXHAUSTIVE_FORMAT=ipa48   one geometry alone
 */
#include "model.h"
#include "soak.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mm/compiler.h"

#define PAGES     3
#define MAX_DEPTH 8
#define FRAMES    16
#define TLB       8

/* Pages 511 to 513: two tables at the lowest level, one above. */
static const struct universe tiny = {
	.name = "tiny",
	.runs = {{511, PAGES}},
	.host_pages = 2,
	.hal = {.frames = FRAMES, .no_blocks = true, .tlb_entries = TLB, .light = true},
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

static const struct model_op ops[] = {
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

/* --- putting the world back --- */

/* Of a frame, only the first and last 64 bytes are kept: the entries of three pages at every level
 * lie there, and so do the bytes that are compared. Between them is zero in a table; in a page,
 * what a write across all three has filled it with, which nobody looks at. */
#define EDGE 64

struct world {
	char as_low[offsetof(struct aspace, lock)];
	struct aspace_cpu cpu;
	uint8_t edges[FRAMES][2][EDGE];
	bool owner[FRAMES];
	size_t in_use, cursor, tlb_count;
	struct ghost_entry tlb[TLB];
	struct model_page page[PAGES];
	uint8_t host_value[2][2];
	bool log_active, log_hardware, withheld_once;
	unsigned snapshots;
	bool snapshot_live[MODEL_SNAPSHOTS];
	struct snapshot snapshot[MODEL_SNAPSHOTS];
	struct model_page saved[MODEL_SNAPSHOTS][PAGES];
};

/* Copies between the world as it is and one that is kept. */
#define EACH_PART(copy)                                                                            \
	do {                                                                                       \
		struct guest *g = m->guest;                                                        \
		struct hal_test *hal = g->hal;                                                     \
		copy(w->as_low, &g->as, sizeof(w->as_low));                                        \
		copy(&w->cpu, &g->as.cpus[0], sizeof(w->cpu));                                     \
		for (unsigned f = 0; f < FRAMES; f++) {                                            \
			uint8_t *frame = hal->memory + f * MM_PAGE_SIZE;                           \
			copy(w->edges[f][0], frame, EDGE);                                         \
			copy(w->edges[f][1], frame + MM_PAGE_SIZE - EDGE, EDGE);                   \
		}                                                                                  \
		copy(w->owner, hal->owner, sizeof(w->owner));                                      \
		copy(&w->in_use, &hal->in_use, sizeof(w->in_use));                                 \
		copy(&w->cursor, &hal->cursor, sizeof(w->cursor));                                 \
		copy(&w->tlb_count, &hal->tlb.count, sizeof(w->tlb_count));                        \
		copy(w->tlb, hal->tlb.entries, sizeof(w->tlb));                                    \
		copy(w->page, m->page, sizeof(w->page));                                           \
		copy(w->host_value, m->host_value, sizeof(w->host_value));                         \
		copy(&w->log_active, &m->log_active, sizeof(bool));                                \
		copy(&w->log_hardware, &m->log_hardware, sizeof(bool));                            \
		copy(&w->withheld_once, &m->withheld_once, sizeof(bool));                          \
		copy(&w->snapshots, &m->snapshots, sizeof(w->snapshots));                          \
		copy(w->snapshot_live, m->snapshot_live, sizeof(w->snapshot_live));                \
		copy(w->snapshot, m->snapshot, sizeof(w->snapshot));                               \
		for (unsigned s = 0; s < MODEL_SNAPSHOTS; s++)                                     \
			copy(w->saved[s], m->saved[s], sizeof(w->saved[s]));                       \
	} while (0)

#define KEEP(kept, live, bytes)     memcpy(kept, live, bytes)
#define PUT_BACK(kept, live, bytes) memcpy(live, kept, bytes)

static void keep(struct world *w, struct model *m)
{
	EACH_PART(KEEP);
}

static void put_back(struct world *w, struct model *m)
{
	EACH_PART(PUT_BACK);
	/* What became a page in between, and was filled, may be a table again. */
	for (unsigned f = 0; f < FRAMES; f++) {
		uint8_t *frame = m->guest->hal->memory + f * MM_PAGE_SIZE;
		if (frame[EDGE] != 0)
			memset(frame + EDGE, 0, MM_PAGE_SIZE - 2 * EDGE);
	}
}

/* --- the search --- */

struct search {
	unsigned path[MAX_DEPTH]; /* indexes of ops[], for whoever reports a failure */
	unsigned length;
	uint64_t transitions;
};

static struct search *search; /* shared with the parent */
static struct soak soak;
static struct world worlds[MAX_DEPTH];

static void explore(struct model *m, unsigned depth, unsigned max_depth)
{
	keep(&worlds[depth], m);
	search->length = depth + 1;
	for (unsigned i = 0; i < MM_ARRAY_SIZE(ops); i++) {
		search->path[depth] = i;
		model_apply(m, &ops[i]);
		search->transitions++;
		if (depth + 1 < max_depth) {
			model_check(m);
			explore(m, depth + 1, max_depth);
			search->length = depth + 1;
		}
		put_back(&worlds[depth], m);
	}
	if (depth + 2 == max_depth)
		soak_tell(&soak, search->transitions);
}

static uint64_t transitions_to(unsigned depth)
{
	uint64_t sequences = 1, total = 0;
	for (unsigned d = 0; d < depth; d++)
		total += sequences *= MM_ARRAY_SIZE(ops);
	return total;
}

static void all_sequences_up_to(const struct geometry *geo, unsigned depth)
{
	int status;
	char text[160];

	search = mmap(NULL, sizeof(*search), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
	              0);
	CHECK(search != MAP_FAILED);
	soak = soak_begin(transitions_to(depth), "every sequence on %s", geo->name);
	fflush(NULL);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		check_in_child();
		struct model *m = model_open(geo, &tiny);
		explore(m, 0, depth);
		model_close(m);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		CHECK_EQ(search->transitions, transitions_to(depth));
		printf("# %s: %" PRIu64 " transitions to depth %u\n", geo->name,
		       search->transitions, depth);
		fflush(stdout);
		munmap(search, sizeof(*search));
		return;
	}
	for (unsigned i = 0; i < search->length; i++) {
		model_describe(&ops[search->path[i]], text, sizeof(text));
		fprintf(stderr, "#   %s\n", text);
	}
	check_failed(__FILE__, __LINE__, "a sequence of %u operations differs (status 0x%x)",
	             search->length, (unsigned)status);
}

/* The formats share the walker, so one goes a step deeper than the others. */
static void every_sequence(const struct geometry *geo)
{
	unsigned depth = (unsigned)soak_setting("EXHAUSTIVE_DEPTH", 5);
	const char *only = getenv("EXHAUSTIVE_FORMAT");
	if (only && strcmp(only, geo->name) != 0)
		skip();
	CHECK(depth >= 1 && depth <= MAX_DEPTH);
	all_sequences_up_to(geo, strcmp(geo->name, "ipa48") == 0 || depth == 1 ? depth : depth - 1);
}

/* A root of 16 frames leaves nothing of so small a pool. */
static bool has_a_small_root(const struct geometry *geo)
{
	return npt_root_order(&geo->config) < 4;
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST_IF(every_sequence, has_a_small_root),
	};
	return run_geometry_tests("exhaustive", tests, MM_ARRAY_SIZE(tests));
}
