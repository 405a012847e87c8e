/*
 * The areas of an address space: sorted, disjoint, page-aligned ranges of guest-physical
 * addresses, each with a backend. The map is a B+ tree whose nodes are frames from the HAL; the
 * first few areas live inside the map itself, so that a small address space takes no frame.
 *
 * Find, insert and remove cost O(log n); neighbours that could be one area are joined, so
 * protecting a page and protecting it back leaves the map as it was.
 *
 * Not locked here: struct aspace serialises changes, and look-ups run beside each other.
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
	AREA_LINEAR, /* gpa maps to a fixed host range, which the library does not own */
	AREA_ALLOC,  /* frames of the library's own, populated when mapped or lazily on fault */
	AREA_DEVICE, /* never mapped: each access is answered with MM_FAULT_IS_DEVICE */
};

struct area {
	struct gpa_range range; /* page aligned, valid */
	enum area_backend backend;
	uint8_t perm;     /* enum mm_perm: what the guest may do */
	uint8_t memtype;  /* enum mm_memtype */
	uint8_t max_leaf; /* largest leaf level to try */
	bool populate;    /* AREA_ALLOC: was to be present from the start */
	hpa_t host;       /* AREA_LINEAR: where range.start maps to */
};

/* See area_tree.h for the tree's shape. Callers only declare an area_map. */
struct area_node;

#define AREA_INLINE 8

/* What is known of a run of areas, in a node or in the map itself. */
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
	size_t frames;            /* of the HAL's, one per node of the tree */

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
 * Frames for the nodes that one change of a map may add. The caller owns it, initialises it, passes
 * it to one change and releases it, whether or not the change took place. Only functions that are
 * given a reservation can add a node, nodes that a change frees do not come here, and a change
 * that finds it empty stops the machine (MM_REQUIRE).
 */
struct area_reservation {
	unsigned count; /* frames[0] to frames[count - 1] are held */
	hpa_t frames[AREA_RESERVATION_FRAMES];
};

/* A leaf, be it a node or the map itself. */
struct area_slots {
	struct area_head *head;
	uint64_t *starts;
	struct area *areas;
	unsigned capacity;
};

/* A place among the areas, good until the next change: the way from the root to a slot of a leaf.
 * Level 0 is the leaf; the root is at height - 1. */
struct area_path {
	struct area_slots leaf;
	unsigned slot; /* in the leaf */
	struct area_node *nodes[AREA_MAX_HEIGHT];
	unsigned slots[AREA_MAX_HEIGHT]; /* in inner nodes: the child that was taken */
};

void area_map_init(struct area_map *map, const struct mm_hal *hal);
/* Forgets all areas and gives every frame back. */
void area_map_clear(struct area_map *map);

static inline void area_reservation_init(struct area_reservation *reserved)
{
	reserved->count = 0;
}

/*
 * Takes from the HAL what the reservation lacks for one change of exactly this range, which must be
 * the map's next change: area_remove(), area_replace(), area_protect() or area_set_host(). Mostly
 * there is room in the nodes, and it takes no frame. MM_NO_MEMORY if the HAL has too few frames, or
 * if the tree has reached its greatest height; then the reservation and the map are unchanged.
 */
enum mm_error area_reserve(struct area_map *map, struct gpa_range range,
                           struct area_reservation *reserved) MM_MUST_CHECK;
/* The same for area_insert() at this place. */
enum mm_error area_reserve_place(struct area_map *map, const struct area_path *place,
                                 struct area_reservation *reserved) MM_MUST_CHECK;
void area_release_frames(const struct area_map *map, struct area_reservation *reserved);
/* Gives back to the HAL what the reservation still holds. */
static inline void area_release(const struct area_map *map, struct area_reservation *reserved)
{
	if (MM_UNLIKELY(reserved->count > 0))
		area_release_frames(map, reserved);
}

/* The area that contains gpa, or NULL. The pointer is valid until the next change. */
const struct area *area_find(const struct area_map *map, gpa_t gpa);

/* The area that contains gpa or, failing that, the first one above it, or NULL. Iterates:
 * continue at the byte after range_last() of what was found, unless that is 2^64 - 1. */
const struct area *area_first_from(const struct area_map *map, gpa_t gpa);

/* Does any area have a byte in common with the valid range? */
bool area_overlaps(const struct area_map *map, struct gpa_range range);

/* Where an area of this valid range would go. False: it would overlap another. */
bool area_place(const struct area_map *map, struct gpa_range range, struct area_path *place);

/*
 * Adds an area at the place that was found for it, joining it with equal neighbours: same backend,
 * permissions, type and policy, and host addresses that continue. Cannot fail after
 * area_reserve_place(), nor can the changes below after area_reserve() of their range.
 */
void area_insert(struct area_map *map, struct area_path *place, const struct area *area,
                 struct area_reservation *reserved);

/*
 * Cuts `range` out of the map: areas inside it go, areas that stick out are trimmed, one that
 * surrounds it becomes two. Bytes in no area are fine.
 */
void area_remove(struct area_map *map, struct gpa_range range, struct area_reservation *reserved);

/* Cuts the area's range out of the map and adds the area there: the result is that of area_remove()
 * and area_insert(). */
void area_replace(struct area_map *map, const struct area *area, struct area_reservation *reserved);

/* Gives every part of an area inside `range` these permissions: areas that stick out are split,
 * equal neighbours joined. */
void area_protect(struct area_map *map, struct gpa_range range, enum mm_perm perm,
                  struct area_reservation *reserved);

/* Gives a range that lies in one linear area another place in host memory, splitting and joining
 * as above. */
void area_set_host(struct area_map *map, struct gpa_range range, hpa_t host,
                   struct area_reservation *reserved);

/* Is every byte of the range in some area? */
bool area_covers(const struct area_map *map, struct gpa_range range);

/*
 * The lowest free range of `size` bytes (a multiple of MM_PAGE_SIZE) within `within`, at a multiple
 * of `align` (a power of two, at least MM_PAGE_SIZE), not below `hint`: MM_NO_MEMORY if there is no
 * such hole, MM_INVALID if size or align is none. Subtrees whose largest hole is too small are
 * passed over, so it costs O(log n), and one look at each hole that is large enough but for its
 * alignment.
 */
enum mm_error area_find_free(const struct area_map *map, struct gpa_range within, gpa_t hint,
                             uint64_t size, uint64_t align, gpa_t *out) MM_MUST_CHECK;

MM_END_DECLS

#endif
