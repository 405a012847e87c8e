/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring of a dirty log: see dirty_ring.h.
 *
 * A call that adds an entry holds the read lock, and gets a place of its own by one atomic
 * addition. A call that takes entries holds the write lock, and runs in turns (npt/turn.h). So no
 * place is written and read at once, and the lock makes what was written visible.
 */
#include "mm/dirty_ring.h"

#include "mm/aspace_internal.h"
#include "mm/npt/change.h"
#include "mm/npt/dirty.h"
#include "mm/npt/turn.h"

#define MOST_ENTRIES (UINT64_C(1) << 31)

enum mm_error mm_aspace_dirty_start_with_ring(struct mm_aspace *as, enum mm_dirty_mode mode,
                                              bool split, struct mm_dirty_ring *ring,
                                              uint64_t entries[], size_t size)
{
	if (!ring || !entries || size == 0 || size > MOST_ENTRIES || (size & (size - 1)) != 0)
		return MM_INVALID;
	return mm_aspace_dirty_begin(as, mode, split, ring, entries, size);
}

void mm_aspace_dirty_ring_put(struct mm_aspace *as, mm_gpa_t gpa)
{
	struct mm_dirty_ring *ring = as->log.ring;
	uint64_t position;

	/* A full ring stays as it is, so that the positions do not wrap. */
	if (atomic_load_explicit(&ring->head, memory_order_relaxed) - ring->tail > ring->size)
		return;
	position = atomic_fetch_add_explicit(&ring->head, 1, memory_order_relaxed);
	if (position - ring->tail < ring->size)
		ring->entries[position % ring->size] = mm_gpa_align_down(gpa, MM_PAGE_SIZE).raw;
}

void mm_aspace_dirty_ring_cut(struct mm_aspace *as, struct mm_gpa_range range)
{
	mm_gpa_t ends[] = {range.start, mm_gpa_range_last(range)};

	for (unsigned i = 0; as->log.ring && i < MM_ARRAY_SIZE(ends); i++) {
		struct mm_npt_slot slot = mm_npt_walk(&as->npt, ends[i]);

		if (mm_npt_ends_in_leaf(&as->npt, slot.value) &&
		    !mm_gpa_range_covers(range, mm_npt_leaf_range(ends[i], slot.level)))
			atomic_store_explicit(&as->log.ring->cut, 1, memory_order_relaxed);
	}
}

static enum mm_error add(struct mm_aspace *as, const mm_gpa_t gpas[], size_t n)
{
	if (!as->log.ring)
		return MM_INVALID;
	for (size_t i = 0; i < n; i++) {
		if (!mm_gpa_range_contains(as->limits, gpas[i]))
			return MM_OUT_OF_RANGE;
	}
	for (size_t i = 0; i < n; i++)
		mm_aspace_dirty_ring_put(as, gpas[i]);
	return MM_OK;
}

enum mm_error mm_aspace_dirty_ring_add(struct mm_aspace *as, const mm_gpa_t gpas[], size_t n)
{
	struct mm_aspace_cpu *cpu = mm_aspace_read_lock(as);
	enum mm_error err = add(as, gpas, n);

	mm_aspace_read_unlock(cpu);
	return err;
}

/* --- collecting --- */

struct collector {
	struct mm_aspace *as;
	bool changed;
	uint64_t first, last; /* bytes of all leaves that have changed */
	unsigned leaf_level;
};

static void note_changed(struct collector *c, struct mm_gpa_range leaf, unsigned level)
{
	uint64_t last = mm_gpa_range_last(leaf).raw;

	c->first = c->changed && c->first < leaf.start.raw ? c->first : leaf.start.raw;
	c->last = c->changed && c->last > last ? c->last : last;
	if (!c->changed || level < c->leaf_level)
		c->leaf_level = level;
	c->changed = true;
}

/* Has this page been written? Makes it clean, and finds all that counts as written with it. */
static bool take_page(struct collector *c, mm_gpa_t gpa, struct mm_dirty_part *part)
{
	struct mm_npt *npt = &c->as->npt;
	struct mm_gpa_range range = mm_gpa_range(gpa, MM_PAGE_SIZE);
	bool written = false;
	unsigned level;

	if (mm_npt_clean_leaf(npt, gpa, c->as->log.hardware, &level)) {
		range = mm_npt_leaf_range(gpa, level);
		note_changed(c, range, level);
		written = true;
	}
	*part = (struct mm_dirty_part){range.start, range.size};
	return written;
}

/* The position after the newest entry that is there. The ring has not overflowed any more. */
static uint64_t end_of(struct mm_dirty_ring *ring, bool *overflowed)
{
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	bool full = head - ring->tail > ring->size;

	*overflowed = full || atomic_load_explicit(&ring->cut, memory_order_relaxed) != 0;
	atomic_store_explicit(&ring->cut, 0, memory_order_relaxed);
	if (full) {
		head = ring->tail + ring->size;
		atomic_store_explicit(&ring->head, head, memory_order_relaxed);
	}
	return head;
}

/* Entries that are added between two turns lie behind `end`. */
static size_t take_pages(struct collector *c, struct mm_dirty_ring *ring, uint64_t end,
                         struct mm_dirty_part parts[], size_t n)
{
	size_t taken = 0;

	while (ring->tail != end && taken < n) {
		mm_gpa_t gpa = mm_gpa_at(ring->entries[ring->tail % ring->size]);

		ring->tail++;
		taken += take_page(c, gpa, &parts[taken]);
		mm_npt_work(&c->as->npt, MM_NPT_CHANGE_WORK + MM_NPT_MAX_LEVELS);
	}
	return taken;
}

enum mm_error mm_aspace_dirty_ring_collect(struct mm_aspace *as, struct mm_dirty_part parts[],
                                           size_t n, size_t *count, bool *overflowed)
{
	struct collector c = {.as = as};
	struct mm_dirty_ring *ring;
	enum mm_error err = MM_INVALID;

	mm_aspace_write_lock(as);
	ring = as->log.ring;
	if (ring) {
		uint64_t end = end_of(ring, overflowed);

		*count = take_pages(&c, ring, end, parts, n);
		err = MM_OK;
	}
	if (c.changed)
		mm_npt_flush(&as->npt, &as->npt.counts,
		             mm_gpa_range(mm_gpa_at(c.first), c.last - c.first + 1), c.leaf_level,
		             false);
	mm_aspace_write_unlock(as);
	return err;
}
