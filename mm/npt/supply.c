/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leaves for frames that the caller supplies, and taking them away: see supply.h.
 */
#include "mm/npt/supply.h"

#include "mm/npt/change.h"
#include "mm/npt/iter.h"

enum mm_error mm_npt_supply(struct mm_npt *npt, struct mm_npt_counts *counts,
                            struct mm_npt_slot slot, mm_gpa_t gpa, mm_hpa_t host, unsigned level,
                            enum mm_perm perm, enum mm_memtype type)
{
	const struct mm_npt_format *f = npt->format;
	enum mm_perm held = mm_npt_leaf_perm(&npt->config, level, perm);
	uint64_t attr = mm_npt_leaf_attr(f, &npt->config, held, type);
	uint64_t value = mm_npt_with_pa(f, mm_npt_leaf_entry(f, level, attr, held), host);
	mm_hpa_t tables[MM_NPT_MAX_LEVELS];
	unsigned missing = slot.level - level;

	if (missing != 0) {
		enum mm_error err = mm_npt_take(npt, 0, missing, tables);

		if (err != MM_OK)
			return err;
	}
	for (unsigned i = 0; i < missing; i++) {
		_Atomic uint64_t *table = mm_npt_table_at(npt, tables[i]);

		mm_npt_clear_table(npt, tables[i], 0);
		mm_npt_store(&table[mm_npt_index(npt, gpa.raw, level + i)], value);
		value = mm_npt_table_entry(f, tables[i]);
	}
	if (!mm_npt_install_entry(npt, slot.entry, value)) {
		if (missing != 0)
			mm_npt_give(npt, 0, missing, tables);
		return MM_BUSY;
	}
	mm_npt_count(&counts->leaves[level], 1);
	mm_npt_count(&counts->tables, missing);
	return MM_OK;
}

/* By a plain store: the page goes away, and its marks with it (change.h). */
void mm_npt_park(struct mm_npt *npt, struct mm_gpa_range range, unsigned *leaf_level)
{
	const struct mm_npt_format *f = npt->format;
	struct mm_npt_iter it = mm_npt_iter_over(npt, range);

	while (mm_npt_iter_next(&it)) {
		if (!mm_npt_present(f, it.slot.value))
			continue;
		mm_npt_store(it.slot.entry, mm_npt_mark(f, it.slot.value, MM_NPT_PARKED));
		if (it.slot.level < *leaf_level)
			*leaf_level = it.slot.level;
	}
}
