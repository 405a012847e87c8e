/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Break-before-make, seen by another CPU: while an entry is frozen for its flush (Arm ARM D8.14.1),
 * who translates, looks at leaves, faults or copies waits for it, and finds what comes after.
 * A second thread makes the call; the first stays inside the flush until that has begun.
 */
#include "guest.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "mm/compiler.h"
#include "mm/dirty.h"

#define FIRST 1024U
#define COUNT 512U /* pages: one leaf of 2 MiB */

struct scene {
	struct guest *g;
	void (*call)(struct scene *s);
	atomic_bool begun;
	bool started;
	pthread_t thread;
};

static void translate_it(struct scene *s)
{
	struct mm_aspace_translation t;
	CHECK_OK(mm_aspace_translate(&s->g->as, page(FIRST + 3), &t));
	CHECK_EQ(t.page_size, MM_PAGE_SIZE);
	CHECK(mm_permits(t.perm, MM_R));
}

static bool count_leaf(void *ctx, const struct mm_npt_leaf *leaf)
{
	CHECK_EQ(leaf->level, 0);
	++*(unsigned *)ctx;
	return true;
}

static void look_at_leaves(struct scene *s)
{
	unsigned seen = 0;
	CHECK_OK(mm_aspace_for_each_leaf(&s->g->as, pages(FIRST, COUNT), count_leaf, &seen));
	CHECK_EQ(seen, COUNT);
}

/* A range that begins inside the leaf: nothing below it is seen. */
static bool in_the_middle(void *ctx, const struct mm_npt_leaf *leaf)
{
	unsigned *seen = ctx;
	CHECK_EQ(leaf->gpa.raw, page(FIRST + 100 + *seen).raw);
	++*seen;
	return true;
}

static void look_at_the_middle(struct scene *s)
{
	unsigned seen = 0;
	CHECK_OK(mm_aspace_for_each_leaf(&s->g->as, pages(FIRST + 100, 10), in_the_middle, &seen));
	CHECK_EQ(seen, 10);
}

static void fault_on_it(struct scene *s)
{
	CHECK_EQ(mm_aspace_fault(&s->g->as, page(FIRST + 3), MM_R), MM_FAULT_SPURIOUS);
}

static void read_it(struct scene *s)
{
	uint64_t value;
	CHECK_OK(mm_aspace_load(&s->g->as, page(FIRST + 3), 8, &value));
	CHECK_EQ(value, 0x5555);
}

static void *other_cpu(void *arg)
{
	struct scene *s = arg;
	hal_test_set_cpu(1);
	s->begun = true;
	s->call(s);
	return NULL;
}

/* Before each hook: is the leaf frozen? Then the other CPU comes, and gets some time to go wrong.
 */
static void in_the_flush(void *ctx)
{
	struct scene *s = ctx;
	const struct timespec some = {.tv_nsec = 20000000};
	if (guest_walk(s->g, page(FIRST), MM_R).outcome == HW_OK) {
		hal_test_interlude(s->g->hal, 1, in_the_flush, s);
		return;
	}
	s->started = true;
	CHECK(pthread_create(&s->thread, NULL, other_cpu, s) == 0);
	while (!s->begun)
		;
	nanosleep(&some, NULL);
}

static void who_meets_a_frozen_entry_waits(const struct geometry *geo)
{
	void (*const calls[])(struct scene *) = {translate_it, look_at_leaves, look_at_the_middle,
	                                         fault_on_it, read_it};
	for (unsigned i = 0; i < MM_ARRAY_SIZE(calls); i++) {
		struct guest *g =
			guest_open(geo, (struct hal_test_options){.threads = true, .frames = 2048});
		struct scene s = {.g = g, .call = calls[i]};
		check_context("format=%s call=%u", geo->name, i);
		CHECK_OK(mm_aspace_map_alloc(
			&g->as, pages(FIRST, COUNT), MM_RW,
			(struct mm_aspace_backing){.populate = true, .max_leaf = 1}));
		CHECK_OK(mm_aspace_store(&g->as, page(FIRST + 3), 8, 0x5555));
		CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, true));
		hal_test_interlude(g->hal, 1, in_the_flush, &s);
		/* The write splits the large leaf: frozen, flushed, linked. */
		CHECK_EQ(mm_aspace_fault(&g->as, page(FIRST), MM_W), MM_FAULT_UNSHARED);
		hal_test_interlude(g->hal, 0, NULL, NULL);
		CHECK(s.started);
		pthread_join(s.thread, NULL);
		mm_aspace_dirty_stop(&g->as);
		guest_close(g);
	}
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST_IF(who_meets_a_frozen_entry_waits, needs_break),
	};
	check_in_child(); /* a failure in the second thread has nowhere to jump to */
	return run_geometry_tests("frozen", tests, MM_ARRAY_SIZE(tests));
}
