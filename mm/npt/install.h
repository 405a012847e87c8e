/*
 * Changes to a table that faults make (install.c, protect.c, share.c, split.c). All calls are
 * [shared], and each CPU passes its own counts.
 */
#ifndef MM_NPT_INSTALL_H
#define MM_NPT_INSTALL_H

#include "mm/npt/frames.h"
#include "mm/npt/walk.h"

/*
 * Maps the page at gpa, where a walk has ended in an absent entry. `mapping` describes the owned
 * range around it. The leaf is the largest that fits, or a smaller one if no block of that size is
 * free. MM_BUSY: the entry has changed, walk again. MM_NO_MEMORY, MM_QUOTA.
 */
enum mm_error npt_install(struct npt *npt, struct npt_counts *counts, struct npt_slot slot,
                          gpa_t gpa, const struct npt_mapping *mapping) MM_MUST_CHECK;

/* A fault has found its page present and permitted. Either another CPU has mapped it first, or the
 * TLB of this CPU still holds that it was absent. In formats with caches_absent the page is
 * flushed. */
void npt_forget_absence(struct npt *npt, struct npt_counts *counts, gpa_t gpa);

/* The leaf at slot lacks a permission that its area has. Gives it these permissions, and flushes in
 * formats with keeps_refused. Not for a shared leaf that becomes writable. MM_BUSY as above. */
enum mm_error npt_relax(struct npt *npt, struct npt_counts *counts, struct npt_slot slot, gpa_t gpa,
                        enum mm_perm perm) MM_MUST_CHECK;

/* The same for a shared leaf that becomes writable. If another table holds the frame, the page gets
 * a copy of it. Flushes. MM_BUSY: also after a large leaf was split first. */
enum mm_error npt_unshare(struct npt *npt, struct npt_counts *counts, struct npt_slot slot,
                          gpa_t gpa, enum mm_perm perm) MM_MUST_CHECK;

/* Replaces a large leaf by a table of smaller ones. MM_BUSY, MM_NO_MEMORY, MM_QUOTA. */
enum mm_error npt_split_leaf(struct npt *npt, struct npt_counts *counts, struct npt_slot slot,
                             gpa_t gpa) MM_MUST_CHECK;

/* A level 0 leaf without an address, for an owned page in MM_NORMAL memory. */
uint64_t npt_page_attr(const struct npt *npt, enum mm_perm perm);

/*
 * The fast form of npt_install(), inlined into its caller, for nearly every fault: `entry` is of
 * level 0, *attr is of npt_page_attr(), the table is `direct` (npt.h) and has no copies, since
 * nothing is recorded (history.h). MM_BUSY and MM_NO_MEMORY as there. MM_QUOTA: this CPU has no
 * credit left; the caller calls npt_refill_credit().
 *
 * Each page costs one unit of credit, and nothing else is counted. From the credit that was used,
 * aspace_get_stats() computes the pages, the frames and the faults that were served this way.
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

	const hpa_t frame = taken; /* a copy whose address no hook has: it stays in a register */

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
