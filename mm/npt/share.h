/*
 * Copies of a table that share its frames: what a snapshot is made of.
 *
 *	live  [root] -> [table] -> leaf r-- shared --.
 *	                                             +--> frame
 *	copy  [root] -> [table] -> leaf r-- shared --'
 *
 * A copy has tables of its own, which no hardware ever walks. A restore puts their leaves into the
 * live table. A copy takes time and frames in proportion to the tables alone. Frames have no count
 * of their holders. A frame stays at its guest address, so the other tables are asked at the same
 * address who holds it. The bit `shared` in a leaf says that somebody may.
 *
 * While a table has copies, nothing but faults and npt_restore() changes it: leaves are added,
 * split, and made writable, by a copy of the frame if somebody else holds it.
 */
#ifndef MM_NPT_SHARE_H
#define MM_NPT_SHARE_H

#include "mm/npt/frames.h"

/* [exclusive] Makes *copy a copy of npt's tables as they are now. Every owned leaf of npt becomes
 * shared and read-only; flushed. MM_NO_MEMORY, MM_QUOTA: nothing has changed. */
enum mm_error npt_copy(struct npt *npt, struct npt *copy) MM_MUST_CHECK;

/* [exclusive] Puts npt back to what the copy says, which stays. Frames that nobody else holds go
 * back, and so do tables. One flush, or none if nothing differs. It costs what has changed since
 * the copy and npt were last the same; a copy that is not exact (history.h) costs all that npt
 * maps. Nothing is taken, unless an older copy has been restored since: then MM_NO_MEMORY and
 * MM_QUOTA, and nothing has changed. */
enum mm_error npt_restore(struct npt *npt, struct npt *copy) MM_MUST_CHECK;

/* [exclusive] The copy ends; frames that only it held go back, and its tables. It costs what a
 * restore would, and the tables. */
void npt_drop_copy(struct npt *npt, struct npt *copy);

/* --- for share.c and restore.c --- */

/* Two entries of one level for one address: the live table's and a copy's. */
struct npt_pair {
	_Atomic uint64_t *live;
	_Atomic uint64_t *copy;
	unsigned level;
};

/* The pair at gpa of this level, or of the first above it where one of the two has no table. */
struct npt_pair npt_pair_at(const struct npt *npt, const struct npt *copy, gpa_t gpa,
                            unsigned level);

/* Gives a block back, or those pages of it that nobody but `except` maps; single pages by way of
 * the batch. Answers how many frames that were. */
int64_t npt_free_unheld(struct npt *npt, struct npt_batch *batch, const struct npt *except,
                        gpa_t gpa, hpa_t hpa, unsigned level);

#endif
