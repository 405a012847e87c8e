/* SPDX-License-Identifier: BSD-2-Clause */
/* Snapshots of an address space: see snapshot.h, and npt/share.h for how. */
#include "mm/snapshot.h"

#include "mm/aspace_internal.h"
#include "mm/npt/share.h"

/* Is this a snapshot of the address space? Compares addresses: its contents may be uninitialised.
 */
static bool is_taken(const struct mm_aspace *as, const struct mm_snapshot *snapshot)
{
	const struct mm_npt *copy = as->npt.copies;

	while (copy && copy != &snapshot->tables)
		copy = copy->next_copy;
	return copy != NULL;
}

/* Is there an area whose frames belong to the caller? A snapshot could not keep them. */
static bool has_supplied(const struct mm_aspace *as)
{
	const struct mm_area *area = mm_area_first_from(&as->areas, as->limits.start);

	while (area && area->backend != MM_AREA_SUPPLIED)
		area = mm_area_first_from(&as->areas,
		                          mm_gpa_plus(mm_gpa_range_last(area->range), 1));
	return area != NULL;
}

enum mm_error mm_aspace_snapshot_take(struct mm_aspace *as, struct mm_snapshot *snapshot)
{
	enum mm_error err = MM_BUSY;

	mm_aspace_write_lock(as);
	if (is_taken(as, snapshot))
		err = MM_INVALID;
	else if (has_supplied(as))
		err = MM_UNSUPPORTED;
	else if (!as->log.active)
		err = mm_npt_copy(&as->npt, &snapshot->tables);
	mm_aspace_update_fast_path(as);
	mm_aspace_write_unlock(as);
	return err;
}

enum mm_error mm_aspace_snapshot_restore(struct mm_aspace *as, struct mm_snapshot *snapshot)
{
	enum mm_error err = MM_BUSY;

	mm_aspace_write_lock(as);
	if (!is_taken(as, snapshot))
		err = MM_INVALID;
	else if (!as->log.active)
		err = mm_npt_restore(&as->npt, &snapshot->tables);
	mm_aspace_write_unlock(as);
	return err;
}

void mm_aspace_snapshot_drop(struct mm_aspace *as, struct mm_snapshot *snapshot)
{
	mm_aspace_write_lock(as);
	if (is_taken(as, snapshot))
		mm_npt_drop_copy(&as->npt, &snapshot->tables);
	mm_aspace_update_fast_path(as);
	mm_aspace_write_unlock(as);
}
