/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Creating and destroying a nested page table.
 */
#include "mm/npt.h"

#include "mm/npt/change.h"

enum mm_error mm_npt_init(struct mm_npt *npt, const struct mm_npt_format *format,
                          const struct mm_npt_config *config, const struct mm_hal *hal,
                          uint32_t tag, uint64_t quota)
{
	unsigned order = mm_npt_root_order(config);
	enum mm_error err = mm_npt_config_check(format, config);

	if (err != MM_OK)
		return err;
	bool direct = !hal->phys_to_virt && format->high_mask == 0;

	*npt = (struct mm_npt){
		.format = format,
		.direct_offset = hal->direct_offset,
		.perm_bits = mm_npt_perm_bits(format, config),
		.root_level = (uint8_t)(config->levels - 1),
		.root_shift = (uint8_t)MM_LEVEL_SHIFT(config->levels - 1),
		.direct = direct,
		.gib_levels = (uint8_t)(direct ? config->levels - 2 : 0),
		.config = *config,
		.hal = *hal,
		.tag = tag,
		.quota = quota,
	};
	err = mm_npt_take(npt, order, 1, &npt->root);
	if (err != MM_OK)
		return err;
	mm_npt_clear_table(npt, npt->root, order);
	npt->root_table = mm_npt_table_at(npt, npt->root);
	mm_npt_count(&npt->counts.tables, INT64_C(1) << order);
	mm_npt_publish(npt);
	return MM_OK;
}

void mm_npt_destroy(struct mm_npt *npt)
{
	struct mm_gpa_range all =
		mm_gpa_range(mm_gpa_at(0), UINT64_C(1) << mm_npt_gpa_bits(&npt->config));
	/* Both ends of the range are ends of root entries, so no leaf has to be split. */
	struct mm_npt_removed removed = {0};
	enum mm_error err = mm_npt_unmap(npt, all, &removed);

	MM_ASSERT(err == MM_OK);
	(void)err;
	mm_npt_release_removed(npt, &removed, &npt->counts);
	/* Paging-structure caches may hold the root, and another table may get the same tag. */
	mm_npt_flush(npt, &npt->counts, all, 0, true);
	mm_npt_give(npt, mm_npt_root_order(&npt->config), 1, &npt->root);
	npt->root_table = NULL; /* mm_aspace_is_open() is false from here on */
}
