/*
 * The history of a table that has copies (share.h): which entries have changed what they map, in
 * order. It is what lets a restore look at what has changed, and at nothing else.
 *
 *	position   0        512        1024
 *	           [ frame ]->[ frame ]->[ frame ]      8 bytes an entry: gpa | level
 *	                ^ copy B   ^ copy A   ^ end
 *
 * Every copy remembers a position. Each difference between the live table and the copy is at or
 * below an entry that was recorded from that position on. A restore puts these entries back,
 * records them for the sake of the other copies, and moves its own copy's position to the end.
 *
 * The history is a ring of frames from the HAL, which count as tables. If a frame cannot be had, or
 * if a copy's position falls too far behind, that copy is no longer `exact`: its next restore
 * compares all entries, after which it is exact again. So recording never fails.
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
	unsigned level; /* of the entry that changed what it maps */
};

/* [exclusive] Before the first copy: an empty history. It takes a frame, if there is one. */
void npt_history_open(struct npt *npt);
/* [exclusive] After the last copy: all frames go back. */
void npt_history_close(struct npt *npt);

/* [shared] Records an entry. Does nothing if there are no copies. */
void npt_history_record(struct npt *npt, struct npt_counts *counts, gpa_t gpa, unsigned level);

/* [exclusive] Copies that a change was lost for are not exact from here on. Comes before positions
 * are used. */
void npt_history_settle(struct npt *npt);
/* [exclusive] Gives back what no exact copy needs. Comes after positions have changed. */
void npt_history_trim(struct npt *npt);

/* [exclusive] The frame that holds the change at a position, which is one from an exact copy's up
 * to the end. */
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
