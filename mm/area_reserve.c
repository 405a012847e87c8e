/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many frames one change of an area map can take, and reserving them.
 *
 * A change takes frames only to split full nodes, to put a new root above a root that was split,
 * and to move the areas from the map itself into a first node. It splits nodes only to make room
 * for additional areas. area_frames_for() counts exactly which nodes must split, given how many
 * areas come to the leaf at the start of the range (g) and to the leaf at its end (h).
 *
 * 1. Which leaf, and how many areas. P is the leaf that mm_area_descend() finds for the range's
 * first byte, Q the one for its last byte. insert    one area, at the place that was given: g = 1.
 * Joining neighbours adds none. remove    cuts the middle out of one area: two for one, g = 1, in
 * P. Elsewhere it trims and drops, which adds none. set_host  the range lies in one area: one for
 * each end that is strictly inside it, in P. protect   in one area: the same. Otherwise the area at
 * each end may be cut in two: g = 1 in P and h = 1 in Q. Joining comes after that, and adds none.
 *      replace   in one area: the same as set_host. Otherwise, if it drops areas, the new one takes
 *                the slot of one of them: none. If it drops none, it inserts after trimming both
 *                ends. Trimming moves no area to another leaf, so the insertion meets P: g = 1.
 *    mm_area_reserve() does not ask which change it is. It takes g = 1 unless an area begins
 * exactly at the first byte, and h = 1 only if an area contains the last byte and the next one too.
 *
 * 2. The tree stays the same between reservation and change, and a change adds before it drops.
 *    So the nodes that a split meets are those that were counted, or halves of them. Where a
 *    change drops first (a joining insert, a replacement of whole areas), it adds no area.
 *
 * 3. One leaf. It splits if count + g + h > capacity, once: the halves of a leaf have room for two
 *    areas more, also where an insertion beyond the last area leaves one half full, since that
 *    insertion goes to the other half and is the only one. The parent gets one entry more, and
 *    splits if it was full, and so on. If the root splits, there is a new root.
 *
 * 4. Two leaves. Below their lowest common ancestor each way counts for itself. The ancestor gets
 *    up to two entries, and splits if count + entries > capacity, once: P lies below another of
 *    its children than its last one, so it splits in the middle. Above it there is one way.
 *
 * 5. The bound. Let H be the height before. If the root does not split, at most two nodes split at
 *    each level below it: 2 (H - 1) frames. If it does, H < MM_AREA_MAX_HEIGHT (a higher tree is
 *    refused), and there are the root's other half and a new root too: 2 H. Both are at most
 *    MM_AREA_RESERVATION_FRAMES = 2 (MM_AREA_MAX_HEIGHT - 1).
 */
#include "mm/area_tree.h"

/* More than any reservation holds. */
#define TREE_TOO_HIGH (MM_AREA_RESERVATION_FRAMES + 1)

/* The frames for `low` more areas in the leaf of path p, and `high` more in the leaf of path q. */
static unsigned area_frames_for(const struct mm_area_map *map, const struct mm_area_path *p,
                                unsigned low, const struct mm_area_path *q, unsigned high)
{
	unsigned frames = 0;

	if (map->height == 0)
		return map->head.count + low + high > MM_AREA_INLINE ? 1 : 0;
	/* low and high: the entries that come to the node at this level */
	for (unsigned level = 0; level < map->height && low + high > 0; level++) {
		unsigned capacity = mm_area_node_capacity(level);
		if (p->nodes[level] == q->nodes[level]) {
			low += high;
			high = 0;
		}
		low = p->nodes[level]->head.count + low > capacity;
		high = q->nodes[level]->head.count + high > capacity;
		frames += low + high;
	}
	if (low > 0) /* the root splits */
		return map->height < MM_AREA_MAX_HEIGHT ? frames + 1 : TREE_TOO_HIGH;
	return frames;
}

/* The usual case: there is nothing more to count. */
static bool has_room(const struct mm_area_path *path, unsigned more)
{
	return path->leaf.head->count + more <= path->leaf.capacity;
}

static enum mm_error reserve(const struct mm_area_map *map, unsigned needed,
                             struct mm_area_reservation *reserved)
{
	if (needed <= reserved->count)
		return MM_OK;
	if (needed > MM_AREA_RESERVATION_FRAMES)
		return MM_NO_MEMORY;
	unsigned missing = needed - reserved->count;
	mm_hpa_t *frames = &reserved->frames[reserved->count];
	size_t got = map->hal->alloc(map->hal->ctx, 0, missing, frames);
	if (got < missing) {
		map->hal->free(map->hal->ctx, 0, got, frames);
		return MM_NO_MEMORY;
	}
	reserved->count = needed;
	return MM_OK;
}

enum mm_error mm_area_reserve(struct mm_area_map *map, struct mm_gpa_range range,
                              struct mm_area_reservation *reserved)
{
	struct mm_area_path first, end;
	mm_gpa_t last = mm_gpa_range_last(range);

	mm_area_descend(map, range.start.raw, &first);
	const struct mm_area *area = &first.leaf.areas[first.slot];
	unsigned low = area->range.start.raw != range.start.raw;
	if (mm_gpa_range_contains(area->range, last)) {
		low += mm_area_last(area) > last.raw;
		if (MM_LIKELY(has_room(&first, low)))
			return MM_OK;
		return reserve(map, area_frames_for(map, &first, low, &first, 0), reserved);
	}
	mm_area_descend(map, last.raw, &end);
	area = &end.leaf.areas[end.slot];
	unsigned high = mm_gpa_range_contains(area->range, last) && mm_area_last(area) > last.raw;
	return reserve(map, area_frames_for(map, &first, low, &end, high), reserved);
}

enum mm_error mm_area_reserve_place(struct mm_area_map *map, const struct mm_area_path *place,
                                    struct mm_area_reservation *reserved)
{
	if (MM_LIKELY(has_room(place, 1)))
		return MM_OK;
	return reserve(map, area_frames_for(map, place, 1, place, 0), reserved);
}

void mm_area_release_frames(const struct mm_area_map *map, struct mm_area_reservation *reserved)
{
	map->hal->free(map->hal->ctx, 0, reserved->count, reserved->frames);
	reserved->count = 0;
}
