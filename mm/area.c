/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Areas: find, cut, join, and the holes between them.
 *
 * This file defines what an area means: what a part of a linear area maps to, and which neighbours
 * can be one area. area_tree.c keeps the areas in order.
 */
#include "mm/area_tree.h"

void area_map_init(struct area_map *map, const struct mm_hal *hal)
{
	*map = (struct area_map){.hal = hal};
	for (unsigned i = 0; i < AREA_INLINE; i++)
		map->starts[i] = UINT64_MAX;
}

void area_map_clear(struct area_map *map)
{
	area_free_nodes(map);
	area_map_init(map, map->hal);
}

/* --- lookup --- */

const struct area *area_find(const struct area_map *map, gpa_t gpa)
{
	/* Unused slots start at 2^64 - 1, and no page does. */
	uint64_t page = mm_align_down(gpa.raw, MM_PAGE_SIZE);
	const struct area *area;

	if (map->height == 0) {
		area = &map->first[area_inline_slot(map->starts, page)];
	} else {
		const struct area_node *node = map->root;
		for (unsigned level = map->height - 1; level > 0; level--)
			node = node->inner.children[area_inner_slot(node->inner.starts, page)];
		area = &node->leaf.areas[area_leaf_slot(node->leaf.starts, page)];
	}
	return gpa_range_contains(area->range, gpa) ? area : NULL;
}

static struct area *area_at(const struct area_path *path)
{
	return &path->leaf.areas[path->slot];
}

/* The path to the first area that starts at or above key. False: there is none. */
static bool descend_from(const struct area_map *map, uint64_t key, struct area_path *path)
{
	area_descend(map, key, path);
	if (path->leaf.head->count > 0 && path->leaf.starts[path->slot] >= key)
		return true;
	return area_path_next(map, path);
}

const struct area *area_first_from(const struct area_map *map, gpa_t gpa)
{
	struct area_path path;

	area_descend(map, gpa.raw, &path);
	if (gpa_range_contains(area_at(&path)->range, gpa))
		return area_at(&path);
	if (path.leaf.starts[path.slot] > gpa.raw)
		return map->count > 0 ? area_at(&path) : NULL;
	return area_after(map, &path);
}

bool area_overlaps(const struct area_map *map, struct gpa_range range)
{
	const struct area *area = area_first_from(map, range.start);
	return area && area->range.start.raw <= gpa_range_last(range).raw;
}

bool area_covers(const struct area_map *map, struct gpa_range range)
{
	struct area_path path;
	uint64_t last = gpa_range_last(range).raw;
	uint64_t next = range.start.raw;

	area_descend(map, next, &path);
	if (path.leaf.head->count == 0)
		return false;
	while (gpa_range_contains(area_at(&path)->range, gpa_at(next))) {
		uint64_t end = area_last(area_at(&path));
		if (end >= last)
			return true;
		if (!area_path_next(map, &path))
			return false;
		next = end + 1;
	}
	return false;
}

/* The index of the last of n ascending starts that is at most key, or 0 if there is none. */
static unsigned last_at_most(const uint64_t *starts, unsigned n, uint64_t key)
{
	unsigned slot = 0;
	while (n > 1) {
		unsigned half = n / 2;
		slot += starts[slot + half] <= key ? half : 0;
		n -= half;
	}
	return slot;
}

/* --- cutting and joining --- */

/* The part of an area from `at` on. `at` lies inside it. */
static struct area area_from(const struct area *area, uint64_t at)
{
	struct area part = *area;
	uint64_t offset = at - area->range.start.raw;
	part.range.start.raw = at;
	part.range.size -= offset;
	if (part.backend == AREA_LINEAR)
		part.host = hpa_plus(part.host, offset);
	return part;
}

/* The part below `at`. */
static struct area area_below(const struct area *area, uint64_t at)
{
	struct area part = *area;
	part.range.size = at - area->range.start.raw;
	return part;
}

/* Are two areas equal except for their ranges? `offset` is the distance of their starts. */
static bool area_alike(const struct area *low, const struct area *high, uint64_t offset)
{
	return low->backend == high->backend && low->perm == high->perm &&
	       low->memtype == high->memtype && low->max_leaf == high->max_leaf &&
	       low->populate == high->populate &&
	       (low->backend != AREA_LINEAR || low->host.raw + offset == high->host.raw);
}

/* Can two areas, the first below the second, be one? */
static bool area_joins(const struct area *low, const struct area *high)
{
	return low->range.start.raw + low->range.size == high->range.start.raw &&
	       area_alike(low, high, low->range.size);
}

/* The area above this place, or NULL. */
static const struct area *area_above(const struct area_map *map, const struct area_path *place,
                                     uint64_t start)
{
	if (place->leaf.starts[place->slot] < start)
		return area_after(map, place);
	return map->count > 0 ? area_at(place) : NULL;
}

bool area_place(const struct area_map *map, struct gpa_range range, struct area_path *place)
{
	area_descend(map, range.start.raw, place);
	if (gpa_range_contains(area_at(place)->range, range.start))
		return false;
	const struct area *above = area_above(map, place, range.start.raw);
	return !above || above->range.start.raw > gpa_range_last(range).raw;
}

void area_insert(struct area_map *map, struct area_path *place, const struct area *area,
                 struct area_reservation *reserved)
{
	struct area whole = *area;
	uint64_t start = area->range.start.raw;
	bool has_low = place->leaf.starts[place->slot] < start;
	bool joins_low = has_low && area_joins(area_at(place), area);
	const struct area *above = area_above(map, place, start);
	bool joins_high = above && area_joins(area, above);

	if (joins_low) {
		whole = *area_at(place);
		whole.range.size += area->range.size;
	}
	if (joins_high) {
		whole.range.size += above->range.size;
		if (has_low)
			(void)area_path_next(map, place);
	}
	if (joins_low && joins_high) {
		area_drop(map, place, place->slot + 1);
		area_descend(map, start, place);
	}
	if (joins_low || joins_high)
		area_set(map, place, &whole);
	else
		area_splice(map, place, 0, &whole, 1, reserved);
}

/* Removes the areas that start inside the range. Cuts the last one if it ends above the range. */
static void drop_inside(struct area_map *map, struct gpa_range range)
{
	struct area_path path;
	uint64_t last = gpa_range_last(range).raw;

	while (descend_from(map, range.start.raw, &path) && path.leaf.starts[path.slot] <= last) {
		struct area_slots *leaf = &path.leaf;
		unsigned slot = path.slot;
		unsigned end = last_at_most(leaf->starts, leaf->head->count, last) + 1;
		bool done = end < leaf->head->count;

		if (area_last(&leaf->areas[end - 1]) > last) {
			struct area high = area_from(&leaf->areas[end - 1], last + 1);
			path.slot = --end;
			area_set(map, &path, &high);
			path.slot = slot;
			done = true;
		}
		if (end > slot)
			area_drop(map, &path, end);
		if (done)
			return;
	}
}

/* Removes a range that begins inside an area, and puts `middle` there if it is not NULL. The area
 * becomes 0 to 3 areas. */
static unsigned cut_out(const struct area *area, struct gpa_range range, const struct area *middle,
                        struct area pieces[3])
{
	uint64_t last = gpa_range_last(range).raw;
	unsigned n = 0;
	if (area->range.start.raw < range.start.raw)
		pieces[n++] = area_below(area, range.start.raw);
	if (middle)
		pieces[n++] = *middle;
	if (area_last(area) > last)
		pieces[n++] = area_from(area, last + 1);
	return n;
}

/* Cuts the area at the path if it begins below the range and ends inside it. */
static void trim_below(struct area_map *map, struct area_path *path, struct gpa_range range)
{
	struct area area = *area_at(path);
	if (area.range.start.raw >= range.start.raw || !gpa_range_contains(area.range, range.start))
		return;
	struct area low = area_below(&area, range.start.raw);
	area_set(map, path, &low);
}

void area_remove(struct area_map *map, struct gpa_range range, struct area_reservation *reserved)
{
	struct area_path path;
	struct area pieces[3];

	area_descend(map, range.start.raw, &path);
	struct area area = *area_at(&path);
	if (area.range.start.raw < range.start.raw && gpa_range_contains(area.range, range.start) &&
	    area_last(&area) > gpa_range_last(range).raw) {
		unsigned n = cut_out(&area, range, NULL, pieces);
		area_splice(map, &path, 1, pieces, n, reserved);
		return;
	}
	trim_below(map, &path, range);
	drop_inside(map, range);
}

/* --- permissions --- */

/* Splits the area around `at`, if `at` lies inside one and not at its start. */
static void cut(struct area_map *map, uint64_t at, struct area_reservation *reserved)
{
	struct area_path path;
	area_descend(map, at, &path);
	struct area area = *area_at(&path);
	if (area.range.start.raw >= at || !gpa_range_contains(area.range, gpa_at(at)))
		return;
	struct area halves[2] = {area_below(&area, at), area_from(&area, at)};
	area_splice(map, &path, 1, halves, 2, reserved);
}

/* Joins areas at all boundaries from the start of the range up to its end. */
static void join_around(struct area_map *map, struct gpa_range range)
{
	struct area_path path, next;
	uint64_t start = range.start.raw;
	uint64_t last = gpa_range_last(range).raw;
	struct area run;

	area_descend(map, start > 0 ? start - 1 : 0, &path);
	do {
		run = *area_at(&path);
		uint64_t end = area_last(&run);
		next = path;
		while (area_path_next(map, &next) && area_joins(&run, area_at(&next)))
			run.range.size += area_at(&next)->range.size;
		if (area_last(&run) > end) {
			drop_inside(map, gpa_range(gpa_at(end + 1), area_last(&run) - end));
			area_descend(map, run.range.start.raw, &path);
			area_set(map, &path, &run);
		}
	} while (area_last(&run) < last && area_path_next(map, &path));
}

/* For a range that does not lie in one area. */
static void protect_many(struct area_map *map, struct gpa_range range, enum mm_perm perm,
                         struct area_reservation *reserved)
{
	struct area_path path;
	uint64_t last = gpa_range_last(range).raw;

	cut(map, range.start.raw, reserved);
	if (last != UINT64_MAX)
		cut(map, last + 1, reserved);
	bool more = descend_from(map, range.start.raw, &path);
	while (more && area_at(&path)->range.start.raw <= last) {
		area_at(&path)->perm = (uint8_t)perm;
		more = area_path_next(map, &path);
	}
	join_around(map, range);
}

/* The part of an area that a range inside it covers. */
static struct area part_of(const struct area *area, struct gpa_range range)
{
	struct area part = area_from(area, range.start.raw);
	part.range.size = range.size;
	return part;
}

/* Replaces a part of the area at path by `part`. The area covers it, and is not equal to it. */
static void replace_part(struct area_map *map, struct area_path *path, const struct area *part,
                         struct area_reservation *reserved)
{
	struct area area = *area_at(path);
	struct area pieces[3];
	unsigned n = cut_out(&area, part->range, part, pieces);

	area_splice(map, path, 1, pieces, n, reserved);
	if (n < 3)
		join_around(map, part->range);
}

void area_set_host(struct area_map *map, struct gpa_range range, hpa_t host,
                   struct area_reservation *reserved)
{
	struct area_path path;

	area_descend(map, range.start.raw, &path);
	struct area part = part_of(area_at(&path), range);
	bool moves = part.host.raw != host.raw;
	part.host = host;
	if (moves)
		replace_part(map, &path, &part, reserved);
}

void area_protect(struct area_map *map, struct gpa_range range, enum mm_perm perm,
                  struct area_reservation *reserved)
{
	struct area_path path;

	area_descend(map, range.start.raw, &path);
	const struct area *area = area_at(&path);
	if (map->count > 0 && gpa_range_covers(area->range, range)) {
		struct area part = part_of(area, range);
		part.perm = (uint8_t)perm;
		if (area->perm != perm)
			replace_part(map, &path, &part, reserved);
	} else if (map->count > 0) {
		protect_many(map, range, perm, reserved);
	}
}

/* --- replacing --- */

/*
 * For a range that does not lie in one area. If an area lies wholly inside the range, the new area
 * takes its slot. Otherwise at most two areas overlap the ends of the range. They are cut, which
 * moves no area to another leaf, and the new area is inserted. So a replacement that removes an
 * area never inserts one.
 */
static void replace_many(struct area_map *map, struct area_path *path, const struct area *area,
                         struct area_reservation *reserved)
{
	uint64_t start = area->range.start.raw;
	uint64_t last = gpa_range_last(area->range).raw;

	trim_below(map, path, area->range);
	if (descend_from(map, start, path) && area_last(area_at(path)) <= last) {
		struct area first = *area_at(path);
		uint64_t end = area_last(&first);
		if (end < last)
			drop_inside(map, gpa_range(gpa_at(end + 1), last - end));
		area_descend(map, first.range.start.raw, path);
		area_set(map, path, area);
		join_around(map, area->range);
		return;
	}
	drop_inside(map, area->range);
	area_descend(map, start, path);
	area_insert(map, path, area, reserved);
}

void area_replace(struct area_map *map, const struct area *area, struct area_reservation *reserved)
{
	struct area_path path;

	area_descend(map, area->range.start.raw, &path);
	const struct area *old = area_at(&path);
	if (map->count == 0 || !gpa_range_covers(old->range, area->range))
		replace_many(map, &path, area, reserved);
	else if (!area_alike(old, area, area->range.start.raw - old->range.start.raw))
		replace_part(map, &path, area, reserved);
}

/* --- holes --- */

struct hole {
	uint64_t first, last; /* bytes that may be used */
	uint64_t size, align;
	uint64_t found;
};

/* Does it fit into the bytes from `first` to `last`? There are none if last < first. */
static bool hole_fits(struct hole *hole, uint64_t first, uint64_t last)
{
	gpa_t start;
	first = first > hole->first ? first : hole->first;
	last = last < hole->last ? last : hole->last;
	if (first > last || !gpa_align_up(gpa_at(first), hole->align, &start))
		return false;
	if (start.raw > last || last - start.raw < hole->size - 1)
		return false;
	hole->found = start.raw;
	return true;
}

static bool hole_in_leaf(const struct area_head *head, const uint64_t *starts,
                         const struct area *areas, struct hole *hole)
{
	unsigned count = head->count;
	for (unsigned i = last_at_most(starts, count, hole->first); i + 1 < count; i++) {
		if (hole_fits(hole, area_last(&areas[i]) + 1, starts[i + 1] - 1))
			return true;
	}
	return false;
}

/* Tries the holes between the areas of a subtree, lowest first. Recursion: the height of the tree.
 */
static bool hole_in_node(const struct area_node *node, unsigned level, struct hole *hole)
{
	const struct area_inner *inner = &node->inner;
	if (node->head.gap < hole->size)
		return false;
	if (level == 0)
		return hole_in_leaf(&node->head, node->leaf.starts, node->leaf.areas, hole);

	unsigned i = last_at_most(inner->starts, inner->head.count, hole->first);
	for (; i < inner->head.count && inner->starts[i] <= hole->last; i++) {
		const struct area_node *child = inner->children[i];
		if (inner->gaps[i] < hole->size)
			continue;
		if (hole_in_node(child, level - 1, hole))
			return true;
		if (i + 1 < inner->head.count &&
		    hole_fits(hole, child->head.last + 1, inner->starts[i + 1] - 1))
			return true;
	}
	return false;
}

static bool find_hole(const struct area_map *map, struct hole *hole)
{
	const struct area_head *head = map->root ? &map->root->head : &map->head;
	const uint64_t *starts = map->root ? map->root->leaf.starts : map->starts;

	if (map->count == 0)
		return hole_fits(hole, 0, UINT64_MAX);
	if (starts[0] > 0 && hole_fits(hole, 0, starts[0] - 1))
		return true;
	if (map->root ? hole_in_node(map->root, map->height - 1, hole)
	              : hole_in_leaf(head, starts, map->first, hole))
		return true;
	return head->last != UINT64_MAX && hole_fits(hole, head->last + 1, UINT64_MAX);
}

enum mm_error area_find_free(const struct area_map *map, struct gpa_range within, gpa_t hint,
                             uint64_t size, uint64_t align, gpa_t *out)
{
	if (size == 0 || !mm_is_aligned(size, MM_PAGE_SIZE) || align < MM_PAGE_SIZE ||
	    (align & (align - 1)) != 0 || !gpa_range_valid(within))
		return MM_INVALID;
	struct hole hole = {
		.first = hint.raw > within.start.raw ? hint.raw : within.start.raw,
		.last = gpa_range_last(within).raw,
		.size = size,
		.align = align,
	};
	if (!find_hole(map, &hole))
		return MM_NO_MEMORY;
	*out = gpa_at(hole.found);
	return MM_OK;
}
