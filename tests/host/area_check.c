/* SPDX-License-Identifier: BSD-2-Clause */
#include "area_check.h"

#include <stdlib.h>

#include "check.h"

/* --- the tree's invariants --- */

struct summary {
	uint64_t first, last, gap;
	size_t areas;
};

static void note(struct summary *s, bool is_first, uint64_t first, uint64_t last)
{
	if (is_first) {
		s->first = first;
	} else {
		CHECK(first > s->last);
		uint64_t hole = first - s->last - 1;
		s->gap = hole > s->gap ? hole : s->gap;
	}
	s->last = last;
}

static void check_unused(const uint64_t *starts, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		CHECK_EQ(starts[i], UINT64_MAX);
}

static struct summary check_leaf(const struct mm_area_head *head, const uint64_t *starts,
                                 const struct mm_area *areas, unsigned capacity)
{
	struct summary s = {.areas = head->count};
	check_unused(starts, head->count, capacity);
	for (unsigned i = 0; i < head->count; i++) {
		CHECK_EQ(starts[i], areas[i].range.start.raw);
		note(&s, i == 0, starts[i], mm_area_last(&areas[i]));
	}
	if (head->count > 0)
		CHECK_EQ(head->last, s.last);
	CHECK_EQ(head->gap, s.gap);
	return s;
}

static struct summary check_node(const struct mm_area_node *node, unsigned level, size_t *frames)
{
	const struct mm_area_inner *inner = &node->inner;
	++*frames;
	CHECK(node->head.count > 0);
	if (level == 0)
		return check_leaf(&node->head, node->leaf.starts, node->leaf.areas,
		                  MM_AREA_LEAF_SLOTS);

	struct summary s = {0};
	check_unused(inner->starts, inner->head.count, MM_AREA_INNER_SLOTS);
	for (unsigned i = 0; i < inner->head.count; i++) {
		struct summary below = check_node(inner->children[i], level - 1, frames);
		uint64_t gap = below.gap;
		CHECK_EQ(inner->starts[i], below.first);
		if (i + 1 < inner->head.count) {
			uint64_t hole = inner->starts[i + 1] - below.last - 1;
			gap = hole > gap ? hole : gap;
		}
		CHECK_EQ(inner->gaps[i], gap);
		note(&s, i == 0, below.first, below.last);
		s.gap = gap > s.gap ? gap : s.gap;
		s.areas += below.areas;
	}
	CHECK_EQ(inner->head.last, s.last);
	CHECK_EQ(inner->head.gap, s.gap);
	return s;
}

void area_check_map(const struct mm_area_map *map, const struct hal_test *hal)
{
	size_t frames = 0;
	struct summary s;
	if (map->root) {
		s = check_node(map->root, map->height - 1, &frames);
		CHECK(map->height == 1 || map->root->head.count > 1);
	} else {
		s = check_leaf(&map->head, map->starts, map->first, MM_AREA_INLINE);
	}
	CHECK_EQ(s.areas, map->count);
	CHECK_EQ(map->frames, frames);
	CHECK_EQ(hal->in_use, frames);
}

/* --- a map and its HAL --- */

struct fixture *open_fixture(bool hooks)
{
	struct fixture *f = calloc(1, sizeof(*f));
	f->hal = hal_test_open((struct hal_test_options){.hooks = hooks, .frames = 1024});
	mm_area_map_init(&f->map, &f->hal->hal);
	return f;
}

void close_fixture(struct fixture *f)
{
	area_check_map(&f->map, f->hal);
	mm_area_map_clear(&f->map);
	CHECK_EQ(f->map.count, 0);
	CHECK(mm_area_find(&f->map, mm_gpa_at(0)) == NULL);
	hal_test_close(f->hal);
	free(f);
}

/* A change asks for no frame, and what was reserved is in the tree or still in the reservation. */
static void release(struct fixture *f, struct mm_area_reservation *reserved, uint64_t requests)
{
	CHECK_EQ(f->hal->requests, requests);
	CHECK_EQ(f->hal->in_use, f->map.frames + reserved->count);
	mm_area_release(&f->map, reserved);
	CHECK_EQ(reserved->count, 0);
	CHECK_EQ(f->hal->in_use, f->map.frames);
}

void insert(struct fixture *f, struct mm_area area)
{
	struct mm_area_reservation reserved;
	struct mm_area_path place;
	mm_area_reservation_init(&reserved);
	CHECK(mm_area_place(&f->map, area.range, &place));
	CHECK_OK(mm_area_reserve_place(&f->map, &place, &reserved));
	uint64_t requests = f->hal->requests;
	mm_area_insert(&f->map, &place, &area, &reserved);
	release(f, &reserved, requests);
}

static uint64_t reserve(struct fixture *f, struct mm_gpa_range range,
                        struct mm_area_reservation *reserved)
{
	mm_area_reservation_init(reserved);
	CHECK_OK(mm_area_reserve(&f->map, range, reserved));
	return f->hal->requests;
}

void replace(struct fixture *f, struct mm_area area)
{
	struct mm_area_reservation reserved;
	uint64_t requests = reserve(f, area.range, &reserved);
	mm_area_replace(&f->map, &area, &reserved);
	release(f, &reserved, requests);
}

void cut(struct fixture *f, struct mm_gpa_range range)
{
	struct mm_area_reservation reserved;
	uint64_t requests = reserve(f, range, &reserved);
	mm_area_remove(&f->map, range, &reserved);
	release(f, &reserved, requests);
}

void protect(struct fixture *f, struct mm_gpa_range range, enum mm_perm perm)
{
	struct mm_area_reservation reserved;
	uint64_t requests = reserve(f, range, &reserved);
	mm_area_protect(&f->map, range, perm, &reserved);
	release(f, &reserved, requests);
}
