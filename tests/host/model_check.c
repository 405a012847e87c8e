/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of an address space as the hardware sees it, against the model: no page grants more
 * than its area permits, or holds something else than was written to it; and what a quota has to
 * have room for.
 */
#include "model_internal.h"

/* --- pages --- */

int leaf_level_of(struct model *m, unsigned i)
{
	struct hw_result r = guest_walk(m->guest, model_gpa(m, i), MM_R);

	return r.outcome == HW_OK || r.outcome == HW_PERMISSION ? (int)r.level : -1;
}

static void check_contents(struct model *m, unsigned i, mm_hpa_t frame)
{
	const uint8_t *at = hal_test_ptr(m->guest->hal, frame);

	if (at[0] != *value_of(m, i, 0) || at[LAST_BYTE] != *value_of(m, i, 1))
		check_failed(__FILE__, __LINE__, "page 0x%llx holds %u...%u instead of %u...%u",
		             (unsigned long long)m->number[i], at[0], at[LAST_BYTE],
		             *value_of(m, i, 0), *value_of(m, i, 1));
}

/* All that the hardware grants; *frame is set if that is anything. */
static enum mm_perm granted(struct model *m, unsigned i, mm_hpa_t *frame)
{
	mm_gpa_t gpa = model_gpa(m, i);
	struct hw_result r = guest_walk(m->guest, gpa, MM_R);
	enum mm_perm perm = r.outcome == HW_OK || r.outcome == HW_PERMISSION ? r.perm : MM_NONE;

	if (r.outcome == HW_PERMISSION && perm != MM_NONE)
		r = guest_walk(m->guest, gpa, perm & MM_W ? MM_W : MM_X);
	*frame = r.hpa;
	/* Whether software has to set D is asked by writes alone. */
	if (r.outcome == HW_OK && (perm & MM_W) != 0 && !has_marks(m))
		r.outcome = guest_walk(m->guest, gpa, MM_W).outcome;
	if (r.outcome == HW_MISCONFIG || r.outcome == HW_ACCESS_FLAG)
		check_failed(__FILE__, __LINE__, "page 0x%llx: %s, entry 0x%llx at level %u",
		             (unsigned long long)m->number[i], hw_outcome_name(r.outcome),
		             (unsigned long long)r.entry, r.level);
	return perm;
}

void check_page(struct model *m, unsigned i)
{
	const struct model_page *p = &m->page[i];
	mm_hpa_t frame;
	enum mm_perm perm = granted(m, i, &frame);
	unsigned allowed = is_memory(p) ? p->perm : 0U;
	unsigned due = allowed & ~(m->withheld_once ? (unsigned)MM_W : 0U);

	if ((perm & ~allowed) != 0)
		check_failed(__FILE__, __LINE__, "page 0x%llx is %s in hardware, its area %s",
		             (unsigned long long)m->number[i], mm_perm_name(perm),
		             mm_perm_name((enum mm_perm)allowed));
	if (p->present && small_leaves_only(m) && (due & ~(unsigned)perm) != 0)
		check_failed(__FILE__, __LINE__,
		             "page 0x%llx is %s in hardware, and ought to be %s",
		             (unsigned long long)m->number[i], mm_perm_name(perm),
		             mm_perm_name((enum mm_perm)due));
	if (perm != MM_NONE)
		check_contents(m, i, frame);
}

/* A block of one linear area that lies alike in host memory: after a protect or a remap that meets
 * it, one leaf maps it. */
static void check_merged(struct model *m, const struct model_op *op)
{
	uint64_t low = m->number[op->page] / 512;
	uint64_t high =
		(m->number[op->page + op->n - 1] + m->weight[op->page + op->n - 1] - 1) / 512;
	uint64_t covered = 0;
	unsigned first = 0;

	for (unsigned i = 0; i < m->pages; i++) {
		const struct model_page *p = &m->page[i];
		uint64_t block = m->number[i] / 512;

		if (m->number[i] % 512 == 0) {
			first = i;
			covered = 0;
		}
		if (block < low || block > high || m->number[first] != block * 512)
			continue;
		if (p->backend != 1 + MM_AREA_LINEAR || p->perm != m->page[first].perm ||
		    p->perm == MM_NONE ||
		    p->host != m->page[first].host + (m->number[i] - m->number[first]))
			continue;
		covered += m->weight[i];
		mm_hpa_t host = mm_hpa_plus(m->host, m->page[first].host * MM_PAGE_SIZE);
		if (covered == 512 && mm_hpa_is_aligned(host, MM_LEVEL_SIZE(1)) &&
		    leaf_level_of(m, first) < 1)
			check_failed(__FILE__, __LINE__,
			             "block 0x%llx is alike again, and not one leaf",
			             (unsigned long long)(block * 512));
	}
}

void check_after(struct model *m, const struct model_op *op)
{
	bool merges = op->kind == OP_PROTECT || op->kind == OP_REMAP;

	if (m->universe->hal.light) {
		/* Its searcher looks. */
	} else if (m->universe->look_everywhere) {
		for (unsigned i = 0; i < m->pages; i++)
			check_page(m, i);
	} else {
		unsigned n = op->n > 8 ? 8 : op->n;
		for (unsigned i = op->page; i < op->page + n; i++)
			check_page(m, i);
	}
	if (merges && m->universe->segments && !m->refused && !m->failed && !m->log_active &&
	    m->snapshots == 0)
		check_merged(m, op);
}

void model_check(struct model *m)
{
	uint64_t frames = 0;
	for (unsigned i = 0; i < m->pages; i++) {
		frames += m->page[i].backend == 1 + MM_AREA_ALLOC && m->page[i].present;
		check_page(m, i);
	}

	struct mm_aspace_stats stats = guest_stats(m->guest);
	CHECK_EQ(stats.frames + stats.tables + stats.area_frames + m->universe->host_pages,
	         m->guest->hal->in_use);
	if (small_leaves_only(m) && !m->snapshots)
		CHECK_EQ(stats.frames, frames);
}

/* --- what a quota has to have room for --- */

/* Tables that are missing to put leaves on pages first to first + n - 1; with `whole`, blocks
 * of 2 MiB that lie wholly among them get one leaf. */
static uint64_t missing_tables(struct model *m, unsigned first, unsigned n, bool whole)
{
	uint64_t seen[MM_NPT_MAX_LEVELS], missing = 0;
	struct mm_gpa_range range = model_range(m, first, n);

	for (unsigned level = 0; level < MM_NPT_MAX_LEVELS; level++)
		seen[level] = UINT64_MAX;
	for (unsigned i = first; i < first + n; i++) {
		mm_gpa_t gpa = model_gpa(m, i);
		struct mm_gpa_range block =
			mm_gpa_range(mm_gpa_align_down(gpa, MM_LEVEL_SIZE(1)), MM_LEVEL_SIZE(1));
		unsigned leaf = whole && mm_gpa_range_covers(range, block);
		unsigned deepest = guest_walk(m->guest, gpa, MM_R).level;

		for (unsigned level = leaf; level < deepest; level++) {
			uint64_t table = gpa.raw >> MM_LEVEL_SHIFT(level + 1);

			missing += seen[level] != table;
			seen[level] = table;
		}
	}
	return missing;
}

static uint64_t pages_in(const struct model *m, unsigned first, unsigned n)
{
	return model_range(m, first, n).size / MM_PAGE_SIZE;
}

/* For one page to be there and, if need be, one's own. */
static uint64_t needed_for_access(struct model *m, unsigned i)
{
	struct hw_result r = guest_walk(m->guest, model_gpa(m, i), MM_R);
	bool large = r.level > 0;

	if (!is_memory(&m->page[i]))
		return 0;
	if (r.entry == 0)
		return 1 + missing_tables(m, i, 1, false);
	return m->snapshots ? 1U + large : 0;
}

uint64_t frames_needed(struct model *m, const struct model_op *op)
{
	bool large = !small_leaves_only(m);
	unsigned levels = m->guest->geo->config.levels;
	uint64_t root = UINT64_C(1) << mm_npt_root_order(&m->guest->geo->config);
	bool linear = op->kind == OP_MAP_LINEAR || op->kind == OP_REPLACE_LINEAR;
	bool populate = op->kind == OP_MAP_POPULATE || op->kind == OP_REPLACE_POPULATE;
	uint64_t need = populate ? pages_in(m, op->page, op->n) : 0;
	bool split = large && op->n != 0;

	switch (op->kind) {
	case OP_MAP_POPULATE:
	case OP_MAP_LINEAR:
		/* Where the addresses do not lie alike, there are no large leaves. */
		return need +
		       missing_tables(
			       m, op->page, op->n,
			       large && (!linear || (m->number[op->page] - op->host) % 512 == 0));
	case OP_REPLACE_POPULATE:
	case OP_REPLACE_LINEAR:
	case OP_REMAP:
		/* A draft with a root of its own; and what sticks out is split. */
		return need + root + 3U * levels + pages_in(m, op->page, op->n) / 512 + 2;
	case OP_REPLACE_LAZY:
	case OP_REPLACE_DEVICE:
	case OP_UNMAP:
	case OP_PROTECT:
		return split ? 2U : 0; /* one block cut at each end, at most */
	case OP_TOUCH:
		return needed_for_access(m, op->page);
	case OP_READ:
	case OP_WRITE:
		if (op->n > 1)
			return UINT64_MAX;
		return needed_for_access(m, op->page);
	case OP_SNAPSHOT_TAKE:
		return guest_stats(m->guest).tables;
	default:
		return UINT64_MAX;
	}
}
