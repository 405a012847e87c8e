/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table's part of dirty tracking (mm/dirty.h). All calls are [exclusive]. Bit n of a bitmap
 * stands for page n of the range.
 */
#ifndef MM_NPT_DIRTY_H
#define MM_NPT_DIRTY_H

#include "mm/npt/npt.h"

/* Removes W from every leaf of the range, and flushes. */
void npt_write_protect(struct npt *npt, struct gpa_range range);

/* Reports the leaves that have W, removes W from them, and flushes. */
void npt_collect_writable(struct npt *npt, struct gpa_range range, uint64_t bitmap[]);

/* Reports the leaves that hardware has marked dirty (unless `bitmap` is NULL), clears the marks,
 * and flushes. */
void npt_collect_dirty(struct npt *npt, struct gpa_range range, uint64_t bitmap[]);

/* Gives every leaf of the range these permissions. True: the caller has to call
 * npt_flush_range(). */
bool npt_allow(struct npt *npt, struct gpa_range range, enum mm_perm perm) MM_MUST_CHECK;

void npt_flush_range(struct npt *npt, struct gpa_range range);

#endif
