/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Areas: find, cut, join, and the holes between them.
 *
 * This file defines what an area means: what a part of a linear area maps to, and which neighbours
 * can be one area. area_tree.c keeps the areas in order.
 */
#include "mm/area_tree.h"

void mm_area_map_init(struct mm_area_map *map, const struct mm_hal *hal)
{
	*map = (struct mm_area_map){.hal = hal};
	for (unsigned i = 0; i < MM_AREA_INLINE; i++)
		map->starts[i] = UINT64_MAX;
}

void mm_area_map_clear(struct mm_area_map *map)
{
	mm_area_free_nodes(map);
	mm_area_map_init(map, map->hal);
}

/* --- lookup --- */

const struct mm_area *mm_area_find(const struct mm_area_map *map, mm_gpa_t gpa)
{
	/* Unused slots start at 2^64 - 1, and no page does. */
	uint64_t page = mm_align_down(gpa.raw, MM_PAGE_SIZE);
	const struct mm_area *area;

	if (map->height == 0) {
		area = &map->first[mm_area_inline_slot(map->starts, page)];
	} else {
		const struct mm_area_node *node = map->root;
		for (unsigned level = map->height - 1; level > 0; level--)
			node = node->inner.children[mm_area_inner_slot(node->inner.starts, page)];
		area = &node->leaf.areas[mm_area_leaf_slot(node->leaf.starts, page)];
	}
	return mm_gpa_range_contains(area->range, gpa) ? area : NULL;
}

static struct mm_area *area_at(const struct mm_area_path *path)
{
	return &path->leaf.areas[path->slot];
}

/* The path to the first area that starts at or above key. False: there is none. */
static bool descend_from(const struct mm_area_map *map, uint64_t key, struct mm_area_path *path)
{
	mm_area_descend(map, key, path);
	if (path->leaf.head->count > 0 && path->leaf.starts[path->slot] >= key)
		return true;
	return mm_area_path_next(map, path);
}

const struct mm_area *mm_area_first_from(const struct mm_area_map *map, mm_gpa_t gpa)
{
	struct mm_area_path path;

	mm_area_descend(map, gpa.raw, &path);
	if (mm_gpa_range_contains(area_at(&path)->range, gpa))
		return area_at(&path);
	if (path.leaf.starts[path.slot] > gpa.raw)
		return map->count > 0 ? area_at(&path) : NULL;
	return mm_area_after(map, &path);
}

bool mm_area_overlaps(const struct mm_area_map *map, struct mm_gpa_range range)
{
	const struct mm_area *area = mm_area_first_from(map, range.start);
	return area && area->range.start.raw <= mm_gpa_range_last(range).raw;
}

bool mm_area_covers(const struct mm_area_map *map, struct mm_gpa_range range)
{
	struct mm_area_path path;
	uint64_t last = mm_gpa_range_last(range).raw;
	uint64_t next = range.start.raw;

	mm_area_descend(map, next, &path);
	if (path.leaf.head->count == 0)
		return false;
	while (mm_gpa_range_contains(area_at(&path)->range, mm_gpa_at(next))) {
		uint64_t end = mm_area_last(area_at(&path));
		if (end >= last)
			return true;
		if (!mm_area_path_next(map, &path))
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
static struct mm_area area_from(const struct mm_area *area, uint64_t at)
{
	struct mm_area part = *area;
	uint64_t offset = at - area->range.start.raw;
	part.range.start.raw = at;
	part.range.size -= offset;
	if (part.backend == MM_AREA_LINEAR)
		part.host = mm_hpa_plus(part.host, offset);
	return part;
}

/* The part below `at`. */
static struct mm_area area_below(const struct mm_area *area, uint64_t at)
{
	struct mm_area part = *area;
	part.range.size = at - area->range.start.raw;
	return part;
}

/* Are two areas equal except for their ranges? `offset` is the distance of their starts. */
static bool area_alike(const struct mm_area *low, const struct mm_area *high, uint64_t offset)
{
	return low->backend == high->backend && low->perm == high->perm &&
	       low->memtype == high->memtype && low->max_leaf == high->max_leaf &&
	       low->populate == high->populate &&
	       (low->backend != MM_AREA_LINEAR || low->host.raw + offset == high->host.raw);
}

/* Can two areas, the first below the second, be one? */
static bool area_joins(const struct mm_area *low, const struct mm_area *high)
{
	return low->range.start.raw + low->range.size == high->range.start.raw &&
	       area_alike(low, high, low->range.size);
}

/* The area above this place, or NULL. */
static const struct mm_area *area_above(const struct mm_area_map *map,
                                        const struct mm_area_path *place, uint64_t start)
{
	if (place->leaf.starts[place->slot] < start)
		return mm_area_after(map, place);
	return map->count > 0 ? area_at(place) : NULL;
}

bool mm_area_place(const struct mm_area_map *map, struct mm_gpa_range range,
                   struct mm_area_path *place)
{
	mm_area_descend(map, range.start.raw, place);
	if (mm_gpa_range_contains(area_at(place)->range, range.start))
		return false;
	const struct mm_area *above = area_above(map, place, range.start.raw);
	return !above || above->range.start.raw > mm_gpa_range_last(range).raw;
}

void mm_area_insert(struct mm_area_map *map, struct mm_area_path *place, const struct mm_area *area,
                    struct mm_area_reservation *reserved)
{
	struct mm_area whole = *area;
	uint64_t start = area->range.start.raw;
	bool has_low = place->leaf.starts[place->slot] < start;
	bool joins_low = has_low && area_joins(area_at(place), area);
	const struct mm_area *above = area_above(map, place, start);
	bool joins_high = above && area_joins(area, above);

	if (joins_low) {
		whole = *area_at(place);
		whole.range.size += area->range.size;
	}
	if (joins_high) {
		whole.range.size += above->range.size;
		if (has_low)
			(void)mm_area_path_next(map, place);
	}
	if (joins_low && joins_high) {
		mm_area_drop(map, place, place->slot + 1);
		mm_area_descend(map, start, place);
	}
	if (joins_low || joins_high)
		mm_area_set(map, place, &whole);
	else
		mm_area_splice(map, place, 0, &whole, 1, reserved);
}

/* Removes the areas that start inside the range. Cuts the last one if it ends above the range. */
static void drop_inside(struct mm_area_map *map, struct mm_gpa_range range)
{
	struct mm_area_path path;
	uint64_t last = mm_gpa_range_last(range).raw;

	while (descend_from(map, range.start.raw, &path) && path.leaf.starts[path.slot] <= last) {
		struct mm_area_slots *leaf = &path.leaf;
		unsigned slot = path.slot;
		unsigned end = last_at_most(leaf->starts, leaf->head->count, last) + 1;
		bool done = end < leaf->head->count;

		if (mm_area_last(&leaf->areas[end - 1]) > last) {
			struct mm_area high = area_from(&leaf->areas[end - 1], last + 1);
			path.slot = --end;
			mm_area_set(map, &path, &high);
			path.slot = slot;
			done = true;
		}
		if (end > slot)
			mm_area_drop(map, &path, end);
		if (done)
			return;
	}
}

/* Removes a range that begins inside an area, and puts `middle` there if it is not NULL. The area
 * becomes 0 to 3 areas. */
static unsigned cut_out(const struct mm_area *area, struct mm_gpa_range range,
                        const struct mm_area *middle, struct mm_area pieces[3])
{
	uint64_t last = mm_gpa_range_last(range).raw;
	unsigned n = 0;
	if (area->range.start.raw < range.start.raw)
		pieces[n++] = area_below(area, range.start.raw);
	if (middle)
		pieces[n++] = *middle;
	if (mm_area_last(area) > last)
		pieces[n++] = area_from(area, last + 1);
	return n;
}

/* Cuts the area at the path if it begins below the range and ends inside it. */
static void trim_below(struct mm_area_map *map, struct mm_area_path *path,
                       struct mm_gpa_range range)
{
	struct mm_area area = *area_at(path);
	if (area.range.start.raw >= range.start.raw ||
	    !mm_gpa_range_contains(area.range, range.start))
		return;
	struct mm_area low = area_below(&area, range.start.raw);
	mm_area_set(map, path, &low);
}

void mm_area_remove(struct mm_area_map *map, struct mm_gpa_range range,
                    struct mm_area_reservation *reserved)
{
	struct mm_area_path path;
	struct mm_area pieces[3];

	mm_area_descend(map, range.start.raw, &path);
	struct mm_area area = *area_at(&path);
	if (area.range.start.raw < range.start.raw &&
	    mm_gpa_range_contains(area.range, range.start) &&
	    mm_area_last(&area) > mm_gpa_range_last(range).raw) {
		unsigned n = cut_out(&area, range, NULL, pieces);
		mm_area_splice(map, &path, 1, pieces, n, reserved);
		return;
	}
	trim_below(map, &path, range);
	drop_inside(map, range);
}

/* --- permissions --- */

/* Splits the area around `at`, if `at` lies inside one and not at its start. */
static void cut(struct mm_area_map *map, uint64_t at, struct mm_area_reservation *reserved)
{
	struct mm_area_path path;
	mm_area_descend(map, at, &path);
	struct mm_area area = *area_at(&path);
	if (area.range.start.raw >= at || !mm_gpa_range_contains(area.range, mm_gpa_at(at)))
		return;
	struct mm_area halves[2] = {area_below(&area, at), area_from(&area, at)};
	mm_area_splice(map, &path, 1, halves, 2, reserved);
}

/* Joins areas at all boundaries from the start of the range up to its end. */
static void join_around(struct mm_area_map *map, struct mm_gpa_range range)
{
	struct mm_area_path path, next;
	uint64_t start = range.start.raw;
	uint64_t last = mm_gpa_range_last(range).raw;
	struct mm_area run;

	mm_area_descend(map, start > 0 ? start - 1 : 0, &path);
	do {
		run = *area_at(&path);
		uint64_t end = mm_area_last(&run);
		next = path;
		while (mm_area_path_next(map, &next) && area_joins(&run, area_at(&next)))
			run.range.size += area_at(&next)->range.size;
		if (mm_area_last(&run) > end) {
			drop_inside(map,
			            mm_gpa_range(mm_gpa_at(end + 1), mm_area_last(&run) - end));
			mm_area_descend(map, run.range.start.raw, &path);
			mm_area_set(map, &path, &run);
		}
	} while (mm_area_last(&run) < last && mm_area_path_next(map, &path));
}

/* For a range that does not lie in one area. */
static void protect_many(struct mm_area_map *map, struct mm_gpa_range range, enum mm_perm perm,
                         struct mm_area_reservation *reserved)
{
	struct mm_area_path path;
	uint64_t last = mm_gpa_range_last(range).raw;

	cut(map, range.start.raw, reserved);
	if (last != UINT64_MAX)
		cut(map, last + 1, reserved);
	bool more = descend_from(map, range.start.raw, &path);
	while (more && area_at(&path)->range.start.raw <= last) {
		area_at(&path)->perm = (uint8_t)perm;
		more = mm_area_path_next(map, &path);
	}
	join_around(map, range);
}

/* The part of an area that a range inside it covers. */
static struct mm_area part_of(const struct mm_area *area, struct mm_gpa_range range)
{
	struct mm_area part = area_from(area, range.start.raw);
	part.range.size = range.size;
	return part;
}

/* Replaces a part of the area at path by `part`. The area covers it, and is not equal to it. */
static void replace_part(struct mm_area_map *map, struct mm_area_path *path,
                         const struct mm_area *part, struct mm_area_reservation *reserved)
{
	struct mm_area area = *area_at(path);
	struct mm_area pieces[3];
	unsigned n = cut_out(&area, part->range, part, pieces);

	mm_area_splice(map, path, 1, pieces, n, reserved);
	if (n < 3)
		join_around(map, part->range);
}

void mm_area_set_host(struct mm_area_map *map, struct mm_gpa_range range, mm_hpa_t host,
                      struct mm_area_reservation *reserved)
{
	struct mm_area_path path;

	mm_area_descend(map, range.start.raw, &path);
	struct mm_area part = part_of(area_at(&path), range);
	bool moves = part.host.raw != host.raw;
	part.host = host;
	if (moves)
		replace_part(map, &path, &part, reserved);
}

void mm_area_protect(struct mm_area_map *map, struct mm_gpa_range range, enum mm_perm perm,
                     struct mm_area_reservation *reserved)
{
	struct mm_area_path path;

	mm_area_descend(map, range.start.raw, &path);
	const struct mm_area *area = area_at(&path);
	if (map->count > 0 && mm_gpa_range_covers(area->range, range)) {
		struct mm_area part = part_of(area, range);
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
static void replace_many(struct mm_area_map *map, struct mm_area_path *path,
                         const struct mm_area *area, struct mm_area_reservation *reserved)
{
	uint64_t start = area->range.start.raw;
	uint64_t last = mm_gpa_range_last(area->range).raw;

	trim_below(map, path, area->range);
	if (descend_from(map, start, path) && mm_area_last(area_at(path)) <= last) {
		struct mm_area first = *area_at(path);
		uint64_t end = mm_area_last(&first);
		if (end < last)
			drop_inside(map, mm_gpa_range(mm_gpa_at(end + 1), last - end));
		mm_area_descend(map, first.range.start.raw, path);
		mm_area_set(map, path, area);
		join_around(map, area->range);
		return;
	}
	drop_inside(map, area->range);
	mm_area_descend(map, start, path);
	mm_area_insert(map, path, area, reserved);
}

void mm_area_replace(struct mm_area_map *map, const struct mm_area *area,
                     struct mm_area_reservation *reserved)
{
	struct mm_area_path path;

	mm_area_descend(map, area->range.start.raw, &path);
	const struct mm_area *old = area_at(&path);
	if (map->count == 0 || !mm_gpa_range_covers(old->range, area->range))
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
	mm_gpa_t start;
	first = first > hole->first ? first : hole->first;
	last = last < hole->last ? last : hole->last;
	if (first > last || !mm_gpa_align_up(mm_gpa_at(first), hole->align, &start))
		return false;
	if (start.raw > last || last - start.raw < hole->size - 1)
		return false;
	hole->found = start.raw;
	return true;
}

static bool hole_in_leaf(const struct mm_area_head *head, const uint64_t *starts,
                         const struct mm_area *areas, struct hole *hole)
{
	unsigned count = head->count;
	for (unsigned i = last_at_most(starts, count, hole->first); i + 1 < count; i++) {
		if (hole_fits(hole, mm_area_last(&areas[i]) + 1, starts[i + 1] - 1))
			return true;
	}
	return false;
}

/* Tries the holes between the areas of a subtree, lowest first. Recursion: the height of the tree.
 */
static bool hole_in_node(const struct mm_area_node *node, unsigned level, struct hole *hole)
{
	const struct mm_area_inner *inner = &node->inner;
	if (node->head.gap < hole->size)
		return false;
	if (level == 0)
		return hole_in_leaf(&node->head, node->leaf.starts, node->leaf.areas, hole);

	unsigned i = last_at_most(inner->starts, inner->head.count, hole->first);
	for (; i < inner->head.count && inner->starts[i] <= hole->last; i++) {
		const struct mm_area_node *child = inner->children[i];
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

static bool find_hole(const struct mm_area_map *map, struct hole *hole)
{
	const struct mm_area_head *head = map->root ? &map->root->head : &map->head;
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

enum mm_error mm_area_find_free(const struct mm_area_map *map, struct mm_gpa_range within,
                                mm_gpa_t hint, uint64_t size, uint64_t align, mm_gpa_t *out)
{
	if (size == 0 || !mm_is_aligned(size, MM_PAGE_SIZE) || align < MM_PAGE_SIZE ||
	    (align & (align - 1)) != 0 || !mm_gpa_range_valid(within))
		return MM_INVALID;
	struct hole hole = {
		.first = hint.raw > within.start.raw ? hint.raw : within.start.raw,
		.last = mm_gpa_range_last(within).raw,
		.size = size,
		.align = align,
	};
	if (!find_hole(map, &hole))
		return MM_NO_MEMORY;
	*out = mm_gpa_at(hole.found);
	return MM_OK;
}
