/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table's part of dirty tracking (mm/dirty.h). All calls are [exclusive]. Bit n of a bitmap
 * stands for page n of the range.
 */
#ifndef MM_NPT_DIRTY_H
#define MM_NPT_DIRTY_H

#include "mm/npt.h"

/* Removes W from every leaf of the range, and flushes. */
void mm_npt_write_protect(struct mm_npt *npt, struct mm_gpa_range range);

/* Reports the leaves that have W, removes W from them, and flushes. */
void mm_npt_collect_writable(struct mm_npt *npt, struct mm_gpa_range range, uint64_t bitmap[]);

/* Reports the leaves that hardware has marked dirty (unless `bitmap` is NULL), clears the marks,
 * and flushes. */
void mm_npt_collect_dirty(struct mm_npt *npt, struct mm_gpa_range range, uint64_t bitmap[]);

/* Gives every leaf of the range these permissions. True: the caller has to call
 * mm_npt_flush_range(). */
bool mm_npt_allow(struct mm_npt *npt, struct mm_gpa_range range, enum mm_perm perm) MM_MUST_CHECK;

void mm_npt_flush_range(struct mm_npt *npt, struct mm_gpa_range range);

#endif
