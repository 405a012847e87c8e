/* SPDX-License-Identifier: BSD-2-Clause */
/* The dirty log of an address space: see dirty.h. */
#include "mm/dirty.h"

#include "mm/aspace_internal.h"
#include "mm/npt/dirty.h"

enum mm_error aspace_dirty_start(struct aspace *as, enum dirty_mode mode, bool split)
{
	bool hardware = mode == DIRTY_HARDWARE;
	enum mm_error err = MM_BUSY;

	if (mode != DIRTY_WRITE_PROTECT && !hardware)
		return MM_INVALID;
	if (hardware && (split || !as->npt.config.accessed_dirty))
		return MM_UNSUPPORTED;
	aspace_write_lock(as);
	if (!as->log.active) {
		as->log = (struct aspace_log){
			.active = true,
			.hardware = hardware,
			.split = split,
			.withheld = hardware ? MM_NONE : MM_W,
		};
		aspace_update_fast_path(as);
		if (hardware)
			npt_collect_dirty(&as->npt, as->limits, NULL);
		else
			npt_write_protect(&as->npt, as->limits);
		err = MM_OK;
	}
	aspace_write_unlock(as);
	return err;
}

enum mm_error aspace_dirty_collect(struct aspace *as, struct gpa_range range, uint64_t bitmap[])
{
	enum mm_error err = aspace_check_range(as, range);

	if (err != MM_OK)
		return err;
	aspace_write_lock(as);
	if (!as->log.active)
		err = MM_INVALID;
	else if (as->log.hardware)
		npt_collect_dirty(&as->npt, range, bitmap);
	else
		npt_collect_writable(&as->npt, range, bitmap);
	aspace_write_unlock(as);
	return err;
}

/* The area after this one, or NULL. */
static const struct area *next_area(const struct aspace *as, const struct area *area)
{
	return area_first_from(&as->areas, gpa_plus(gpa_range_last(area->range), 1));
}

static void give_write_back(struct aspace *as)
{
	const struct area *area = area_first_from(&as->areas, as->limits.start);
	bool changed = false;

	for (; area; area = next_area(as, area)) {
		if ((area->perm & MM_W) != 0)
			changed |= npt_allow(&as->npt, area->range, (enum mm_perm)area->perm);
	}
	if (changed)
		npt_flush_range(&as->npt, as->limits);
}

static void merge_split(struct aspace *as)
{
	const struct area *area = area_first_from(&as->areas, as->limits.start);

	for (; area; area = next_area(as, area))
		npt_merge(&as->npt, area->range, area->range, area->max_leaf);
}

void aspace_dirty_stop(struct aspace *as)
{
	aspace_write_lock(as);
	if (as->log.active && !as->log.hardware) {
		give_write_back(as);
		if (as->log.split)
			merge_split(as);
	}
	as->log = (struct aspace_log){.active = false};
	aspace_update_fast_path(as);
	aspace_write_unlock(as);
}
