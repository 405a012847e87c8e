/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the area map share: every invariant of its tree, and changes with all that has
 * to be true of their reservations.
 */
#ifndef AREA_CHECK_H
#define AREA_CHECK_H

#include "hal_test.h"

#include "mm/area_tree.h"

static inline struct mm_gpa_range pages(uint64_t first, uint64_t count)
{
	return mm_gpa_range(mm_gpa_at(first * MM_PAGE_SIZE), count * MM_PAGE_SIZE);
}

static inline struct mm_area alloc_area(uint64_t first, uint64_t count, enum mm_perm perm)
{
	return (struct mm_area){
		.range = pages(first, count), .backend = MM_AREA_ALLOC, .perm = (uint8_t)perm};
}

/* Checks the whole tree: order, summaries, height, and that the HAL has given out its nodes alone.
 */
void area_check_map(const struct mm_area_map *map, const struct hal_test *hal);

struct fixture {
	struct hal_test *hal;
	struct mm_area_map map;
};

struct fixture *open_fixture(bool hooks);
/* Checks the map before and after it is cleared. */
void close_fixture(struct fixture *f);

/* Each reserves, changes and releases; checks that the change asks the HAL for nothing, and that
 * every frame that was reserved is in the tree or comes back. */
void insert(struct fixture *f, struct mm_area area);
void replace(struct fixture *f, struct mm_area area);
void cut(struct fixture *f, struct mm_gpa_range range);
void protect(struct fixture *f, struct mm_gpa_range range, enum mm_perm perm);

#endif
