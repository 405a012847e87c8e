/*
 * What faults do, on many CPUs at once: one entry of the table changes by one compare-and-swap.
 *
 * A missing leaf may need tables above it. They are taken together with the frame, built bottom
 * up where nobody sees them, and appear with the one swap that links the topmost. Who loses the
 * swap gives everything back and looks again: somebody else has made progress meanwhile.
 */
#include "mm/npt/install.h"
#include "mm/npt/change.h"

/* The largest level up to `level` whose block around gpa lies in the mapping's range, and, for
 * frames that are given, alike in both address spaces. */
static unsigned fitting_level(const struct npt_mapping *m, gpa_t gpa, unsigned level)
{
	for (; level > 0; level--) {
		uint64_t size = LEVEL_SIZE(level);
		struct gpa_range block = gpa_range(gpa_align_down(gpa, size), size);

		if (!gpa_range_covers(m->range, block))
			continue;
		if (m->owned || is_aligned(m->host.raw ^ m->range.start.raw, size))
			break;
	}
	return level;
}

/* The block that the leaf maps: one of the library's own, or a part of the given range. *level
 * goes down to what can be had. */
static enum mm_error take_block(struct npt *npt, const struct npt_mapping *m, gpa_t gpa,
                                unsigned *level, hpa_t *out)
{
	enum mm_error err;

	if (!m->owned) {
		uint64_t offset = gpa_diff(gpa_align_down(gpa, LEVEL_SIZE(*level)), m->range.start);

		*out = hpa_plus(m->host, offset);
		return MM_OK;
	}
	for (;;) {
		err = npt_take(npt, LEVEL_SHIFT(*level) - PAGE_SHIFT, 1, out);
		if (err == MM_OK || *level == 0)
			return err;
		--*level;
	}
}

static void give_block(struct npt *npt, const struct npt_mapping *m, unsigned level, hpa_t block)
{
	if (m->owned)
		npt_give(npt, LEVEL_SHIFT(level) - PAGE_SHIFT, 1, &block);
}

static void count_installed(struct npt_counts *counts, const struct npt_mapping *m, unsigned level,
                            unsigned tables)
{
	if (m->owned)
		npt_count(&counts->frames, INT64_C(1) << (LEVEL_SHIFT(level) - PAGE_SHIFT));
	if (tables != 0)
		npt_count(&counts->tables, tables);
	npt_count(&counts->leaves[level], 1);
}

enum mm_error npt_install(struct npt *npt, struct npt_counts *counts, struct npt_slot slot,
                          gpa_t gpa, const struct npt_mapping *m)
{
	const struct npt_format *f = npt->format;
	unsigned top = slot.level;
	unsigned level = fitting_level(m, gpa, top < m->max_leaf ? top : m->max_leaf);
	hpa_t tables[NPT_MAX_LEVELS];
	uint64_t absent = 0;
	hpa_t block;
	enum mm_error err;

	err = take_block(npt, m, gpa, &level, &block);
	if (unlikely(err != MM_OK))
		return err;
	if (unlikely(top != level)) {
		err = npt_take(npt, 0, top - level, tables);
		if (err != MM_OK) {
			give_block(npt, m, level, block);
			return err;
		}
	}
	if (m->owned)
		npt_clear_data(npt, block, LEVEL_SHIFT(level) - PAGE_SHIFT);

	uint64_t attr =
		npt_leaf_attr(f, &npt->config, m->perm, m->type) | (m->owned ? f->owned : 0);
	uint64_t value = npt_leaf_entry(f, level, attr, m->perm) | npt_encode_pa(f, block);

	for (unsigned l = level; l < top; l++) {
		_Atomic uint64_t *table = npt_table_at(npt, tables[l - level]);

		npt_clear_table(npt, tables[l - level], 0);
		npt_store(&table[npt_index(npt, gpa.raw, l)], value);
		value = npt_table_entry(f, tables[l - level]);
	}
	if (unlikely(!atomic_compare_exchange_strong_explicit(
		    slot.entry, &absent, value, memory_order_release, memory_order_relaxed))) {
		give_block(npt, m, level, block);
		if (top != level)
			npt_give(npt, 0, top - level, tables);
		return MM_BUSY;
	}
	npt_publish(npt);
	count_installed(counts, m, level, top - level);
	return MM_OK;
}

void npt_forget_absence(struct npt *npt, struct npt_counts *counts, gpa_t gpa)
{
	struct gpa_range page = gpa_range(gpa_align_down(gpa, PAGE_SIZE), PAGE_SIZE);

	if (npt->format->caches_absent)
		npt_flush(npt, counts, page, 0, false);
}
