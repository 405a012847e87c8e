/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * Snapshots: the contents of a guest's memory at one moment, which can be restored.
 *
 * A snapshot takes time and frames in proportion to the page tables, not to the memory: the pages
 * are shared and write-protected. The first write to a page copies it (MM_FAULT_UNSHARED). An
 * address space may have several snapshots, and may be restored to any of them, any number of times
 * and in any order.
 *
 * What it costs, where an entry is one of the 512 of a table and the memory is mapped in pages:
 *
 *	take      a copy of each table: about 200 instructions an entry, so 1 ms for 128 MiB to 256
 *MiB restore   at most 2,000 instructions, and 270 for each page that was written since drop 600
 *for each page that was written since, and 50 for each table
 *
 * A drop runs in turns (aspace.h). A take and a restore are one turn each: the guest's memory at
 *one moment cannot be had in parts, so faults wait as long as the call takes.
 *
 * A restore takes time in proportion to what has changed since the snapshot and the memory were
 * last equal: by writes, and by restores of other snapshots. Changes are recorded in frames from
 * the HAL, 8 bytes each, which count as tables. If there is no frame for a record, or if the
 * snapshot is behind by more than half of the records (MM_NPT_HISTORY_ENTRIES in mm/npt/history.h),
 * its next restore compares all present pages. Restores after that are in proportion to the changes
 * again. A drop takes as long as a restore, and frees the tables.
 *
 * While there are snapshots, faults on missing pages take the slow path (mm/fault.c), and large
 * leaves are split by writes and never merged.
 *
 * A snapshot holds the areas and the contents of alloc areas. While there are snapshots, areas may
 * change as at any time. A restore undoes all of it: areas that were mapped since are unmapped,
 * areas that were unmapped, replaced, remapped or protected since are as they were, with the
 * contents of that moment. Memory that is unmapped while a snapshot holds it goes back to the HAL
 * when the last such snapshot is dropped, and counts in the quota until then. Unmapping takes as
 * long as it does without a snapshot, and for each page a look into each snapshot's tables. A
 * restore after the areas have changed also visits all present pages, and copies the areas.
 *
 * Memory of linear areas is not the library's, and a restore does not change its contents. It does
 * bring a linear area back that was unmapped since. So the caller keeps the host memory of linear
 * areas as long as there is a snapshot of them. Frames that the caller supplies (supply.h) cannot
 * be in a snapshot.
 *
 * While a dirty log is active, take and restore return MM_BUSY, so
 * that no page becomes writable without the log. Accessed and dirty marks are not part of the
 * contents: after a restore, mm_aspace_harvest() may report a page that was not accessed since, or
 * not report a page that the restore has changed. mm_aspace_clear() and mm_aspace_destroy() drop
 * all snapshots.
 */
#ifndef MM_SNAPSHOT_H
#define MM_SNAPSHOT_H

#include "mm/aspace.h"
#include "mm/compiler.h"

MM_BEGIN_DECLS

/** A snapshot. The caller provides the memory from take to drop, and uses none of its members. A
 * snapshot belongs to one address space. To pass it to another one is an error that the library
 * does not detect. */
struct mm_snapshot {
	struct mm_npt tables;     /**< they share the frames of the address space */
	struct mm_area_map areas; /**< as they were */
	uint64_t areas_version;   /**< mm_aspace.areas_version when it was taken */
};

/** [exclusive] MM_INVALID: it is taken already. MM_UNSUPPORTED: there is an area whose frames the
 * caller supplies (supply.h). MM_BUSY: a dirty log is active. MM_NO_MEMORY, MM_QUOTA: no frames for
 * the tables. */
enum mm_error mm_aspace_snapshot_take(struct mm_aspace *as,
                                      struct mm_snapshot *snapshot) MM_MUST_CHECK;

/** [exclusive] Restores the guest's memory; the snapshot stays. MM_INVALID: it is no snapshot of
 * this address space. MM_BUSY: a dirty log is active. MM_NO_MEMORY, MM_QUOTA: only if areas have
 * changed, or another snapshot has been restored, since this one was taken; then nothing has
 * changed. */
enum mm_error mm_aspace_snapshot_restore(struct mm_aspace *as,
                                         struct mm_snapshot *snapshot) MM_MUST_CHECK;

/** [exclusive, in turns] Ends the snapshot, and frees what only it held. The guest's memory does
 * not change. A page that is still write-protected becomes writable at its next write. Does nothing
 * if the snapshot has ended already (see mm_aspace_clear()). */
void mm_aspace_snapshot_drop(struct mm_aspace *as, struct mm_snapshot *snapshot);

MM_END_DECLS

#endif
