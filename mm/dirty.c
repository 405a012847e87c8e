/* SPDX-License-Identifier: BSD-2-Clause */
/* The dirty log of an address space: see dirty.h. */
#include "mm/dirty.h"

#include "mm/aspace_internal.h"
#include "mm/npt/dirty.h"

enum mm_error mm_aspace_dirty_start(struct mm_aspace *as, enum mm_dirty_mode mode, bool split)
{
	return mm_aspace_dirty_begin(as, mode, split, NULL, NULL, 0);
}

enum mm_error mm_aspace_dirty_begin(struct mm_aspace *as, enum mm_dirty_mode mode, bool split,
                                    struct mm_dirty_ring *ring, uint64_t entries[], size_t size)
{
	bool hardware = mode == MM_DIRTY_HARDWARE;
	enum mm_error err = MM_BUSY;

	if (mode != MM_DIRTY_WRITE_PROTECT && !hardware)
		return MM_INVALID;
	if (hardware && (split || !as->npt.config.accessed_dirty))
		return MM_UNSUPPORTED;
	mm_aspace_write_lock(as);
	if (!as->log.active) {
		as->log = (struct mm_aspace_log){
			.active = true,
			.hardware = hardware,
			.split = split,
			.withheld = hardware ? MM_NONE : MM_W,
			.ring = ring,
		};
		if (ring) {
			ring->entries = entries;
			ring->size = size;
			ring->tail = 0;
			atomic_init(&ring->head, 0);
			atomic_init(&ring->cut, 0);
		}
		mm_aspace_update_fast_path(as);
		if (hardware)
			mm_npt_collect_dirty(&as->npt, as->limits, NULL);
		else
			mm_npt_write_protect(&as->npt, as->limits);
		err = MM_OK;
	}
	mm_aspace_write_unlock(as);
	return err;
}

enum mm_error mm_aspace_dirty_collect(struct mm_aspace *as, struct mm_gpa_range range,
                                      uint64_t bitmap[])
{
	enum mm_error err = mm_aspace_check_range(as, range);

	if (err != MM_OK)
		return err;
	mm_aspace_write_lock(as);
	if (!as->log.active)
		err = MM_INVALID;
	else if (as->log.hardware)
		mm_npt_collect_dirty(&as->npt, range, bitmap);
	else
		mm_npt_collect_writable(&as->npt, range, bitmap);
	mm_aspace_write_unlock(as);
	return err;
}

/* The area after this one, or NULL. */
static const struct mm_area *next_area(const struct mm_aspace *as, const struct mm_area *area)
{
	return mm_area_first_from(&as->areas, mm_gpa_plus(mm_gpa_range_last(area->range), 1));
}

static void give_write_back(struct mm_aspace *as)
{
	const struct mm_area *area = mm_area_first_from(&as->areas, as->limits.start);
	bool changed = false;

	for (; area; area = next_area(as, area)) {
		if ((area->perm & MM_W) != 0)
			changed |= mm_npt_allow(&as->npt, area->range, (enum mm_perm)area->perm);
	}
	if (changed)
		mm_npt_flush_range(&as->npt, as->limits);
}

static void merge_split(struct mm_aspace *as)
{
	const struct mm_area *area = mm_area_first_from(&as->areas, as->limits.start);

	for (; area; area = next_area(as, area))
		mm_npt_merge(&as->npt, area->range, area->range, area->max_leaf);
}

void mm_aspace_dirty_stop(struct mm_aspace *as)
{
	mm_aspace_write_lock(as);
	if (as->log.active && !as->log.hardware) {
		as->log.withheld = MM_NONE; /* for faults that come between two turns */
		give_write_back(as);
		as->npt.marks_written = false;
		if (as->log.split)
			merge_split(as);
	}
	as->log = (struct mm_aspace_log){.active = false};
	mm_aspace_update_fast_path(as);
	mm_aspace_write_unlock(as);
}
