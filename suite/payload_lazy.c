/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lazy allocation: the first access to each page is one nested fault. No other access faults. The
 * same payload runs on populated and on linear memory, where it takes no fault.
 */
#include "suite/payload.h"

/* The order in which a payload accesses its arena. */
struct touch {
	const char *guest;
	uint64_t arena_bytes;
	uint64_t mode; /* LAZY_READ, LAZY_WRITE */
	uint64_t stride;
	uint64_t count;
	uint64_t first; /* offset of the first access */
	enum mm_perm access;
	unsigned max_leaf;
};

static struct vm_config config_for(const struct touch *touch, enum vm_backing backing)
{
	struct vm_config config = session_config("lazy", touch->guest, backing, touch->arena_bytes);

	config.areas[0].max_leaf = touch->max_leaf;
	config.args[0] = touch->mode;
	config.args[1] = touch->stride;
	config.args[2] = touch->count;
	config.args[3] = touch->first;
	return config;
}

/* The guest's own results: zeros first, then its own words. */
static void expect_contents(struct suite_run *run, const struct session *s,
                            const struct touch *touch)
{
	EXPECT_EQ(run, s->vm.reports[LAZY_TOUCHES], touch->count);
	EXPECT_EQ(run, s->vm.reports[LAZY_NOT_ZERO], 0);
	EXPECT_EQ(run, s->vm.reports[LAZY_NOT_KEPT], 0);
	EXPECT_EQ(run, s->vm.reports[LAZY_FAULTS_AGAIN], 0);
}

static void touch_lazily(struct suite_run *run, const void *data)
{
	const struct touch *touch = data;
	struct vm_config config = config_for(touch, VM_LAZY);
	struct session *s = NULL;
	uint64_t ram_frames;

	if (payload_fits(run, PAGES(touch->count)))
		s = payload_begin(run, &config, true);
	if (s == NULL)
		return;
	mm_aspace_get_stats(&s->vm.as, &s->vm.stats);
	ram_frames = s->vm.stats.frames;
	session_run(s);
	payload_end(run, s);

	expect_exit(run, s);
	expect_contents(run, s, touch);
	expect_faults(run, s, touch->count);
	expect_trace(run, s, mm_gpa_at(ARENA + touch->first), touch->stride, touch->count,
	             touch->access);
	EXPECT_EQ(run, s->vm.stats.frames - ram_frames, touch->count);
}

/* 2 MiB leaves: one fault for 512 pages. */
static void touch_lazily_large(struct suite_run *run, const void *data)
{
	const struct touch *touch = data;
	struct vm_config config = config_for(touch, VM_LAZY);
	struct session *s = NULL;

	if (payload_fits_leaves(run, touch->arena_bytes))
		s = payload_run(run, &config);
	if (s == NULL)
		return;
	expect_exit(run, s);
	expect_contents(run, s, touch);
	expect_faults(run, s, touch->arena_bytes / MIB(2));
	EXPECT_EQ(run, s->vm.stats.leaves[1], touch->arena_bytes / MIB(2));
}

static void touch_without_faults(struct suite_run *run, const struct touch *touch,
                                 enum vm_backing backing)
{
	struct vm_config config = config_for(touch, backing);
	struct session *s = NULL;
	struct mm_aspace_stats before;

	if (backing == VM_LINEAR ? payload_fits_linear(run, touch->arena_bytes)
	                         : payload_fits(run, touch->arena_bytes))
		s = payload_begin(run, &config, false);
	if (s == NULL)
		return;
	mm_aspace_get_stats(&s->vm.as, &before);
	session_run(s);
	payload_end(run, s);

	expect_exit(run, s);
	expect_contents(run, s, touch);
	expect_faults(run, s, 0);
	EXPECT_EQ(run, s->vm.stats.frames, before.frames);
	EXPECT_EQ(run, s->vm.stats.tables, before.tables);
}

static void touch_populated(struct suite_run *run, const void *data)
{
	touch_without_faults(run, data, VM_POPULATED);
}

static void touch_linear(struct suite_run *run, const void *data)
{
	touch_without_faults(run, data, VM_LINEAR);
}

/* --- the cases --- */

/* 64 pages, each in another GiB: a larger range than the machine's memory. */
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

static const struct suite_case cases[] = {
	{.name = "lazy.read.64", .run = touch_lazily, .data = &read_64},
	{.name = "lazy.write.64", .run = touch_lazily, .data = &write_64},
	{.name = "lazy.fetch.64", .run = touch_lazily, .data = &fetch_64},
	{.name = "lazy.write.backwards", .run = touch_lazily, .data = &backwards_64},
	{.name = "lazy.write.every-other", .run = touch_lazily, .data = &write_every_other},
	{.name = "lazy.read.every", .run = touch_lazily, .data = &read_every},
	{.name = "lazy.write.every", .run = touch_lazily, .data = &write_every},
	{.name = "lazy.write.2m", .run = touch_lazily_large, .data = &write_large},
	{.name = "populate.write.every", .run = touch_populated, .data = &write_every},
	{.name = "linear.write.every", .run = touch_linear, .data = &write_every},
};

const struct suite_subject suite_payload_lazy = {
	.name = "payload_lazy",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
