/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * The areas of an address space: sorted, disjoint, page-aligned ranges of guest-physical
 * addresses, each with a backend. The map is a B+ tree whose nodes are frames from the HAL; the
 * first few areas live inside the map itself, so that a small address space takes no frame.
 *
 * Find, insert and remove take O(log n). Neighbours that can be one area are joined: if a page is
 * protected and then protected back, the map is the same as before.
 *
 * There is no lock here: struct mm_aspace serialises changes. No other call on the same map may run
 * during an [exclusive] call. [shared] calls may run concurrently with each other. Addresses and
 * sizes are in bytes.
 */
#ifndef MM_AREA_H
#define MM_AREA_H

#include "mm/access.h"
#include "mm/addr.h"
#include "mm/compiler.h"
#include "mm/error.h"
#include "mm/hal.h"

MM_BEGIN_DECLS

/** What is behind an area. */
enum mm_area_backend {
	MM_AREA_LINEAR, /**< maps to one host range, which the library does not own */
	MM_AREA_ALLOC, /**< frames of the library's own, taken when it is mapped or on each fault */
	MM_AREA_DEVICE,   /**< never mapped: each access gets MM_FAULT_IS_DEVICE */
	MM_AREA_SUPPLIED, /**< frames that the caller supplies, after MM_FAULT_NEEDS_FRAME
	                     (supply.h) */
};

/** One area. */
struct mm_area {
	struct mm_gpa_range range;    /**< page aligned, valid */
	enum mm_area_backend backend; /**< what is behind it */
	uint8_t perm;                 /**< enum mm_perm: the accesses that the guest may make */
	uint8_t memtype;              /**< enum mm_memtype */
	uint8_t max_leaf;             /**< largest leaf level to try */
	bool populate;                /**< MM_AREA_ALLOC: all pages were mapped when it was added */
	mm_hpa_t host;                /**< MM_AREA_LINEAR: what range.start maps to */
};

/** See area_tree.h for the tree's shape. Callers only declare an mm_area_map. */
struct mm_area_node;

#define MM_AREA_INLINE 8 /**< areas in the map itself */

/** Callers use none of its members. A summary of the areas in a node, or in the map itself. */
struct mm_area_head {
	unsigned count; /**< areas; in an inner node, children */
	uint64_t last;  /**< last byte of the last area */
	uint64_t gap;   /**< largest hole between two areas, in bytes */
};

/** The areas of one address space. Callers use none of its members. */
struct mm_area_map {
	const struct mm_hal *hal;  /**< outlives the map */
	struct mm_area_node *root; /**< NULL while all areas are in first[] */
	unsigned height;           /**< of the tree; 0 while root is NULL */
	size_t count;              /**< areas */
	size_t frames;             /**< from the HAL, one per node of the tree */

	/** In use while root is NULL. */
	struct mm_area_head head;
	uint64_t starts[MM_AREA_INLINE]; /**< as in a leaf: ascending, unused ones UINT64_MAX */
	struct mm_area first[MM_AREA_INLINE];
};

/** Half-full inner nodes reach 2^47 areas at this height. */
#define MM_AREA_MAX_HEIGHT 8

/** The most frames that one change can take: see area_reserve.c. */
#define MM_AREA_RESERVATION_FRAMES (2 * (MM_AREA_MAX_HEIGHT - 1))

/**
 * Callers use none of its members. Frames for the nodes that one change of a map may add. The
 * caller owns it: it initialises it, passes it to one change, and releases it, even if the change
 * did not take place. Only functions that get a reservation can add nodes. Nodes that a change
 * frees go to the HAL, not here. A change that needs a frame and finds none here stops the machine
 * (MM_REQUIRE).
 */
struct mm_area_reservation {
	unsigned count; /**< frames[0] to frames[count - 1] are held */
	mm_hpa_t frames[MM_AREA_RESERVATION_FRAMES];
};

/** Callers use none of its members. A leaf: a node, or the slots in the map itself. */
struct mm_area_slots {
	struct mm_area_head *head; /**< their summary */
	uint64_t *starts;          /**< of the areas, ascending */
	struct mm_area *areas;     /**< in the same order */
	unsigned capacity;         /**< slots */
};

/** Callers use none of its members. The path from the root to a slot of a leaf. Valid until the
 * next change. Level 0 is the leaf, the root is at height - 1. */
struct mm_area_path {
	struct mm_area_slots leaf;
	unsigned slot; /**< in the leaf */
	struct mm_area_node *nodes[MM_AREA_MAX_HEIGHT];
	unsigned slots[MM_AREA_MAX_HEIGHT]; /**< in inner nodes: the child on the path */
};

/** [exclusive] Makes an empty map. The HAL stays the caller's, and outlives the map. */
void mm_area_map_init(struct mm_area_map *map, const struct mm_hal *hal);
/** [exclusive] Removes all areas, and frees all frames. */
void mm_area_map_clear(struct mm_area_map *map);

/** [exclusive] Makes a reservation that holds nothing, in memory of the caller. */
static inline void mm_area_reservation_init(struct mm_area_reservation *reserved)
{
	reserved->count = 0;
}

/**
 * [exclusive] Takes the frames for one change of exactly this range from the HAL. The change must
 * be the next one of the map: mm_area_remove(), mm_area_replace(), mm_area_protect() or
 * mm_area_set_host(). In most cases the nodes have free slots, and no frame is taken. MM_NO_MEMORY:
 * the HAL has too few frames, or the tree has reached its greatest height; the reservation and the
 * map have not changed.
 */
enum mm_error mm_area_reserve(struct mm_area_map *map, struct mm_gpa_range range,
                              struct mm_area_reservation *reserved) MM_MUST_CHECK;
/** [exclusive] The same for mm_area_insert() at this place. MM_NO_MEMORY as above. */
enum mm_error mm_area_reserve_place(struct mm_area_map *map, const struct mm_area_path *place,
                                    struct mm_area_reservation *reserved) MM_MUST_CHECK;
/** [exclusive] Frees the frames that the reservation holds; at least one. See mm_area_release(). */
void mm_area_release_frames(const struct mm_area_map *map, struct mm_area_reservation *reserved);
/** [exclusive] Frees the frames that the reservation still holds. */
static inline void mm_area_release(const struct mm_area_map *map,
                                   struct mm_area_reservation *reserved)
{
	if (MM_UNLIKELY(reserved->count > 0))
		mm_area_release_frames(map, reserved);
}

/** [shared] The area that contains gpa, or NULL. The pointer is valid until the next change. */
const struct mm_area *mm_area_find(const struct mm_area_map *map, mm_gpa_t gpa);

/** [shared] The area that contains gpa, or else the first area above gpa, or NULL. To iterate,
 * continue at the byte after the last one of the area, unless that is 2^64 - 1. */
const struct mm_area *mm_area_first_from(const struct mm_area_map *map, mm_gpa_t gpa);

/** [shared] Does any area overlap the range? The range is valid. */
bool mm_area_overlaps(const struct mm_area_map *map, struct mm_gpa_range range);

/** [shared] Finds the place for an area of this range, which is valid. False: it would overlap
 * another. */
bool mm_area_place(const struct mm_area_map *map, struct mm_gpa_range range,
                   struct mm_area_path *place);

/**
 * [exclusive] Adds an area at the place that was found for it. Joins it with neighbours that have
 * the same backend, permissions, memory type and policy, and contiguous host addresses. Cannot fail
 * after mm_area_reserve_place(). The changes below cannot fail after mm_area_reserve() of their
 * range.
 */
void mm_area_insert(struct mm_area_map *map, struct mm_area_path *place, const struct mm_area *area,
                    struct mm_area_reservation *reserved);

/**
 * [exclusive] Removes `range` from the map: areas inside it are removed, areas that overlap its
 * ends are cut, and an area around it becomes two. Parts of the range may lie in no area.
 */
void mm_area_remove(struct mm_area_map *map, struct mm_gpa_range range,
                    struct mm_area_reservation *reserved);

/** [exclusive] Does the same as mm_area_remove() of the area's range and mm_area_insert() of the
 * area. */
void mm_area_replace(struct mm_area_map *map, const struct mm_area *area,
                     struct mm_area_reservation *reserved);

/** [exclusive] Gives every part of an area inside `range` these permissions. Splits areas at the
 * ends of the range, and joins equal neighbours. */
void mm_area_protect(struct mm_area_map *map, struct mm_gpa_range range, enum mm_perm perm,
                     struct mm_area_reservation *reserved);

/** [exclusive] Maps a range of one linear area to other host memory. Splits and joins as above. */
void mm_area_set_host(struct mm_area_map *map, struct mm_gpa_range range, mm_hpa_t host,
                      struct mm_area_reservation *reserved);

/** [shared] Is every byte of the range in some area? */
bool mm_area_covers(const struct mm_area_map *map, struct mm_gpa_range range);

/**
 * [shared] Finds the lowest free range of `size` bytes in `within`, at a multiple of `align`, not
 * below `hint`. MM_NO_MEMORY: there is none. MM_INVALID: size is not a positive multiple of
 * MM_PAGE_SIZE, or align is not a power of two of at least MM_PAGE_SIZE. Skips subtrees whose
 * largest hole is too small, so it takes O(log n), and one step for each hole that is large enough
 * but not aligned.
 */
enum mm_error mm_area_find_free(const struct mm_area_map *map, struct mm_gpa_range within,
                                mm_gpa_t hint, uint64_t size, uint64_t align,
                                mm_gpa_t *out) MM_MUST_CHECK;

MM_END_DECLS

#endif
