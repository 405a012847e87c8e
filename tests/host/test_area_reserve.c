/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of the area map: what a change reserves is enough for it, wherever its nodes are full;
 * a reservation that fails leaves no trace; a change without its frames stops.
 */
#include "area_check.h"
#include "check.h"

#include <signal.h>
#include <stdlib.h>

#include "mm/assert.h"

/* Whatever mm_area_reserve() gets or not, the map is the same; after it, nothing is asked for. */
static void reserving_fails_without_a_trace(void **state)
{
	struct fixture *f = open_fixture(false);
	struct mm_area_reservation reserved;
	unsigned refusals = 0;
	(void)state;
	mm_area_reservation_init(&reserved);
	for (unsigned i = 0; i < 3000; i++) {
		struct mm_area area = alloc_area(2 * i, 1, MM_RW);
		struct mm_area_path place;
		size_t frames = f->map.frames;
		CHECK(mm_area_place(&f->map, area.range, &place));
		hal_test_fail_after(f->hal, 1);
		if (mm_area_reserve_place(&f->map, &place, &reserved) != MM_OK) {
			refusals++;
			CHECK_EQ(reserved.count, 0);
			CHECK_EQ(f->map.frames, frames);
			CHECK_EQ(f->hal->in_use, frames);
			hal_test_fail_after(f->hal, 0);
			CHECK_OK(mm_area_reserve_place(&f->map, &place, &reserved));
		}
		hal_test_fail_after(f->hal, 1);
		mm_area_insert(&f->map, &place, &area, &reserved);
		CHECK_EQ(reserved.count, 0);
		hal_test_fail_after(f->hal, 0);
		area_check_map(&f->map, f->hal);
	}
	CHECK(refusals > 20);
	cut(f, pages(0, 6000));
	CHECK_EQ(f->hal->in_use, 0);
	close_fixture(f);
}

/* A full leaf at the root: a change takes two frames, its other half and a new root. */
static void a_change_needs_no_frame_too_many(void **state)
{
	struct fixture *f = open_fixture(false);
	struct hal_test *hal = f->hal;
	struct mm_area_reservation reserved;
	(void)state;
	for (unsigned i = 0; i < MM_AREA_LEAF_SLOTS; i++)
		insert(f, alloc_area(10 * i + 1, 4, MM_RW));
	CHECK_EQ(f->map.height, 1);
	hal->keep_free = hal->frames - hal->in_use - 1;
	mm_area_reservation_init(&reserved);
	CHECK_ERR(mm_area_reserve(&f->map, pages(12, 2), &reserved), MM_NO_MEMORY);
	hal->keep_free = hal->frames - hal->in_use - 2;
	cut(f, pages(12, 2));
	hal->keep_free = 0;
	CHECK_EQ(f->map.count, MM_AREA_LEAF_SLOTS + 1);
	CHECK_EQ(f->map.height, 2);
	close_fixture(f);
}

/* A node that is emptied goes, and what comes in its place meets its neighbours, which are full. */
static void replacing_what_fills_whole_nodes(void **state)
{
	const unsigned areas = 20000, leaf = MM_AREA_LEAF_SLOTS - 1;
	const unsigned inner = leaf * (MM_AREA_INNER_SLOTS - 1);
	const unsigned most[] = {1, leaf - 1, leaf, leaf + 1, 2 * leaf, inner, areas};
	(void)state;
	for (unsigned i = 0; i < MM_ARRAY_SIZE(most); i++) {
		struct fixture *f = open_fixture(false);
		for (unsigned at = 0; at < areas; at++)
			insert(f, alloc_area(2 * at, 1, MM_RW));
		for (unsigned at = 0; at + most[i] <= areas;
		     at += most[i] < leaf ? leaf : most[i]) {
			check_context("%u areas from %u", most[i], at);
			replace(f, alloc_area(2 * at, 2 * most[i] - 1, MM_R));
			CHECK_EQ(mm_area_find(&f->map, mm_gpa_at(2 * at * MM_PAGE_SIZE))->perm,
			         MM_R);
		}
		area_check_map(&f->map, f->hal);
		close_fixture(f);
	}
}

/* Inserts single pages into the holes after the areas of the leaf at `page`, until it is full. */
static void fill_leaf(struct fixture *f, uint64_t page)
{
	struct mm_area_path path;
	mm_area_descend(&f->map, page * MM_PAGE_SIZE, &path);
	for (unsigned slot = 0; path.nodes[0]->head.count < MM_AREA_LEAF_SLOTS; slot += 2) {
		const struct mm_area *area = &path.nodes[0]->leaf.areas[slot];
		insert(f, alloc_area(mm_area_last(area) / MM_PAGE_SIZE + 1, 1, MM_X));
	}
}

/* The area that is replaced is the first of its leaf. The new one has no neighbour in that leaf
 * any more: it can go to the end of the leaf to the left, and that one is full. */
static void replacing_the_first_area_of_a_leaf(void **state)
{
	const unsigned leaf = MM_AREA_LEAF_SLOTS - 1; /* areas, after ascending insertions */
	(void)state;
	for (unsigned leaves = 2; leaves < 6; leaves++) {
		struct fixture *f = open_fixture(false);
		for (unsigned i = 0; i < leaves * leaf; i++)
			insert(f, alloc_area(2 * i, 1, MM_RW));
		for (unsigned i = leaf; i < leaves * leaf; i += leaf) {
			struct mm_area_path path;
			check_context("%u leaves, area %u", leaves, i);
			mm_area_descend(&f->map, 2 * i * MM_PAGE_SIZE, &path);
			CHECK_EQ(path.slot, 0);
			fill_leaf(f, 2 * i - 1);
			cut(f, pages(2 * i + 2, 10)); /* this leaf itself has room */
			replace(f, alloc_area(2 * i, 1, MM_R));
			area_check_map(&f->map, f->hal);
			CHECK_EQ(mm_area_find(&f->map, mm_gpa_at(2 * i * MM_PAGE_SIZE))->perm,
			         MM_R);
		}
		close_fixture(f);
	}
}

/* A replacement frees n leaves, for many n, and then the new area goes to a full leaf below a full
 * inner node. The frames that were reserved for it must still be there. */
static void replacing_many_leaves_beside_a_full_one(void **state)
{
	const unsigned leaf = MM_AREA_LEAF_SLOTS - 1, inner = leaf * (MM_AREA_INNER_SLOTS - 1);
	struct mm_area_path path;
	(void)state;
	for (unsigned leaves = 12; leaves < 52; leaves++) {
		struct fixture *f = open_fixture(false);
		check_context("%u leaves", leaves);
		for (unsigned i = 0; i < inner + 60 * leaf; i++)
			insert(f, alloc_area(2 * i, 1, MM_RW));
		fill_leaf(f, 0);
		insert(f, alloc_area(3, 1, MM_X)); /* splits it: one more child */
		fill_leaf(f, 2 * inner - 1);
		mm_area_descend(&f->map, (2 * inner - 1) * MM_PAGE_SIZE, &path);
		CHECK_EQ(path.nodes[0]->head.count, MM_AREA_LEAF_SLOTS);
		CHECK_EQ(path.nodes[1]->head.count, MM_AREA_INNER_SLOTS);
		replace(f, alloc_area(2 * inner, 2 * leaves * leaf - 1, MM_R));
		close_fixture(f);
	}
}

/* --- reservations that are wrong --- */

struct insertion {
	struct fixture *f;
	struct mm_area area;
	struct mm_area_reservation reserved;
};

static void insert_with_what_is_reserved(void *ctx)
{
	struct insertion *i = ctx;
	struct mm_area_path place;
	CHECK(mm_area_place(&i->f->map, i->area.range, &place));
	mm_area_insert(&i->f->map, &place, &i->area, &i->reserved);
}

/* In every build: no frame, or a number of them that cannot be, never becomes a node. */
static void a_change_without_its_frames_stops(void **state)
{
	const unsigned counts[] = {0, MM_AREA_RESERVATION_FRAMES + 1, UINT32_MAX};
	struct insertion i = {.f = open_fixture(false), .area = alloc_area(1000, 1, MM_RW)};
	(void)state;
	for (unsigned area = 0; area < MM_AREA_INLINE; area++)
		insert(i.f, alloc_area(2 * area, 1, MM_RW));
	for (unsigned n = 0; n < MM_ARRAY_SIZE(counts); n++) {
		i.reserved.count = counts[n];
		CHECK(check_stopped(insert_with_what_is_reserved, &i) != NULL);
		area_check_map(&i.f->map, i.f->hal);
	}
	for (unsigned area = MM_AREA_INLINE; area < MM_AREA_LEAF_SLOTS; area++)
		insert(i.f, alloc_area(2 * area, 1, MM_RW));
	i.reserved.count = 0; /* a new root, and then the leaf's other half */
	CHECK(check_stopped(insert_with_what_is_reserved, &i) != NULL);
	area_check_map(&i.f->map, i.f->hal);
	i.area.range = pages(2 * MM_AREA_LEAF_SLOTS - 1, 1); /* it joins, and needs none */
	CHECK(check_stopped(insert_with_what_is_reserved, &i) == NULL);
	close_fixture(i.f);
}

static void panic_by(void *hal)
{
	mm_panic(hal, "file", 1, "condition");
}

static jmp_buf trapped;

static void on_trap(int number)
{
	(void)number;
	longjmp(trapped, 1);
}

static void hook_that_returns(void *ctx, const char *file, int line, const char *condition)
{
	(void)ctx;
	(void)file;
	(void)line;
	(void)condition;
}

static void a_panic_calls_the_hook_or_traps(void **state)
{
	struct fixture *f = open_fixture(false);
	struct mm_hal hals[2] = {{.panic = NULL}, {.panic = hook_that_returns}};
	struct sigaction old, trap = {.sa_handler = on_trap, .sa_flags = SA_NODEFER};
	volatile unsigned traps = 0;
	(void)state;
	CHECK_TEXT(check_stopped(panic_by, &f->hal->hal), "condition");
	sigaction(SIGILL, &trap, &old);
	if (setjmp(trapped) != 0)
		traps++;
	if (traps < MM_ARRAY_SIZE(hals))
		panic_by(&hals[traps]);
	sigaction(SIGILL, &old, NULL);
	CHECK_EQ(traps, 2);
	close_fixture(f);
}

/*
 * A tree of the greatest height whose root has `children`. The first and the last child lead down
 * to a full leaf each, through nodes that are full; all children of one of those are the same.
 */
struct tower {
	struct mm_area_node root, sides[2][MM_AREA_MAX_HEIGHT - 1];
	struct mm_area_map map;
};

#define SIDE 10000 /* pages from the first leaf's areas to the second one's */

static void fill_inner(struct mm_area_node *node, uint64_t first, unsigned count,
                       struct mm_area_node *child)
{
	node->head.count = count;
	for (unsigned i = 0; i < MM_AREA_INNER_SLOTS; i++) {
		node->inner.starts[i] = i < count ? (first + i) * MM_PAGE_SIZE : UINT64_MAX;
		node->inner.children[i] = child;
	}
}

static struct tower *build_tower(const struct fixture *f, unsigned children)
{
	struct tower *t = calloc(1, sizeof(*t));
	for (unsigned side = 0; side < 2; side++) {
		struct mm_area_node *node = t->sides[side];
		node->head.count = MM_AREA_LEAF_SLOTS;
		for (unsigned i = 0; i < MM_AREA_LEAF_SLOTS; i++) {
			node->leaf.areas[i] = alloc_area(side * SIDE + 10 * i, 4, MM_RW);
			node->leaf.starts[i] = node->leaf.areas[i].range.start.raw;
		}
		for (unsigned level = 1; level + 1 < MM_AREA_MAX_HEIGHT; level++, node++)
			fill_inner(node + 1, side * SIDE, MM_AREA_INNER_SLOTS, node);
	}
	mm_area_map_init(&t->map, f->map.hal);
	t->map.root = &t->root;
	t->map.height = MM_AREA_MAX_HEIGHT;
	t->map.count = 2 * MM_AREA_LEAF_SLOTS;
	fill_inner(&t->root, 0, children, &t->sides[0][MM_AREA_MAX_HEIGHT - 2]);
	t->root.inner.starts[children - 1] = SIDE * MM_PAGE_SIZE;
	t->root.inner.children[children - 1] = &t->sides[1][MM_AREA_MAX_HEIGHT - 2];
	return t;
}

/* The most frames that a change can take, and a tree that cannot grow. */
static void the_highest_tree(void **state)
{
	const struct {
		unsigned children, one, both; /* frames for one end, and for both; 0: refused */
	} rows[] = {
		{MM_AREA_INNER_SLOTS - 2, MM_AREA_MAX_HEIGHT - 1, MM_AREA_RESERVATION_FRAMES},
		{MM_AREA_INNER_SLOTS - 1, MM_AREA_MAX_HEIGHT - 1, 0},
		{MM_AREA_INNER_SLOTS, 0, 0},
	};
	/* From a hole after the first leaf's areas, or from the middle of one, to the middle of
	 * one of the second leaf. */
	const struct mm_gpa_range one = pages(991, 1), both = pages(995, SIDE + 2 - 995);
	(void)state;
	for (unsigned i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		struct fixture *f = open_fixture(false);
		struct tower *t = build_tower(f, rows[i].children);
		struct mm_area_reservation reserved;
		struct mm_area_path place;
		check_context("row %u", i);
		mm_area_reservation_init(&reserved);
		CHECK_ERR(mm_area_reserve(&t->map, one, &reserved),
		          rows[i].one ? MM_OK : MM_NO_MEMORY);
		CHECK_EQ(reserved.count, rows[i].one);
		mm_area_release(&t->map, &reserved);
		CHECK(mm_area_place(&t->map, pages(995, 1), &place));
		CHECK_ERR(mm_area_reserve_place(&t->map, &place, &reserved),
		          rows[i].one ? MM_OK : MM_NO_MEMORY);
		CHECK_EQ(reserved.count, rows[i].one); /* and what is missing for both is added: */
		CHECK_ERR(mm_area_reserve(&t->map, both, &reserved),
		          rows[i].both ? MM_OK : MM_NO_MEMORY);
		CHECK_EQ(reserved.count, rows[i].both ? rows[i].both : rows[i].one);
		CHECK_EQ(f->hal->in_use, reserved.count);
		mm_area_release(&t->map, &reserved);
		free(t);
		close_fixture(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reserving_fails_without_a_trace),
		cmocka_unit_test(a_change_needs_no_frame_too_many),
		cmocka_unit_test(replacing_what_fills_whole_nodes),
		cmocka_unit_test(replacing_the_first_area_of_a_leaf),
		cmocka_unit_test(replacing_many_leaves_beside_a_full_one),
		cmocka_unit_test(a_change_without_its_frames_stops),
		cmocka_unit_test(a_panic_calls_the_hook_or_traps),
		cmocka_unit_test(the_highest_tree),
	};
	return cmocka_run_group_tests_name("mm_area_reserve", tests, NULL, NULL);
}
