/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the model expects of dirty logs, snapshots and harvests: see model.h.
 *
 * Of written and accessed pages it knows what has to be reported, and, where leaves are single
 * pages, what must not be.
 */
#include "model_internal.h"

#include <string.h>

/* --- the log --- */

void apply_log_start(struct model *m, const struct model_op *op)
{
	bool hardware = op->perm & 1, split = op->perm & 2;
	bool can = !hardware || (has_marks(m) && !split);
	enum mm_error want = !can ? MM_UNSUPPORTED : m->log_active ? MM_BUSY : MM_OK;

	m->refused = want != MM_OK;
	CHECK_ERR(mm_aspace_dirty_start(&m->guest->as,
	                                hardware ? MM_DIRTY_HARDWARE : MM_DIRTY_WRITE_PROTECT,
	                                split),
	          want);
	if (want != MM_OK)
		return;
	m->log_active = true;
	m->log_hardware = hardware;
	m->log_split = split;
	m->log_refusals = m->guest->hal->refusals;
	m->withheld_once = true;
	for (unsigned i = 0; i < m->pages; i++) {
		m->page[i].written = m->page[i].met = false;
		m->page[i].dirtied &= !hardware;
	}
}

/* May this page be reported though nobody wrote to it? With large leaves, all pages of one are,
 * unless the log splits them and had the tables for it. */
static bool reported_by_mistake(const struct model *m, unsigned i)
{
	bool single = small_leaves_only(m) || (m->log_split && !m->universe->quota &&
	                                       m->log_refusals == m->guest->hal->refusals);

	return single && !m->page[i].written && !m->page[i].met;
}

/* A leaf that sticks out of what is collected is not clean afterwards. */
static bool sticks_out(struct model *m, unsigned i, struct mm_gpa_range range)
{
	int level = small_leaves_only(m) ? 0 : leaf_level_of(m, i);

	if (level <= 0)
		return false;

	uint64_t size = MM_LEVEL_SIZE((unsigned)level);

	return !mm_gpa_range_covers(range,
	                            mm_gpa_range(mm_gpa_align_down(model_gpa(m, i), size), size));
}

static void collect(struct model *m, unsigned first, unsigned n)
{
	static uint64_t bitmap[MODEL_PAGES / 64 + 64];
	struct mm_gpa_range range = model_range(m, first, n);
	uint64_t base = m->number[first];

	memset(bitmap, 0, (range.size / MM_PAGE_SIZE / 64 + 1) * sizeof(bitmap[0]));
	CHECK(range.size / MM_PAGE_SIZE < sizeof(bitmap) * 8);
	CHECK_ERR(mm_aspace_dirty_collect(&m->guest->as, range, bitmap),
	          m->log_active ? MM_OK : MM_INVALID);
	for (unsigned i = first; m->log_active && i < first + n; i++) {
		uint64_t at = m->number[i] - base;
		bool reported = bitmap[at / 64] >> (at % 64) & 1;

		if (m->page[i].written && !reported)
			check_failed(__FILE__, __LINE__,
			             "page 0x%llx was written, and is not reported",
			             (unsigned long long)m->number[i]);
		if (reported && reported_by_mistake(m, i))
			check_failed(__FILE__, __LINE__,
			             "page 0x%llx is reported, and was not written",
			             (unsigned long long)m->number[i]);
		if (m->op && m->other.ran && i == m->op->other)
			m->other.reported |= reported;
		if (sticks_out(m, i, range)) {
			m->page[i].met = true;
			continue;
		}
		m->page[i].written = m->page[i].met = false;
		m->page[i].dirtied &= !m->log_hardware;
	}
}

void apply_log_collect(struct model *m, const struct model_op *op)
{
	unsigned i = 0;

	m->refused = !m->log_active;
	if (op->n != 0) {
		collect(m, op->page, op->n);
		return;
	}
	while (i < m->pages) {
		unsigned n = 1; /* to the end of the run */
		while (i + n < m->pages &&
		       m->number[i + n] == m->number[i + n - 1] + m->weight[i + n - 1])
			n++;
		collect(m, i, n);
		i += n;
	}
}

/* --- harvests --- */

struct harvest {
	struct model *m;
	unsigned most; /* leaves to look at */
	struct mm_gpa_range range;
	uint64_t seen_to; /* the last byte of what has been looked at */
	bool early;       /* ended before the end of the range */
	bool *accessed, *dirty;
};

static bool visit_harvest(void *ctx, const struct mm_npt_leaf *leaf)
{
	struct harvest *h = ctx;
	struct model *m = h->m;
	struct mm_gpa_range range = mm_gpa_range(leaf->gpa, MM_LEVEL_SIZE(leaf->level));

	CHECK(mm_gpa_range_overlaps(range, h->range));
	CHECK(leaf->accessed || leaf->dirty);
	for (unsigned i = 0; i < m->pages; i++) {
		if (!mm_gpa_range_contains(range, model_gpa(m, i)))
			continue;
		h->accessed[i] |= leaf->accessed;
		h->dirty[i] |= leaf->dirty;
		m->page[i].used &= !leaf->accessed;
		m->page[i].dirtied &= !leaf->dirty;
		m->other.reported |= m->op && i == m->op->other;
	}
	h->seen_to = mm_gpa_range_last(range).raw;
	h->early = --h->most == 0;
	return !h->early;
}

void apply_harvest(struct model *m, const struct model_op *op)
{
	static bool accessed[MODEL_PAGES], dirty[MODEL_PAGES];
	struct harvest h = {.m = m,
	                    .most = op->value % 8 == 0 ? 1 : 100000,
	                    .range = model_range(m, op->page, op->n),
	                    .accessed = accessed,
	                    .dirty = dirty};
	bool busy = m->log_active && m->log_hardware;
	enum mm_error want = !has_marks(m) ? MM_UNSUPPORTED : busy ? MM_BUSY : MM_OK;

	m->refused = want != MM_OK;
	memset(accessed, 0, m->pages);
	memset(dirty, 0, m->pages);
	CHECK_ERR(mm_aspace_harvest(&m->guest->as, h.range, visit_harvest, &h), want);
	for (unsigned i = op->page; want == MM_OK && i < op->page + op->n; i++) {
		const struct model_page *p = &m->page[i];

		if (h.early && model_gpa(m, i).raw > h.seen_to)
			break;
		/* What was reported is no longer marked in the model. */
		if (is_memory(p) && (p->used || p->dirtied))
			check_failed(__FILE__, __LINE__,
			             "page 0x%llx: accessed %u reported %u; dirty %u reported %u",
			             (unsigned long long)m->number[i], p->used, accessed[i],
			             p->dirtied, dirty[i]);
	}
}

/* --- snapshots --- */

static void take(struct model *m, unsigned s, enum mm_error want, uint64_t refusals)
{
	if (!agreed(m, mm_aspace_snapshot_take(&m->guest->as, &m->snapshot[s]), want, refusals))
		return;
	m->snapshot_live[s] = true;
	m->may_need[s] = false;
	m->snapshots++;
	m->withheld_once = true;
	if (m->other.hit && m->other.access == MM_W) /* before it was shared: in both */
		*value_of(m, m->op->other, 0) = m->op->value;
	memcpy(m->saved[s], m->page, m->pages * sizeof(m->page[0]));
}

static void restore(struct model *m, unsigned s, enum mm_error want, uint64_t refusals)
{
	enum mm_error got = mm_aspace_snapshot_restore(&m->guest->as, &m->snapshot[s]);

	if ((got == MM_NO_MEMORY || got == MM_QUOTA) && !m->may_need[s])
		check_failed(__FILE__, __LINE__,
		             "restoring needs frames, and no other snapshot was restored, and no "
		             "area has changed");
	if (!agreed(m, got, want, refusals))
		return;
	for (unsigned other = 0; other < MODEL_SNAPSHOTS; other++)
		m->may_need[other] |= other != s;
	memcpy(m->page, m->saved[s], m->pages * sizeof(m->page[0]));
	for (unsigned i = 0; i < m->pages; i++)
		m->page[i].used = m->page[i].dirtied = false;
	look_which_are_present(m, 0, m->pages);
}

void apply_snapshot(struct model *m, const struct model_op *op)
{
	unsigned s = op->value % MODEL_SNAPSHOTS;
	uint64_t refusals = m->guest->hal->refusals;
	enum mm_error want = m->log_active ? MM_BUSY : MM_OK;

	if ((op->kind == OP_SNAPSHOT_TAKE) == m->snapshot_live[s]) {
		m->features = 0; /* nothing to do */
		return;
	}
	m->refused = false;
	if (op->kind == OP_SNAPSHOT_DROP) {
		mm_aspace_snapshot_drop(&m->guest->as, &m->snapshot[s]);
		m->snapshot_live[s] = false;
		m->snapshots--;
	} else if (op->kind == OP_SNAPSHOT_TAKE) {
		take(m, s, want, refusals);
	} else {
		restore(m, s, want, refusals);
	}
}
