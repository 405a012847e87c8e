/* Snapshots of an address space: see snapshot.h, and npt/share.h for how. */
#include "mm/snapshot.h"

#include "mm/aspace_internal.h"
#include "mm/npt/share.h"

enum mm_error aspace_snapshot_take(struct aspace *as, struct snapshot *snapshot)
{
	enum mm_error err = MM_BUSY;

	aspace_enter_alone(as);
	if (!as->log.active)
		err = npt_copy(&as->npt, &snapshot->tables);
	aspace_leave_alone(as);
	return err;
}

enum mm_error aspace_snapshot_restore(struct aspace *as, struct snapshot *snapshot)
{
	enum mm_error err = MM_BUSY;

	aspace_enter_alone(as);
	if (!as->log.active)
		err = npt_restore(&as->npt, &snapshot->tables);
	aspace_leave_alone(as);
	return err;
}

void aspace_snapshot_drop(struct aspace *as, struct snapshot *snapshot)
{
	aspace_enter_alone(as);
	npt_drop_copy(&as->npt, &snapshot->tables);
	aspace_leave_alone(as);
}
