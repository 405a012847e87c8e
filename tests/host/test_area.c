/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The area map: look-up, splits, joins and holes; and a random walk against a flat array of pages,
 * with every invariant of the tree checked as it goes. test_area_reserve.c has its memory.
 */
#include "area_check.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- stories --- */

/* "0-3rw- 8-9r--": pages and permissions of every area, in order. */
static void expect_areas(const struct fixture *f, const char *expected)
{
	char text[512] = "";
	uint64_t at = 0;
	const struct mm_area *area;
	while ((area = mm_area_first_from(&f->map, mm_gpa_at(at))) != NULL) {
		size_t used = strlen(text);
		snprintf(text + used, sizeof(text) - used, "%s%llu-%llu%s", used ? " " : "",
		         (unsigned long long)(area->range.start.raw / MM_PAGE_SIZE),
		         (unsigned long long)(mm_area_last(area) / MM_PAGE_SIZE),
		         mm_perm_name((enum mm_perm)area->perm));
		at = mm_area_last(area) + 1;
		if (at == 0)
			break;
	}
	CHECK_TEXT(text, expected);
	area_check_map(&f->map, f->hal);
}

static void an_empty_map_has_nothing(void **state)
{
	struct fixture *f = open_fixture(false);
	mm_gpa_t at;
	(void)state;
	CHECK(mm_area_find(&f->map, mm_gpa_at(UINT64_MAX)) == NULL);
	CHECK(mm_area_first_from(&f->map, mm_gpa_at(0)) == NULL);
	CHECK(!mm_area_overlaps(&f->map, mm_gpa_range(mm_gpa_at(0), UINT64_MAX)));
	CHECK(!mm_area_covers(&f->map, pages(0, 1)));
	cut(f, pages(0, 100));
	protect(f, pages(0, 100), MM_R);
	CHECK_OK(mm_area_find_free(&f->map, pages(1, 10), mm_gpa_at(0), MM_PAGE_SIZE, MM_PAGE_SIZE,
	                           &at));
	CHECK_EQ(at.raw, MM_PAGE_SIZE);
	expect_areas(f, "");
	close_fixture(f);
}

static void equal_neighbours_join(void **state)
{
	struct fixture *f = open_fixture(true);
	(void)state;
	insert(f, alloc_area(4, 2, MM_RW));
	insert(f, alloc_area(0, 2, MM_RW));
	expect_areas(f, "0-1rw- 4-5rw-");
	insert(f, alloc_area(6, 1, MM_RW)); /* below it */
	expect_areas(f, "0-1rw- 4-6rw-");
	insert(f, alloc_area(3, 1, MM_RW)); /* above it */
	expect_areas(f, "0-1rw- 3-6rw-");
	insert(f, alloc_area(2, 1, MM_RW)); /* both */
	expect_areas(f, "0-6rw-");
	insert(f, alloc_area(7, 1, MM_R)); /* not alike */
	expect_areas(f, "0-6rw- 7-7r--");
	close_fixture(f);
}

/* Two areas differ in one thing each; a linear one also has to go on in the host's memory. */
static void unequal_neighbours_stay_apart(void **state)
{
	const struct mm_area base = {.range = pages(0, 2),
	                             .backend = MM_AREA_LINEAR,
	                             .perm = MM_RW,
	                             .memtype = MM_NORMAL,
	                             .max_leaf = 1,
	                             .host = mm_hpa_at(0x10000)};
	struct mm_area variants[7];
	(void)state;
	for (unsigned i = 0; i < 7; i++) {
		variants[i] = base;
		variants[i].range = pages(2, 2);
		variants[i].host = mm_hpa_at(0x12000);
	}
	variants[1].backend = MM_AREA_ALLOC;
	variants[2].perm = MM_R;
	variants[3].memtype = MM_DEVICE;
	variants[4].max_leaf = 0;
	variants[5].populate = true;
	variants[6].host = mm_hpa_at(0x13000);
	for (unsigned i = 0; i < 7; i++) {
		struct fixture *f = open_fixture(false);
		check_context("variant %u", i);
		insert(f, base);
		insert(f, variants[i]);
		CHECK_EQ(f->map.count, i == 0 ? 1 : 2);
		close_fixture(f);
	}
}

static void removal_splits_and_trims(void **state)
{
	struct fixture *f = open_fixture(false);
	(void)state;
	insert(f, alloc_area(0, 10, MM_RW));
	cut(f, pages(4, 2));
	expect_areas(f, "0-3rw- 6-9rw-");
	cut(f, pages(3, 1));
	cut(f, pages(6, 1));
	expect_areas(f, "0-2rw- 7-9rw-");
	cut(f, pages(2, 6));
	expect_areas(f, "0-1rw- 8-9rw-");
	cut(f, pages(2, 6)); /* a hole: nothing to do */
	cut(f, pages(0, 1));
	cut(f, pages(9, 20));
	expect_areas(f, "1-1rw- 8-8rw-");
	cut(f, mm_gpa_range(mm_gpa_at(0), UINT64_MAX - MM_PAGE_SIZE + 1));
	expect_areas(f, "");
	close_fixture(f);
}

static void a_cut_linear_area_keeps_its_host(void **state)
{
	struct fixture *f = open_fixture(false);
	struct mm_area linear = {.range = pages(10, 10),
	                         .backend = MM_AREA_LINEAR,
	                         .perm = MM_RW,
	                         .host = mm_hpa_at(0x100000)};
	(void)state;
	insert(f, linear);
	cut(f, pages(13, 2));
	CHECK_EQ(mm_area_find(&f->map, mm_gpa_at(12 * MM_PAGE_SIZE))->host.raw, 0x100000);
	CHECK_EQ(mm_area_find(&f->map, mm_gpa_at(15 * MM_PAGE_SIZE))->host.raw, 0x105000);
	protect(f, pages(16, 2), MM_R);
	CHECK_EQ(mm_area_find(&f->map, mm_gpa_at(16 * MM_PAGE_SIZE))->host.raw, 0x106000);
	CHECK_EQ(mm_area_find(&f->map, mm_gpa_at(18 * MM_PAGE_SIZE))->host.raw, 0x108000);
	protect(f, pages(16, 2), MM_RW);
	CHECK_EQ(f->map.count, 2);
	linear.range = pages(13, 2);
	linear.host = mm_hpa_at(0x103000);
	insert(f, linear);
	CHECK_EQ(f->map.count, 1);
	CHECK_EQ(mm_area_find(&f->map, mm_gpa_at(19 * MM_PAGE_SIZE))->host.raw, 0x100000);
	close_fixture(f);
}

static void protection_splits_and_joins_back(void **state)
{
	struct fixture *f = open_fixture(false);
	(void)state;
	insert(f, alloc_area(0, 10, MM_RW));
	protect(f, pages(4, 2), MM_R);
	expect_areas(f, "0-3rw- 4-5r-- 6-9rw-");
	protect(f, pages(0, 1), MM_X);
	protect(f, pages(9, 1), MM_X);
	expect_areas(f, "0-0--x 1-3rw- 4-5r-- 6-8rw- 9-9--x");
	protect(f, pages(2, 5), MM_RX);
	expect_areas(f, "0-0--x 1-1rw- 2-6r-x 7-8rw- 9-9--x");
	protect(f, pages(2, 5), MM_RW);
	expect_areas(f, "0-0--x 1-8rw- 9-9--x");
	protect(f, pages(5, 2), MM_RW); /* as it is */
	protect(f, pages(0, 1), MM_RW);
	protect(f, pages(9, 1), MM_RW);
	expect_areas(f, "0-9rw-");
	protect(f, pages(0, 10), MM_NONE);
	expect_areas(f, "0-9---");
	close_fixture(f);
}

static void protection_skips_holes(void **state)
{
	struct fixture *f = open_fixture(false);
	(void)state;
	insert(f, alloc_area(2, 2, MM_RW));
	insert(f, alloc_area(6, 2, MM_R));
	insert(f, alloc_area(8, 2, MM_RW));
	protect(f, pages(0, 9), MM_R);
	expect_areas(f, "2-3r-- 6-8r-- 9-9rw-");
	protect(f, pages(0, 20), MM_RW);
	expect_areas(f, "2-3rw- 6-9rw-");
	close_fixture(f);
}

static void c09_the_last_page_of_all(void **state)
{
	struct fixture *f = open_fixture(false);
	const uint64_t top = UINT64_MAX / MM_PAGE_SIZE; /* its number */
	mm_gpa_t at;
	(void)state;
	insert(f, alloc_area(top, 1, MM_RW));
	insert(f, alloc_area(top - 3, 2, MM_RW));
	CHECK(mm_area_find(&f->map, mm_gpa_at(UINT64_MAX)) != NULL);
	CHECK(mm_area_find(&f->map, mm_gpa_at(UINT64_MAX - MM_PAGE_SIZE)) == NULL);
	CHECK(mm_area_covers(&f->map, pages(top, 1)));
	CHECK(!mm_area_covers(&f->map, pages(top - 1, 2)));
	CHECK(mm_area_overlaps(&f->map, pages(top - 1, 2)));
	CHECK(!mm_area_place(&f->map, pages(top - 1, 2), &(struct mm_area_path){0}));
	protect(f, pages(top - 3, 4), MM_R);
	CHECK_EQ(f->map.count, 2);
	CHECK_OK(mm_area_find_free(&f->map, pages(1, top), mm_gpa_at((top - 3) * MM_PAGE_SIZE),
	                           MM_PAGE_SIZE, MM_PAGE_SIZE, &at));
	CHECK_EQ(at.raw, (top - 1) * MM_PAGE_SIZE);
	CHECK_ERR(mm_area_find_free(&f->map, pages(1, top), mm_gpa_at(top * MM_PAGE_SIZE),
	                            MM_PAGE_SIZE, MM_PAGE_SIZE, &at),
	          MM_NO_MEMORY);
	insert(f, alloc_area(top - 1, 1, MM_R));
	CHECK_EQ(f->map.count, 1);
	cut(f, pages(top, 1));
	CHECK(mm_area_find(&f->map, mm_gpa_at(UINT64_MAX)) == NULL);
	CHECK(mm_area_first_from(&f->map, mm_gpa_at(UINT64_MAX)) == NULL);
	close_fixture(f);
}

static void find_free_refuses_nonsense(void **state)
{
	struct fixture *f = open_fixture(false);
	const uint64_t K4 = MM_PAGE_SIZE;
	mm_gpa_t at = mm_gpa_at(1);
	(void)state;
	CHECK_ERR(mm_area_find_free(&f->map, pages(0, 9), mm_gpa_at(0), 0, K4, &at), MM_INVALID);
	CHECK_ERR(mm_area_find_free(&f->map, pages(0, 9), mm_gpa_at(0), 1, K4, &at), MM_INVALID);
	CHECK_ERR(mm_area_find_free(&f->map, pages(0, 9), mm_gpa_at(0), K4, 1, &at), MM_INVALID);
	CHECK_ERR(mm_area_find_free(&f->map, pages(0, 9), mm_gpa_at(0), K4, 3 * K4, &at),
	          MM_INVALID);
	CHECK_ERR(mm_area_find_free(&f->map, pages(0, 0), mm_gpa_at(0), K4, K4, &at), MM_INVALID);
	CHECK_ERR(mm_area_find_free(&f->map, pages(0, 9), mm_gpa_at(0), 10 * K4, K4, &at),
	          MM_NO_MEMORY);
	CHECK_ERR(mm_area_find_free(&f->map, pages(0, 9), mm_gpa_at(9 * K4), K4, K4, &at),
	          MM_NO_MEMORY);
	CHECK_ERR(mm_area_find_free(&f->map, pages(1, 9), mm_gpa_at(0), K4, 16 * K4, &at),
	          MM_NO_MEMORY);
	CHECK_EQ(at.raw, 1);
	CHECK_OK(mm_area_find_free(&f->map, pages(0, 9), mm_gpa_at(1), K4, 4 * K4, &at));
	CHECK_EQ(at.raw, 4 * K4);
	CHECK_OK(mm_area_find_free(&f->map, pages(0, 9), mm_gpa_at(0), 9 * K4, K4, &at));
	CHECK_EQ(at.raw, 0);
	close_fixture(f);
}

/* In a tree of many nodes: small holes everywhere, one large one; limits on both sides. */
static void find_free_in_a_large_tree(void **state)
{
	struct fixture *f = open_fixture(false);
	const uint64_t K4 = MM_PAGE_SIZE, top = UINT64_MAX / MM_PAGE_SIZE;
	mm_gpa_t at = mm_gpa_at(0);
	(void)state;
	for (unsigned i = 0; i < 20000; i++)
		insert(f, alloc_area(4 * i + (i >= 15000 ? 100 : 0), 3, MM_RW));
	CHECK_OK(mm_area_find_free(&f->map, pages(0, top), mm_gpa_at(0), 2 * K4, K4, &at));
	CHECK_EQ(at.raw, (4 * 15000 - 1) * K4);
	CHECK_OK(mm_area_find_free(&f->map, pages(0, top), mm_gpa_at(0), 64 * K4, 32 * K4, &at));
	CHECK_EQ(at.raw, 60000 * K4);
	CHECK_ERR(mm_area_find_free(&f->map, pages(0, 60000 + 10), mm_gpa_at(0), 64 * K4, K4, &at),
	          MM_NO_MEMORY);
	CHECK_ERR(mm_area_find_free(&f->map, pages(0, 100), mm_gpa_at(0), 2 * K4, K4, &at),
	          MM_NO_MEMORY);
	CHECK_OK(mm_area_find_free(&f->map, pages(0, 100), mm_gpa_at(50 * K4), K4, K4, &at));
	CHECK_EQ(at.raw, 51 * K4);
	/* No multiple of so large an alignment is left below 2^64. */
	CHECK_ERR(mm_area_find_free(&f->map, mm_gpa_range(mm_gpa_at(K4), UINT64_MAX - K4),
	                            mm_gpa_at(100000 * K4), K4, UINT64_C(1) << 63, &at) == MM_OK
	                  ? mm_area_find_free(&f->map, pages(1, top),
	                                      mm_gpa_at((UINT64_C(1) << 63) + 1), K4,
	                                      UINT64_C(1) << 63, &at)
	                  : MM_OK,
	          MM_NO_MEMORY);
	close_fixture(f);
}

/* --- against a flat array --- */

#define NOTHING 0xff

struct flat {
	uint8_t *perm; /* per page, or NOTHING */
	unsigned span;
};

static bool flat_any(const struct flat *flat, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++) {
		if (flat->perm[i] != NOTHING)
			return true;
	}
	return false;
}

static bool flat_all(const struct flat *flat, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++) {
		if (flat->perm[i] == NOTHING)
			return false;
	}
	return true;
}

/* Every page of the map is as in the array, and no two areas could be one. */
static void check_flat(const struct fixture *f, const struct flat *flat)
{
	const struct mm_area *area;
	uint64_t at = 0;
	unsigned page = 0;
	while ((area = mm_area_first_from(&f->map, mm_gpa_at(at))) != NULL) {
		unsigned first = (unsigned)(area->range.start.raw / MM_PAGE_SIZE);
		unsigned end = first + (unsigned)(area->range.size / MM_PAGE_SIZE);
		for (; page < first; page++)
			CHECK_EQ(flat->perm[page], NOTHING);
		for (; page < end; page++)
			CHECK_EQ(flat->perm[page], area->perm);
		CHECK(page == flat->span || flat->perm[page] != area->perm);
		at = mm_area_last(area) + 1;
	}
	for (; page < flat->span; page++)
		CHECK_EQ(flat->perm[page], NOTHING);
	area_check_map(&f->map, f->hal);
}

static void check_find_free(const struct fixture *f, const struct flat *flat, unsigned first,
                            unsigned n, unsigned align)
{
	mm_gpa_t at;
	enum mm_error err = mm_area_find_free(
		&f->map, pages(0, flat->span), mm_gpa_at((uint64_t)first * MM_PAGE_SIZE),
		(uint64_t)n * MM_PAGE_SIZE, align * MM_PAGE_SIZE, &at);
	unsigned page = (first + align - 1) / align * align;
	while (page + n <= flat->span && flat_any(flat, page, n))
		page += align;
	CHECK_ERR(err, page + n <= flat->span ? MM_OK : MM_NO_MEMORY);
	if (err == MM_OK)
		CHECK_EQ(at.raw / MM_PAGE_SIZE, page);
}

static void flat_step(struct fixture *f, struct flat *flat, struct rng *rng, bool growing)
{
	unsigned longest = rng_below(rng, 100) ? 4 : flat->span / 20 + 2;
	unsigned first = (unsigned)rng_below(rng, flat->span);
	unsigned n = 1 + (unsigned)rng_below(rng, longest);
	uint8_t perm = (uint8_t)rng_below(rng, MM_PERM_SETS);
	unsigned what = (unsigned)rng_below(rng, 10);
	struct mm_area_path place;
	n = first + n > flat->span ? flat->span - first : n;

	CHECK_EQ(mm_area_overlaps(&f->map, pages(first, n)), flat_any(flat, first, n));
	CHECK_EQ(mm_area_place(&f->map, pages(first, n), &place), !flat_any(flat, first, n));
	CHECK_EQ(mm_area_covers(&f->map, pages(first, n)), flat_all(flat, first, n));
	if (what < (growing ? 7 : 2)) {
		if (flat_any(flat, first, n))
			return;
		insert(f, alloc_area(first, n, (enum mm_perm)perm));
		memset(&flat->perm[first], perm, n);
	} else if (what < 8) {
		cut(f, pages(first, n));
		memset(&flat->perm[first], NOTHING, n);
	} else if (what < 9) {
		protect(f, pages(first, n), (enum mm_perm)perm);
		for (unsigned i = first; i < first + n; i++)
			flat->perm[i] = flat->perm[i] == NOTHING ? NOTHING : perm;
	} else if (perm % 2 != 0) {
		replace(f, alloc_area(first, n, (enum mm_perm)perm));
		memset(&flat->perm[first], perm, n);
	} else {
		check_find_free(f, flat, first, n, 1U << rng_below(rng, 5));
	}
}

static void walk_against_flat(uint64_t seed, unsigned span, unsigned steps, unsigned check_every)
{
	struct fixture *f = open_fixture(seed % 2 != 0);
	struct rng rng = rng_seeded(seed);
	struct flat flat = {malloc(span), span};
	memset(flat.perm, NOTHING, span);
	for (unsigned i = 0; i < steps; i++) {
		check_context("seed=%llu span=%u step=%u", (unsigned long long)seed, span, i);
		flat_step(f, &flat, &rng, i / (steps / 8 + 1) % 2 == 0);
		mm_gpa_t gpa = mm_gpa_at(rng_below(&rng, span * MM_PAGE_SIZE));
		const struct mm_area *area = mm_area_find(&f->map, gpa);
		CHECK_EQ(area ? area->perm : NOTHING, flat.perm[gpa.raw / MM_PAGE_SIZE]);
		if (i % check_every == 0)
			check_flat(f, &flat);
	}
	check_flat(f, &flat);
	free(flat.perm);
	close_fixture(f);
}

static void random_walks_inside_the_map(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		walk_against_flat(seed, 14, 2000, 1);
}

static void random_walks_in_one_node(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++)
		walk_against_flat(seed, 150, 3000, 3);
}

static void random_walks_in_two_levels(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++)
		walk_against_flat(seed, 3000, 12000, 97);
}

static void random_walks_in_three_levels(void **state)
{
	(void)state;
	walk_against_flat(1, 120000, 250000, 25000);
}

/* Ascending, descending and from both ends: the shapes that split nodes at their edges. */
static void regular_orders(void **state)
{
	enum {
		N = 20000
	};
	(void)state;
	for (unsigned order = 0; order < 3; order++) {
		struct fixture *f = open_fixture(false);
		check_context("order %u", order);
		for (unsigned i = 0; i < N; i++) {
			unsigned at = order == 0   ? i
			              : order == 1 ? N - 1 - i
			              : i % 2      ? N - 1 - i / 2
			                           : i / 2;
			insert(f, alloc_area(2 * at, 1, MM_RW));
		}
		area_check_map(&f->map, f->hal);
		CHECK_EQ(f->map.count, N);
		if (order == 0)
			CHECK(f->map.frames <= N / (MM_AREA_LEAF_SLOTS - 1) + 4);
		for (unsigned i = 0; i < N; i++)
			CHECK(mm_area_find(&f->map, mm_gpa_at(2 * i * MM_PAGE_SIZE)) != NULL &&
			      mm_area_find(&f->map, mm_gpa_at((2 * i + 1) * MM_PAGE_SIZE)) == NULL);
		for (unsigned i = 0; i < N; i++) {
			unsigned at = order == 1 ? N - 1 - i : i;
			cut(f, pages(2 * at, 1));
			if (i % 1000 == 0)
				area_check_map(&f->map, f->hal);
		}
		CHECK_EQ(f->hal->in_use, 0);
		close_fixture(f);
	}
}

static void removing_from_an_empty_map(void **state)
{
	struct fixture *f = open_fixture(false);
	(void)state;
	cut(f, mm_gpa_range(mm_gpa_at(0x1000), -UINT64_C(0x1000))); /* up to 2^64 */
	expect_areas(f, "");
	close_fixture(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_map_has_nothing),
		cmocka_unit_test(removing_from_an_empty_map),
		cmocka_unit_test(equal_neighbours_join),
		cmocka_unit_test(unequal_neighbours_stay_apart),
		cmocka_unit_test(removal_splits_and_trims),
		cmocka_unit_test(a_cut_linear_area_keeps_its_host),
		cmocka_unit_test(protection_splits_and_joins_back),
		cmocka_unit_test(protection_skips_holes),
		cmocka_unit_test(c09_the_last_page_of_all),
		cmocka_unit_test(find_free_refuses_nonsense),
		cmocka_unit_test(find_free_in_a_large_tree),
		cmocka_unit_test(random_walks_inside_the_map),
		cmocka_unit_test(random_walks_in_one_node),
		cmocka_unit_test(random_walks_in_two_levels),
		cmocka_unit_test(random_walks_in_three_levels),
		cmocka_unit_test(regular_orders),
	};
	return cmocka_run_group_tests_name("area", tests, NULL, NULL);
}
