/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a fault changes an entry: the contract of all functions here.
 *
 *	who       a call that holds the read lock; `counts` belong to its CPU
 *	from      the entry and the value that a walk has returned
 *	prepare   frames and tables are charged to the quota and filled before they are linked:
 *	          frames zeroed or copied, tables complete
 *	install   one compare-and-swap from the value that the walk has read. If the entry has
 *	          changed since, the frames go back and the result is MM_BUSY: walk again
 *	publish   mm_npt_publish(): walkers of other CPUs see the new entry
 *	flush     where a TLB may hold what the entry said before: see the table
 *	record    mm_npt_history_record(), if the entry maps another frame and there are copies
 *	account   leaves, frames and tables are added to `counts`
 *	error     MM_BUSY, MM_QUOTA, MM_NO_MEMORY: nothing has changed
 *
 *	function          entry                                 flush
 *	mm_npt_install       absent -> leaf, or table with leaf    none; mm_npt_forget_absence()
 *	mm_npt_relax         leaf -> leaf, more permissions        if TLBs keep refusals
 *	mm_npt_unshare       leaf -> leaf of its own frame         break-before-make, if it is a
 *copy mm_npt_split_leaf    leaf -> table, same frames            if the format needs the break
 *
 * The fast path (mm/fault_fast.c) installs single pages by the same contract. A fault makes an
 * absent entry present by mm_npt_install_entry() (walk.h), and in no other way. Calls that hold the
 * write lock change entries by the rules of change.h.
 */
#ifndef MM_NPT_INSTALL_H
#define MM_NPT_INSTALL_H

#include "mm/npt/frames.h"
#include "mm/npt/walk.h"

/*
 * Maps the page at gpa, where a walk has ended in an absent entry. `mapping` describes the range
 * around it, which gets frames of the library's own: the largest leaf that fits, or a smaller one
 * where no block is free, and the tables that are missing above it.
 */
enum mm_error mm_npt_install(struct mm_npt *npt, struct mm_npt_counts *counts,
                             struct mm_npt_slot slot, mm_gpa_t gpa,
                             const struct mm_npt_mapping *mapping) MM_MUST_CHECK;

/* A fault has found its page present and permitted. Either another CPU was faster, or this CPU's
 * TLB holds that the page is absent. Flushes the page where the format allows such a TLB entry. */
void mm_npt_forget_absence(struct mm_npt *npt, struct mm_npt_counts *counts, mm_gpa_t gpa);

/* Gives the leaf these permissions, which include those that it has. Not for a shared leaf that
 * becomes writable. */
enum mm_error mm_npt_relax(struct mm_npt *npt, struct mm_npt_counts *counts,
                           struct mm_npt_slot slot, mm_gpa_t gpa, enum mm_perm perm) MM_MUST_CHECK;

/* The same for a shared leaf that becomes writable: the table gets a copy of the page, or the frame
 * itself if no copy of the table (share.h) holds it. MM_BUSY also if a large leaf had to be split
 * first. */
enum mm_error mm_npt_unshare(struct mm_npt *npt, struct mm_npt_counts *counts,
                             struct mm_npt_slot slot, mm_gpa_t gpa,
                             enum mm_perm perm) MM_MUST_CHECK;

/* Replaces a large leaf by a table of smaller leaves. */
enum mm_error mm_npt_split_leaf(struct mm_npt *npt, struct mm_npt_counts *counts,
                                struct mm_npt_slot slot, mm_gpa_t gpa) MM_MUST_CHECK;

#endif
