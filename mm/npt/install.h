/*
 * What faults ask of a table: see install.c. All of it [shared], each CPU with counts of its own.
 */
#ifndef MM_NPT_INSTALL_H
#define MM_NPT_INSTALL_H

#include "mm/npt/frames.h"
#include "mm/npt/walk.h"

/*
 * Maps the page at gpa, where a walk has ended in an absent entry, as `mapping` says of the range
 * around it, which is owned: with the largest leaf that fits there, and smaller ones where no
 * block is free. MM_BUSY: the entry has changed meanwhile, walk again. MM_NO_MEMORY, MM_QUOTA.
 */
enum mm_error npt_install(struct npt *npt, struct npt_counts *counts, struct npt_slot slot,
                          gpa_t gpa, const struct npt_mapping *mapping) MM_MUST_CHECK;

/* A fault has found its page present and permitted: another CPU was faster, or this one's TLB
 * still holds that there was nothing. Formats that allow the latter get a flush of the page. */
void npt_forget_absence(struct npt *npt, struct npt_counts *counts, gpa_t gpa);

/* The leaf at slot refuses what its area permits: gives it these permissions, and flushes where
 * TLBs go on refusing. Not for a shared leaf that is to be writable. MM_BUSY as above. */
enum mm_error npt_relax(struct npt *npt, struct npt_counts *counts, struct npt_slot slot, gpa_t gpa,
                        enum mm_perm perm) MM_MUST_CHECK;

/* The same for a shared leaf that is to be written to: the page becomes the table's own, by a copy
 * if somebody else holds its frame. Flushed. MM_BUSY: also when a large leaf had to be split
 * first. */
enum mm_error npt_unshare(struct npt *npt, struct npt_counts *counts, struct npt_slot slot,
                          gpa_t gpa, enum mm_perm perm) MM_MUST_CHECK;

/* Puts a table of smaller leaves in the place of a large one. MM_BUSY, MM_NO_MEMORY, MM_QUOTA. */
enum mm_error npt_split_leaf(struct npt *npt, struct npt_counts *counts, struct npt_slot slot,
                             gpa_t gpa) MM_MUST_CHECK;

/* A leaf for a page of the library's own, in MM_NORMAL memory, but for its address. */
uint64_t npt_page_attr(const struct npt *npt, enum mm_perm perm);

/*
 * npt_install() where the walk got to the last level, for such a page, in a direct table: what
 * nearly every fault comes to, and short enough to stand in its caller. *attr is read last. Not
 * while the table has copies: nothing is recorded (history.h).
 * MM_QUOTA: this CPU has no credit left; npt_refill_credit() has to follow.
 *
 * One unit of credit goes for each page, and nothing else is counted here: from the credit that is
 * gone, aspace_get_stats() tells the pages, the frames, and the faults that were served so.
 */
static MM_ALWAYS_INLINE MM_MUST_CHECK enum mm_error npt_install_page(struct npt *npt,
                                                                     struct npt_counts *counts,
                                                                     _Atomic uint64_t *entry,
                                                                     const uint64_t *attr)
{
	uint64_t absent = 0;
	hpa_t taken;

	if (MM_UNLIKELY(atomic_load_explicit(&counts->credit, memory_order_relaxed) == 0))
		return MM_QUOTA;
	if (MM_UNLIKELY(npt->hal.alloc(npt->hal.ctx, 0, 1, &taken) != 1))
		return MM_NO_MEMORY;

	const hpa_t frame = taken; /* no hook can change this one */

	npt_clear_bytes(npt, (void *)(uintptr_t)(frame.raw + npt->direct_offset), MM_PAGE_SIZE);

	const struct npt_format *f = npt->format;
	uint64_t leaf = *attr | ((frame.raw >> f->pa_shift) & f->pa_mask);

	if (MM_UNLIKELY(!atomic_compare_exchange_strong_explicit(
		    entry, &absent, leaf, memory_order_release, memory_order_relaxed))) {
		npt->hal.free(npt->hal.ctx, 0, 1, &taken);
		return MM_BUSY;
	}
	npt_publish(npt);
	npt_count(&counts->credit, -1);
	return MM_OK;
}

#endif
