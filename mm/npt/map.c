/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filling a range with the largest leaves that fit, in runs, and with the tables that they need.
 *
 * A call may run out of frames at any point, and a call that fails must not have changed any
 * translation. So the range is built invisibly to the hardware. New tables are private until they
 * are linked. Entries in tables that are in use already are written as not present: as parked
 * leaves and unlinked subtrees (entry.h). When all of them are written, reveal() makes them
 * present. If frames ran out, mm_npt_release() removes them, as after an unmap, and no flush is
 * needed.
 */
#include "mm/npt/change.h"
#include "mm/npt/history.h"

struct mapper {
	struct mm_npt *npt;
	/* [0] for pages, [1] for larger leaves: all bits but the address and those of the level. */
	uint64_t attr[2];
	enum mm_perm perm[2];
	unsigned max_leaf;
	bool owned;
	uint64_t offset; /* not owned: host address minus guest address, modulo 2^64 */
	uint64_t left;   /* pages still to be mapped: limits the size of a batch */
	struct mm_npt_batch batch;
	int64_t frames;
	int64_t tables;
	int64_t leaves[MM_NPT_MAX_LEVELS];
};

/* An entry for a table. `live`: it stands in a table that walkers can see, so it is not present. */
static uint64_t table_form(const struct mm_npt_format *f, mm_hpa_t table, bool live)
{
	uint64_t entry = mm_npt_table_entry(f, table);

	return live ? mm_npt_mark(f, entry, MM_NPT_UNLINKED) : entry;
}

/* A leaf in its final form, and in the form of before reveal(). Both without an address. */
static uint64_t seen_leaf(const struct mapper *m, unsigned level)
{
	unsigned large = level > 0;

	return mm_npt_leaf_entry(m->npt->format, level, m->attr[large], m->perm[large]);
}

static uint64_t leaf_form(const struct mapper *m, unsigned level, bool live)
{
	uint64_t leaf = seen_leaf(m, level);

	return live ? (leaf & ~m->npt->format->present) | MM_NPT_PARKED : leaf;
}

/* Ensures that the batch has a frame: for a table, or for the first of n pages. It takes only as
 * many frames as will certainly be used, since a later block needs the rest of the quota. If all
 * leaves are pages, that is one for each page that is left. */
static enum mm_error need_frame(struct mapper *m, uint64_t n)
{
	if (MM_LIKELY(m->batch.next != m->batch.end))
		return MM_OK;
	return mm_npt_batch_fill(m->npt, &m->batch, m->owned && m->max_leaf == 0 ? m->left + 1 : n);
}

/* n leaves with consecutive host addresses. */
static void fill_run(struct mapper *m, _Atomic uint64_t *entry, unsigned level, mm_hpa_t host,
                     uint64_t n, bool live)
{
	const struct mm_npt_format *f = m->npt->format;
	uint64_t leaf = leaf_form(m, level, live);
	uint64_t step = MM_LEVEL_SIZE(level);
	uint64_t flip = mm_npt_flip_bits(f, leaf);

	uint64_t stride = mm_npt_encode_pa(f, mm_hpa_at(step));
	uint64_t first = mm_npt_encode_pa(f, host);
	uint64_t last = mm_npt_encode_pa(f, mm_hpa_plus(host, (n - 1) * step));

	m->leaves[level] += (int64_t)n;
	/* If the address is one field for the whole run, each entry is the previous one plus a
	 * stride, or minus a stride if the field is inverted. */
	if (MM_LIKELY(last - first == (n - 1) * stride)) {
		stride = flip != 0 ? 0 - stride : stride;
		leaf |= first ^ flip;
		for (; n >= 4; n -= 4, leaf += 4 * stride, entry += 4) {
			mm_npt_store(&entry[0], leaf);
			mm_npt_store(&entry[1], leaf + stride);
			mm_npt_store(&entry[2], leaf + 2 * stride);
			mm_npt_store(&entry[3], leaf + 3 * stride);
		}
		for (; n != 0; n--, leaf += stride)
			mm_npt_store(entry++, leaf);
		return;
	}
	for (; n != 0; n--, host.raw += step)
		mm_npt_store(entry++, mm_npt_with_pa(f, leaf, host));
}

/* The rest of a table that was not cleared, because it was to be filled, and that was not filled.
 */
static void clear_entries(_Atomic uint64_t *entry, uint64_t n)
{
	while (n-- != 0)
		mm_npt_store(entry++, 0);
}

/* How many of n frames (n is not 0), from the first on, are consecutive. Allocators often return
 * consecutive frames: eight are compared without a branch for each. */
static unsigned frames_in_a_row(const mm_hpa_t *frames, unsigned n)
{
	unsigned i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t expected = frames[0].raw + i * MM_PAGE_SIZE;
		uint64_t other = 0;

		for (unsigned j = 0; j < 8; j++)
			other |= frames[i + j].raw ^ (expected + j * MM_PAGE_SIZE);
		if (other != 0)
			break;
	}
	i = i == 0 ? 1 : i;
	while (i < n && frames[i].raw - frames[i - 1].raw == MM_PAGE_SIZE)
		i++;
	return i;
}

/* n pages of 4 KiB with a frame each. */
static enum mm_error fill_pages(struct mapper *m, _Atomic uint64_t *entry, uint64_t n, bool live)
{
	while (n != 0) {
		enum mm_error err = need_frame(m, n);

		if (err != MM_OK) {
			clear_entries(entry, n);
			return err;
		}

		unsigned in_hand = (unsigned)mm_u64_min(n, m->batch.end - m->batch.next);
		const mm_hpa_t *frames = &m->batch.frames[m->batch.next];
		unsigned some = frames_in_a_row(frames, in_hand);

		mm_npt_clear_bytes(m->npt, mm_hal_to_virt(&m->npt->hal, frames[0]),
		                   some * MM_PAGE_SIZE);
		fill_run(m, entry, 0, frames[0], some, live);
		m->frames += some;
		m->batch.next += some;
		m->left -= some;
		entry += some;
		n -= some;
	}
	return MM_OK;
}

/* One large leaf with a block of the library's own. False: no such block is free. */
static bool fill_block(struct mapper *m, _Atomic uint64_t *entry, unsigned level, bool live)
{
	unsigned order = MM_LEVEL_SHIFT(level) - MM_PAGE_SHIFT;
	mm_hpa_t block;

	if (mm_npt_take(m->npt, order, 1, &block) != MM_OK)
		return false;
	mm_npt_clear_data(m->npt, block, order);
	mm_npt_store(entry, mm_npt_with_pa(m->npt->format, leaf_form(m, level, live), block));
	m->left -= UINT64_C(1) << order;
	m->frames += INT64_C(1) << order;
	m->leaves[level]++;
	return true;
}

static enum mm_error fill(struct mapper *m, _Atomic uint64_t *table, unsigned level, uint64_t start,
                          uint64_t end, bool live);

/* Will one run of leaves fill a whole table of this level? Then the table need not be cleared. */
static bool fills_table(const struct mapper *m, unsigned level, uint64_t size)
{
	return size == MM_LEVEL_SIZE(level + 1) && level <= m->max_leaf &&
	       (!m->owned || level == 0);
}

/* The part of [start, end) that one entry maps by way of a table. */
static enum mm_error fill_below(struct mapper *m, _Atomic uint64_t *entry, unsigned level,
                                uint64_t start, uint64_t end, bool live)
{
	const struct mm_npt_format *f = m->npt->format;
	uint64_t value = mm_npt_load(entry);
	mm_hpa_t table;
	enum mm_error err;

	if (mm_npt_points_to_table(f, value))
		return fill(m, mm_npt_child(m->npt, value), level - 1, start, end, true);

	MM_ASSERT(value == 0);
	err = need_frame(m, 1);
	if (err != MM_OK)
		return err;
	table = m->batch.frames[m->batch.next++];
	m->tables++;
	if (!fills_table(m, level - 1, end - start))
		mm_npt_clear_table(m->npt, table, 0);
	err = fill(m, mm_npt_table_at(m->npt, table), level - 1, start, end, false);
	/* After a failure as well: mm_npt_release() finds the table by this link. */
	mm_npt_link(entry, table_form(f, table, live));
	return err;
}

/* n leaves of this level, from `start` on. */
static enum mm_error fill_leaves(struct mapper *m, _Atomic uint64_t *entry, unsigned level,
                                 uint64_t start, uint64_t n, bool live)
{
	if (!m->owned) {
		fill_run(m, entry, level, mm_hpa_at(start + m->offset), n, live);
		return MM_OK;
	}
	if (level == 0)
		return fill_pages(m, entry, n, live);
	for (; n != 0; n--, entry++, start += MM_LEVEL_SIZE(level)) {
		if (fill_block(m, entry, level, live))
			continue;

		enum mm_error err =
			fill_below(m, entry, level, start, start + MM_LEVEL_SIZE(level), live);

		if (err != MM_OK)
			return err;
	}
	return MM_OK;
}

/* This table maps [start, end). `live`: a walker can see the table. */
static enum mm_error fill(struct mapper *m, _Atomic uint64_t *table, unsigned level, uint64_t start,
                          uint64_t end, bool live)
{
	uint64_t size = MM_LEVEL_SIZE(level);
	_Atomic uint64_t *entry = &table[mm_npt_index(m->npt, start, level)];
	enum mm_error err = MM_OK;

	while (start < end && err == MM_OK) {
		uint64_t n = 1;
		uint64_t next = mm_u64_min(end, mm_align_down(start, size) + size);

		if (level <= m->max_leaf && mm_is_aligned(start, size) && end - start >= size) {
			n = (end - start) / size;
			next = start + n * size;
			err = fill_leaves(m, entry, level, start, n, live);
		} else {
			err = fill_below(m, entry, level, start, next, live);
		}
		entry += n;
		start = next;
	}
	return err;
}

/* Makes the entries present that fill() has written into tables that walkers could see. */
static void reveal(struct mapper *m, _Atomic uint64_t *table, unsigned level, uint64_t start,
                   uint64_t end)
{
	const struct mm_npt_format *f = m->npt->format;
	uint64_t leaf = seen_leaf(m, level) & f->present;
	unsigned first = mm_npt_index(m->npt, start, level);
	unsigned last = mm_npt_index(m->npt, end - 1, level);

	for (unsigned i = first; i <= last; i++) {
		uint64_t entry = mm_npt_load(&table[i]);
		uint64_t base = mm_align_down(start, MM_LEVEL_SIZE(level)) +
		                (uint64_t)(i - first) * MM_LEVEL_SIZE(level);

		if (mm_npt_is_table(f, entry, level)) {
			reveal(m, mm_npt_child(m->npt, entry), level - 1,
			       base > start ? base : start,
			       mm_u64_min(end, base + MM_LEVEL_SIZE(level)));
			continue;
		}
		if (m->npt->copies)
			mm_npt_history_record(m->npt, &m->npt->counts, mm_gpa_at(base), level);
		if ((entry & MM_NPT_UNLINKED) != 0)
			mm_npt_link(&table[i], mm_npt_unmark(f, entry, MM_NPT_UNLINKED,
			                                     f->table & f->present));
		else if (leaf != 0)
			mm_npt_link(&table[i], mm_npt_unmark(f, entry, MM_NPT_PARKED, leaf));
	}
}

/* The largest level at which both addresses of a linear mapping have the same offset in a leaf. */
static unsigned common_leaf(mm_gpa_t gpa, mm_hpa_t host, unsigned max_leaf)
{
	while (max_leaf > 0 && !mm_is_aligned(gpa.raw ^ host.raw, MM_LEVEL_SIZE(max_leaf)))
		max_leaf--;
	return max_leaf;
}

static void count_mapped(const struct mapper *m)
{
	struct mm_npt_counts *counts = &m->npt->counts;

	mm_npt_count(&counts->frames, m->frames);
	mm_npt_count(&counts->tables, m->tables);
	for (unsigned level = 0; level < m->npt->config.levels; level++)
		mm_npt_count(&counts->leaves[level], m->leaves[level]);
}

enum mm_error mm_npt_map(struct mm_npt *npt, const struct mm_npt_mapping *mapping)
{
	const struct mm_npt_format *f = npt->format;
	struct mm_gpa_range range = mapping->range;
	uint64_t start = range.start.raw;
	uint64_t end = start + range.size;
	struct mm_npt_removed removed = {0};
	struct mapper m;

	m.npt = npt;
	for (unsigned large = 0; large < 2; large++) {
		m.perm[large] = mm_npt_leaf_perm(&npt->config, large, mapping->perm);
		m.attr[large] = mm_npt_leaf_attr(f, &npt->config, m.perm[large], mapping->type) |
		                (mapping->owned ? f->owned : 0);
	}
	m.owned = mapping->owned;
	m.max_leaf = mapping->owned ? mapping->max_leaf
	                            : common_leaf(range.start, mapping->host, mapping->max_leaf);
	m.offset = mapping->host.raw - start;
	m.left = range.size >> MM_PAGE_SHIFT;
	m.batch.next = m.batch.end = 0;
	m.frames = m.tables = 0;
	for (unsigned level = 0; level < MM_NPT_MAX_LEVELS; level++)
		m.leaves[level] = 0;

	enum mm_error err = fill(&m, npt->root_table, mm_npt_root_level(npt), start, end, true);

	mm_npt_batch_drain(npt, &m.batch);
	if (err != MM_OK) {
		mm_npt_release(npt, start, end, NULL, &removed);
		mm_npt_release_removed(npt, &removed, NULL);
		return err;
	}
	reveal(&m, npt->root_table, mm_npt_root_level(npt), start, end);
	mm_npt_publish(npt);
	count_mapped(&m);
	return MM_OK;
}
