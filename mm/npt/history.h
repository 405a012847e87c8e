/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The history of a table that has copies (share.h): the entries that have changed what they map, in
 * order. With it, a restore reads only the entries that have changed.
 *
 *	position   0        512        1024
 *	           [ frame ]->[ frame ]->[ frame ]      8 bytes an entry: gpa | level
 *	                ^ copy B   ^ copy A   ^ end
 *
 * Every copy has a position. Each difference between the live table and the copy is at or below an
 * entry that was recorded from that position on. A restore puts these entries back, records them
 * for the other copies, and moves the position of its own copy to the end.
 *
 * The history is a ring of frames from the HAL, which count as tables. If no frame is free, or if
 * the position of a copy is too old, that copy is no longer `exact`: its next restore compares all
 * entries. After that it is exact again. So recording never fails.
 */
#ifndef MM_NPT_HISTORY_H
#define MM_NPT_HISTORY_H

#include "mm/atomic.h"
#include "mm/npt.h"

#define MM_NPT_HISTORY_FRAMES  (MM_NPT_HISTORY_DIRECT + MM_PAGE_SIZE / sizeof(uint64_t))
#define MM_NPT_HISTORY_PER     (MM_PAGE_SIZE / sizeof(uint64_t))
#define MM_NPT_HISTORY_ENTRIES (MM_NPT_HISTORY_FRAMES * MM_NPT_HISTORY_PER)

struct mm_npt_change {
	mm_gpa_t gpa;
	unsigned level; /* of the entry that has changed what it maps */
};

/* [exclusive] Before the first copy: an empty history. Takes a frame, if one is free. */
void mm_npt_history_open(struct mm_npt *npt);
/* [exclusive] After the last copy: all frames go back. */
void mm_npt_history_close(struct mm_npt *npt);

/* [shared] Records an entry. Does nothing if there are no copies. */
void mm_npt_history_record(struct mm_npt *npt, struct mm_npt_counts *counts, mm_gpa_t gpa,
                           unsigned level);

/* [exclusive] If a change could not be recorded, all copies become inexact. Called before positions
 * are used. */
void mm_npt_history_settle(struct mm_npt *npt);
/* [exclusive] Gives back the frames that no exact copy needs. Called after positions have changed.
 */
void mm_npt_history_trim(struct mm_npt *npt);

/* [exclusive] The frame that holds the change at this position. The position is at or after that of
 * an exact copy, and before the end. */
const _Atomic uint64_t *mm_npt_history_frame(const struct mm_npt *npt, uint64_t position);

/* The change at a position, in its frame. */
static inline struct mm_npt_change mm_npt_history_at(const _Atomic uint64_t *frame,
                                                     uint64_t position)
{
	uint64_t entry =
		atomic_load_explicit(&frame[position % MM_NPT_HISTORY_PER], memory_order_relaxed);

	return (struct mm_npt_change){mm_gpa_at(mm_align_down(entry, MM_PAGE_SIZE)),
	                              (unsigned)(entry & (MM_PAGE_SIZE - 1))};
}

static inline uint64_t mm_npt_history_end(const struct mm_npt *npt)
{
	return atomic_load_explicit(&npt->history.end, memory_order_relaxed);
}

#endif
