/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table's part of dirty tracking (mm/dirty.h). Calls are [exclusive] where nothing else is
 * said, and run in turns (turn.h). Bit n of a bitmap stands for page n of the range.
 */
#ifndef MM_NPT_DIRTY_H
#define MM_NPT_DIRTY_H

#include "mm/npt.h"
#include "mm/npt/entry.h"

/*
 * While W is withheld (npt.marks_written), each entry that points to a table with a leaf that has W
 * carries a mark, and so do the entries above it. The mark may also stand where no leaf has W any
 * more. So mm_npt_collect_writable() reads only tables that were written to since it has last read
 * them. Hardware ignores the bit in such an entry. In a leaf the same bit means something else.
 */
static inline uint64_t mm_npt_written(const struct mm_npt_format *f)
{
	return f->owned;
}

/* [shared] Marks the tables on the way to gpa. */
void mm_npt_mark_written(const struct mm_npt *npt, mm_gpa_t gpa);

/* [shared] Called after the leaf at gpa has got these permissions, or a table that maps what a leaf
 * with these permissions has mapped. */
static inline void mm_npt_note_perm(const struct mm_npt *npt, mm_gpa_t gpa, enum mm_perm perm)
{
	if (MM_UNLIKELY(npt->marks_written) && (perm & MM_W) != 0)
		mm_npt_mark_written(npt, gpa);
}

/* Removes W from every leaf of the range, which is all that the table maps, and flushes. From now
 * on faults mark tables: until the caller clears npt.marks_written. */
void mm_npt_write_protect(struct mm_npt *npt, struct mm_gpa_range range);

/* Reports the leaves that have W, removes W from them, and flushes. Reads marked tables only. */
void mm_npt_collect_writable(struct mm_npt *npt, struct mm_gpa_range range, uint64_t bitmap[]);

/* Reports the leaves that hardware has marked dirty (unless `bitmap` is NULL), clears the marks,
 * and flushes. */
void mm_npt_collect_dirty(struct mm_npt *npt, struct mm_gpa_range range, uint64_t bitmap[]);

/* Is the leaf at gpa dirty: has it W, or a mark of the hardware? Makes it clean, and sets *level.
 * The caller flushes. */
bool mm_npt_clean_leaf(struct mm_npt *npt, mm_gpa_t gpa, bool hardware,
                       unsigned *level) MM_MUST_CHECK;

/* Gives every leaf of the range these permissions. True: the caller has to call
 * mm_npt_flush_range(). */
bool mm_npt_allow(struct mm_npt *npt, struct mm_gpa_range range, enum mm_perm perm) MM_MUST_CHECK;

void mm_npt_flush_range(struct mm_npt *npt, struct mm_gpa_range range);

#endif
