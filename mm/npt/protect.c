/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing permissions: of all leaves of a range, or of one leaf by a fault.
 *
 * Hardware may set accessed and dirty marks in a live entry at any time. Such an entry changes by
 * compare-and-swap, and any other by one store (change.h).
 */
#include "mm/npt/change.h"
#include "mm/npt/dirty.h"
#include "mm/npt/install.h"
#include "mm/npt/turn.h"

struct protector {
	struct mm_npt *npt;
	enum mm_perm perm;
	bool changed;  /* a present entry has changed: a flush is due */
	bool revealed; /* a parked entry is present now: publish it, if nothing is flushed */
	unsigned leaf_level;
};

static void protect_leaf(struct protector *p, _Atomic uint64_t *entry, uint64_t value,
                         unsigned level)
{
	uint64_t changed = mm_npt_with_perm(p->npt, value, level, p->perm);

	p->npt->work += MM_NPT_CHANGE_WORK;
	/* Nothing to change. Without this check a dirty mark would move, at the cost of a flush. */
	if (mm_npt_present(p->npt->format, value) && mm_npt_perm(p->npt, value) == p->perm)
		return;
	if (p->npt->config.accessed_dirty) {
		while (!atomic_compare_exchange_weak_explicit(
			entry, &value, changed, memory_order_relaxed, memory_order_relaxed))
			changed = mm_npt_with_perm(p->npt, value, level, p->perm);
	} else {
		mm_npt_store(entry, changed); /* no one else writes to it: change.h */
	}
	if (!mm_npt_present(p->npt->format, value)) {
		p->revealed |= mm_npt_present(p->npt->format, changed);
	} else if (changed != value) {
		p->changed = true;
		if (level < p->leaf_level)
			p->leaf_level = level;
	}
}

static void protect(struct protector *p, _Atomic uint64_t *table, unsigned level, uint64_t start,
                    uint64_t end)
{
	const struct mm_npt_format *f = p->npt->format;
	uint64_t size = MM_LEVEL_SIZE(level);
	unsigned first = mm_npt_index(p->npt, start, level);
	unsigned last = mm_npt_index(p->npt, end - 1, level);
	uint64_t base = mm_align_down(start, size);

	for (unsigned i = first; i <= last; i++, base += size) {
		uint64_t value = mm_npt_load(&table[i]);

		if (value == 0)
			continue;
		if (mm_npt_is_table(f, value, level))
			protect(p, mm_npt_child(p->npt, value), level - 1,
			        base > start ? base : start, mm_u64_min(end, base + size));
		else
			protect_leaf(p, &table[i], value, level);
	}
	mm_npt_work(p->npt, last - first + 1);
}

enum mm_error mm_npt_prepare_protect(struct mm_npt *npt, struct mm_gpa_range range,
                                     enum mm_perm perm)
{
	return mm_npt_split_ends(npt, range, &perm);
}

void mm_npt_protect(struct mm_npt *npt, struct mm_gpa_range range, enum mm_perm perm)
{
	struct protector p = {.npt = npt, .perm = perm, .leaf_level = MM_NPT_MAX_LEVELS};

	protect(&p, npt->root_table, mm_npt_root_level(npt), range.start.raw,
	        range.start.raw + range.size);
	if (p.changed)
		mm_npt_flush(npt, &npt->counts, range, p.leaf_level, false);
	else if (p.revealed)
		mm_npt_publish(npt);
}

enum mm_error mm_npt_relax(struct mm_npt *npt, struct mm_npt_counts *counts,
                           struct mm_npt_slot slot, mm_gpa_t gpa, enum mm_perm perm)
{
	uint64_t size = MM_LEVEL_SIZE(slot.level);
	uint64_t relaxed = mm_npt_with_perm(npt, slot.value, slot.level, perm);
	bool present = mm_npt_present(npt->format, slot.value);

	if (!mm_npt_swap(slot.entry, &slot.value, relaxed))
		return MM_BUSY;
	mm_npt_note_perm(npt, gpa, perm);
	mm_npt_publish(npt);
	if (present && npt->format->keeps_refused)
		mm_npt_flush(npt, counts, mm_gpa_range(mm_gpa_align_down(gpa, size), size),
		             slot.level, false);
	return MM_OK;
}
