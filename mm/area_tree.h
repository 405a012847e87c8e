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
 * lookup reads few cache lines. While there are at most AREA_INLINE areas there is no tree: the map
 * itself is the only leaf.
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
 * area_slot_of(). */
#ifdef AREA_SMALL_NODES
#define AREA_LEAF_SLOTS   12
#define AREA_LEAF_COARSE  4
#define AREA_LEAF_FINE    2
#define AREA_INNER_SLOTS  8
#define AREA_INNER_COARSE 4
#define AREA_INNER_FINE   2
#else
#define AREA_LEAF_SLOTS   100
#define AREA_LEAF_COARSE  20
#define AREA_LEAF_FINE    4
#define AREA_INNER_SLOTS  168
#define AREA_INNER_COARSE 28
#define AREA_INNER_FINE   4
#endif

struct area_leaf {
	struct area_head head;
	uint64_t starts[AREA_LEAF_SLOTS];
	struct area areas[AREA_LEAF_SLOTS];
};

struct area_inner {
	struct area_head head;
	uint64_t starts[AREA_INNER_SLOTS];
	uint64_t gaps[AREA_INNER_SLOTS];
	struct area_node *children[AREA_INNER_SLOTS];
};

/* One frame. Level 0 of the tree has leaves, all other levels inner nodes. */
struct area_node {
	union {
		struct area_head head;
		struct area_leaf leaf;
		struct area_inner inner;
	};
};

_Static_assert(sizeof(struct area_node) <= MM_PAGE_SIZE, "a node is one frame");

/*
 * The index of the last of n ascending starts that is at most key, or 0 if there is none. n, coarse
 * and fine are constants, each a multiple of the next, so the compiler unrolls all loops. Three
 * rounds count the starts that are at most key: every coarse-th start, then every fine-th of the
 * remaining ones, then each. The loads of one round are independent of each other, while a binary
 * search makes seven dependent loads. There is no branch to mispredict.
 */
static MM_ALWAYS_INLINE unsigned area_slot_of(const uint64_t *starts, unsigned n, unsigned coarse,
                                              unsigned fine, uint64_t key)
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

static MM_ALWAYS_INLINE unsigned area_inner_slot(const uint64_t *starts, uint64_t key)
{
	return area_slot_of(starts, AREA_INNER_SLOTS, AREA_INNER_COARSE, AREA_INNER_FINE, key);
}

static MM_ALWAYS_INLINE unsigned area_leaf_slot(const uint64_t *starts, uint64_t key)
{
	return area_slot_of(starts, AREA_LEAF_SLOTS, AREA_LEAF_COARSE, AREA_LEAF_FINE, key);
}

static MM_ALWAYS_INLINE unsigned area_inline_slot(const uint64_t *starts, uint64_t key)
{
	return area_slot_of(starts, AREA_INLINE, 4, 2, key);
}

static inline unsigned area_node_capacity(unsigned level)
{
	return level == 0 ? AREA_LEAF_SLOTS : AREA_INNER_SLOTS;
}

static inline uint64_t area_last(const struct area *area)
{
	return gpa_range_last(area->range).raw;
}

/* The path to the last area that starts at or below the page of `key`, or else to the first area.
 */
void area_descend(const struct area_map *map, uint64_t key, struct area_path *path);

/* The area after path's, or NULL. */
const struct area *area_after(const struct area_map *map, const struct area_path *path);

/* Moves a path to the next slot, in this leaf or the next one. False: there is none, and the path
 * is not valid any more. */
bool area_path_next(const struct area_map *map, struct area_path *path);

/*
 * Replaces `old` areas (0 or 1) at path->slot by n areas (1 to 3) in ascending order that overlap
 * no other area. `path` comes from area_descend() for the start of the first one. With old = 0 they
 * go to the slot after it. A full leaf is split, with frames of the reservation.
 */
void area_splice(struct area_map *map, struct area_path *path, unsigned old,
                 const struct area *areas, unsigned n, struct area_reservation *reserved);

/* Replaces the area at path->slot by one that stays between its neighbours. Needs no frame. */
void area_set(struct area_map *map, struct area_path *path, const struct area *area);

/* Removes the areas in slots [path->slot, end) of the path's leaf. The path is not valid any more.
 */
void area_drop(struct area_map *map, struct area_path *path, unsigned end);

/* Frees every node. The map has no tree then. */
void area_free_nodes(struct area_map *map);

#endif
