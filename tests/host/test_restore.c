/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What restoring a snapshot costs, and that it is right whatever has happened since: entries that
 * were compared are counted, not time.
 */
#include "guest.h"

#include <string.h>

#include "mm/compiler.h"
#include "mm/npt/history.h"
#include "mm/snapshot.h"

static const struct hal_test_options roomy = {.frames = 8192};

static uint64_t compared(const struct guest *g)
{
	return g->as.npt.history.compared;
}

static uint64_t cost_of_restore(struct guest *g, struct mm_snapshot *s)
{
	uint64_t before = compared(g);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, s));
	return compared(g) - before;
}

static void check_books(struct guest *g)
{
	struct mm_aspace_stats stats = guest_stats(g);
	CHECK_EQ(stats.frames + stats.tables + stats.area_frames, g->hal->in_use);
}

static void map_pages(struct guest *g, unsigned n)
{
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, n), MM_RW,
	                             (struct mm_aspace_backing){.populate = true}));
}

static void write_some(struct guest *g, unsigned n, uint8_t value)
{
	for (unsigned i = 0; i < n; i++)
		guest_store(g, page(500 + 37 * i), value);
}

static void expect_some(struct guest *g, unsigned n, uint8_t value)
{
	for (unsigned i = 0; i < n; i++)
		CHECK_EQ(guest_load(g, page(500 + 37 * i)), value);
}

/* --- what it costs --- */

static void what_has_changed_is_compared(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, roomy);
	struct mm_snapshot s;
	map_pages(g, 1500);
	write_some(g, 40, 1);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
	CHECK_EQ(cost_of_restore(g, &s), 0);
	for (unsigned n = 1; n < 40; n += 13) {
		write_some(g, n, 2);
		CHECK_EQ(cost_of_restore(g, &s), n);
		expect_some(g, 40, 1);
		CHECK_EQ(cost_of_restore(g, &s), 0);
		check_books(g);
	}
	mm_aspace_snapshot_drop(&g->as, &s);
	CHECK_EQ(g->as.npt.history.frames[0], 0);
	check_books(g);
	guest_close(g);
}

/* Each of several costs what has changed since it was restored last, other restores included. */
static void of_several_snapshots_too(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, roomy);
	struct mm_snapshot s[3];
	map_pages(g, 1500);
	for (unsigned i = 0; i < 3; i++) {
		write_some(g, 10, (uint8_t)(i + 1));
		CHECK_OK(mm_aspace_snapshot_take(&g->as, &s[i]));
	}
	for (unsigned round = 0; round < 200; round++) {
		unsigned i = round % 2;
		/* 10 for what the other's restore has changed, twice what was written after it. */
		CHECK(cost_of_restore(g, &s[i]) <= (round < 2 ? 50 : 40));
		expect_some(g, 10, (uint8_t)(i + 1));
		write_some(g, 10, 9);
		check_books(g);
	}
	/* One that was never restored has to see all of it, once; then it is as the others. */
	CHECK(cost_of_restore(g, &s[2]) > 2000);
	expect_some(g, 10, 3);
	CHECK_EQ(cost_of_restore(g, &s[2]), 0);
	CHECK(cost_of_restore(g, &s[0]) < 100);
	expect_some(g, 10, 1);
	for (unsigned i = 0; i < 3; i++) {
		mm_aspace_snapshot_drop(&g->as, &s[i]);
		expect_some(g, 10, 1);
		check_books(g);
	}
	guest_close(g);
}

/* A frame for the history that cannot be had: all is compared, once. */
static void a_change_that_is_not_recorded(const struct geometry *geo)
{
	for (unsigned first = 0; first < 2; first++) {
		struct guest *g = guest_open(geo, roomy);
		struct mm_snapshot s, other;
		check_context("format=%s first=%u", geo->name, first);
		map_pages(g, 1000);
		if (first) {
			/* Not even the first frame: root, tables, and then the history's. */
			uint64_t tables = guest_stats(g).tables -
			                  (UINT64_C(1) << mm_npt_root_order(&geo->config));
			hal_test_fail_once(g->hal, tables + 2);
			CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
			CHECK_EQ(g->hal->refusals, 1);
			hal_test_fail_once(g->hal, 2);
			guest_store(g, page(500), 7);
		} else {
			CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
			for (unsigned i = 0; i < MM_NPT_HISTORY_PER; i++)
				guest_store(g, page(500 + i), 7);
			hal_test_fail_once(g->hal, 2);
			guest_store(g, page(500 + MM_NPT_HISTORY_PER), 7);
		}
		CHECK(atomic_load(&g->as.npt.history.lost));
		CHECK_OK(mm_aspace_snapshot_take(&g->as, &other));
		guest_store(g, page(1400), 7);
		CHECK(cost_of_restore(g, &s) >= 1000);
		for (unsigned p = 500; p < 1500; p++)
			CHECK_EQ(guest_load(g, page(p)), 0);
		check_books(g);
		guest_store(g, page(800), 7);
		CHECK_EQ(cost_of_restore(g, &s), 1);
		/* What all was compared for is recorded for the exact one. */
		CHECK(cost_of_restore(g, &other) < 1000);
		CHECK_EQ(guest_load(g, page(500)), 7);
		CHECK_EQ(guest_load(g, page(1400)), 0);
		mm_aspace_snapshot_drop(&g->as, &s);
		mm_aspace_snapshot_drop(&g->as, &other);
		check_books(g);
		guest_close(g);
	}
}

/* The same, and the snapshot is dropped: all its entries are looked at. */
static void one_that_is_not_exact_is_dropped(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, roomy);
	struct mm_snapshot s;
	map_pages(g, 1000);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
	for (unsigned i = 0; i < MM_NPT_HISTORY_PER; i++)
		guest_store(g, page(500 + i), 7);
	hal_test_fail_once(g->hal, 2);
	guest_store(g, page(500 + MM_NPT_HISTORY_PER), 7);
	CHECK(atomic_load(&g->as.npt.history.lost));
	mm_aspace_snapshot_drop(&g->as, &s);
	check_books(g);
	CHECK_EQ(guest_stats(g).frames, 1000);
	for (unsigned p = 500; p < 1500; p++)
		CHECK_EQ(guest_load(g, page(p)), p <= 500 + MM_NPT_HISTORY_PER ? 7 : 0);
	guest_close(g);
}

static bool is_one(const struct geometry *geo)
{
	return strcmp(geo->name, "ept4") == 0;
}

/* A snapshot that is left behind for more changes than the ring holds half of; positions go round
 * the ring. */
static void the_history_goes_round(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, roomy);
	struct mm_snapshot s[2], old;
	const unsigned n = 1024;
	uint64_t rounds = 2 * MM_NPT_HISTORY_ENTRIES / n + 10;
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, n), MM_RW,
	                             (struct mm_aspace_backing){.populate = true}));
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &old));
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned p = 0; p < n; p++)
			guest_store(g, page(512 + p), (uint8_t)(i + 1));
		CHECK_OK(mm_aspace_snapshot_take(&g->as, &s[i]));
	}
	size_t most = 0;
	for (uint64_t round = 0; round < rounds; round++) {
		CHECK(cost_of_restore(g, &s[round % 2]) <= 2 * n);
		most = g->hal->in_use > most ? g->hal->in_use : most;
		CHECK_EQ(guest_load(g, page(512 + (round * 7) % n)), round % 2 + 1);
	}
	CHECK(!old.tables.exact);
	CHECK(s[0].tables.exact && s[1].tables.exact);
	CHECK(g->as.npt.history.end > MM_NPT_HISTORY_ENTRIES);
	/* What nobody needs any more is back. */
	CHECK(most > g->hal->in_use + 200);
	check_books(g);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &old));
	for (unsigned p = 0; p < n; p++)
		CHECK_EQ(guest_load(g, page(512 + p)), 0);
	CHECK_EQ(cost_of_restore(g, &old), 0);
	mm_aspace_snapshot_drop(&g->as, &s[1]);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &s[0]));
	CHECK_EQ(guest_load(g, page(700)), 1);
	check_books(g);
	guest_close(g);
}

/* --- that it is right --- */

#define PAGES     64U
#define SNAPSHOTS 4U

struct shadow {
	uint8_t bytes[PAGES];
};

/* Pages 500 to 523, some of a large leaf, some far away in tables of their own. */
static mm_gpa_t some_page(unsigned i)
{
	if (i < 24)
		return page(500 + i);
	return i < 48 ? page(1024 + 21 * (i - 24)) : page(3000 + 700 * (i - 48));
}

static void check_shadow(struct guest *g, const struct shadow *shadow)
{
	for (unsigned i = 0; i < PAGES; i++)
		CHECK_EQ(guest_load(g, some_page(i)), shadow->bytes[i]);
}

static void any_order_of_calls(const struct geometry *geo)
{
	for (uint64_t seed = 1; seed < 6; seed++) {
		struct guest *g = guest_open(geo, roomy);
		struct rng rng = rng_seeded(seed);
		struct shadow now = {{0}}, then[SNAPSHOTS];
		struct mm_snapshot s[SNAPSHOTS];
		bool taken[SNAPSHOTS] = {false};
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 24), MM_RW,
		                             (struct mm_aspace_backing){0}));
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(1024, 512), MM_RW,
		                             (struct mm_aspace_backing){.max_leaf = 1}));
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(3000, 12000), MM_RW,
		                             (struct mm_aspace_backing){0}));
		for (unsigned step = 0; step < 250; step++) {
			unsigned i = (unsigned)rng_below(&rng, SNAPSHOTS);
			unsigned what = (unsigned)rng_below(&rng, 12);
			check_context("format=%s seed=%llu step=%u", geo->name,
			              (unsigned long long)seed, step);
			/* Now and then one request is refused, at a change or inside a restore. */
			bool fail = rng_below(&rng, 6) == 0;
			hal_test_fail_once(g->hal, fail ? 1 + rng_below(&rng, 4) : 0);
			if (what < 8) {
				unsigned p = (unsigned)rng_below(&rng, PAGES);
				uint8_t value = (uint8_t)rng_next(&rng);
				enum mm_error err = mm_aspace_store(&g->as, some_page(p), 1, value);
				CHECK(err == MM_OK || (fail && err == MM_NO_MEMORY));
				if (err == MM_OK)
					now.bytes[p] = value;
			} else if (!taken[i]) {
				enum mm_error err = mm_aspace_snapshot_take(&g->as, &s[i]);
				CHECK(err == MM_OK || (fail && err == MM_NO_MEMORY));
				taken[i] = err == MM_OK;
				then[i] = now;
			} else if (what < 11) {
				enum mm_error err = mm_aspace_snapshot_restore(&g->as, &s[i]);
				CHECK(err == MM_OK || (fail && err == MM_NO_MEMORY));
				if (err == MM_OK)
					now = then[i];
			} else {
				mm_aspace_snapshot_drop(&g->as, &s[i]);
				taken[i] = false;
			}
			hal_test_fail_once(g->hal, 0);
			check_books(g);
			if (what >= 8)
				check_shadow(g, &now);
		}
		guest_close(g);
	}
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(what_has_changed_is_compared),
		GEOMETRY_TEST(of_several_snapshots_too),
		GEOMETRY_TEST(a_change_that_is_not_recorded),
		GEOMETRY_TEST(one_that_is_not_exact_is_dropped),
		GEOMETRY_TEST_IF(the_history_goes_round, is_one),
		GEOMETRY_TEST(any_order_of_calls),
	};
	return run_geometry_tests("restore", tests, MM_ARRAY_SIZE(tests));
}
