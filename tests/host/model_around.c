/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One operation with all that may go on around it: the HAL refuses a frame, another CPU accesses
 * memory between two HAL calls, and the features that meet are counted.
 *
 * Another CPU beside a shared call (a fault, an access by the hypervisor) does all that a guest's
 * CPU does, the fault included. Beside an exclusive call its hardware goes on alone, and its fault
 * waits until the call has returned, as the lock has it. An exclusive call that changes where
 * pages are is only read beside, since where a write goes is then a matter of moments.
 */
#include "fault_agree.h"
#include "model_internal.h"

#include <stdatomic.h>

#include "mm/npt/entry.h"

static struct feature_table features_here;
struct feature_table *model_features = &features_here;

/* --- another CPU --- */

static bool is_shared(const struct model_op *op)
{
	return op->kind == OP_TOUCH || op->kind == OP_READ || op->kind == OP_WRITE ||
	       op->kind == OP_TRANSLATE;
}

static bool keeps_pages(const struct model_op *op)
{
	switch (op->kind) {
	case OP_PROTECT:
	case OP_HARVEST:
	case OP_LOG_START:
	case OP_LOG_COLLECT:
	case OP_LOG_STOP:
	case OP_SNAPSHOT_TAKE:
	case OP_SNAPSHOT_DROP:
		return true;
	default:
		return false;
	}
}

static struct model_op other_touch(const struct model *m)
{
	return (struct model_op){.kind = OP_TOUCH,
	                         .perm = (uint8_t)m->other.access,
	                         .page = m->op->other,
	                         .n = 1,
	                         .value = m->op->value};
}

/* Is another call in the middle of replacing the leaf? Its fault would wait for that call. */
static bool is_frozen(struct model *m, mm_gpa_t gpa)
{
	return mm_npt_is_frozen(m->guest->geo->format, guest_walk(m->guest, gpa, MM_R).entry);
}

static void other_cpu(void *ctx)
{
	struct model *m = ctx;
	struct model_other *o = &m->other;
	const struct model_op touch = other_touch(m);
	mm_gpa_t gpa = model_gpa(m, touch.page);

	o->ran = true;
	hal_test_set_cpu(1);
	/* Under a quota that is exhausted, a fault waits for all other calls to return, so here
	 * faults under a quota wait as they do beside exclusive calls. */
	if (is_shared(m->op) && !m->universe->quota && !is_frozen(m, gpa)) {
		bool refused = m->refused;
		apply_touch(m, &touch);
		m->refused = refused;
	} else {
		struct hw_result r =
			ghost_tlb_access(&m->guest->hal->tlb, hal_test_tlb_cpu(m->guest->hal),
		                         mm_aspace_tag(&m->guest->as), gpa, o->access);
		CHECK(r.outcome != HW_MISCONFIG);
		o->hit = r.outcome == HW_OK;
		o->waits = !o->hit;
		if (o->hit && o->access == MM_W)
			*(uint8_t *)hal_test_ptr(m->guest->hal, r.hpa) = touch.value;
	}
	hal_test_set_cpu(0);
}

/* Pages that a write of the hypervisor's and another CPU's at once would leave in doubt. */
static bool in_the_way(const struct model *m, const struct model_op *op)
{
	if (op->kind != OP_READ && op->kind != OP_WRITE && op->kind != OP_TOUCH &&
	    op->kind != OP_TRANSLATE)
		return false;

	const struct model_page *p = &m->page[op->other];

	for (unsigned i = op->page; i < op->page + op->n; i++) {
		const struct model_page *q = &m->page[i];

		if (i == op->other || (p->backend == 1 + MM_AREA_LINEAR &&
		                       p->backend == q->backend && p->host == q->host))
			return true;
	}
	return false;
}

static void begin_other(struct model *m, const struct model_op *op)
{
	bool doubt = in_the_way(m, op);
	bool write = (is_shared(op) && !doubt) || keeps_pages(op);
	enum mm_perm access = (enum mm_perm)op->access;

	if (access == MM_W && !write)
		access = MM_R;
	if (op->kind == OP_WRITE && doubt)
		access = MM_X; /* of which nobody asks what it finds */
	m->other = (struct model_other){.access = access};
	if (op->meanwhile)
		hal_test_interlude(m->guest->hal, op->meanwhile, other_cpu, m);
}

static void end_other(struct model *m, const struct model_op *op, enum mm_error before)
{
	struct model_other *o = &m->other;
	struct model_page *p = &m->page[op->other];

	if (op->meanwhile)
		hal_test_interlude(m->guest->hal, 0, NULL, NULL);
	if (o->hit) {
		CHECK(before == MM_OK || page_error(p, o->access) == MM_OK);
		if (o->access == MM_W)
			*value_of(m, op->other, 0) = op->value;
		/* Beside the start of a log it may be from before or after. */
		if (keeps_pages(op) && !o->reported) {
			bool write = o->access == MM_W && op->kind != OP_LOG_START;

			p->written |= write;
			p->used |= has_marks(m);
			p->dirtied |= write && has_marks(m);
		}
		p->met |= o->access == MM_W;
	}
	if (o->waits) {
		const struct model_op touch = other_touch(m);
		bool refused = m->refused;

		hal_test_set_cpu(1);
		apply_touch(m, &touch);
		hal_test_set_cpu(0);
		m->refused = refused;
	}
}

/* --- features --- */

static uint32_t features_of_page(const struct model *m, unsigned i)
{
	switch (m->page[i].backend) {
	case 1 + MM_AREA_LINEAR:
		return FEATURE(F_LINEAR);
	case 1 + MM_AREA_DEVICE:
		return FEATURE(F_DEVICE);
	default:
		return 0;
	}
}

/* Of the state. Looks at all pages, so not in a universe of many. */
static uint32_t features_of_state(const struct model *m)
{
	uint32_t features = m->done;

	for (unsigned i = 0; i < m->pages && m->pages < 256; i++)
		features |= features_of_page(m, i);
	features |= m->snapshots ? FEATURE(F_SNAPSHOT) : 0;
	features |= m->universe->quota ? FEATURE(F_QUOTA) : 0;
	features |= has_marks(m) ? FEATURE(F_AD) : 0;
	if (m->log_active)
		features |= m->log_hardware ? FEATURE(F_LOG_HW) : FEATURE(F_LOG_PERM);
	if (!small_leaves_only(m)) {
		const struct mm_npt_counts *counts = &m->guest->as.npt.counts;
		int64_t large = atomic_load(&counts->leaves[1]);
		for (unsigned cpu = 0; cpu < 2; cpu++)
			large += atomic_load(&m->guest->as.cpus[cpu].counts.leaves[1]);
		features |= large > 0 ? FEATURE(F_LARGE) : 0;
	}
	return features;
}

static uint32_t features_of_access(const struct model *m, const struct model_op *op, bool write)
{
	uint32_t features = features_of_page(m, op->page);

	features |= has_marks(m) ? FEATURE(F_AD) : 0;
	if (write && m->log_active)
		features |= m->log_hardware ? FEATURE(F_LOG_HW) : FEATURE(F_LOG_PERM);
	return features;
}

static uint32_t features_of(const struct model *m, const struct model_op *op)
{
	switch (op->kind) {
	case OP_MAP_LINEAR:
		return FEATURE(F_LINEAR);
	case OP_MAP_DEVICE:
		return FEATURE(F_DEVICE);
	case OP_REPLACE_LAZY:
	case OP_REPLACE_POPULATE:
		return FEATURE(F_REPLACE) | features_of_page(m, op->page);
	case OP_REPLACE_LINEAR:
		return FEATURE(F_REPLACE) | FEATURE(F_LINEAR);
	case OP_REPLACE_DEVICE:
		return FEATURE(F_REPLACE) | FEATURE(F_DEVICE);
	case OP_REMAP:
		return FEATURE(F_REMAP) | features_of_page(m, op->page);
	case OP_UNMAP:
		return features_of_page(m, op->page);
	case OP_PROTECT:
		return FEATURE(F_PROTECT) | features_of_page(m, op->page);
	case OP_TOUCH:
		return features_of_access(m, op, op->perm == MM_W);
	case OP_READ:
	case OP_WRITE:
		return features_of_access(m, op, op->kind == OP_WRITE);
	case OP_HARVEST:
		return FEATURE(F_HARVEST);
	case OP_LOG_START:
		return FEATURE(op->perm & 1 ? F_LOG_HW : F_LOG_PERM);
	case OP_LOG_COLLECT:
	case OP_LOG_STOP:
		return !m->log_active    ? 0
		       : m->log_hardware ? FEATURE(F_LOG_HW)
		                         : FEATURE(F_LOG_PERM);
	case OP_SNAPSHOT_TAKE:
	case OP_SNAPSHOT_RESTORE:
		return FEATURE(F_SNAPSHOT);
	case OP_SNAPSHOT_DROP:
		return FEATURE(F_DROPPED);
	default:
		return 0;
	}
}

static bool meets_large_leaf(struct model *m, const struct model_op *op)
{
	unsigned n = small_leaves_only(m) || m->pages > 256 ? 0 : op->n;

	for (unsigned i = op->page; i < op->page + n; i++) {
		if (leaf_level_of(m, i) > 0)
			return true;
	}
	return false;
}

/* --- around it --- */

/* Does a refusal of this operation leave everything as it was? What an access has faulted in on
 * the way stays. */
static bool all_or_nothing(const struct model_op *op)
{
	return !is_shared(op) && op->kind != OP_LIMITS;
}

static uint64_t used_frames(struct model *m)
{
	struct mm_aspace_stats stats = guest_stats(m->guest);

	return stats.frames + stats.tables;
}

void model_apply(struct model *m, const struct model_op *op)
{
	struct hal_test *hal = m->guest->hal;
	uint32_t state = features_of_state(m);
	bool large = meets_large_leaf(m, op);
	bool look = op->fail || (all_or_nothing(op) && op->value % 64 == 0 && m->pages < 256 &&
	                         !hal->options.light);
	uint64_t before = look ? guest_fingerprint(m->guest) : 0;
	uint64_t in_use = hal->in_use, refusals = hal->refusals;

	m->op = op;
	m->features = features_of(m, op);
	m->refused = m->failed = false;
	if (m->universe->quota) {
		m->used = used_frames(m);
		m->need = frames_needed(m, op);
	}
	if (op->fail && op->dry)
		hal_test_fail_after(hal, op->fail);
	else if (op->fail)
		hal_test_fail_once(hal, op->fail);
	begin_other(m, op);

	enum mm_error other_before = page_error(&m->page[op->other], m->other.access);

	apply_op(m, op);
	if (op->fail)
		hal_test_fail_after(hal, 0);

	uint32_t own = m->features; /* none: there was nothing to do */

	if (look && all_or_nothing(op) && (m->refused || m->failed) && !m->other.ran)
		CHECK_EQ(guest_fingerprint(m->guest), before);
	end_other(m, op, other_before);
	if (m->universe->quota)
		CHECK(used_frames(m) <= m->guest->as.npt.quota);

	large = large || meets_large_leaf(m, op);
	own |= large && (own || is_shared(op)) ? FEATURE(F_LARGE) : 0;
	own |= m->universe->quota && hal->in_use != in_use ? FEATURE(F_QUOTA) : 0;
	own |= m->other.ran ? FEATURE(F_CONCURRENT) : 0;
	own |= op->fail && hal->refusals != refusals ? FEATURE(F_NO_MEMORY) : 0;
	features_count(model_features, own, state, m->refused);
	if (!m->refused)
		m->done |= own & (FEATURE(F_DROPPED) | FEATURE(F_PROTECT) | FEATURE(F_REPLACE) |
		                  FEATURE(F_REMAP) | FEATURE(F_HARVEST));
	check_after(m, op);
	fault_check_caches(&m->guest->as);
	m->op = NULL;
	m->other = (struct model_other){.ran = false};
}
