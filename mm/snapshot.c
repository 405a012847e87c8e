/* SPDX-License-Identifier: BSD-2-Clause */
/* Snapshots of an address space: see snapshot.h, and npt/share.h for how. */
#include "mm/snapshot.h"

#include "mm/aspace_internal.h"
#include "mm/npt/share.h"

/* Is this a snapshot of the address space? Compares addresses: its contents may be uninitialised.
 */
static bool is_taken(const struct aspace *as, const struct snapshot *snapshot)
{
	const struct npt *copy = as->npt.copies;

	while (copy && copy != &snapshot->tables)
		copy = copy->next_copy;
	return copy != NULL;
}

enum mm_error aspace_snapshot_take(struct aspace *as, struct snapshot *snapshot)
{
	enum mm_error err = MM_BUSY;

	aspace_write_lock(as);
	if (is_taken(as, snapshot))
		err = MM_INVALID;
	else if (!as->log.active)
		err = npt_copy(&as->npt, &snapshot->tables);
	aspace_update_fast_path(as);
	aspace_write_unlock(as);
	return err;
}

enum mm_error aspace_snapshot_restore(struct aspace *as, struct snapshot *snapshot)
{
	enum mm_error err = MM_BUSY;

	aspace_write_lock(as);
	if (!is_taken(as, snapshot))
		err = MM_INVALID;
	else if (!as->log.active)
		err = npt_restore(&as->npt, &snapshot->tables);
	aspace_write_unlock(as);
	return err;
}

void aspace_snapshot_drop(struct aspace *as, struct snapshot *snapshot)
{
	aspace_write_lock(as);
	if (is_taken(as, snapshot))
		npt_drop_copy(&as->npt, &snapshot->tables);
	aspace_update_fast_path(as);
	aspace_write_unlock(as);
}
