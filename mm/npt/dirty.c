/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding the leaves that were written to. Either W was removed, and the fault of the first write
 * has given it back; or the hardware has marked the leaf as dirty.
 *
 * In both cases the entry changes first and the flush follows. A CPU that still writes through its
 * TLB in between writes to a page that is already reported. The caller reads the page only after
 * the flush. A page that is written again in a later turn of the same call (turn.h) gets W again,
 * and is reported by the next call too.
 *
 * Without hardware marks, faults lead the search: see mm_npt_mark_written(). With them, every
 * present leaf is read, eight at a time.
 */
#include "mm/npt/dirty.h"

#include "mm/npt/change.h"
#include "mm/npt/iter.h"
#include "mm/npt/turn.h"

void mm_npt_mark_written(const struct mm_npt *npt, mm_gpa_t gpa)
{
	const struct mm_npt_format *f = npt->format;
	_Atomic uint64_t *table = npt->root_table;

	for (unsigned level = npt->root_level; level > 0; level--) {
		_Atomic uint64_t *entry = &table[mm_npt_index(npt, gpa.raw, level)];
		uint64_t value = mm_npt_load(entry);

		if (!mm_npt_points_to_table(f, value))
			return;
		if ((value & mm_npt_written(f)) == 0)
			atomic_fetch_or_explicit(entry, mm_npt_written(f), memory_order_relaxed);
		table = mm_npt_child(npt, value);
	}
}

struct collector {
	struct mm_npt *npt;
	struct mm_gpa_range range;
	uint64_t *bitmap;    /* NULL: nothing is reported */
	uint64_t bits;       /* a leaf without them is clean */
	bool marks;          /* of the hardware; false: W */
	bool everywhere;     /* false: only in tables that faults have marked */
	unsigned leaf_level; /* the smallest leaf that has changed */
};

static void report(const struct collector *c, struct mm_gpa_range leaf)
{
	struct mm_gpa_range part = mm_gpa_range_intersect(c->range, leaf);
	uint64_t page = mm_gpa_diff(part.start, c->range.start) >> MM_PAGE_SHIFT;

	for (uint64_t n = part.size >> MM_PAGE_SHIFT; n != 0; n--, page++)
		c->bitmap[page / 64] |= BIT(page % 64);
}

/* Removes W from a leaf. */
static void withhold_write(struct mm_npt *npt, _Atomic uint64_t *entry, uint64_t value,
                           unsigned level)
{
	uint64_t less;

	do {
		unsigned perm = (unsigned)mm_npt_perm(npt, value) & ~(unsigned)MM_W;

		less = mm_npt_with_perm(npt, value, level, (enum mm_perm)perm);
	} while (!mm_npt_swap(entry, &value, less));
}

static bool was_written(const struct collector *c, uint64_t value)
{
	return c->marks ? (value & c->bits) != 0 : (mm_npt_perm(c->npt, value) & MM_W) != 0;
}

/* An entry that points to no table. */
static void collect_leaf(struct collector *c, _Atomic uint64_t *entry, uint64_t at, unsigned level)
{
	struct mm_gpa_range leaf = mm_npt_leaf_range(mm_gpa_at(at), level);
	uint64_t value = mm_npt_load(entry);

	if (!was_written(c, value))
		return;
	if (c->bitmap) {
		report(c, leaf);
		if (!mm_gpa_range_covers(c->range, leaf))
			return;
	}
	if (c->marks)
		mm_npt_take_bits(entry, &value, c->bits);
	else
		withhold_write(c->npt, entry, value, level);
	if (level < c->leaf_level)
		c->leaf_level = level;
	c->npt->work += MM_NPT_CHANGE_WORK;
}

/* Entries that are looked at together. */
#define GROUP 16U

/* Is none of so many entries dirty? By plain loads: no other CPU runs in the library, and a mark
 * that the hardware sets at the same time is found by the next call, as if it were set later. */
static MM_ALWAYS_INLINE bool all_clean(const _Atomic uint64_t *entries, uint64_t bits)
{
	typedef uint64_t __attribute__((may_alias)) plain;
	const plain *entry = (const void *)entries;
	uint64_t any = 0;

	for (unsigned i = 0; i < GROUP; i++)
		any |= entry[i];
	return (any & bits) == 0;
}

/* The entries first to last of a table of level 0. */
static void collect_pages(struct collector *c, _Atomic uint64_t *table, unsigned first,
                          unsigned last, uint64_t at)
{
	const uint64_t bits = c->bits;
	unsigned i = first;

	while (i <= last) {
		while (i + GROUP <= last + 1 && all_clean(&table[i], bits))
			i += GROUP;
		for (unsigned n = 0; n < GROUP && i <= last; n++, i++) {
			if ((mm_npt_load(&table[i]) & bits) != 0)
				collect_leaf(c, &table[i],
				             at + (uint64_t)(i - first) * MM_PAGE_SIZE, 0);
		}
	}
}

static void collect(struct collector *c, _Atomic uint64_t *table, unsigned level, uint64_t start,
                    uint64_t end)
{
	const struct mm_npt_format *f = c->npt->format;
	uint64_t size = MM_LEVEL_SIZE(level);
	uint64_t written = mm_npt_written(f);
	unsigned first = mm_npt_index(c->npt, start, level);
	unsigned last = mm_npt_index(c->npt, end - 1, level);
	uint64_t base = mm_align_down(start, size);

	if (level == 0)
		collect_pages(c, table, first, last, start);
	for (unsigned i = first; level > 0 && i <= last; i++, base += size) {
		uint64_t value = mm_npt_load(&table[i]);

		if (value == 0)
			continue;
		if (!mm_npt_points_to_table(f, value)) {
			collect_leaf(c, &table[i], base, level);
			continue;
		}
		if (!c->everywhere && (value & written) == 0)
			continue;
		/* The mark is cleared before the table is read. A fault may set it again in the
		 * next turn. It stays if pages beyond the range may be dirty. */
		if (base >= start && size <= end - base && (value & written) != 0)
			atomic_fetch_and_explicit(&table[i], ~written, memory_order_relaxed);
		collect(c, mm_npt_child(c->npt, value), level - 1, base > start ? base : start,
		        mm_u64_min(end, base + size));
	}
	mm_npt_work(c->npt, last - first + 1);
}

static void collect_all(struct collector *c)
{
	uint64_t start = c->range.start.raw;

	c->leaf_level = MM_NPT_MAX_LEVELS;
	collect(c, c->npt->root_table, mm_npt_root_level(c->npt), start, start + c->range.size);
	if (c->leaf_level != MM_NPT_MAX_LEVELS)
		mm_npt_flush(c->npt, &c->npt->counts, c->range, c->leaf_level, false);
}

/* The bits by which a leaf with W differs from one without. */
static uint64_t write_bits(const struct mm_npt *npt)
{
	bool hardware = npt->config.accessed_dirty;

	return mm_npt_encode_perm(npt->format, hardware, MM_RW) &
	       ~mm_npt_encode_perm(npt->format, hardware, MM_R);
}

void mm_npt_write_protect(struct mm_npt *npt, struct mm_gpa_range range)
{
	struct collector c = {
		.npt = npt, .range = range, .bits = write_bits(npt), .everywhere = true};

	npt->marks_written = true;
	collect_all(&c);
}

void mm_npt_collect_writable(struct mm_npt *npt, struct mm_gpa_range range, uint64_t bitmap[])
{
	struct collector c = {
		.npt = npt, .range = range, .bitmap = bitmap, .bits = write_bits(npt)};

	collect_all(&c);
}

void mm_npt_collect_dirty(struct mm_npt *npt, struct mm_gpa_range range, uint64_t bitmap[])
{
	struct collector c = {
		.npt = npt,
		.range = range,
		.bitmap = bitmap,
		.bits = npt->format->dirty | npt->format->soft_dirty,
		.marks = true,
		.everywhere = true,
	};

	collect_all(&c);
}

bool mm_npt_clean_leaf(struct mm_npt *npt, mm_gpa_t gpa, bool hardware, unsigned *level)
{
	const struct mm_npt_format *f = npt->format;
	struct mm_npt_slot slot = mm_npt_walk(npt, gpa);
	uint64_t marks = f->dirty | f->soft_dirty;

	if (!mm_npt_ends_in_leaf(npt, slot.value))
		return false;
	if (hardware ? (slot.value & marks) == 0 : (mm_npt_perm(npt, slot.value) & MM_W) == 0)
		return false;
	if (hardware)
		mm_npt_take_bits(slot.entry, &slot.value, marks);
	else
		withhold_write(npt, slot.entry, slot.value, slot.level);
	*level = slot.level;
	return true;
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
		mm_npt_work(npt, MM_NPT_CHANGE_WORK + mm_npt_iter_visited(&it));
	}
	mm_npt_publish(npt); /* leaves that were parked may be present now */
	return changed;
}

void mm_npt_flush_range(struct mm_npt *npt, struct mm_gpa_range range)
{
	mm_npt_flush(npt, &npt->counts, range, 0, false);
}
