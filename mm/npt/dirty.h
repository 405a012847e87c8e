/*
 * What dirty tracking asks of a table. All of it [exclusive]; bitmaps as in mm/dirty.h: bit n for
 * page n of the range.
 */
#ifndef MM_NPT_DIRTY_H
#define MM_NPT_DIRTY_H

#include "mm/npt/npt.h"

/* Takes W from every leaf of the range; flushed. */
void npt_write_protect(struct npt *npt, struct gpa_range range);

/* Which leaves have W? Reports them and takes it; flushed. */
void npt_collect_writable(struct npt *npt, struct gpa_range range, uint64_t bitmap[]);

/* Which leaves has the hardware marked dirty? Reports them, if there is a bitmap, and clears the
 * marks; flushed. */
void npt_collect_dirty(struct npt *npt, struct gpa_range range, uint64_t bitmap[]);

/* Gives every leaf of the range these permissions. True: a flush is due, by npt_flush_range(). */
bool npt_allow(struct npt *npt, struct gpa_range range, enum mm_perm perm) MM_MUST_CHECK;

void npt_flush_range(struct npt *npt, struct gpa_range range);

#endif
