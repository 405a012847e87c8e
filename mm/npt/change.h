/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing entries that the hardware may be using. For the files of the walker only.
 *
 * A change that removes a translation runs in three steps. It needs no memory of its own:
 *
 *	1. Unlink: each entry loses its present bits by one store. The rest of it stays, marked as
 *	   parked (a leaf) or unlinked (a table).
 *	2. Flush: one flush request. After it no CPU uses the old entries.
 *	3. Release: the frames and tables of marked entries go back to the HAL, and the entries
 *	   become 0.
 *
 * Who writes to an entry of a live table, and how:
 *
 * Hardware sets A and D in present entries. It changes nothing else.
 *
 * [shared] calls use one compare-and-swap from the value that a walk has read: mm_npt_swap(). The
 * caller that has frozen an entry is the only one that may write to it next, and uses a store.
 *
 * [exclusive] calls use mm_npt_swap() for a present leaf that stays, because hardware may set a
 *mark at the same time. They use a plain store where no mark can be lost: the entry is not present;
 *it points to a table, whose marks mean nothing; its page goes away; or the configuration has no
 * marks. (AMD's hardware sets marks in any case, but there they are set from the start:
 * mm_npt_format.preset.)
 */
#ifndef MM_NPT_CHANGE_H
#define MM_NPT_CHANGE_H

#include "mm/npt/frames.h"
#include "mm/npt/walk.h"

/* A request for more strides than this flushes the whole address space instead. */
#define MM_NPT_FLUSH_STRIDES 512U

/* Requests one flush from the HAL and counts it. `leaf_level` is the level of the smallest leaf
 * that changed. The range is widened to whole leaves of that level, because a flush by address
 * invalidates one address per leaf, and the range may begin or end inside a changed leaf. */
void mm_npt_flush(struct mm_npt *npt, struct mm_npt_counts *counts, struct mm_gpa_range range,
                  unsigned leaf_level, bool tables);

/* Step 3 for [start, end): releases all that is parked or unlinked there, and subtracts it from
 * `counts`. NULL: it has never been counted. Large tables go into *removed. */
void mm_npt_release(struct mm_npt *npt, uint64_t start, uint64_t end, struct mm_npt_counts *counts,
                    struct mm_npt_removed *removed);

/* Unlinks and releases a range of a table that no CPU has ever walked: without a flush. */
void mm_npt_discard(struct mm_npt *npt, struct mm_gpa_range range);

/* Splits the large leaves in which the range begins or ends. All tables are taken first: on an
 * error nothing has changed. With `perm`, a leaf that has these permissions already is not split.
 * With NULL, every leaf is. After the call no leaf extends into two areas, because a fault gives a
 * whole leaf the permissions of its area. */
enum mm_error mm_npt_split_ends(struct mm_npt *npt, struct mm_gpa_range range,
                                const enum mm_perm *perm) MM_MUST_CHECK;

/* The leaf with other permissions. Its frame, its memory type and its marks stay. */
static inline uint64_t mm_npt_with_perm(const struct mm_npt *npt, uint64_t value, unsigned level,
                                        enum mm_perm perm)
{
	const struct mm_npt_format *f = npt->format;
	bool hardware = npt->config.accessed_dirty;

	perm = mm_npt_leaf_perm(&npt->config, level, perm);
	/* A copy of the tables may hold the frame: the first write has to fault. */
	if ((value & f->shared) != 0)
		perm = (enum mm_perm)((unsigned)perm & ~(unsigned)MM_W);
	if (hardware && (value & f->dirty) != 0)
		value |= f->soft_dirty;
	if (perm == MM_NONE)
		return mm_npt_mark(f, value, MM_NPT_PARKED) & ~f->perm_mask;
	if (!mm_npt_present(f, value))
		value = mm_npt_unmark(f, value, MM_NPT_PARKED, 0);
	return (value & ~f->perm_mask) | f->leaf[level] | mm_npt_encode_perm(f, hardware, perm);
}

/* Replaces *value in a live entry by `by`. False: the entry has changed, and *value is its new
 * value. */
static inline bool mm_npt_swap(_Atomic uint64_t *entry, uint64_t *value, uint64_t by)
{
	return atomic_compare_exchange_strong_explicit(entry, value, by, memory_order_acq_rel,
	                                               memory_order_acquire);
}

/* [exclusive] Clears these bits in a present leaf that stays. *value becomes the value before. */
static inline void mm_npt_take_bits(_Atomic uint64_t *entry, uint64_t *value, uint64_t bits)
{
	while (!mm_npt_swap(entry, value, *value & ~bits))
		;
}

/*
 * [shared] Replaces the leaf at slot by `by`: a table that maps the same frames, or a leaf of the
 * same level that maps another frame. False: the entry has changed, and slot->value is its new
 * value.
 *
 * If the frame changes, every format needs break-before-make: the entry is frozen, the old
 * translation is flushed, then `by` is linked. Otherwise one CPU could write to the new frame while
 * another one still reads the old one. A CPU that finds the frozen entry waits inside the library,
 * so the flush hook must not wait for other CPUs to leave it (hal.h).
 *
 * A table that maps the same frames is linked by one swap, unless the format demands the break. The
 * caller flushes afterwards if the old translation must not be used any longer.
 */
bool mm_npt_replace_leaf(struct mm_npt *npt, struct mm_npt_counts *counts, struct mm_npt_slot *slot,
                         mm_gpa_t gpa, uint64_t by);

/* Fills a table of this level with leaves that together map what `value`, a leaf of the level
 * above, maps. */
void mm_npt_fill_split(const struct mm_npt *npt, _Atomic uint64_t *table, uint64_t value,
                       unsigned level);

#endif
