/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that may run beside each other, and calls that exclude them, from several threads at
 * once, under ThreadSanitizer. What is checked: no data race; no lost page, no leaked or doubly
 * owned frame; what a reader gets is something that somebody wrote; nobody faults for ever.
 *
 *	RACE_OPS=100000000   about so many operations in all
 *	RACE_SEED=7          other choices; what the threads make of them differs from run to run
 */
#include "mm/dirty.h"
#include "mm/snapshot.h"

#include "guest.h"
#include "race.h"
#include "soak.h"

#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "mm/compiler.h"

/* Pages of the arena; every one is lazily backed. */
enum {
	FIRST = 500,
	COUNT = 24
};

struct arena {
	struct guest *g;
	uint64_t steps;        /* per thread */
	_Atomic uint64_t pace; /* steps that the first thread has made */
	struct soak soak;
	_Atomic uint64_t served;
	_Atomic bool stop;
};

static struct guest *open_arena(const struct geometry *geo)
{
	struct guest *g = guest_open(
		geo, (struct hal_test_options){.threads = true, .frames = 1024, .no_blocks = true});
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(FIRST, COUNT), MM_RW,
	                             (struct mm_aspace_backing){0}));
	return g;
}

/* Values that tell where they belong: whoever reads one sees a whole one of this page, or 0. */
static uint64_t value_for(uint64_t number, uint64_t salt)
{
	return (number << 48) | ((salt & 0xffffff) << 24) | (salt & 0xffffff);
}

static void check_value(uint64_t value, uint64_t number)
{
	if (value == 0)
		return;
	CHECK_EQ(value >> 48, number);
	CHECK_EQ((value >> 24) & 0xffffff, value & 0xffffff);
}

/* Who changes things keeps step with who uses them, or would be through long before. Relaxed:
 * nothing is ordered by it. */
static void set_pace(struct arena *a, uint64_t steps)
{
	atomic_store_explicit(&a->pace, steps, memory_order_relaxed);
	soak_tell(&a->soak, steps);
}

static void keep_pace(struct arena *a, uint64_t steps)
{
	while (atomic_load_explicit(&a->pace, memory_order_relaxed) < steps)
		sched_yield();
}

/* --- c02 and W10: everybody faults on the same pages --- */

static void fault_all(struct race *race)
{
	struct arena *a = race->shared;
	for (unsigned p = FIRST; p < FIRST + COUNT; p++) {
		enum mm_fault fault = mm_aspace_fault(&a->g->as, page(p), MM_W);
		CHECK(fault == MM_FAULT_MAPPED || fault == MM_FAULT_SPURIOUS);
		if (fault == MM_FAULT_MAPPED)
			atomic_fetch_add(&a->served, 1);
	}
}

static void c02_one_frame_however_many_fault(const struct geometry *geo)
{
	void (*const run[])(struct race *) = {fault_all, fault_all, fault_all, fault_all};
	for (unsigned round = 0; round < 40; round++) {
		struct arena a = {.g = open_arena(geo)};
		race_run(MM_ARRAY_SIZE(run), run, &a, round);
		CHECK_EQ(a.served, COUNT);
		struct mm_aspace_stats stats = guest_stats(a.g);
		CHECK_EQ(stats.frames, COUNT);
		CHECK_EQ(stats.faults[MM_FAULT_MAPPED], COUNT);
		CHECK_EQ(stats.frames + stats.tables, a.g->hal->in_use);
		guest_close(a.g);
	}
}

/* A quota that many overdraw together is not overdrawn. */
static void fault_until_quota(struct race *race)
{
	struct arena *a = race->shared;
	for (unsigned p = FIRST; p < FIRST + COUNT; p++) {
		unsigned mine = FIRST + (p - FIRST + 6 * race->cpu) % COUNT;
		if (mm_aspace_fault(&a->g->as, page(mine), MM_W) == MM_FAULT_MAPPED)
			atomic_fetch_add(&a->served, 1);
	}
}

static void a_quota_holds_against_all(const struct geometry *geo)
{
	void (*const run[])(struct race *) = {fault_until_quota, fault_until_quota,
	                                      fault_until_quota, fault_until_quota};
	for (unsigned round = 0; round < 20; round++) {
		struct hal_test *hal = hal_test_open(
			(struct hal_test_options){.threads = true,
		                                  .frames = 256,
		                                  .root_order = mm_npt_root_order(&geo->config)});
		struct mm_aspace_config config = guest_config(geo, hal);
		/* Room for the root, the tables, and half of the pages. */
		uint64_t tables =
			(UINT64_C(1) << mm_npt_root_order(&geo->config)) + geo->config.levels;
		config.quota = tables + COUNT / 2;
		struct arena a = {.g = guest_open_with(geo, hal, &config)};
		CHECK_OK(mm_aspace_map_alloc(&a.g->as, pages(FIRST, COUNT), MM_RW,
		                             (struct mm_aspace_backing){0}));
		race_run(MM_ARRAY_SIZE(run), run, &a, round);
		struct mm_aspace_stats stats = guest_stats(a.g);
		CHECK(stats.frames + stats.tables <= config.quota);
		CHECK_EQ(stats.frames + stats.tables, hal->in_use);
		CHECK_EQ(stats.frames, a.served);
		guest_close(a.g);
	}
}

/* Two CPUs, one page, one frame left on the quota: whoever is second waits, and finds the page. */
static void fault_on_the_last(struct race *race)
{
	struct arena *a = race->shared;
	enum mm_fault fault = mm_aspace_fault(&a->g->as, page(FIRST + 1), MM_W);

	if (fault == MM_FAULT_MAPPED || fault == MM_FAULT_SPURIOUS)
		atomic_fetch_add(&a->served, 1);
}

static void the_last_frame_serves_two(const struct geometry *geo)
{
	void (*const run[])(struct race *) = {fault_on_the_last, fault_on_the_last};

	for (unsigned round = 0; round < 60; round++) {
		struct hal_test *hal = hal_test_open(
			(struct hal_test_options){.threads = true,
		                                  .frames = 256,
		                                  .root_order = mm_npt_root_order(&geo->config)});
		struct mm_aspace_config config = guest_config(geo, hal);

		config.quota = (UINT64_C(1) << mm_npt_root_order(&geo->config)) +
		               geo->config.levels - 1 + 2;

		struct arena a = {.g = guest_open_with(geo, hal, &config)};

		CHECK_OK(mm_aspace_map_alloc(&a.g->as, pages(FIRST, COUNT), MM_RW,
		                             (struct mm_aspace_backing){0}));
		CHECK_EQ(mm_aspace_fault(&a.g->as, page(FIRST), MM_W), MM_FAULT_MAPPED);
		race_run(MM_ARRAY_SIZE(run), run, &a, round);
		CHECK_EQ(a.served, 2);
		CHECK_EQ(hal->in_use, config.quota);
		guest_close(a.g);
	}
}

/* --- everything at once --- */

/* The guest's CPUs: fault as the hardware would, and look. */
static void fault_and_translate(struct race *race)
{
	struct arena *a = race->shared;
	for (uint64_t i = 0; i < a->steps; i++) {
		uint64_t number = FIRST + rng_below(&race->rng, COUNT);
		enum mm_perm access = rng_next(&race->rng) & 1 ? MM_R : MM_W;
		struct mm_aspace_translation t;
		switch (mm_aspace_fault(&a->g->as, page(number), access)) {
		case MM_FAULT_MAPPED:
		case MM_FAULT_SPURIOUS:
		case MM_FAULT_UNSHARED:
		case MM_FAULT_PERMISSION:
		case MM_FAULT_NOT_MAPPED:
			break;
		default:
			CHECK(false);
		}
		enum mm_error err = mm_aspace_translate(&a->g->as, page(number), &t);
		CHECK(err == MM_OK || err == MM_NOT_MAPPED);
		race->done += 2;
		if (i % 64 == 0)
			(void)guest_stats(a->g);
		if (race->cpu == 0)
			set_pace(a, i + 1);
	}
}

static void read_and_write(struct race *race)
{
	struct arena *a = race->shared;
	for (uint64_t i = 0; i < a->steps; i++) {
		uint64_t number = FIRST + rng_below(&race->rng, COUNT);
		uint64_t salt = rng_next(&race->rng);
		/* A word of each writer's own, so that what is read back can be judged. */
		mm_gpa_t at = mm_gpa_plus(page(number), 8 * race->cpu);
		uint64_t value = 0;
		enum mm_error err;
		if (salt & 1) {
			err = mm_aspace_store(&a->g->as, at, 8, value_for(number, salt >> 8));
			CHECK(err == MM_OK || err == MM_DENIED || err == MM_NOT_MAPPED);
		} else {
			err = mm_aspace_load(&a->g->as, at, 8, &value);
			CHECK(err == MM_OK || err == MM_DENIED || err == MM_NOT_MAPPED);
			check_value(value, number);
		}
		race->done++;
	}
}

static void change(struct race *race)
{
	struct arena *a = race->shared;
	struct mm_aspace *as = &a->g->as;
	for (uint64_t i = 0; i < a->steps / 8; i++) {
		keep_pace(a, 8 * i);
		uint64_t first = FIRST + rng_below(&race->rng, COUNT);
		uint64_t n = 1 + rng_below(&race->rng, 4);
		n = first + n > FIRST + COUNT ? FIRST + COUNT - first : n;
		struct mm_gpa_range range = pages(first, n);
		enum mm_error err;
		switch (rng_below(&race->rng, 4)) {
		case 0:
			CHECK_OK(mm_aspace_unmap(as, range));
			break;
		case 1:
			err = mm_aspace_protect(as, range, rng_next(&race->rng) & 1 ? MM_R : MM_RW);
			CHECK(err == MM_OK || err == MM_NOT_MAPPED);
			break;
		default:
			err = mm_aspace_map_alloc(
				as, range, MM_RW,
				(struct mm_aspace_backing){.populate = rng_next(&race->rng) & 1});
			CHECK(err == MM_OK || err == MM_EXISTS);
		}
		race->done++;
	}
}

static void log_and_snapshot(struct race *race)
{
	struct arena *a = race->shared;
	struct mm_aspace *as = &a->g->as;
	for (uint64_t i = 0; i < a->steps / 32; i++) {
		keep_pace(a, 32 * i);
		uint64_t bitmap[1] = {0};
		struct mm_snapshot snapshot;
		CHECK_OK(mm_aspace_dirty_start(as, MM_DIRTY_WRITE_PROTECT, false));
		CHECK_OK(mm_aspace_dirty_collect(as, pages(FIRST, COUNT), bitmap));
		CHECK_OK(mm_aspace_dirty_collect(as, pages(FIRST, COUNT), bitmap));
		mm_aspace_dirty_stop(as);
		CHECK_OK(mm_aspace_snapshot_take(as, &snapshot));
		CHECK_OK(mm_aspace_snapshot_restore(as, &snapshot));
		mm_aspace_snapshot_drop(as, &snapshot);
		race->done += 7;
	}
}

static void settle(struct arena *a)
{
	struct mm_aspace_stats stats = guest_stats(a->g);
	CHECK_EQ(stats.frames + stats.tables + stats.area_frames, a->g->hal->in_use);
	CHECK_EQ(atomic_load(&a->g->as.lock.writer), 0);
	for (unsigned p = FIRST; p < FIRST + COUNT; p++) {
		struct touched t = guest_touch(a->g, page(p), MM_R);
		CHECK(t.outcome != TOUCH_REFUSED || t.fault == MM_FAULT_NOT_MAPPED);
	}
	guest_close(a->g);
}

/* So many steps for each thread; all make six or seven operations of one, in fifteen runs. */
static uint64_t steps_per_thread(uint64_t otherwise)
{
	uint64_t ops = soak_setting("RACE_OPS", 0);
	return ops ? ops / (15 * 6) + 1 : otherwise;
}

static void race_for_long(struct arena *a, const char *name, const struct geometry *geo, unsigned n,
                          void (*const run[])(struct race *))
{
	uint64_t seed = soak_setting("RACE_SEED", 1);
	a->soak = soak_begin(a->steps, "%s on %s, each thread", name, geo->name);
	uint64_t done = race_run(n, run, a, seed);
	printf("# %s on %s: %" PRIu64 " operations by %u threads, seed %" PRIu64 "\n", name,
	       geo->name, done, n, seed);
	fflush(stdout);
}

static void faults_beside_changes(const struct geometry *geo)
{
	void (*const run[])(struct race *) = {fault_and_translate,
	                                      fault_and_translate,
	                                      read_and_write,
	                                      read_and_write,
	                                      change,
	                                      change};
	struct arena a = {.g = open_arena(geo), .steps = steps_per_thread(4000)};
	race_for_long(&a, "changes", geo, MM_ARRAY_SIZE(run), run);
	settle(&a);
}

static void faults_beside_logs_and_snapshots(const struct geometry *geo)
{
	void (*const run[])(struct race *) = {fault_and_translate, fault_and_translate,
	                                      read_and_write, read_and_write, log_and_snapshot};
	struct arena a = {.g = open_arena(geo), .steps = steps_per_thread(4000)};
	race_for_long(&a, "logs and snapshots", geo, MM_ARRAY_SIZE(run), run);
	settle(&a);
}

/* Large pages that split and merge beside their readers. */
static void protect_large(struct race *race)
{
	struct arena *a = race->shared;
	for (uint64_t i = 0; i < a->steps / 8; i++) {
		keep_pace(a, 8 * i);
		uint64_t first = 512 + rng_below(&race->rng, 512);
		CHECK_OK(mm_aspace_protect(&a->g->as, pages(first, 1), MM_R));
		CHECK_OK(mm_aspace_protect(&a->g->as, pages(first, 1), MM_RW));
		race->done += 2;
	}
}

static void write_large(struct race *race)
{
	struct arena *a = race->shared;
	for (uint64_t i = 0; i < a->steps; i++) {
		uint64_t number = 512 + rng_below(&race->rng, 512);
		mm_gpa_t at = mm_gpa_plus(page(number), 8 * race->cpu);
		uint64_t value = value_for(number, i), got = 0;
		enum mm_error err = mm_aspace_store(&a->g->as, at, 8, value);
		CHECK(err == MM_OK || err == MM_DENIED);
		CHECK_OK(mm_aspace_load(&a->g->as, at, 8, &got));
		if (err == MM_OK)
			CHECK_EQ(got, value);
		check_value(got, number);
		race->done += 2;
		if (race->cpu == 0)
			set_pace(a, i + 1);
	}
}

/* Populated, so that there is a large leaf even if the first protect() is faster than the first
 * writer, who would else find an area in pieces. */
static void splits_beside_writers(const struct geometry *geo)
{
	void (*const run[])(struct race *) = {write_large, write_large, write_large, protect_large};
	struct arena a = {.steps = steps_per_thread(2000)};
	a.g = guest_open(geo, (struct hal_test_options){.threads = true, .frames = 4096});
	CHECK_OK(mm_aspace_map_alloc(&a.g->as, pages(512, 512), MM_RW,
	                             (struct mm_aspace_backing){.populate = true, .max_leaf = 1}));
	race_for_long(&a, "splits", geo, MM_ARRAY_SIZE(run), run);
	CHECK_EQ(guest_stats(a.g).frames, 512);
	guest_close(a.g);
}

/* --- CPUs whose blocks are not in struct mm_aspace --- */

static void fault_all_far(struct race *race)
{
	hal_test_set_cpu(100 + race->cpu);
	fault_all(race);
}

/* All add the same group of blocks: one frame is left of those that they take. */
static void one_frame_for_the_blocks_of_all(const struct geometry *geo)
{
	void (*const run[])(struct race *) = {fault_all_far, fault_all_far, fault_all_far,
	                                      fault_all_far};
	for (unsigned round = 0; round < 40; round++) {
		struct arena a = {.g = open_arena(geo)};
		race_run(MM_ARRAY_SIZE(run), run, &a, round);
		CHECK_EQ(a.served, COUNT);
		struct mm_aspace_stats stats = guest_stats(a.g);
		CHECK_EQ(stats.cpu_frames, 1);
		CHECK_EQ(stats.faults[MM_FAULT_MAPPED], COUNT);
		CHECK_EQ(stats.frames + stats.tables + 1, a.g->hal->in_use);
		guest_close(a.g);
	}
}

static void write_large_far(struct race *race)
{
	hal_test_set_cpu(200 * (1 + race->cpu));
	write_large(race);
}

static void protect_whole(struct race *race)
{
	struct arena *a = race->shared;
	for (uint64_t i = 0; i < a->steps / 8; i++) {
		keep_pace(a, 8 * i);
		CHECK_OK(mm_aspace_protect(&a->g->as, pages(512, 512), MM_R));
		CHECK_OK(mm_aspace_protect(&a->g->as, pages(512, 512), MM_RW));
		race->done += 2;
	}
}

/* There is no frame for their blocks, so they share one, beside a writer. */
static void cpus_without_a_block_take_turns(const struct geometry *geo)
{
	void (*const run[])(struct race *) = {write_large_far, write_large_far, write_large_far,
	                                      protect_whole};
	struct arena a = {.steps = steps_per_thread(2000)};
	a.g = guest_open(geo, (struct hal_test_options){.threads = true, .frames = 4096});
	CHECK_OK(mm_aspace_map_alloc(&a.g->as, pages(512, 512), MM_RW,
	                             (struct mm_aspace_backing){.populate = true, .max_leaf = 1}));
	hal_test_fail_after(a.g->hal, 1);
	race_for_long(&a, "CPUs without a block", geo, MM_ARRAY_SIZE(run), run);
	CHECK_EQ(guest_stats(a.g).cpu_frames, 0);
	CHECK_EQ(atomic_load(&a.g->as.shared.reader.reading), 0);
	guest_close(a.g);
}

static bool is_typical(const struct geometry *geo)
{
	static const char *const names[] = {"ept4", "amd5", "ipa40", "ipa48", "sv39x4"};
	for (size_t i = 0; i < MM_ARRAY_SIZE(names); i++) {
		if (strcmp(geo->name, names[i]) == 0)
			return true;
	}
	return false;
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST_IF(c02_one_frame_however_many_fault, is_typical),
		GEOMETRY_TEST_IF(a_quota_holds_against_all, is_typical),
		GEOMETRY_TEST_IF(the_last_frame_serves_two, is_typical),
		GEOMETRY_TEST_IF(faults_beside_changes, is_typical),
		GEOMETRY_TEST_IF(faults_beside_logs_and_snapshots, is_typical),
		GEOMETRY_TEST_IF(splits_beside_writers, is_typical),
		GEOMETRY_TEST_IF(one_frame_for_the_blocks_of_all, is_typical),
		GEOMETRY_TEST_IF(cpus_without_a_block_take_turns, is_typical),
	};
	return run_geometry_tests("race", tests, MM_ARRAY_SIZE(tests));
}
