/*
 * Snapshots: the contents of a guest's memory at one moment, to go back to.
 *
 * Taking one costs time and frames in proportion to the page tables, not to the memory: the pages
 * are shared and write-protected, and copied when the guest writes to one (MM_FAULT_UNSHARED).
 * An address space may have several, and be put back to any of them, any number of times, in any
 * order.
 *
 * Restoring costs what has changed since the snapshot and the memory were last the same: by writes,
 * and by restores of other snapshots. Changes are recorded in frames from the HAL, 8 bytes each,
 * which count as tables. If such a frame cannot be had, or if the snapshot falls behind by more
 * than half of what is kept (NPT_HISTORY_ENTRIES in mm/npt/history.h), its next restore compares
 * all pages that are present, and later ones cost what has changed again. Dropping costs the same,
 * and the tables.
 *
 * While there are snapshots, a fault on a missing page takes the long way (mm/fault.c), and
 * large leaves are split by writes and never merged.
 *
 * A snapshot holds what alloc areas hold. Memory behind linear areas is not the library's: what
 * is written there stays written. While there are snapshots, areas stand still: map, unmap and
 * protect calls answer MM_BUSY. So do take and restore while a dirty log is active, and no page
 * becomes writable behind its back. Accessed and dirty marks are not part of the contents: after a
 * restore, aspace_harvest() may report a page that nobody has used since, or miss one that the
 * restore has changed. aspace_clear() and aspace_destroy() drop all snapshots.
 */
#ifndef MM_SNAPSHOT_H
#define MM_SNAPSHOT_H

#include "mm/aspace.h"
#include "mm/compiler.h"

MM_BEGIN_DECLS

/* The caller's, from take to drop; none of its members are. It belongs to one address space: to
 * give it to another one in between is an error that the library does not notice. */
struct snapshot {
	struct npt tables;
};

/* [exclusive] MM_INVALID: it is taken already. MM_BUSY: a dirty log is active. MM_NO_MEMORY,
 * MM_QUOTA: no room for the tables. */
enum mm_error aspace_snapshot_take(struct aspace *as, struct snapshot *snapshot) MM_MUST_CHECK;

/* [exclusive] The guest's memory is again what it was; the snapshot stays. MM_INVALID: it is no
 * snapshot of this address space. MM_BUSY: a dirty log is active. MM_NO_MEMORY, MM_QUOTA: only if
 * another snapshot has been restored since this one was taken; then nothing has changed. */
enum mm_error aspace_snapshot_restore(struct aspace *as, struct snapshot *snapshot) MM_MUST_CHECK;

/* [exclusive] The snapshot ends, and what only it held goes back. The guest's memory stays as it
 * is; a page that is still write-protected becomes writable at the next write. One that has ended
 * already (see aspace_clear()) is left alone. */
void aspace_snapshot_drop(struct aspace *as, struct snapshot *snapshot);

MM_END_DECLS

#endif
