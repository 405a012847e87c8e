/*
 * An iterator over the entries of a range that say something: leaves, parked ones, and what is
 * marked as cut or frozen. Lowest address first; tables are descended into, absent entries passed
 * over. The tables on the way stay at hand, so going on costs no walk from the root.
 *
 *	struct npt_iter it = npt_iter_over(npt, range);
 *
 *	while (npt_iter_next(&it))
 *		... it.slot, it.gpa ...
 *
 * The entry that was found may be changed at will, but not into a table.
 */
#ifndef MM_NPT_ITER_H
#define MM_NPT_ITER_H

#include "mm/npt/walk.h"

struct npt_iter {
	const struct npt *npt;
	uint64_t at; /* where the search goes on */
	uint64_t end;
	unsigned level;                           /* of the table that it goes on in */
	_Atomic uint64_t *tables[NPT_MAX_LEVELS]; /* from there up: those that map `at` */

	struct npt_slot slot; /* what was found */
	gpa_t gpa;            /* where its leaf begins, maybe below the range's start */
};

static inline struct npt_iter npt_iter_over(const struct npt *npt, struct gpa_range range)
{
	struct npt_iter it = {
		.npt = npt,
		.at = range.start.raw,
		.end = range.start.raw + range.size,
		.level = npt_root_level(npt),
	};

	it.tables[it.level] = npt->root_table;
	return it;
}

/* Goes on at a higher address; what lies below is passed over. */
static inline void npt_iter_skip(struct npt_iter *it, uint64_t to)
{
	unsigned root = npt_root_level(it->npt);

	while (it->level < root &&
	       (it->at ^ to) >> MM_LEVEL_SHIFT(it->level) >= UINT64_C(1) << NPT_INDEX_BITS)
		it->level++;
	it->at = to;
}

/* Looks again at what was found last, where it lies in the range that is iterated over. */
static inline void npt_iter_again(struct npt_iter *it, struct gpa_range range)
{
	it->at = it->gpa.raw > range.start.raw ? it->gpa.raw : range.start.raw;
}

static inline bool npt_iter_next(struct npt_iter *it)
{
	while (it->at < it->end) {
		uint64_t at = it->at;
		unsigned level = it->level;
		_Atomic uint64_t *entry = &it->tables[level][npt_index(it->npt, at, level)];
		uint64_t value = npt_load(entry);

		if (npt_is_table(it->npt->format, value, level)) {
			it->level = level - 1;
			it->tables[level - 1] = npt_child(it->npt, value);
			continue;
		}

		uint64_t base = mm_align_down(at, MM_LEVEL_SIZE(level));

		npt_iter_skip(it, base + MM_LEVEL_SIZE(level));
		if (value == 0)
			continue;
		it->slot = (struct npt_slot){entry, value, level};
		it->gpa = gpa_at(base);
		return true;
	}
	return false;
}

#endif
