/*
 * Lazy allocation: each page's first touch is one nested fault, and nothing else is. The same
 * payload runs on populated and on linear memory, where it must take none.
 */
#include "suite/scenario.h"
#include "suite/tests.h"

/* How a payload walks its arena. */
struct touch {
	const char *guest;
	uint64_t arena_bytes;
	uint64_t mode; /* LAZY_READ, LAZY_WRITE */
	uint64_t stride;
	uint64_t count;
	uint64_t first; /* offset of the first touch */
	enum mm_perm access;
	unsigned max_leaf;
};

static struct vm_config config_for(const struct touch *touch, enum vm_backing backing)
{
	struct vm_config config =
		scenario_config("lazy", touch->guest, backing, touch->arena_bytes);

	config.areas[0].max_leaf = touch->max_leaf;
	config.args[0] = touch->mode;
	config.args[1] = touch->stride;
	config.args[2] = touch->count;
	config.args[3] = touch->first;
	return config;
}

/* What the payload itself saw: zeros, and its own words again. */
static void expect_contents(struct test *t, const struct scenario *s, const struct touch *touch)
{
	EXPECT_EQ(t, s->vm.reports[LAZY_TOUCHES], touch->count);
	EXPECT_EQ(t, s->vm.reports[LAZY_NOT_ZERO], 0);
	EXPECT_EQ(t, s->vm.reports[LAZY_NOT_KEPT], 0);
	EXPECT_EQ(t, s->vm.reports[LAZY_FAULTS_AGAIN], 0);
}

static void touch_lazily(struct test *t, const void *data)
{
	const struct touch *touch = data;
	struct vm_config config = config_for(touch, VM_LAZY);
	struct scenario *s = NULL;
	uint64_t ram_frames;

	if (scenario_fits(t, PAGES(touch->count)))
		s = scenario_begin(t, &config, true);
	if (s == NULL)
		return;
	aspace_get_stats(&s->vm.as, &s->vm.stats);
	ram_frames = s->vm.stats.frames;
	scenario_run(s);
	scenario_end(t, s);

	expect_exit(t, s);
	expect_contents(t, s, touch);
	expect_faults(t, s, touch->count);
	expect_trace(t, s, gpa_at(ARENA + touch->first), touch->stride, touch->count,
	             touch->access);
	EXPECT_EQ(t, s->vm.stats.frames - ram_frames, touch->count);
}

/* 2 MiB leaves: one fault for 512 pages. */
static void touch_lazily_large(struct test *t, const void *data)
{
	const struct touch *touch = data;
	struct vm_config config = config_for(touch, VM_LAZY);
	struct scenario *s = NULL;

	if (scenario_fits(t, touch->arena_bytes))
		s = scenario_do(t, &config);
	if (s == NULL)
		return;
	expect_exit(t, s);
	expect_contents(t, s, touch);
	expect_faults(t, s, touch->arena_bytes / MIB(2));
	EXPECT_EQ(t, s->vm.stats.leaves[1], touch->arena_bytes / MIB(2));
}

static void touch_without_faults(struct test *t, const struct touch *touch, enum vm_backing backing)
{
	struct vm_config config = config_for(touch, backing);
	struct scenario *s = NULL;
	struct aspace_stats before;

	if (backing == VM_LINEAR ? scenario_fits_linear(t, touch->arena_bytes)
	                         : scenario_fits(t, touch->arena_bytes))
		s = scenario_begin(t, &config, false);
	if (s == NULL)
		return;
	aspace_get_stats(&s->vm.as, &before);
	scenario_run(s);
	scenario_end(t, s);

	expect_exit(t, s);
	expect_contents(t, s, touch);
	expect_faults(t, s, 0);
	EXPECT_EQ(t, s->vm.stats.frames, before.frames);
	EXPECT_EQ(t, s->vm.stats.tables, before.tables);
}

static void touch_populated(struct test *t, const void *data)
{
	touch_without_faults(t, data, VM_POPULATED);
}

static void touch_linear(struct test *t, const void *data)
{
	touch_without_faults(t, data, VM_LINEAR);
}

/* --- the cases --- */

/* 64 pages of 1 GiB: more than the machine need have. */
static const struct touch read_64 = {
	"lazy", GIB(1), LAZY_READ, MIB(16), 64, 0x128, MM_R, 0,
};
static const struct touch write_64 = {
	"lazy", GIB(1), LAZY_WRITE, MIB(16), 64, 0x128, MM_W, 0,
};
static const struct touch fetch_64 = {
	"fetch", GIB(1), 0, MIB(16), 64, 0, MM_X, 0,
};
static const struct touch backwards_64 = {
	"lazy", GIB(1), LAZY_WRITE, -MIB(16), 64, GIB(1) - 0x1000, MM_W, 0,
};
static const struct touch read_every = {
	"lazy", MIB(64), LAZY_READ, MM_PAGE_SIZE, 16384, 0, MM_R, 0,
};
static const struct touch write_every = {
	"lazy", MIB(64), LAZY_WRITE, MM_PAGE_SIZE, 16384, 0, MM_W, 0,
};
static const struct touch write_every_other = {
	"lazy", MIB(8), LAZY_WRITE, 2 * MM_PAGE_SIZE, 1024, 0, MM_W, 0,
};
static const struct touch write_large = {
	"lazy", MIB(64), LAZY_WRITE, MM_PAGE_SIZE, 16384, 0, MM_W, 1,
};

static const struct test_case cases[] = {
	{"lazy.read.64", touch_lazily, &read_64},
	{"lazy.write.64", touch_lazily, &write_64},
	{"lazy.fetch.64", touch_lazily, &fetch_64},
	{"lazy.write.backwards", touch_lazily, &backwards_64},
	{"lazy.write.every-other", touch_lazily, &write_every_other},
	{"lazy.read.every", touch_lazily, &read_every},
	{"lazy.write.every", touch_lazily, &write_every},
	{"lazy.write.2m", touch_lazily_large, &write_large},
	{"populate.write.every", touch_populated, &write_every},
	{"linear.write.every", touch_linear, &write_every},
};

const struct test_suite tests_lazy = {.cases = cases, .count = MM_ARRAY_SIZE(cases)};
