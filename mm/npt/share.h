/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies of a table that share its frames. A snapshot is such a copy.
 *
 *	live  [root] -> [table] -> leaf r-- shared --.
 *	                                             +--> frame
 *	copy  [root] -> [table] -> leaf r-- shared --'
 *
 * A copy has tables of its own, which no hardware walks. A restore puts their leaves into the live
 * table. Making a copy takes time and frames in proportion to the number of tables only.
 *
 * Frames have no reference count. A frame is mapped at the same guest address by every table that
 * holds it, so a walk of each table for that address finds the holders. The bit `shared` in a leaf
 * says that another table may hold the frame.
 *
 * Faults add leaves, split them, and make them writable. Before that the frame is copied if another
 * table holds it. [exclusive] calls map, unmap and split. Code that changes what an entry of the
 * live table maps records that entry (history.h), and frees no frame that a copy holds. Permissions
 * and memory types are not recorded: mm_npt_restore() restores what is mapped, and its caller the
 * rest.
 */
#ifndef MM_NPT_SHARE_H
#define MM_NPT_SHARE_H

#include "mm/npt/frames.h"

/* [exclusive] Makes *copy a copy of npt's tables as they are now. Every owned leaf of npt becomes
 * shared and read-only; flushed. MM_NO_MEMORY, MM_QUOTA: nothing has changed. */
enum mm_error mm_npt_copy(struct mm_npt *npt, struct mm_npt *copy) MM_MUST_CHECK;

/* [exclusive] Restores npt from the copy, which stays. Frames that no other table holds go back to
 * the HAL, and so do tables. One flush, or none if nothing differs. The time is in proportion to
 * what has changed since copy and npt were last the same; for a copy that is not exact (history.h),
 * to all that npt maps. Takes frames only if an older copy was restored since: then MM_NO_MEMORY
 * and MM_QUOTA are possible, and nothing has changed. */
enum mm_error mm_npt_restore(struct mm_npt *npt, struct mm_npt *copy) MM_MUST_CHECK;

/* [exclusive] Frees the copy: its tables, and the frames that no other table holds. The time is
 * that of a restore, and in proportion to its tables. */
void mm_npt_drop_copy(struct mm_npt *npt, struct mm_npt *copy);

/* [exclusive] Step 3 of change.h for a table that has copies: releases all that is parked or
 * unlinked in the range. Frames that a copy holds stay. */
void mm_npt_release_beside(struct mm_npt *npt, struct mm_gpa_range range);

/* --- for share.c, restore.c and beside.c --- */

/* The live table has lost tables that its copies may have. */
static inline void mm_npt_lose_tables(struct mm_npt *npt)
{
	for (struct mm_npt *copy = npt->copies; copy; copy = copy->next_copy)
		copy->lacking = true;
}

/* Two entries of the same level for the same address: the live table's and a copy's. */
struct mm_npt_pair {
	_Atomic uint64_t *live;
	_Atomic uint64_t *copy;
	unsigned level;
};

/* The pair for gpa of this level, or of the lowest level above it that both tables have. */
struct mm_npt_pair mm_npt_pair_at(const struct mm_npt *npt, const struct mm_npt *copy, mm_gpa_t gpa,
                                  unsigned level);

/* Frees a block, or those of its pages that no table maps, `except` not counted. Single pages go
 * into the batch. Returns the number of frames. */
int64_t mm_npt_free_unheld(struct mm_npt *npt, struct mm_npt_batch *batch,
                           const struct mm_npt *except, mm_gpa_t gpa, mm_hpa_t hpa, unsigned level);

#endif
