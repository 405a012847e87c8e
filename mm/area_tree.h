/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The B+ tree of an area map: nodes, descent, and order. area.c defines what areas mean,
 * area_tree.c stores them.
 *
 *	            inner: starts[] gaps[] children[]
 *	           /       |        \
 *	leaf: starts[] areas[]  leaf ...  leaf ...
 *
 * A node is one frame. It keeps the first addresses of all that is below it in one array, so that a
 * lookup reads few cache lines. While there are at most MM_AREA_INLINE areas there is no tree: the
 *map itself is the only leaf.
 *
 * Invariants, between calls:
 *   - starts[] ascends; entries from count on are UINT64_MAX, so a search needs no count;
 *   - starts[i] of an inner node is the first start below children[i];
 *   - gaps[i] of an inner node is the largest hole from the first area below children[i] up to
 *     the first one below children[i + 1] (for the last child: up to its own last area);
 *   - head.last and head.gap describe the whole node in the same way;
 *   - areas[0] of an empty map contains nothing;
 *   - no node is empty, and an inner root has at least two children.
 */
#ifndef MM_AREA_TREE_H
#define MM_AREA_TREE_H

#include "mm/area.h"

/* A test builds the library with small nodes, to get high trees. COARSE and FINE are the strides of
 * mm_area_slot_of(). */
#ifdef AREA_SMALL_NODES
#define MM_AREA_LEAF_SLOTS   12
#define MM_AREA_LEAF_COARSE  4
#define MM_AREA_LEAF_FINE    2
#define MM_AREA_INNER_SLOTS  8
#define MM_AREA_INNER_COARSE 4
#define MM_AREA_INNER_FINE   2
#else
#define MM_AREA_LEAF_SLOTS   100
#define MM_AREA_LEAF_COARSE  20
#define MM_AREA_LEAF_FINE    4
#define MM_AREA_INNER_SLOTS  168
#define MM_AREA_INNER_COARSE 28
#define MM_AREA_INNER_FINE   4
#endif

struct mm_area_leaf {
	struct mm_area_head head;
	uint64_t starts[MM_AREA_LEAF_SLOTS];
	struct mm_area areas[MM_AREA_LEAF_SLOTS];
};

struct mm_area_inner {
	struct mm_area_head head;
	uint64_t starts[MM_AREA_INNER_SLOTS];
	uint64_t gaps[MM_AREA_INNER_SLOTS];
	struct mm_area_node *children[MM_AREA_INNER_SLOTS];
};

/* One frame. Level 0 of the tree has leaves, all other levels inner nodes. */
struct mm_area_node {
	union {
		struct mm_area_head head;
		struct mm_area_leaf leaf;
		struct mm_area_inner inner;
	};
};

_Static_assert(sizeof(struct mm_area_node) <= MM_PAGE_SIZE, "a node is one frame");

/*
 * The index of the last of n ascending starts that is at most key, or 0 if there is none. n, coarse
 * and fine are constants, each a multiple of the next, so the compiler unrolls all loops. Three
 * rounds count the starts that are at most key: every coarse-th start, then every fine-th of the
 * remaining ones, then each. The loads of one round are independent of each other, while a binary
 * search makes seven dependent loads. There is no branch to mispredict.
 */
static MM_ALWAYS_INLINE unsigned mm_area_slot_of(const uint64_t *starts, unsigned n,
                                                 unsigned coarse, unsigned fine, uint64_t key)
{
	unsigned slot = 0;
	for (unsigned i = coarse; i < n; i += coarse)
		slot += starts[i] <= key ? coarse : 0;
	const uint64_t *middle = &starts[slot];
	for (unsigned i = fine; i < coarse; i += fine)
		slot += middle[i] <= key ? fine : 0;
	const uint64_t *near = &starts[slot];
	for (unsigned i = 1; i < fine; i++)
		slot += near[i] <= key;
	return slot;
}

static MM_ALWAYS_INLINE unsigned mm_area_inner_slot(const uint64_t *starts, uint64_t key)
{
	return mm_area_slot_of(starts, MM_AREA_INNER_SLOTS, MM_AREA_INNER_COARSE,
	                       MM_AREA_INNER_FINE, key);
}

static MM_ALWAYS_INLINE unsigned mm_area_leaf_slot(const uint64_t *starts, uint64_t key)
{
	return mm_area_slot_of(starts, MM_AREA_LEAF_SLOTS, MM_AREA_LEAF_COARSE, MM_AREA_LEAF_FINE,
	                       key);
}

static MM_ALWAYS_INLINE unsigned mm_area_inline_slot(const uint64_t *starts, uint64_t key)
{
	return mm_area_slot_of(starts, MM_AREA_INLINE, 4, 2, key);
}

static inline unsigned mm_area_node_capacity(unsigned level)
{
	return level == 0 ? MM_AREA_LEAF_SLOTS : MM_AREA_INNER_SLOTS;
}

static inline uint64_t mm_area_last(const struct mm_area *area)
{
	return mm_gpa_range_last(area->range).raw;
}

/* The path to the last area that starts at or below the page of `key`, or else to the first area.
 */
void mm_area_descend(const struct mm_area_map *map, uint64_t key, struct mm_area_path *path);

/* The area after path's, or NULL. */
const struct mm_area *mm_area_after(const struct mm_area_map *map, const struct mm_area_path *path);

/* Moves a path to the next slot, in this leaf or the next one. False: there is none, and the path
 * is not valid any more. */
bool mm_area_path_next(const struct mm_area_map *map, struct mm_area_path *path);

/*
 * Replaces `old` areas (0 or 1) at path->slot by n areas (1 to 3) in ascending order that overlap
 * no other area. `path` comes from mm_area_descend() for the start of the first one. With old = 0
 * they go to the slot after it. A full leaf is split, with frames of the reservation.
 */
void mm_area_splice(struct mm_area_map *map, struct mm_area_path *path, unsigned old,
                    const struct mm_area *areas, unsigned n, struct mm_area_reservation *reserved);

/* Replaces the area at path->slot by one that stays between its neighbours. Needs no frame. */
void mm_area_set(struct mm_area_map *map, struct mm_area_path *path, const struct mm_area *area);

/* Removes the areas in slots [path->slot, end) of the path's leaf. The path is not valid any more.
 */
void mm_area_drop(struct mm_area_map *map, struct mm_area_path *path, unsigned end);

/* Makes *to a copy of the map, with nodes of its own; what it held before is forgotten.
 * MM_NO_MEMORY: no frame was taken, and *to must not be used. O(areas). */
enum mm_error mm_area_map_copy(struct mm_area_map *to,
                               const struct mm_area_map *from) MM_MUST_CHECK;

/* Frees every node. The map has no tree then. */
void mm_area_free_nodes(struct mm_area_map *map);

#endif
