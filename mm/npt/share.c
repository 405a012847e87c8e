/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making and freeing copies of a table, and making a shared page writable: see share.h.
 */
#include "mm/npt/share.h"

#include "mm/npt/change.h"
#include "mm/npt/dirty.h"
#include "mm/npt/history.h"
#include "mm/npt/install.h"
#include "mm/npt/iter.h"
#include "mm/npt/turn.h"

/* --- which tables hold a frame --- */

/* The next of npt and its copies, without `except`, which may be NULL. */
static struct mm_npt *next_holder(struct mm_npt *npt, struct mm_npt *at,
                                  const struct mm_npt *except)
{
	struct mm_npt *next = at == npt ? npt->copies : at->next_copy;

	return next && next == except ? next->next_copy : next;
}

static struct mm_npt *first_holder(struct mm_npt *npt, const struct mm_npt *except)
{
	return npt == except ? npt->copies : npt;
}

enum held {
	HELD,
	NOT_HELD,
	HELD_IN_PART
};

/* Does this table map the block of this level at gpa to hpa? HELD_IN_PART: it has smaller leaves
 * there, which may. */
static enum held holds(const struct mm_npt *npt, mm_gpa_t gpa, mm_hpa_t hpa, unsigned level)
{
	const struct mm_npt_format *f = npt->format;
	struct mm_npt_slot slot = mm_npt_walk(npt, gpa);
	uint64_t offset = gpa.raw & (MM_LEVEL_SIZE(slot.level) - 1);

	if (slot.level < level)
		return HELD_IN_PART;
	if (!mm_npt_is_leaf(f, slot.value, slot.level) || (slot.value & f->owned) == 0)
		return NOT_HELD;
	return mm_npt_decode_pa(f, slot.value).raw + offset == hpa.raw ? HELD : NOT_HELD;
}

int64_t mm_npt_free_unheld(struct mm_npt *npt, struct mm_npt_batch *batch,
                           const struct mm_npt *except, mm_gpa_t gpa, mm_hpa_t hpa, unsigned level)
{
	bool in_part = false;
	int64_t frames = 0;

	for (struct mm_npt *n = first_holder(npt, except); n; n = next_holder(npt, n, except)) {
		enum held held = holds(n, gpa, hpa, level);

		if (held == HELD)
			return 0;
		in_part |= held == HELD_IN_PART;
	}
	if (level == 0) {
		mm_npt_batch_put(npt, batch, hpa);
		return 1;
	}
	if (!in_part) {
		mm_npt_give(npt, MM_LEVEL_SHIFT(level) - MM_PAGE_SHIFT, 1, &hpa);
		return INT64_C(1) << (MM_LEVEL_SHIFT(level) - MM_PAGE_SHIFT);
	}
	for (unsigned i = 0; i < 1U << MM_NPT_INDEX_BITS; i++) {
		uint64_t offset = i * MM_LEVEL_SIZE(level - 1);

		frames += mm_npt_free_unheld(npt, batch, except, mm_gpa_plus(gpa, offset),
		                             mm_hpa_plus(hpa, offset), level - 1);
	}
	return frames;
}

struct mm_npt_pair mm_npt_pair_at(const struct mm_npt *npt, const struct mm_npt *copy, mm_gpa_t gpa,
                                  unsigned level)
{
	const struct mm_npt_format *f = npt->format;
	_Atomic uint64_t *live = npt->root_table, *kept = copy->root_table;
	unsigned at = mm_npt_root_level(npt);

	for (;; at--) {
		unsigned i = mm_npt_index(npt, gpa.raw, at);
		uint64_t value = mm_npt_load(&live[i]);
		uint64_t wanted = mm_npt_load(&kept[i]);

		if (at == level || !mm_npt_is_table(f, value, at) ||
		    !mm_npt_is_table(f, wanted, at))
			return (struct mm_npt_pair){&live[i], &kept[i], at};
		live = mm_npt_child(npt, value);
		kept = mm_npt_child(npt, wanted);
	}
}

/* --- making a copy --- */

/* The leaf as both tables have it: shared and read-only, if its frame is owned. */
static uint64_t shared_form(const struct mm_npt *npt, uint64_t leaf, unsigned level)
{
	const struct mm_npt_format *f = npt->format;

	if ((leaf & f->owned) == 0)
		return leaf;
	return mm_npt_with_perm(npt, leaf | f->shared, level, mm_npt_perm(npt, leaf));
}

/* *to is clear. On an error, it holds the part that was made so far. */
static enum mm_error copy_tables(struct mm_npt *npt, const _Atomic uint64_t *from,
                                 _Atomic uint64_t *to, unsigned level)
{
	const struct mm_npt_format *f = npt->format;

	for (unsigned i = 0; i < mm_npt_entries(npt, level); i++) {
		uint64_t entry = mm_npt_load(&from[i]);
		mm_hpa_t table;
		enum mm_error err;

		if (!mm_npt_is_table(f, entry, level)) {
			mm_npt_store(&to[i], shared_form(npt, entry, level));
			continue;
		}
		err = mm_npt_take(npt, 0, 1, &table);
		if (err != MM_OK)
			return err;
		mm_npt_clear_table(npt, table, 0);
		mm_npt_count(&npt->counts.tables, 1);
		mm_npt_store(&to[i], mm_npt_table_entry(f, table));
		err = copy_tables(npt, mm_npt_child(npt, entry), mm_npt_table_at(npt, table),
		                  level - 1);
		if (err != MM_OK)
			return err;
	}
	return MM_OK;
}

/* The work of giving one frame back, in entries. */
#define GIVE_WORK 16U

/* Gives back the tables below this one, but not the frames of their leaves. No CPU walks them. */
static void free_tables(struct mm_npt *npt, const _Atomic uint64_t *table, unsigned level)
{
	const struct mm_npt_format *f = npt->format;

	for (unsigned i = 0; i < mm_npt_entries(npt, level); i++) {
		uint64_t entry = mm_npt_load(&table[i]);

		if (!mm_npt_is_table(f, entry, level))
			continue;

		mm_hpa_t child = mm_npt_decode_pa(f, entry);

		/* Entries of level 0 point to no tables. */
		if (level > 1)
			free_tables(npt, mm_npt_table_at(npt, child), level - 1);
		mm_npt_give(npt, 0, 1, &child);
		mm_npt_count(&npt->counts.tables, -1);
		mm_npt_work(npt, GIVE_WORK);
	}
	mm_npt_work(npt, mm_npt_entries(npt, level));
}

static void free_copy(struct mm_npt *npt, struct mm_npt *copy)
{
	unsigned order = mm_npt_root_order(&npt->config);

	free_tables(npt, copy->root_table, mm_npt_root_level(npt));
	mm_npt_give(npt, order, 1, &copy->root);
	mm_npt_count(&npt->counts.tables, -(INT64_C(1) << order));
}

static void share_leaves(struct mm_npt *npt)
{
	struct mm_gpa_range all =
		mm_gpa_range(mm_gpa_at(0), UINT64_C(1) << mm_npt_gpa_bits(&npt->config));
	struct mm_npt_iter it = mm_npt_iter_over(npt, all);
	bool changed = false;

	while (mm_npt_iter_next(&it)) {
		uint64_t value = it.slot.value;
		uint64_t form;

		do {
			form = shared_form(npt, value, it.slot.level);
		} while (form != value && !mm_npt_swap(it.slot.entry, &value, form));
		changed |= form != value && mm_npt_present(npt->format, value);
	}
	if (changed)
		mm_npt_flush(npt, &npt->counts, all, 0, false);
}

enum mm_error mm_npt_copy(struct mm_npt *npt, struct mm_npt *copy)
{
	unsigned order = mm_npt_root_order(&npt->config);
	mm_hpa_t root;
	enum mm_error err = mm_npt_take(npt, order, 1, &root);

	if (err != MM_OK)
		return err;
	mm_npt_clear_table(npt, root, order);
	mm_npt_count(&npt->counts.tables, INT64_C(1) << order);
	__builtin_memcpy(copy, npt, sizeof(*copy));
	copy->root = root;
	copy->root_table = mm_npt_table_at(npt, root);
	err = copy_tables(npt, npt->root_table, copy->root_table, mm_npt_root_level(npt));
	if (err != MM_OK) {
		free_copy(npt, copy);
		return err;
	}
	share_leaves(npt);
	mm_npt_history_settle(npt);
	if (!npt->copies)
		mm_npt_history_open(npt);
	copy->position = mm_npt_history_end(npt);
	copy->exact = true;
	copy->lacking = false;
	copy->next_copy = npt->copies;
	npt->copies = copy;
	return MM_OK;
}

/* --- ending a copy --- */

/* The work of freeing one frame, in entries: each other table is walked for it. */
#define DROP_WORK 64U

struct dropper {
	struct mm_npt *npt;
	struct mm_npt *copy;
	struct mm_npt_batch batch;
};

static void drop_frames(struct dropper *d, mm_gpa_t gpa, uint64_t leaf, unsigned level)
{
	if ((leaf & d->npt->format->owned) != 0)
		mm_npt_count(&d->npt->counts.frames,
		             -mm_npt_free_unheld(d->npt, &d->batch, d->copy, gpa,
		                                 mm_npt_decode_pa(d->npt->format, leaf), level));
}

/* All that one entry of the copy maps. Its leaves become 0, because the history may have the same
 * entry again. */
static void drop_entry(struct dropper *d, _Atomic uint64_t *entry, mm_gpa_t gpa, unsigned level)
{
	uint64_t value = mm_npt_load(entry);

	if (!mm_npt_is_table(d->npt->format, value, level)) {
		if (value != 0)
			drop_frames(d, gpa, value, level);
		mm_npt_store(entry, 0);
		return;
	}

	_Atomic uint64_t *table = mm_npt_child(d->npt, value);

	mm_npt_work(d->npt, MM_NPT_TURN);
	for (unsigned i = 0; i < mm_npt_entries(d->npt, level - 1); i++)
		drop_entry(d, &table[i], mm_gpa_plus(gpa, i * MM_LEVEL_SIZE(level - 1)), level - 1);
}

/* For an exact copy. The live table holds the frames of all entries that have not changed. */
static void drop_changes(struct dropper *d)
{
	uint64_t end = mm_npt_history_end(d->npt);

	for (uint64_t at = d->copy->position; at < end; at++) {
		struct mm_npt_change change =
			mm_npt_history_at(mm_npt_history_frame(d->npt, at), at);
		struct mm_npt_pair pair = mm_npt_pair_at(d->npt, d->copy, change.gpa, change.level);

		drop_entry(d, pair.copy, mm_npt_leaf_range(change.gpa, pair.level).start,
		           pair.level);
		mm_npt_work(d->npt, DROP_WORK);
	}
}

static void drop_all(struct dropper *d)
{
	struct mm_gpa_range all =
		mm_gpa_range(mm_gpa_at(0), UINT64_C(1) << mm_npt_gpa_bits(&d->npt->config));
	struct mm_npt_iter it = mm_npt_iter_over(d->copy, all);

	while (mm_npt_iter_next(&it)) {
		drop_frames(d, it.gpa, it.slot.value, it.slot.level);
		mm_npt_work(d->npt, DROP_WORK + mm_npt_iter_visited(&it));
	}
}

void mm_npt_drop_copy(struct mm_npt *npt, struct mm_npt *copy)
{
	struct dropper d = {.npt = npt, .copy = copy};
	struct mm_npt **link = &npt->copies;

	while (*link != copy) {
		MM_ASSERT(*link); /* it is a copy of this table, and was not dropped before */
		link = &(*link)->next_copy;
	}
	mm_npt_history_settle(npt);
	/* From here on faults do not see the copy: they neither keep frames for it nor record
	 * changes for it. So what is dropped does not change between two turns. */
	*link = copy->next_copy;
	if (copy->exact)
		drop_changes(&d);
	else
		drop_all(&d);
	mm_npt_batch_drain(npt, &d.batch);
	free_copy(npt, copy);
	if (npt->copies)
		mm_npt_history_trim(npt);
	else
		mm_npt_history_close(npt);
}

/* --- writing to a shared page --- */

static void copy_page(const struct mm_npt *npt, mm_hpa_t from, mm_hpa_t to)
{
	void *copy = mm_hal_to_virt(&npt->hal, to);

	__builtin_memcpy(copy, mm_hal_to_virt(&npt->hal, from), MM_PAGE_SIZE);
	if (npt->hal.written)
		npt->hal.written(npt->hal.ctx, copy, MM_PAGE_SIZE);
}

/* A frame for the live table alone: the old one if no copy holds it, or else a new one with the
 * same contents. */
static enum mm_error own_page(struct mm_npt *npt, mm_hpa_t old, mm_gpa_t page, bool *copied,
                              mm_hpa_t *out)
{
	enum mm_error err;

	*copied = false;
	*out = old;
	for (const struct mm_npt *n = npt->copies; n && !*copied; n = n->next_copy)
		*copied = holds(n, page, old, 0) == HELD;
	if (!*copied)
		return MM_OK;
	err = mm_npt_take(npt, 0, 1, out);
	if (err == MM_OK)
		copy_page(npt, old, *out);
	return err;
}

enum mm_error mm_npt_unshare(struct mm_npt *npt, struct mm_npt_counts *counts,
                             struct mm_npt_slot slot, mm_gpa_t gpa, enum mm_perm perm)
{
	const struct mm_npt_format *f = npt->format;
	mm_gpa_t page = mm_gpa_align_down(gpa, MM_LEVEL_SIZE(slot.level));
	bool present = mm_npt_present(f, slot.value);
	mm_hpa_t frame;
	bool copied;
	enum mm_error err;

	/* Only one page is copied, so a large leaf is split first. */
	if (slot.level > 0 && npt->copies) {
		err = mm_npt_split_leaf(npt, counts, slot, gpa);
		return err == MM_OK ? MM_BUSY : err;
	}
	err = own_page(npt, mm_npt_decode_pa(f, slot.value), page, &copied, &frame);
	if (err != MM_OK)
		return err;

	uint64_t own = slot.value & ~f->shared;
	uint64_t leaf = mm_npt_with_pa(f, mm_npt_with_perm(npt, own, slot.level, perm), frame);

	/* The old frame is read-only, so the copy is complete. mm_npt_replace_leaf() links the new
	 * frame only after every CPU has dropped the old translation. */
	if (copied ? !mm_npt_replace_leaf(npt, counts, &slot, page, leaf)
	           : !mm_npt_swap(slot.entry, &slot.value, leaf)) {
		if (copied)
			mm_npt_give(npt, 0, 1, &frame);
		return MM_BUSY;
	}
	if (present && !copied && f->keeps_refused)
		mm_npt_flush(npt, counts, mm_gpa_range(page, MM_LEVEL_SIZE(slot.level)), slot.level,
		             false);
	if (copied)
		mm_npt_history_record(npt, counts, page, slot.level);
	mm_npt_note_perm(npt, page, perm);
	mm_npt_count(&counts->frames, copied ? 1 : 0);
	return MM_OK;
}
