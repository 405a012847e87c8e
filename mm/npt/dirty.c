/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding the leaves that were written to. Either W was removed, and the fault of the first write
 * has given it back; or the hardware has marked the leaf as dirty.
 *
 * In both cases the entry changes first and the flush follows. A CPU that still writes through its
 * TLB in between writes to a page that is already reported. The caller reads the page only after
 * the flush.
 */
#include "mm/npt/dirty.h"

#include "mm/npt/change.h"
#include "mm/npt/iter.h"

static void report(uint64_t bitmap[], struct mm_gpa_range range, struct mm_gpa_range leaf)
{
	struct mm_gpa_range part = mm_gpa_range_intersect(range, leaf);
	uint64_t page = mm_gpa_diff(part.start, range.start) >> MM_PAGE_SHIFT;

	for (uint64_t n = part.size >> MM_PAGE_SHIFT; n != 0; n--, page++)
		bitmap[page / 64] |= BIT(page % 64);
}

static struct mm_gpa_range leaf_range(const struct mm_npt_iter *it)
{
	return mm_gpa_range(it->gpa, MM_LEVEL_SIZE(it->slot.level));
}

/* Removes W from the leaf that the iterator has found. */
static void withhold_write(struct mm_npt *npt, const struct mm_npt_iter *it)
{
	uint64_t value = it->slot.value;
	uint64_t less;

	do {
		unsigned perm = (unsigned)mm_npt_perm(npt, value) & ~(unsigned)MM_W;

		less = mm_npt_with_perm(npt, value, it->slot.level, (enum mm_perm)perm);
	} while (!mm_npt_swap(it->slot.entry, &value, less));
}

static void take_write(struct mm_npt *npt, struct mm_gpa_range range, uint64_t bitmap[])
{
	struct mm_npt_iter it = mm_npt_iter_over(npt, range);
	unsigned leaf_level = MM_NPT_MAX_LEVELS;

	while (mm_npt_iter_next(&it)) {
		if ((mm_npt_perm(npt, it.slot.value) & MM_W) == 0)
			continue;
		if (bitmap) {
			report(bitmap, range, leaf_range(&it));
			if (!mm_gpa_range_covers(range, leaf_range(&it)))
				continue;
		}
		withhold_write(npt, &it);
		if (it.slot.level < leaf_level)
			leaf_level = it.slot.level;
	}
	if (leaf_level != MM_NPT_MAX_LEVELS)
		mm_npt_flush(npt, &npt->counts, range, leaf_level, false);
}

void mm_npt_write_protect(struct mm_npt *npt, struct mm_gpa_range range)
{
	take_write(npt, range, NULL);
}

void mm_npt_collect_writable(struct mm_npt *npt, struct mm_gpa_range range, uint64_t bitmap[])
{
	take_write(npt, range, bitmap);
}

void mm_npt_collect_dirty(struct mm_npt *npt, struct mm_gpa_range range, uint64_t bitmap[])
{
	const struct mm_npt_format *f = npt->format;
	uint64_t marks = f->dirty | f->soft_dirty;
	struct mm_npt_iter it = mm_npt_iter_over(npt, range);
	unsigned leaf_level = MM_NPT_MAX_LEVELS;

	while (mm_npt_iter_next(&it)) {
		if ((it.slot.value & marks) == 0)
			continue;
		if (bitmap) {
			report(bitmap, range, leaf_range(&it));
			if (!mm_gpa_range_covers(range, leaf_range(&it)))
				continue;
		}

		uint64_t value = it.slot.value;

		mm_npt_take_bits(it.slot.entry, &value, marks);
		if (it.slot.level < leaf_level)
			leaf_level = it.slot.level;
	}
	if (leaf_level != MM_NPT_MAX_LEVELS)
		mm_npt_flush(npt, &npt->counts, range, leaf_level, false);
}

bool mm_npt_allow(struct mm_npt *npt, struct mm_gpa_range range, enum mm_perm perm)
{
	struct mm_npt_iter it = mm_npt_iter_over(npt, range);
	bool changed = false;

	while (mm_npt_iter_next(&it)) {
		uint64_t value = it.slot.value;
		uint64_t allowed;

		do {
			allowed = mm_npt_with_perm(npt, value, it.slot.level, perm);
		} while (allowed != value && !mm_npt_swap(it.slot.entry, &value, allowed));
		changed |= allowed != value && mm_npt_present(npt->format, value);
	}
	mm_npt_publish(npt); /* leaves that were parked may be present now */
	return changed;
}

void mm_npt_flush_range(struct mm_npt *npt, struct mm_gpa_range range)
{
	mm_npt_flush(npt, &npt->counts, range, 0, false);
}
