/*
 * The B+ tree under an area map: nodes, the way down, and keeping them in order. area.c says what
 * is done with areas; this says where they lie.
 *
 *	            inner: starts[] gaps[] children[]
 *	           /       |        \
 *	leaf: starts[] areas[]  leaf ...  leaf ...
 *
 * A node is one frame. Each keeps the first address of everything below it, packed, so that a
 * look-up reads little but what it compares. While there are at most AREA_INLINE areas there is
 * no tree, and the map itself is the one leaf.
 *
 * Invariants, between calls:
 *   - starts[] ascends; entries from count on are UINT64_MAX, so a search needs no count;
 *   - starts[i] of an inner node is the first start below children[i], exactly;
 *   - gaps[i] of an inner node is the largest hole from the first area below children[i] up to
 *     the first one below children[i + 1] (for the last child: up to its own last area);
 *   - head.last and head.gap say the same of the node as a whole;
 *   - areas[0] of an empty map contains nothing;
 *   - no node is empty, and an inner root has two children at least.
 */
#ifndef MM_AREA_TREE_H
#define MM_AREA_TREE_H

#include "mm/area.h"

/* A test builds the library with small nodes, so that its trees are high. The other numbers are
 * the strides of area_slot_of(). */
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

/* One frame. Which of the two it is, its height in the tree says. */
struct area_node {
	union {
		struct area_head head;
		struct area_leaf leaf;
		struct area_inner inner;
	};
};

_Static_assert(sizeof(struct area_node) <= MM_PAGE_SIZE, "a node is one frame");

/*
 * The last of n ascending starts that is at most key, or 0 if none is. n, coarse and fine are
 * constants, each a multiple of the next, so this is straight-line code: three rounds of
 * comparisons that count how many starts are low enough, first every coarse-th, then every
 * fine-th among those that remain, then each. Within a round no load waits for another, where a
 * binary search would wait for seven in turn, and no branch is there to be mispredicted.
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

/* The way to the last area that starts at or below the page of `key`, or else to the first. */
void area_descend(const struct area_map *map, uint64_t key, struct area_path *path);

/* The area after path's, or NULL. */
const struct area *area_after(const struct area_map *map, const struct area_path *path);

/* Moves a path to the slot after it, in this leaf or the next one. False: there is none, and the
 * path is no longer good for anything. */
bool area_path_next(const struct area_map *map, struct area_path *path);

/*
 * Replaces the `old` areas (0 or 1) at path->slot by n (1 to 3) ascending ones that overlap no
 * other. `path` comes from area_descend() to the first one's start; with old = 0 that finds the
 * slot below where they go. A full leaf is split, with frames of the reservation.
 */
void area_splice(struct area_map *map, struct area_path *path, unsigned old,
                 const struct area *areas, unsigned n, struct area_reservation *reserved);

/* Replaces the area at path->slot by one that stays between its neighbours. Needs no frame. */
void area_set(struct area_map *map, struct area_path *path, const struct area *area);

/* Drops the areas in slots [path->slot, end) of path's leaf. The path is good no more. */
void area_drop(struct area_map *map, struct area_path *path, unsigned end);

/* Gives every node back, and leaves the map without a tree. */
void area_free_nodes(struct area_map *map);

#endif
