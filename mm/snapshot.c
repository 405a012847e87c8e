/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Snapshots of an address space: see snapshot.h, and npt/share.h for how.
 *
 * A snapshot has a copy of the tables and a copy of the areas. Both are restored together. The
 * areas are restored only if they have changed, which their version says.
 */
#include "mm/snapshot.h"

#include "mm/area_tree.h"
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

/* The area after this one, or NULL. */
static const struct mm_area *next_area(const struct mm_aspace *as, const struct mm_area *area)
{
	return mm_area_first_from(&as->areas, mm_gpa_plus(mm_gpa_range_last(area->range), 1));
}

/* Is there an area whose frames belong to the caller? A snapshot could not keep them. */
static bool has_supplied(const struct mm_aspace *as)
{
	const struct mm_area *area = mm_area_first_from(&as->areas, as->limits.start);

	while (area && area->backend != MM_AREA_SUPPLIED)
		area = next_area(as, area);
	return area != NULL;
}

/* --- take --- */

static enum mm_error take(struct mm_aspace *as, struct mm_snapshot *snapshot)
{
	enum mm_error err = mm_area_map_copy(&snapshot->areas, &as->areas);

	if (err != MM_OK)
		return err;
	err = mm_npt_copy(&as->npt, &snapshot->tables);
	if (err != MM_OK)
		mm_area_map_clear(&snapshot->areas);
	snapshot->areas_version = as->areas_version;
	return err;
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
		err = take(as, snapshot);
	mm_aspace_update_fast_path(as);
	mm_aspace_write_unlock(as);
	return err;
}

/* --- restore --- */

/* Gives all leaves the attributes of their areas. The leaves are those of the snapshot already, so
 * none lies in two areas, and none has to be split. */
static void restore_attributes(struct mm_aspace *as)
{
	const struct mm_area *area = mm_area_first_from(&as->areas, as->limits.start);

	for (; area; area = next_area(as, area)) {
		if (area->backend != MM_AREA_DEVICE)
			mm_npt_protect(&as->npt, area->range, (enum mm_perm)area->perm);
	}
}

static enum mm_error restore(struct mm_aspace *as, struct mm_snapshot *snapshot)
{
	bool areas = snapshot->areas_version != as->areas_version;
	struct mm_area_map copy;
	enum mm_error err = areas ? mm_area_map_copy(&copy, &snapshot->areas) : MM_OK;

	if (err != MM_OK)
		return err;
	err = mm_npt_restore(&as->npt, &snapshot->tables);
	if (!areas)
		return err;
	if (err != MM_OK) {
		mm_area_map_clear(&copy);
		return err;
	}
	mm_area_map_clear(&as->areas);
	as->areas = copy;
	as->areas_version = snapshot->areas_version;
	restore_attributes(as);
	return MM_OK;
}

enum mm_error mm_aspace_snapshot_restore(struct mm_aspace *as, struct mm_snapshot *snapshot)
{
	enum mm_error err = MM_BUSY;

	mm_aspace_write_lock(as);
	if (!is_taken(as, snapshot))
		err = MM_INVALID;
	else if (!as->log.active)
		err = restore(as, snapshot);
	mm_aspace_write_unlock(as);
	return err;
}

/* --- drop --- */

static struct mm_snapshot *snapshot_of(struct mm_npt *copy)
{
	return MM_CONTAINER_OF(copy, struct mm_snapshot, tables);
}

static void drop(struct mm_aspace *as, struct mm_snapshot *snapshot)
{
	mm_npt_drop_copy(&as->npt, &snapshot->tables);
	mm_area_map_clear(&snapshot->areas);
}

void mm_aspace_drop_snapshots(struct mm_aspace *as)
{
	while (as->npt.copies)
		drop(as, snapshot_of(as->npt.copies));
	mm_aspace_update_fast_path(as);
}

void mm_aspace_snapshot_drop(struct mm_aspace *as, struct mm_snapshot *snapshot)
{
	mm_aspace_write_lock(as);
	if (is_taken(as, snapshot))
		drop(as, snapshot);
	mm_aspace_update_fast_path(as);
	mm_aspace_write_unlock(as);
}

uint64_t mm_aspace_snapshot_frames(const struct mm_aspace *as)
{
	uint64_t frames = 0;

	for (struct mm_npt *copy = as->npt.copies; copy; copy = copy->next_copy)
		frames += snapshot_of(copy)->areas.frames;
	return frames;
}
