/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The areas of an address space: sorted, disjoint, page-aligned ranges of guest-physical
 * addresses, each with a backend. The map is a B+ tree whose nodes are frames from the HAL; the
 * first few areas live inside the map itself, so that a small address space takes no frame.
 *
 * Find, insert and remove take O(log n). Neighbours that can be one area are joined: if a page is
 * protected and then protected back, the map is the same as before.
 *
 * There is no lock here: struct aspace serialises changes. Lookups may run concurrently.
 */
#ifndef MM_AREA_H
#define MM_AREA_H

#include "mm/access.h"
#include "mm/addr.h"
#include "mm/compiler.h"
#include "mm/error.h"
#include "mm/hal.h"

MM_BEGIN_DECLS

enum area_backend {
	AREA_LINEAR, /* maps to one host range, which the library does not own */
	AREA_ALLOC,  /* frames of the library's own, taken when it is mapped or on each fault */
	AREA_DEVICE, /* never mapped: each access gets MM_FAULT_IS_DEVICE */
};

struct area {
	struct gpa_range range; /* page aligned, valid */
	enum area_backend backend;
	uint8_t perm;     /* enum mm_perm: the accesses that the guest may make */
	uint8_t memtype;  /* enum mm_memtype */
	uint8_t max_leaf; /* largest leaf level to try */
	bool populate;    /* AREA_ALLOC: all pages were mapped when it was added */
	hpa_t host;       /* AREA_LINEAR: what range.start maps to */
};

/* See area_tree.h for the tree's shape. Callers only declare an area_map. */
struct area_node;

#define AREA_INLINE 8

/* A summary of the areas in a node, or in the map itself. */
struct area_head {
	unsigned count; /* areas; in an inner node, children */
	uint64_t last;  /* last byte of the last area */
	uint64_t gap;   /* largest hole between two areas, in bytes */
};

struct area_map {
	const struct mm_hal *hal; /* outlives the map */
	struct area_node *root;   /* NULL while all areas are in first[] */
	unsigned height;          /* of the tree; 0 while root is NULL */
	size_t count;             /* areas */
	size_t frames;            /* from the HAL, one per node of the tree */

	/* In use while root is NULL. */
	struct area_head head;
	uint64_t starts[AREA_INLINE]; /* as in a leaf: ascending, unused ones UINT64_MAX */
	struct area first[AREA_INLINE];
};

/* Half-full inner nodes reach 2^47 areas at this height. */
#define AREA_MAX_HEIGHT 8

/* The most frames that one change can take: see area_reserve.c. */
#define AREA_RESERVATION_FRAMES (2 * (AREA_MAX_HEIGHT - 1))

/*
 * Frames for the nodes that one change of a map may add. The caller owns it: it initialises it,
 * passes it to one change, and releases it, even if the change did not take place. Only functions
 * that get a reservation can add nodes. Nodes that a change frees go to the HAL, not here. A change
 * that needs a frame and finds none here stops the machine (MM_REQUIRE).
 */
struct area_reservation {
	unsigned count; /* frames[0] to frames[count - 1] are held */
	hpa_t frames[AREA_RESERVATION_FRAMES];
};

/* A leaf: a node, or the slots in the map itself. */
struct area_slots {
	struct area_head *head;
	uint64_t *starts;
	struct area *areas;
	unsigned capacity;
};

/* The path from the root to a slot of a leaf. Valid until the next change. Level 0 is the leaf, the
 * root is at height - 1. */
struct area_path {
	struct area_slots leaf;
	unsigned slot; /* in the leaf */
	struct area_node *nodes[AREA_MAX_HEIGHT];
	unsigned slots[AREA_MAX_HEIGHT]; /* in inner nodes: the child on the path */
};

void area_map_init(struct area_map *map, const struct mm_hal *hal);
/* Removes all areas, and frees all frames. */
void area_map_clear(struct area_map *map);

static inline void area_reservation_init(struct area_reservation *reserved)
{
	reserved->count = 0;
}

/*
 * Takes the frames for one change of exactly this range from the HAL. The change must be the next
 * one of the map: area_remove(), area_replace(), area_protect() or area_set_host(). In most cases
 * the nodes have free slots, and no frame is taken. MM_NO_MEMORY: the HAL has too few frames, or
 * the tree has reached its greatest height; the reservation and the map have not changed.
 */
enum mm_error area_reserve(struct area_map *map, struct gpa_range range,
                           struct area_reservation *reserved) MM_MUST_CHECK;
/* The same for area_insert() at this place. */
enum mm_error area_reserve_place(struct area_map *map, const struct area_path *place,
                                 struct area_reservation *reserved) MM_MUST_CHECK;
void area_release_frames(const struct area_map *map, struct area_reservation *reserved);
/* Frees the frames that the reservation still holds. */
static inline void area_release(const struct area_map *map, struct area_reservation *reserved)
{
	if (MM_UNLIKELY(reserved->count > 0))
		area_release_frames(map, reserved);
}

/* The area that contains gpa, or NULL. The pointer is valid until the next change. */
const struct area *area_find(const struct area_map *map, gpa_t gpa);

/* The area that contains gpa, or else the first area above gpa, or NULL. To iterate, continue at
 * the byte after the last one of the area, unless that is 2^64 - 1. */
const struct area *area_first_from(const struct area_map *map, gpa_t gpa);

/* Does any area overlap the range? The range is valid. */
bool area_overlaps(const struct area_map *map, struct gpa_range range);

/* Finds the place for an area of this range, which is valid. False: it would overlap another. */
bool area_place(const struct area_map *map, struct gpa_range range, struct area_path *place);

/*
 * Adds an area at the place that was found for it. Joins it with neighbours that have the same
 * backend, permissions, memory type and policy, and contiguous host addresses. Cannot fail after
 * area_reserve_place(). The changes below cannot fail after area_reserve() of their range.
 */
void area_insert(struct area_map *map, struct area_path *place, const struct area *area,
                 struct area_reservation *reserved);

/*
 * Removes `range` from the map: areas inside it are removed, areas that overlap its ends are cut,
 * and an area around it becomes two. Parts of the range may lie in no area.
 */
void area_remove(struct area_map *map, struct gpa_range range, struct area_reservation *reserved);

/* Does the same as area_remove() of the area's range and area_insert() of the area. */
void area_replace(struct area_map *map, const struct area *area, struct area_reservation *reserved);

/* Gives every part of an area inside `range` these permissions. Splits areas at the ends of the
 * range, and joins equal neighbours. */
void area_protect(struct area_map *map, struct gpa_range range, enum mm_perm perm,
                  struct area_reservation *reserved);

/* Maps a range of one linear area to other host memory. Splits and joins as above. */
void area_set_host(struct area_map *map, struct gpa_range range, hpa_t host,
                   struct area_reservation *reserved);

/* Is every byte of the range in some area? */
bool area_covers(const struct area_map *map, struct gpa_range range);

/*
 * Finds the lowest free range of `size` bytes in `within`, at a multiple of `align`, not below
 * `hint`. MM_NO_MEMORY: there is none. MM_INVALID: size is not a positive multiple of MM_PAGE_SIZE,
 * or align is not a power of two of at least MM_PAGE_SIZE. Skips subtrees whose largest hole is too
 * small, so it takes O(log n), and one step for each hole that is large enough but not aligned.
 */
enum mm_error area_find_free(const struct area_map *map, struct gpa_range within, gpa_t hint,
                             uint64_t size, uint64_t align, gpa_t *out) MM_MUST_CHECK;

MM_END_DECLS

#endif
