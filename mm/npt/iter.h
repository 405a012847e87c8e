/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An iterator over the entries of a range that are not 0 and point to no table: leaves, and parked,
 * unlinked and frozen entries. It goes from the lowest address up. It keeps the tables on the way
 * to the current entry, so the next entry costs no walk from the root.
 *
 *	struct mm_npt_iter it = mm_npt_iter_over(npt, range);
 *
 *	while (mm_npt_iter_next(&it))
 *		... it.slot, it.gpa ...
 *
 * The caller may change the entry that was found, but not into a table.
 */
#ifndef MM_NPT_ITER_H
#define MM_NPT_ITER_H

#include "mm/npt/walk.h"

struct mm_npt_iter {
	const struct mm_npt *npt;
	uint64_t at; /* the address at which the search continues */
	uint64_t end;
	unsigned visited;                            /* entries, since mm_npt_iter_visited() */
	unsigned level;                              /* of the table in which it continues */
	_Atomic uint64_t *tables[MM_NPT_MAX_LEVELS]; /* from that level up: those that map `at` */

	struct mm_npt_slot slot; /* the entry that was found */
	mm_gpa_t gpa; /* the first address that it maps: may be below the range's start */
};

static inline struct mm_npt_iter mm_npt_iter_over(const struct mm_npt *npt,
                                                  struct mm_gpa_range range)
{
	struct mm_npt_iter it = {
		.npt = npt,
		.at = range.start.raw,
		.end = range.start.raw + range.size,
		.level = mm_npt_root_level(npt),
	};

	it.tables[it.level] = npt->root_table;
	return it;
}

/* Continues at a higher address. */
static inline void mm_npt_iter_skip(struct mm_npt_iter *it, uint64_t to)
{
	unsigned root = mm_npt_root_level(it->npt);

	while (it->level < root &&
	       (it->at ^ to) >> MM_LEVEL_SHIFT(it->level) >= UINT64_C(1) << MM_NPT_INDEX_BITS)
		it->level++;
	it->at = to;
}

/* Continues at the entry that was found last, to read it again. `range` as in mm_npt_iter_over().
 */
static inline void mm_npt_iter_again(struct mm_npt_iter *it, struct mm_gpa_range range)
{
	it->at = it->gpa.raw > range.start.raw ? it->gpa.raw : range.start.raw;
}

/* For mm_npt_work(): how many entries it has visited since the last call. */
static inline unsigned mm_npt_iter_visited(struct mm_npt_iter *it)
{
	unsigned visited = it->visited;

	it->visited = 0;
	return visited;
}

static inline bool mm_npt_iter_next(struct mm_npt_iter *it)
{
	while (it->at < it->end) {
		uint64_t at = it->at;
		unsigned level = it->level;
		_Atomic uint64_t *entry = &it->tables[level][mm_npt_index(it->npt, at, level)];
		uint64_t value = mm_npt_load(entry);

		it->visited++;
		if (mm_npt_is_table(it->npt->format, value, level)) {
			it->level = level - 1;
			it->tables[level - 1] = mm_npt_child(it->npt, value);
			continue;
		}

		uint64_t base = mm_align_down(at, MM_LEVEL_SIZE(level));

		mm_npt_iter_skip(it, base + MM_LEVEL_SIZE(level));
		if (value == 0)
			continue;
		it->slot = (struct mm_npt_slot){entry, value, level};
		it->gpa = mm_gpa_at(base);
		return true;
	}
	return false;
}

#endif
