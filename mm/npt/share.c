/*
 * Sharing frames between a table and its copies, and parting again: see share.h.
 */
#include "mm/npt/share.h"

#include "mm/npt/change.h"
#include "mm/npt/install.h"
#include "mm/npt/iter.h"

/* --- who holds a frame --- */

/* Everybody in npt's family but `except`, which may be NULL. */
static struct npt *next_holder(struct npt *npt, struct npt *at, const struct npt *except)
{
	struct npt *next = at == npt ? npt->copies : at->next_copy;

	return next && next == except ? next->next_copy : next;
}

static struct npt *first_holder(struct npt *npt, const struct npt *except)
{
	return npt == except ? npt->copies : npt;
}

enum held {
	HELD,
	NOT_HELD,
	HELD_IN_PART
};

/* Does this table map the block at gpa, of this level, to hpa? In part: it has smaller leaves. */
static enum held holds(const struct npt *npt, gpa_t gpa, hpa_t hpa, unsigned level)
{
	const struct npt_format *f = npt->format;
	struct npt_slot slot = npt_walk(npt, gpa);
	uint64_t offset = gpa.raw & (MM_LEVEL_SIZE(slot.level) - 1);

	if (slot.level < level)
		return HELD_IN_PART;
	if (!npt_is_leaf(f, slot.value, slot.level) || (slot.value & f->owned) == 0)
		return NOT_HELD;
	return npt_decode_pa(f, slot.value).raw + offset == hpa.raw ? HELD : NOT_HELD;
}

/* Gives a block back, or those pages of it that nobody but `except` maps. Answers how many frames
 * that were. */
static int64_t free_unheld(struct npt *npt, const struct npt *except, gpa_t gpa, hpa_t hpa,
                           unsigned level)
{
	bool in_part = false;
	int64_t frames = 0;

	for (struct npt *n = first_holder(npt, except); n; n = next_holder(npt, n, except)) {
		enum held held = holds(n, gpa, hpa, level);

		if (held == HELD)
			return 0;
		in_part |= held == HELD_IN_PART;
	}
	if (!in_part) {
		npt_give(npt, MM_LEVEL_SHIFT(level) - MM_PAGE_SHIFT, 1, &hpa);
		return INT64_C(1) << (MM_LEVEL_SHIFT(level) - MM_PAGE_SHIFT);
	}
	for (unsigned i = 0; i < 1U << NPT_INDEX_BITS; i++) {
		uint64_t offset = i * MM_LEVEL_SIZE(level - 1);

		frames += free_unheld(npt, except, gpa_plus(gpa, offset), hpa_plus(hpa, offset),
		                      level - 1);
	}
	return frames;
}

/* --- making a copy --- */

/* *to is clear. On an error, what has been made so far hangs from it. */
static enum mm_error copy_tables(struct npt *npt, const _Atomic uint64_t *from,
                                 _Atomic uint64_t *to, unsigned level)
{
	const struct npt_format *f = npt->format;

	for (unsigned i = 0; i < npt_entries(npt, level); i++) {
		uint64_t entry = npt_load(&from[i]);
		hpa_t table;
		enum mm_error err;

		if (!npt_is_table(f, entry, level)) {
			npt_store(&to[i], entry);
			continue;
		}
		err = npt_take(npt, 0, 1, &table);
		if (err != MM_OK)
			return err;
		npt_clear_table(npt, table, 0);
		npt_count(&npt->counts.tables, 1);
		npt_store(&to[i], npt_table_entry(f, table));
		err = copy_tables(npt, npt_child(npt, entry), npt_table_at(npt, table), level - 1);
		if (err != MM_OK)
			return err;
	}
	return MM_OK;
}

static void free_copy(struct npt *npt, struct npt *copy)
{
	unsigned order = npt_root_order(&npt->config);

	npt_free_tables(npt, copy->root_table, npt_root_level(npt));
	npt_give(npt, order, 1, &copy->root);
	npt_count(&npt->counts.tables, -(INT64_C(1) << order));
}

/* A leaf in the form in which the live table shares it. */
static uint64_t shared_form(const struct npt *npt, uint64_t leaf, unsigned level)
{
	const struct npt_format *f = npt->format;

	if ((leaf & f->owned) == 0)
		return leaf;
	return npt_with_perm(npt, leaf | f->shared, level, npt_perm(npt, leaf));
}

static void share_leaves(struct npt *npt)
{
	struct gpa_range all = gpa_range(gpa_at(0), UINT64_C(1) << npt_gpa_bits(&npt->config));
	struct npt_iter it = npt_iter_over(npt, all);
	bool changed = false;

	while (npt_iter_next(&it)) {
		uint64_t value = it.slot.value;
		uint64_t form;

		do {
			form = shared_form(npt, value, it.slot.level);
		} while (form != value && !npt_swap(it.slot.entry, &value, form));
		changed |= form != value && npt_present(npt->format, value);
	}
	if (changed)
		npt_flush(npt, &npt->counts, all, 0, false);
}

enum mm_error npt_copy(struct npt *npt, struct npt *copy)
{
	unsigned order = npt_root_order(&npt->config);
	hpa_t root;
	enum mm_error err = npt_take(npt, order, 1, &root);

	if (err != MM_OK)
		return err;
	npt_clear_table(npt, root, order);
	npt_count(&npt->counts.tables, INT64_C(1) << order);
	__builtin_memcpy(copy, npt, sizeof(*copy));
	copy->root = root;
	copy->root_table = npt_table_at(npt, root);
	err = copy_tables(npt, npt->root_table, copy->root_table, npt_root_level(npt));
	if (err != MM_OK) {
		free_copy(npt, copy);
		return err;
	}
	share_leaves(npt);
	copy->next_copy = npt->copies;
	npt->copies = copy;
	return MM_OK;
}

/* --- ending a copy --- */

void npt_drop_copy(struct npt *npt, struct npt *copy)
{
	const struct npt_format *f = npt->format;
	struct gpa_range all = gpa_range(gpa_at(0), UINT64_C(1) << npt_gpa_bits(&npt->config));
	struct npt_iter it = npt_iter_over(copy, all);
	struct npt **link = &npt->copies;

	while (*link != copy) {
		MM_ASSERT(*link); /* a copy of this table, and not dropped before */
		link = &(*link)->next_copy;
	}
	while (npt_iter_next(&it)) {
		if ((it.slot.value & f->owned) != 0)
			npt_count(&npt->counts.frames,
			          -free_unheld(npt, copy, it.gpa, npt_decode_pa(f, it.slot.value),
			                       it.slot.level));
	}
	*link = copy->next_copy;
	free_copy(npt, copy);
}

/* --- going back to one --- */

/*
 * Another copy may have been restored in between, and then the live table may lack tables that
 * this one has. They are taken before the first change, each pointing to the last by its first
 * bytes.
 */
struct restorer {
	struct npt *npt;
	bool changed; /* something present has gone: a flush is due */
	uint64_t spares;
	hpa_t spare; /* the last one taken, if there are any */
};

static enum mm_error take_spares(struct restorer *r, uint64_t n)
{
	for (; n != 0; n--) {
		hpa_t frame;
		enum mm_error err = npt_take(r->npt, 0, 1, &frame);

		if (err != MM_OK)
			return err;
		*(hpa_t *)hal_to_virt(&r->npt->hal, frame) = r->spare;
		r->spare = frame;
		r->spares++;
	}
	return MM_OK;
}

static hpa_t use_spare(struct restorer *r)
{
	hpa_t frame = r->spare;

	MM_ASSERT(r->spares != 0);
	r->spare = *(hpa_t *)hal_to_virt(&r->npt->hal, frame);
	r->spares--;
	return frame;
}

/* Tables that the copy has from here down and the live table has not; live is NULL where it has
 * none at all. */
static uint64_t missing_tables(const struct npt *npt, const _Atomic uint64_t *live,
                               const _Atomic uint64_t *copy, unsigned level)
{
	const struct npt_format *f = npt->format;
	uint64_t missing = 0;

	for (unsigned i = 0; i < npt_entries(npt, level); i++) {
		uint64_t value = live ? npt_load(&live[i]) : 0;
		uint64_t wanted = npt_load(&copy[i]);
		bool both = npt_is_table(f, value, level);

		if (npt_is_table(f, wanted, level))
			missing += (both ? 0U : 1U) +
			           missing_tables(npt, both ? npt_child(npt, value) : NULL,
			                          npt_child(npt, wanted), level - 1);
	}
	return missing;
}

/* Is what the live table has here something else than what the copy has, be it absence? Where
 * both have a table, the answer is further down. */
static bool differs(const struct npt *npt, uint64_t live, uint64_t copy, unsigned level)
{
	const struct npt_format *f = npt->format;

	if (copy == 0)
		return live != 0;
	if (npt_is_table(f, copy, level))
		return !npt_is_table(f, live, level);
	return !npt_is_leaf(f, live, level) ||
	       npt_decode_pa(f, live).raw != npt_decode_pa(f, copy).raw;
}

/* Step 1: what differs loses its present bits, by one store, since what it maps goes away. */
static void cut_differing(struct restorer *r, _Atomic uint64_t *live, const _Atomic uint64_t *copy,
                          unsigned level)
{
	struct npt *npt = r->npt;
	const struct npt_format *f = npt->format;

	for (unsigned i = 0; i < npt_entries(npt, level); i++) {
		uint64_t value = npt_load(&live[i]);
		uint64_t wanted = npt_load(&copy[i]);
		bool table = npt_is_table(f, value, level);

		if (!npt_present(f, value))
			continue;
		if (differs(npt, value, wanted, level)) {
			npt_store(&live[i], npt_mark(f, value, table ? NPT_CUT : NPT_PARKED));
			r->changed = true;
		} else if (table) {
			cut_differing(r, npt_child(npt, value), npt_child(npt, wanted), level - 1);
		}
	}
}

/* Everything that hangs from an entry of the live table that is going. */
static void release_live(struct npt *npt, uint64_t value, gpa_t gpa, unsigned level)
{
	const struct npt_format *f = npt->format;
	struct npt_counts *counts = &npt->counts;
	hpa_t pa = npt_decode_pa(f, value);

	if (npt_is_leaf(f, value, level)) {
		npt_count(&counts->leaves[level], -1);
		if ((value & f->owned) != 0)
			npt_count(&counts->frames, -free_unheld(npt, npt, gpa, pa, level));
		return;
	}

	const _Atomic uint64_t *table = npt_table_at(npt, pa);

	for (unsigned i = 0; i < npt_entries(npt, level - 1); i++) {
		uint64_t entry = npt_load(&table[i]);

		if (entry != 0)
			release_live(npt, entry, gpa_plus(gpa, i * MM_LEVEL_SIZE(level - 1)),
			             level - 1);
	}
	npt_give(npt, 0, 1, &pa);
	npt_count(&counts->tables, -1);
}

static void put_back(struct restorer *r, _Atomic uint64_t *live, const _Atomic uint64_t *copy,
                     gpa_t gpa, unsigned level);

/* What stands for an entry of the copy in the live table. */
static uint64_t live_form(struct restorer *r, uint64_t wanted, gpa_t gpa, unsigned level)
{
	struct npt *npt = r->npt;

	if (wanted == 0)
		return 0;
	if (!npt_is_table(npt->format, wanted, level)) {
		npt_count(&npt->counts.leaves[level], 1);
		return shared_form(npt, wanted, level);
	}

	hpa_t table = use_spare(r);

	npt_clear_table(npt, table, 0);
	npt_count(&npt->counts.tables, 1);
	put_back(r, npt_table_at(npt, table), npt_child(npt, wanted), gpa, level - 1);
	return npt_table_entry(npt->format, table);
}

/* Step 3: what differs goes, and what the copy has comes in its place. */
static void put_back(struct restorer *r, _Atomic uint64_t *live, const _Atomic uint64_t *copy,
                     gpa_t gpa, unsigned level)
{
	struct npt *npt = r->npt;

	for (unsigned i = 0; i < npt_entries(npt, level); i++) {
		gpa_t at = gpa_plus(gpa, i * MM_LEVEL_SIZE(level));
		uint64_t value = npt_load(&live[i]);
		uint64_t wanted = npt_load(&copy[i]);

		if (differs(npt, value, wanted, level)) {
			if (value != 0)
				release_live(npt, value, at, level);
			npt_link(&live[i], live_form(r, wanted, at, level));
		} else if (npt_is_table(npt->format, wanted, level)) {
			put_back(r, npt_child(npt, value), npt_child(npt, wanted), at, level - 1);
		}
	}
}

enum mm_error npt_restore(struct npt *npt, struct npt *copy)
{
	struct gpa_range all = gpa_range(gpa_at(0), UINT64_C(1) << npt_gpa_bits(&npt->config));
	unsigned root = npt_root_level(npt);
	struct restorer r = {.npt = npt};
	uint64_t missing = missing_tables(npt, npt->root_table, copy->root_table, root);
	enum mm_error err = take_spares(&r, missing);

	if (err == MM_OK) {
		cut_differing(&r, npt->root_table, copy->root_table, root);
		if (r.changed)
			npt_flush(npt, &npt->counts, all, 0, true);
		put_back(&r, npt->root_table, copy->root_table, gpa_at(0), root);
		npt_publish(npt);
	}
	while (r.spares != 0) {
		hpa_t frame = use_spare(&r);

		npt_give(npt, 0, 1, &frame);
	}
	return err;
}

/* --- writing to a shared page --- */

static void copy_page(const struct npt *npt, hpa_t from, hpa_t to)
{
	void *copy = hal_to_virt(&npt->hal, to);

	__builtin_memcpy(copy, hal_to_virt(&npt->hal, from), MM_PAGE_SIZE);
	if (npt->hal.written)
		npt->hal.written(npt->hal.ctx, copy, MM_PAGE_SIZE);
}

/* A page of one's own: a new frame with the old one's contents, or, where nobody else holds the
 * old one any more, that one. */
static enum mm_error own_page(struct npt *npt, hpa_t old, gpa_t page, bool *copied, hpa_t *out)
{
	enum mm_error err;

	*copied = false;
	*out = old;
	for (const struct npt *n = npt->copies; n && !*copied; n = n->next_copy)
		*copied = holds(n, page, old, 0) == HELD;
	if (!*copied)
		return MM_OK;
	err = npt_take(npt, 0, 1, out);
	if (err == MM_OK)
		copy_page(npt, old, *out);
	return err;
}

enum mm_error npt_unshare(struct npt *npt, struct npt_counts *counts, struct npt_slot slot,
                          gpa_t gpa, enum mm_perm perm)
{
	const struct npt_format *f = npt->format;
	gpa_t page = gpa_align_down(gpa, MM_LEVEL_SIZE(slot.level));
	bool present = npt_present(f, slot.value);
	hpa_t frame;
	bool copied;
	enum mm_error err;

	/* Of a large leaf one page is copied, so it has to be a page first. */
	if (slot.level > 0 && npt->copies) {
		err = npt_split_leaf(npt, counts, slot, gpa);
		return err == MM_OK ? MM_BUSY : err;
	}
	err = own_page(npt, npt_decode_pa(f, slot.value), page, &copied, &frame);
	if (err != MM_OK)
		return err;

	uint64_t own = slot.value & ~f->shared;
	uint64_t leaf = npt_with_pa(f, npt_with_perm(npt, own, slot.level, perm), frame);

	/* Nobody writes to the old frame, so the copy is complete. Nobody uses the new frame before
	 * the last CPU has dropped the old one. */
	if (copied ? !npt_replace_leaf(npt, counts, &slot, page, leaf)
	           : !npt_swap(slot.entry, &slot.value, leaf)) {
		if (copied)
			npt_give(npt, 0, 1, &frame);
		return MM_BUSY;
	}
	if (present && !copied && f->keeps_refused)
		npt_flush(npt, counts, gpa_range(page, MM_LEVEL_SIZE(slot.level)), slot.level,
		          false);
	npt_count(&counts->frames, copied ? 1 : 0);
	return MM_OK;
}
