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
 *
 * Who writes to an entry of a live table, and how:
 *
 * Hardware sets A and D in present entries, and nothing else.
 *
 * [shared] calls use one compare-and-swap from the value that a walk has read: npt_swap(). Whoever
 * has frozen an entry is the only one to write to it next, and may store.
 *
 * [exclusive] calls use npt_swap() for a present leaf that stays, since hardware may be adding
 * marks. They use one plain store where no mark can be lost: the entry is not present; it is a
 * table's, whose marks mean nothing; its page goes away; or the configuration has no marks (AMD's
 * hardware sets them nevertheless, and finds them set: npt_format.preset).
 */
#ifndef MM_NPT_CHANGE_H
#define MM_NPT_CHANGE_H

#include "mm/npt/frames.h"
#include "mm/npt/walk.h"

/* More strides than this in one request, and everything is flushed instead. */
#define NPT_FLUSH_STRIDES 512U

/* Asks for one flush, and counts it. `leaf_level`: the smallest leaf changed. The request covers
 * every leaf of that level that the range touches: a flush by address invalidates one address per
 * stride, and a range may begin or end inside a leaf that has changed. */
void npt_flush(struct npt *npt, struct npt_counts *counts, struct gpa_range range,
               unsigned leaf_level, bool tables);

/* Step 3 for [start, end): releases all that is parked or cut there. What goes is taken off
 * `counts`, unless that is NULL: it has never been counted. */
void npt_release(struct npt *npt, uint64_t start, uint64_t end, struct npt_counts *counts);

/* Gives back all that a table holds in a range, which no walker has ever seen. */
void npt_discard(struct npt *npt, struct gpa_range range);

/* Gives back the tables below this one, which nobody walks, and nothing that their leaves map. */
void npt_free_tables(struct npt *npt, const _Atomic uint64_t *table, unsigned level);

/* Cuts large leaves in two where the range begins or ends inside one. All tables that this
 * needs are taken first: on an error nothing has changed. With `perm`, a leaf is left whole if its
 * area has these permissions already; NULL: none is. No leaf may extend into two areas: a fault
 * gives a whole leaf the permissions of its area. */
enum mm_error npt_split_ends(struct npt *npt, struct gpa_range range,
                             const enum mm_perm *perm) MM_MUST_CHECK;

/* A leaf with other permissions; what it maps, and what is known of its use, stays. */
static inline uint64_t npt_with_perm(const struct npt *npt, uint64_t value, unsigned level,
                                     enum mm_perm perm)
{
	const struct npt_format *f = npt->format;
	bool hardware = npt->config.accessed_dirty;

	perm = npt_leaf_perm(&npt->config, level, perm);
	/* A page that a copy of the tables holds too is written to by way of a fault. */
	if ((value & f->shared) != 0)
		perm = (enum mm_perm)((unsigned)perm & ~(unsigned)MM_W);
	if (hardware && (value & f->dirty) != 0)
		value |= f->soft_dirty;
	if (perm == MM_NONE)
		return npt_mark(f, value, NPT_PARKED) & ~f->perm_mask;
	if (!npt_present(f, value))
		value = npt_unmark(f, value, NPT_PARKED, 0);
	return (value & ~f->perm_mask) | f->leaf[level] | npt_encode_perm(f, hardware, perm);
}

/* Replaces *value in a live entry by `by`, unless the entry has changed: then *value is what it
 * is now. */
static inline bool npt_swap(_Atomic uint64_t *entry, uint64_t *value, uint64_t by)
{
	return atomic_compare_exchange_strong_explicit(entry, value, by, memory_order_acq_rel,
	                                               memory_order_acquire);
}

/* [exclusive] Takes these bits from a present leaf that stays. *value is what it was. */
static inline void npt_take_bits(_Atomic uint64_t *entry, uint64_t *value, uint64_t bits)
{
	while (!npt_swap(entry, value, *value & ~bits))
		;
}

/*
 * [shared] Puts `by` in the place of the leaf at slot: a table that maps the same frames, or a leaf
 * of the same level that maps another frame. False: the entry has changed, slot->value is what it
 * is now.
 *
 * If the frame changes, every format needs break-before-make: the entry is frozen, the old
 * translation is flushed, then `by` is linked. Otherwise one CPU could write to the new frame while
 * another one still reads the old one. Whoever meets the frozen entry waits inside the library, so
 * the flush hook must not wait for other CPUs to leave it (hal.h).
 *
 * A table that maps the same frames is linked by one swap, unless the format demands the break. The
 * caller flushes afterwards if old translations must not live on.
 */
bool npt_replace_leaf(struct npt *npt, struct npt_counts *counts, struct npt_slot *slot, gpa_t gpa,
                      uint64_t by);

/* Fills a table of this level to stand for `value`, a leaf of the level above. */
void npt_fill_split(const struct npt *npt, _Atomic uint64_t *table, uint64_t value, unsigned level);

#endif
