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
#include "mm/error.h"
#include "mm/hal.h"

enum area_backend {
	AREA_LINEAR, /* gpa maps to a fixed host range, which the library does not own */
	AREA_ALLOC,  /* frames of the library's own, populated when mapped or lazily on fault */
	AREA_DEVICE, /* never mapped: each access is answered with MM_FAULT_DEVICE */
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

/* See area.c for the tree's shape. Callers only declare one. */
struct area_node;

#define AREA_INLINE 8

struct area_map {
	const struct mm_hal *hal;       /* outlives the map */
	struct area_node *root;         /* NULL while all areas are in first[] */
	unsigned height;                /* of the tree; 0 while root is NULL */
	size_t count;                   /* areas */
	size_t frames;                  /* taken from the HAL for nodes */
	struct area first[AREA_INLINE]; /* sorted; in use while root is NULL */
	hpa_t spare[8];                 /* node frames reserved by area_reserve() */
	unsigned spares;
};

void area_map_init(struct area_map *map, const struct mm_hal *hal);
/* Forgets all areas and gives every node back. */
void area_map_clear(struct area_map *map);

/*
 * Makes sure that the next change (one insert, or one carve that leaves up to two more areas)
 * cannot run out of memory. MM_NO_MEMORY if the HAL has no frame; then nothing has changed but
 * for spare frames, which area_release_spares() (or clear) gives back.
 */
enum mm_error area_reserve(struct area_map *map) must_check;
void area_release_spares(struct area_map *map);

/* The area that contains gpa, or NULL. The pointer is valid until the next change. */
const struct area *area_find(const struct area_map *map, gpa_t gpa);

/* The area that contains gpa or, failing that, the first one above it, or NULL. Iterates:
 * continue at the byte after range_last() of what was found, unless that is 2^64 - 1. */
const struct area *area_first_from(const struct area_map *map, gpa_t gpa);

/* Does any area have a byte in common with the valid range? */
bool area_overlaps(const struct area_map *map, struct gpa_range range);

/*
 * Adds an area whose range overlaps none (the caller has asked), joining it with equal
 * neighbours: same backend, permissions, type and policy, and host addresses that continue.
 * Cannot fail after area_reserve().
 */
void area_insert(struct area_map *map, const struct area *area);

/*
 * Cuts `range` out of the map: areas inside it go, areas that stick out are trimmed, one that
 * surrounds it becomes two. Cannot fail after area_reserve(). Bytes in no area are fine.
 */
void area_remove(struct area_map *map, struct gpa_range range);

/*
 * Gives every part of an area inside `range` these permissions: areas that stick out are split,
 * equal neighbours joined. Reserves what it needs itself: MM_NO_MEMORY leaves all as it was.
 */
enum mm_error area_protect(struct area_map *map, struct gpa_range range,
                           enum mm_perm perm) must_check;

/* Is every byte of the range in some area? */
bool area_covers(const struct area_map *map, struct gpa_range range);

/*
 * The lowest free range of `size` bytes (a multiple of PAGE_SIZE) within `within`, at a multiple
 * of `align` (a power of two, at least PAGE_SIZE), not below `hint`. O(log n) by the largest gap
 * kept per subtree. MM_NOT_MAPPED has no meaning here: MM_NO_MEMORY if there is no such hole.
 */
enum mm_error area_find_free(const struct area_map *map, struct gpa_range within, gpa_t hint,
                             uint64_t size, uint64_t align, gpa_t *out) must_check;

#endif
