/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many frames one change of an area map can take, and reserving them.
 *
 * A change takes frames only to split full nodes, to put a new root above a root that was split,
 * and to move the areas from the map itself into a first node. It splits nodes only to make room
 * for additional areas. area_frames_for() counts exactly which nodes must split, given how many
 * areas come to the leaf at the start of the range (g) and to the leaf at its end (h).
 *
 * 1. Which leaf, and how many areas. P is the leaf that area_descend() finds for the range's first
 *    byte, Q the one for its last byte.
 *      insert    one area, at the place that was given: g = 1. Joining neighbours adds none.
 *      remove    cuts the middle out of one area: two for one, g = 1, in P. Elsewhere it trims
 *                and drops, which adds none.
 *      set_host  the range lies in one area: one for each end that is strictly inside it, in P.
 *      protect   in one area: the same. Otherwise the area at each end may be cut in two: g = 1 in
 *                P and h = 1 in Q. Joining comes after that, and adds none.
 *      replace   in one area: the same as set_host. Otherwise, if it drops areas, the new one takes
 *                the slot of one of them: none. If it drops none, it inserts after trimming both
 *                ends. Trimming moves no area to another leaf, so the insertion meets P: g = 1.
 *    area_reserve() does not ask which change it is. It takes g = 1 unless an area begins exactly
 *    at the first byte, and h = 1 only if an area contains the last byte and the next one too.
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
 *    each level below it: 2 (H - 1) frames. If it does, H < AREA_MAX_HEIGHT (a higher tree is
 *    refused), and there are the root's other half and a new root too: 2 H. Both are at most
 *    AREA_RESERVATION_FRAMES = 2 (AREA_MAX_HEIGHT - 1).
 */
#include "mm/area_tree.h"

/* More than any reservation holds. */
#define TREE_TOO_HIGH (AREA_RESERVATION_FRAMES + 1)

/* The frames for `low` more areas in the leaf of path p, and `high` more in the leaf of path q. */
static unsigned area_frames_for(const struct area_map *map, const struct area_path *p, unsigned low,
                                const struct area_path *q, unsigned high)
{
	unsigned frames = 0;

	if (map->height == 0)
		return map->head.count + low + high > AREA_INLINE ? 1 : 0;
	/* low and high: the entries that come to the node at this level */
	for (unsigned level = 0; level < map->height && low + high > 0; level++) {
		unsigned capacity = area_node_capacity(level);
		if (p->nodes[level] == q->nodes[level]) {
			low += high;
			high = 0;
		}
		low = p->nodes[level]->head.count + low > capacity;
		high = q->nodes[level]->head.count + high > capacity;
		frames += low + high;
	}
	if (low > 0) /* the root splits */
		return map->height < AREA_MAX_HEIGHT ? frames + 1 : TREE_TOO_HIGH;
	return frames;
}

/* The usual case: there is nothing more to count. */
static bool has_room(const struct area_path *path, unsigned more)
{
	return path->leaf.head->count + more <= path->leaf.capacity;
}

static enum mm_error reserve(const struct area_map *map, unsigned needed,
                             struct area_reservation *reserved)
{
	if (needed <= reserved->count)
		return MM_OK;
	if (needed > AREA_RESERVATION_FRAMES)
		return MM_NO_MEMORY;
	unsigned missing = needed - reserved->count;
	hpa_t *frames = &reserved->frames[reserved->count];
	size_t got = map->hal->alloc(map->hal->ctx, 0, missing, frames);
	if (got < missing) {
		map->hal->free(map->hal->ctx, 0, got, frames);
		return MM_NO_MEMORY;
	}
	reserved->count = needed;
	return MM_OK;
}

enum mm_error area_reserve(struct area_map *map, struct gpa_range range,
                           struct area_reservation *reserved)
{
	struct area_path first, end;
	gpa_t last = gpa_range_last(range);

	area_descend(map, range.start.raw, &first);
	const struct area *area = &first.leaf.areas[first.slot];
	unsigned low = area->range.start.raw != range.start.raw;
	if (gpa_range_contains(area->range, last)) {
		low += area_last(area) > last.raw;
		if (MM_LIKELY(has_room(&first, low)))
			return MM_OK;
		return reserve(map, area_frames_for(map, &first, low, &first, 0), reserved);
	}
	area_descend(map, last.raw, &end);
	area = &end.leaf.areas[end.slot];
	unsigned high = gpa_range_contains(area->range, last) && area_last(area) > last.raw;
	return reserve(map, area_frames_for(map, &first, low, &end, high), reserved);
}

enum mm_error area_reserve_place(struct area_map *map, const struct area_path *place,
                                 struct area_reservation *reserved)
{
	if (MM_LIKELY(has_room(place, 1)))
		return MM_OK;
	return reserve(map, area_frames_for(map, place, 1, place, 0), reserved);
}

void area_release_frames(const struct area_map *map, struct area_reservation *reserved)
{
	map->hal->free(map->hal->ctx, 0, reserved->count, reserved->frames);
	reserved->count = 0;
}
