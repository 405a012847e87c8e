/*
 * What the walker's own files share: flush requests, and the two halves of taking things away.
 *
 * A change that takes something from the hardware runs in three steps, and needs no memory to
 * remember what it does:
 *
 *	1. each entry loses its present bits by one store, and keeps the rest, marked as parked
 *	   or cut: it is its own record
 *	2. one flush: now no CPU can use what the entries said
 *	3. what is so marked is released: frames and tables go back, entries become 0
 */
#ifndef MM_NPT_CHANGE_H
#define MM_NPT_CHANGE_H

#include "mm/npt/frames.h"
#include "mm/npt/walk.h"

/* More strides than this in one request, and everything is flushed instead. */
#define NPT_FLUSH_STRIDES 512U

/* Asks for one flush, and counts it. `leaf_level`: the smallest leaf changed. */
void npt_flush(struct npt *npt, struct npt_counts *counts, struct gpa_range range,
               unsigned leaf_level, bool tables);

/* Step 3 for [start, end): releases all that is parked or cut there. What goes is taken off
 * `counts`, unless that is NULL: it has never been counted. */
void npt_release(struct npt *npt, uint64_t start, uint64_t end, struct npt_counts *counts);

/* Cuts large leaves in two where the range begins or ends inside one. All tables that this
 * needs are taken first: on an error nothing has changed. With `perm`, leaves that have these
 * permissions already are left whole; NULL: none is. */
enum mm_error npt_split_ends(struct npt *npt, struct gpa_range range,
                             const enum mm_perm *perm) must_check;

#endif
