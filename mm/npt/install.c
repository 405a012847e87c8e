/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Installs a missing page, concurrently on any CPUs: install.h has the contract.
 *
 * A missing leaf may need tables above it. They are allocated together with the frame, and filled
 * from the lowest to the highest while nothing points to them. One compare-and-swap links the
 * highest, so that all of them appear at once. A CPU that loses the swap frees everything: another
 * CPU has installed something there.
 */
#include "mm/npt/install.h"
#include "mm/npt/change.h"
#include "mm/npt/dirty.h"
#include "mm/npt/history.h"

/* The largest level, up to `level`, whose block around gpa lies in the range. */
static unsigned fitting_level(struct mm_gpa_range range, mm_gpa_t gpa, unsigned level)
{
	while (level > 0) {
		uint64_t size = MM_LEVEL_SIZE(level);

		if (mm_gpa_range_covers(range, mm_gpa_range(mm_gpa_align_down(gpa, size), size)))
			break;
		level--;
	}
	return level;
}

static unsigned order_of(unsigned level)
{
	return MM_LEVEL_SHIFT(level) - MM_PAGE_SHIFT;
}

/* Takes a block for a leaf of *level, and the tables above it up to `top`. Where they cannot be
 * had, lowers *level until they can. */
static enum mm_error take_block(struct mm_npt *npt, unsigned *level, unsigned top, mm_hpa_t *block,
                                mm_hpa_t tables[])
{
	for (;;) {
		enum mm_error err = mm_npt_take(npt, order_of(*level), 1, block);

		if (err == MM_OK && top != *level) {
			err = mm_npt_take(npt, 0, top - *level, tables);
			if (err != MM_OK)
				mm_npt_give(npt, order_of(*level), 1, block);
		}
		if (err == MM_OK || *level == 0)
			return err;
		--*level;
	}
}

enum mm_error mm_npt_install(struct mm_npt *npt, struct mm_npt_counts *counts,
                             struct mm_npt_slot slot, mm_gpa_t gpa, const struct mm_npt_mapping *m)
{
	const struct mm_npt_format *f = npt->format;
	unsigned top = slot.level;
	unsigned level = fitting_level(m->range, gpa, top < m->max_leaf ? top : m->max_leaf);
	mm_hpa_t tables[MM_NPT_MAX_LEVELS];
	mm_hpa_t block;
	enum mm_error err;

	err = take_block(npt, &level, top, &block, tables);
	if (MM_UNLIKELY(err != MM_OK))
		return err;
	mm_npt_clear_data(npt, block, order_of(level));

	enum mm_perm perm = mm_npt_leaf_perm(&npt->config, level, m->perm);
	uint64_t attr = mm_npt_leaf_attr(f, &npt->config, perm, m->type) | f->owned;
	uint64_t value = mm_npt_with_pa(f, mm_npt_leaf_entry(f, level, attr, perm), block);

	for (unsigned l = level; l < top; l++) {
		_Atomic uint64_t *table = mm_npt_table_at(npt, tables[l - level]);

		mm_npt_clear_table(npt, tables[l - level], 0);
		mm_npt_store(&table[mm_npt_index(npt, gpa.raw, l)], value);
		value = mm_npt_table_entry(f, tables[l - level]);
	}
	if (MM_UNLIKELY(!mm_npt_install_entry(npt, slot.entry, value))) {
		mm_npt_give(npt, order_of(level), 1, &block);
		if (top != level)
			mm_npt_give(npt, 0, top - level, tables);
		return MM_BUSY;
	}
	if (MM_UNLIKELY(npt->copies))
		mm_npt_history_record(npt, counts, gpa, top);
	mm_npt_note_perm(npt, gpa, perm);
	mm_npt_count(&counts->frames, INT64_C(1) << order_of(level));
	mm_npt_count(&counts->leaves[level], 1);
	mm_npt_count(&counts->tables, top - level);
	return MM_OK;
}

void mm_npt_forget_absence(struct mm_npt *npt, struct mm_npt_counts *counts, mm_gpa_t gpa)
{
	struct mm_gpa_range page = mm_gpa_range(mm_gpa_align_down(gpa, MM_PAGE_SIZE), MM_PAGE_SIZE);

	if (npt->format->caches_absent)
		mm_npt_flush(npt, counts, page, 0, false);
}
