/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Creating and destroying a nested page table.
 */
#include "mm/npt/npt.h"

#include "mm/npt/change.h"

enum mm_error npt_init(struct npt *npt, const struct npt_format *format,
                       const struct npt_config *config, const struct mm_hal *hal, uint32_t tag,
                       uint64_t quota)
{
	unsigned order = npt_root_order(config);
	enum mm_error err = npt_config_check(format, config);

	if (err != MM_OK)
		return err;
	*npt = (struct npt){
		.format = format,
		.direct_offset = hal->direct_offset,
		.perm_bits = npt_perm_bits(format, config),
		.root_level = (uint8_t)(config->levels - 1),
		.root_shift = (uint8_t)MM_LEVEL_SHIFT(config->levels - 1),
		.direct = !hal->phys_to_virt && format->high_mask == 0,
		.config = *config,
		.hal = *hal,
		.tag = tag,
		.quota = quota,
	};
	err = npt_take(npt, order, 1, &npt->root);
	if (err != MM_OK)
		return err;
	npt_clear_table(npt, npt->root, order);
	npt->root_table = npt_table_at(npt, npt->root);
	npt_count(&npt->counts.tables, INT64_C(1) << order);
	npt_publish(npt);
	return MM_OK;
}

void npt_destroy(struct npt *npt)
{
	struct gpa_range all = gpa_range(gpa_at(0), UINT64_C(1) << npt_gpa_bits(&npt->config));
	/* Both ends of the range are ends of root entries, so no leaf has to be split. */
	enum mm_error err = npt_unmap(npt, all);

	MM_ASSERT(err == MM_OK);
	(void)err;
	/* Paging-structure caches may hold the root, and another table may get the same tag. */
	npt_flush(npt, &npt->counts, all, 0, true);
	npt_give(npt, npt_root_order(&npt->config), 1, &npt->root);
	npt->root_table = NULL; /* aspace_is_open() is false from here on */
}
