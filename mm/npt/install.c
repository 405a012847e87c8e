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
#include "mm/npt/history.h"

/* The largest level, up to `level`, whose block around gpa lies in the range. */
static unsigned fitting_level(struct gpa_range range, gpa_t gpa, unsigned level)
{
	while (level > 0) {
		uint64_t size = MM_LEVEL_SIZE(level);

		if (gpa_range_covers(range, gpa_range(gpa_align_down(gpa, size), size)))
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
static enum mm_error take_block(struct npt *npt, unsigned *level, unsigned top, hpa_t *block,
                                hpa_t tables[])
{
	for (;;) {
		enum mm_error err = npt_take(npt, order_of(*level), 1, block);

		if (err == MM_OK && top != *level) {
			err = npt_take(npt, 0, top - *level, tables);
			if (err != MM_OK)
				npt_give(npt, order_of(*level), 1, block);
		}
		if (err == MM_OK || *level == 0)
			return err;
		--*level;
	}
}

enum mm_error npt_install(struct npt *npt, struct npt_counts *counts, struct npt_slot slot,
                          gpa_t gpa, const struct npt_mapping *m)
{
	const struct npt_format *f = npt->format;
	unsigned top = slot.level;
	unsigned level = fitting_level(m->range, gpa, top < m->max_leaf ? top : m->max_leaf);
	hpa_t tables[NPT_MAX_LEVELS];
	hpa_t block;
	enum mm_error err;

	err = take_block(npt, &level, top, &block, tables);
	if (MM_UNLIKELY(err != MM_OK))
		return err;
	npt_clear_data(npt, block, order_of(level));

	enum mm_perm perm = npt_leaf_perm(&npt->config, level, m->perm);
	uint64_t attr = npt_leaf_attr(f, &npt->config, perm, m->type) | f->owned;
	uint64_t value = npt_with_pa(f, npt_leaf_entry(f, level, attr, perm), block);

	for (unsigned l = level; l < top; l++) {
		_Atomic uint64_t *table = npt_table_at(npt, tables[l - level]);

		npt_clear_table(npt, tables[l - level], 0);
		npt_store(&table[npt_index(npt, gpa.raw, l)], value);
		value = npt_table_entry(f, tables[l - level]);
	}
	if (MM_UNLIKELY(!npt_install_entry(npt, slot.entry, value))) {
		npt_give(npt, order_of(level), 1, &block);
		if (top != level)
			npt_give(npt, 0, top - level, tables);
		return MM_BUSY;
	}
	if (MM_UNLIKELY(npt->copies))
		npt_history_record(npt, counts, gpa, top);
	npt_count(&counts->frames, INT64_C(1) << order_of(level));
	npt_count(&counts->leaves[level], 1);
	npt_count(&counts->tables, top - level);
	return MM_OK;
}

void npt_forget_absence(struct npt *npt, struct npt_counts *counts, gpa_t gpa)
{
	struct gpa_range page = gpa_range(gpa_align_down(gpa, MM_PAGE_SIZE), MM_PAGE_SIZE);

	if (npt->format->caches_absent)
		npt_flush(npt, counts, page, 0, false);
}
