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
#include "mm/npt/npt.h"

#define NPT_HISTORY_FRAMES  (NPT_HISTORY_DIRECT + MM_PAGE_SIZE / sizeof(uint64_t))
#define NPT_HISTORY_PER     (MM_PAGE_SIZE / sizeof(uint64_t))
#define NPT_HISTORY_ENTRIES (NPT_HISTORY_FRAMES * NPT_HISTORY_PER)

struct npt_change {
	gpa_t gpa;
	unsigned level; /* of the entry that has changed what it maps */
};

/* [exclusive] Before the first copy: an empty history. Takes a frame, if one is free. */
void npt_history_open(struct npt *npt);
/* [exclusive] After the last copy: all frames go back. */
void npt_history_close(struct npt *npt);

/* [shared] Records an entry. Does nothing if there are no copies. */
void npt_history_record(struct npt *npt, struct npt_counts *counts, gpa_t gpa, unsigned level);

/* [exclusive] If a change could not be recorded, all copies become inexact. Called before positions
 * are used. */
void npt_history_settle(struct npt *npt);
/* [exclusive] Gives back the frames that no exact copy needs. Called after positions have changed.
 */
void npt_history_trim(struct npt *npt);

/* [exclusive] The frame that holds the change at this position. The position is at or after that of
 * an exact copy, and before the end. */
const _Atomic uint64_t *npt_history_frame(const struct npt *npt, uint64_t position);

/* The change at a position, in its frame. */
static inline struct npt_change npt_history_at(const _Atomic uint64_t *frame, uint64_t position)
{
	uint64_t entry =
		atomic_load_explicit(&frame[position % NPT_HISTORY_PER], memory_order_relaxed);

	return (struct npt_change){gpa_at(mm_align_down(entry, MM_PAGE_SIZE)),
	                           (unsigned)(entry & (MM_PAGE_SIZE - 1))};
}

static inline uint64_t npt_history_end(const struct npt *npt)
{
	return atomic_load_explicit(&npt->history.end, memory_order_relaxed);
}

#endif
