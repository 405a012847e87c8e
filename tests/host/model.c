/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model's life, what it expects of the calls that map, and of accesses to memory: see model.h.
 */
#include "model_internal.h"

#include <stdlib.h>
#include <string.h>

#include "mm/compiler.h"

/* --- life --- */

static void lay_out(struct model *m, const struct geometry *geo)
{
	uint64_t end = UINT64_C(1) << (mm_npt_gpa_bits(&geo->config) - MM_PAGE_SHIFT);
	for (unsigned r = 0; r < MM_ARRAY_SIZE(m->universe->runs); r++) {
		unsigned n = m->universe->runs[r].pages;
		uint64_t first = m->universe->runs[r].first;
		first = first == UINT64_MAX ? end - n : first;
		for (unsigned i = 0; i < n; i += m->weight[m->pages++]) {
			m->number[m->pages] = first + i;
			m->weight[m->pages] = (uint16_t)(m->universe->segments ? n : 1);
		}
	}
}

unsigned model_pages(const struct universe *universe)
{
	unsigned n = 0;
	for (unsigned r = 0; r < MM_ARRAY_SIZE(universe->runs); r++)
		n += universe->segments ? universe->runs[r].pages != 0 : universe->runs[r].pages;
	return n;
}

static struct guest *open_guest(const struct geometry *geo, const struct universe *universe)
{
	struct hal_test_options options = universe->hal;
	options.root_order = mm_npt_root_order(&geo->config);
	struct hal_test *hal = hal_test_open(options);
	struct mm_aspace_config config = guest_config(geo, hal);
	if (universe->quota)
		config.quota = universe->quota + (UINT64_C(1) << options.root_order) +
		               geo->config.levels - 2;
	struct guest *guest = guest_open_with(geo, hal, &config);
	guest->both_layers = true;
	return guest;
}

static void take_host_memory(struct model *m)
{
	const struct hal_test_options options = m->guest->hal->options;
	struct hal_test *hal = m->guest->hal;
	unsigned order = (unsigned)__builtin_ctz(m->universe->host_pages);
	hal->options.no_blocks = false;
	CHECK_EQ(hal->hal.alloc(hal, order, 1, &m->host), 1);
	hal->options = options;
	for (unsigned i = 0; i < m->universe->host_pages; i++) {
		uint8_t *frame = hal_test_ptr(hal, mm_hpa_plus(m->host, i * MM_PAGE_SIZE));
		memset(frame, 0, options.edges ? 64 : MM_PAGE_SIZE);
		frame[LAST_BYTE] = 0;
	}
}

/* Neighbours differ, or they would be one area. */
static void map_many_areas(struct model *m)
{
	for (unsigned i = 0; i < m->universe->areas; i++)
		model_apply(m, &(struct model_op){.kind = OP_MAP_LAZY,
		                                  .perm = i % 2 ? MM_R : MM_RW,
		                                  .page = (uint16_t)i,
		                                  .n = 1});
}

struct model *model_open(const struct geometry *geo, const struct universe *universe)
{
	struct model *m = calloc(1, sizeof(*m));
	CHECK(m != NULL);
	m->universe = universe;
	CHECK(model_pages(universe) <= MODEL_PAGES && universe->host_pages <= MODEL_HOST);
	lay_out(m, geo);
	m->guest = open_guest(geo, universe);
	if (universe->host_pages)
		take_host_memory(m);
	map_many_areas(m);
	return m;
}

void model_close(struct model *m)
{
	for (unsigned s = 0; s < MODEL_SNAPSHOTS; s++) {
		if (m->snapshot_live[s])
			mm_aspace_snapshot_drop(&m->guest->as, &m->snapshot[s]);
	}
	if (m->universe->host_pages) {
		struct hal_test *hal = m->guest->hal;
		mm_aspace_clear(&m->guest->as);
		hal->hal.free(hal, (unsigned)__builtin_ctz(m->universe->host_pages), 1, &m->host);
	}
	guest_close(m->guest);
	free(m);
}

/* --- what is expected --- */

static struct mm_gpa_range op_range(const struct model *m, const struct model_op *op)
{
	return model_range(m, op->page, op->n);
}

uint8_t *value_of(struct model *m, unsigned i, unsigned which)
{
	struct model_page *p = &m->page[i];
	return p->backend == 1 + MM_AREA_LINEAR ? &m->host_value[p->host][which] : &p->value[which];
}

enum mm_error page_error(const struct model_page *p, enum mm_perm access)
{
	if (p->backend == 0)
		return MM_NOT_MAPPED;
	if (p->backend == 1 + MM_AREA_DEVICE)
		return MM_IS_DEVICE;
	return mm_permits((enum mm_perm)p->perm, access) ? MM_OK : MM_DENIED;
}

/* The first error among the pages of an operation. */
static enum mm_error access_error(const struct model *m, const struct model_op *op,
                                  enum mm_perm access)
{
	for (unsigned i = op->page; i < op->page + op->n; i++) {
		enum mm_error err = page_error(&m->page[i], access);
		if (err != MM_OK)
			return err;
	}
	return MM_OK;
}

static enum mm_error map_error(const struct model *m, const struct model_op *op,
                               enum mm_area_backend backend, bool replace)
{
	if (backend != MM_AREA_DEVICE && !guest_can(m->guest, (enum mm_perm)op->perm))
		return MM_UNSUPPORTED;
	for (unsigned i = op->page; i < op->page + op->n && !replace; i++) {
		if (m->page[i].backend != 0)
			return MM_EXISTS;
	}
	return MM_OK;
}

void note_present(struct model *m, unsigned i, bool write)
{
	struct model_page *p = &m->page[i];
	if (!p->present)
		p->met = true;
	p->present = true;
	p->written |= write;
	p->used |= has_marks(m);
	p->dirtied |= write && has_marks(m);
}

void look_which_are_present(struct model *m, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++) {
		struct mm_aspace_translation t;
		struct model_page *p = &m->page[i];
		if (p->backend == 0 || p->backend == 1 + MM_AREA_DEVICE)
			continue;
		bool there = mm_aspace_translate(&m->guest->as, model_gpa(m, i), &t) == MM_OK;
		CHECK(there || p->backend != 1 + MM_AREA_LINEAR); /* from the start, and for ever */
		p->met |= there && !p->present;
		p->present = there;
	}
}

/* Was there really no room under the quota? Where the HAL refused a block as well, or another CPU
 * took frames meanwhile, nobody can tell. */
static void check_quota_refusal(const struct model *m, uint64_t refusals)
{
	CHECK(m->universe->quota != 0);
	if (m->need == UINT64_MAX || m->guest->hal->refusals != refusals || m->other.ran)
		return;
	uint64_t quota = m->guest->as.npt.quota;
	if (m->used + m->need <= quota)
		check_failed(__FILE__, __LINE__,
		             "MM_QUOTA: %llu frames in use, %llu needed at most, quota %llu",
		             (unsigned long long)m->used, (unsigned long long)m->need,
		             (unsigned long long)quota);
}

bool agreed(struct model *m, enum mm_error got, enum mm_error want, uint64_t refusals)
{
	m->refused = want != MM_OK;
	m->failed = got == MM_NO_MEMORY || got == MM_QUOTA;
	if (got == MM_NO_MEMORY && want == MM_OK && m->guest->hal->refusals != refusals)
		return false;
	if (got == MM_QUOTA && want == MM_OK) {
		check_quota_refusal(m, refusals);
		return false;
	}
	CHECK_ERR(got, want);
	return got == MM_OK;
}

/* --- the operations --- */

/* Areas have changed: a restore brings the old ones back, which takes frames. */
static void note_areas_changed(struct model *m)
{
	for (unsigned s = 0; s < MODEL_SNAPSHOTS; s++)
		m->may_need[s] = true;
}

static enum mm_error map_or_replace(struct model *m, const struct model_op *op,
                                    enum mm_area_backend backend, bool populate, bool replace)
{
	struct mm_aspace *as = &m->guest->as;
	struct mm_gpa_range range = op_range(m, op);
	enum mm_perm perm = (enum mm_perm)op->perm;
	mm_hpa_t host = mm_hpa_plus(m->host, op->host * MM_PAGE_SIZE);
	unsigned max_leaf = m->universe->max_leaf;
	struct mm_aspace_backing backing = {.populate = populate, .max_leaf = max_leaf};

	switch (backend) {
	case MM_AREA_DEVICE:
		return replace ? mm_aspace_replace_device(as, range)
		               : mm_aspace_map_device(as, range);
	case MM_AREA_LINEAR:
		return replace ? mm_aspace_replace_linear(as, range, host, perm, MM_NORMAL,
		                                          max_leaf)
		               : mm_aspace_map_linear(as, range, host, perm, MM_NORMAL, max_leaf);
	default:
		return replace ? mm_aspace_replace_alloc(as, range, perm, backing)
		               : mm_aspace_map_alloc(as, range, perm, backing);
	}
}

/* The host page behind page i of a linear operation. */
static uint16_t host_page(const struct model *m, const struct model_op *op, unsigned i)
{
	return (uint16_t)(op->host + (m->number[i] - m->number[op->page]));
}

static void apply_map(struct model *m, const struct model_op *op, enum mm_area_backend backend,
                      bool populate, bool replace)
{
	enum mm_error want = map_error(m, op, backend, replace);
	uint64_t refusals = m->guest->hal->refusals;

	if (!agreed(m, map_or_replace(m, op, backend, populate, replace), want, refusals))
		return;
	note_areas_changed(m);
	for (unsigned i = op->page; i < op->page + op->n; i++)
		m->page[i] = (struct model_page){
			.backend = (uint8_t)(1 + backend),
			.perm = op->perm,
			.present = populate || backend == MM_AREA_LINEAR,
			.met = true,
			.host = host_page(m, op, i),
		};
}

static void apply_unmap(struct model *m, const struct model_op *op)
{
	uint64_t refusals = m->guest->hal->refusals;
	enum mm_error got = mm_aspace_unmap(&m->guest->as, op_range(m, op));
	if (!agreed(m, got, MM_OK, refusals))
		return;
	note_areas_changed(m);
	memset(&m->page[op->page], 0, op->n * sizeof(m->page[0]));
}

static void apply_protect(struct model *m, const struct model_op *op)
{
	enum mm_error want = MM_OK;
	if (!guest_can(m->guest, (enum mm_perm)op->perm))
		want = MM_UNSUPPORTED;
	if (want == MM_OK)
		want = access_error(m, op, MM_NONE);
	if (want == MM_OK && m->log_active)
		want = MM_BUSY;
	uint64_t refusals = m->guest->hal->refusals;
	enum mm_error got =
		mm_aspace_protect(&m->guest->as, op_range(m, op), (enum mm_perm)op->perm);
	if (!agreed(m, got, want, refusals))
		return;
	note_areas_changed(m);
	for (unsigned i = op->page; i < op->page + op->n; i++)
		m->page[i].perm = op->perm;
}

/* The range has to lie in one linear area: its pages go on in the host's memory, too. */
static enum mm_error remap_error(const struct model *m, const struct model_op *op)
{
	const struct model_page *first = &m->page[op->page];
	enum mm_error err = MM_OK;
	for (unsigned i = 0; i < op->n; i++) {
		if (m->page[op->page + i].backend == 0)
			return MM_NOT_MAPPED;
	}
	for (unsigned i = op->page; i < op->page + op->n; i++) {
		const struct model_page *p = &m->page[i];
		if (p->backend != 1 + MM_AREA_LINEAR || p->perm != first->perm ||
		    p->host != first->host + (m->number[i] - m->number[op->page]))
			err = MM_UNSUPPORTED;
	}
	return err;
}

static void apply_remap(struct model *m, const struct model_op *op)
{
	enum mm_error want = remap_error(m, op);
	if (want == MM_OK && m->log_active)
		want = MM_BUSY;
	uint64_t refusals = m->guest->hal->refusals;
	mm_hpa_t host = mm_hpa_plus(m->host, op->host * MM_PAGE_SIZE);
	if (!agreed(m, mm_aspace_remap(&m->guest->as, op_range(m, op), host), want, refusals))
		return;
	note_areas_changed(m);
	for (unsigned i = op->page; i < op->page + op->n; i++) {
		m->page[i].host = host_page(m, op, i);
		m->page[i].used = m->page[i].dirtied = false;
	}
}

void apply_touch(struct model *m, const struct model_op *op)
{
	enum mm_perm access = (enum mm_perm)op->perm;
	mm_gpa_t gpa = mm_gpa_plus(model_gpa(m, op->page), op->host % 2 ? LAST_BYTE : 0);
	enum mm_error want = page_error(&m->page[op->page], access);
	uint64_t refusals = m->guest->hal->refusals;
	struct touched t = guest_touch(m->guest, gpa, access);

	if (t.outcome == TOUCH_REFUSED) {
		static const enum mm_fault faults[] = {
			[-MM_NOT_MAPPED] = MM_FAULT_NOT_MAPPED,
			[-MM_IS_DEVICE] = MM_FAULT_IS_DEVICE,
			[-MM_DENIED] = MM_FAULT_PERMISSION,
		};
		bool dry = t.fault == MM_FAULT_NO_MEMORY, quota = t.fault == MM_FAULT_QUOTA;
		if ((dry || quota) && !agreed(m, dry ? MM_NO_MEMORY : MM_QUOTA, want, refusals))
			return;
		m->refused = want != MM_IS_DEVICE; /* which is how a device answers */
		CHECK(want != MM_OK);
		CHECK_EQ(t.fault, faults[-want]);
		return;
	}
	CHECK_ERR(MM_OK, want);
	m->refused = false;
	if (t.outcome == TOUCH_SERVED && t.fault == MM_FAULT_UNSHARED && m->snapshots)
		m->features |= FEATURE(F_SNAPSHOT);
	uint8_t *byte = hal_test_ptr(m->guest->hal, t.hpa);
	uint8_t *value = value_of(m, op->page, op->host % 2);
	if (access == MM_R)
		CHECK_EQ(*byte, *value);
	if (access == MM_W)
		*byte = *value = op->value;
	note_present(m, op->page, access == MM_W);
}

/* An access from the last byte of a page to the first byte of the page n - 1 further on; or, with
 * n = 1, of one byte at a page's end or beginning. */
static mm_gpa_t access_start(const struct model *m, const struct model_op *op, size_t *bytes)
{
	bool at_end = op->n > 1 || op->host % 2;
	*bytes = op->n > 1 ? (op->n - 2U) * MM_PAGE_SIZE + 2 : 1;
	return mm_gpa_plus(model_gpa(m, op->page), at_end ? LAST_BYTE : 0);
}

/* Is this byte of this page within the access? */
static bool access_covers(const struct model_op *op, unsigned i, unsigned which)
{
	if (op->n == 1)
		return which == op->host % 2;
	if (i == 0)
		return which == 1;
	return i + 1U < op->n || which == 0;
}

static uint8_t buffer[8 * 4096];

/* At most this many pages in one access, or copying is all the time goes into. */
static struct model_op shortened(const struct model *m, const struct model_op *op)
{
	struct model_op o = *op;
	unsigned n = 1;
	while (n < 4 && n < o.n && m->weight[o.page + n - 1] == 1)
		n++;
	o.n = (uint16_t)n;
	return o;
}

static void after_access(struct model *m, const struct model_op *op, enum mm_error got, bool write)
{
	if (got != MM_OK) {
		look_which_are_present(m, op->page, op->n);
		/* Made ready to be written to, and then was not: a log may report it. */
		for (unsigned i = 0; i < op->n; i++)
			m->page[op->page + i].met |=
				write && (got == MM_NO_MEMORY || got == MM_QUOTA);
		return;
	}
	for (unsigned i = 0; i < op->n; i++)
		note_present(m, op->page + i, write);
}

static void apply_read(struct model *m, const struct model_op *full)
{
	const struct model_op op = shortened(m, full);
	size_t bytes;
	mm_gpa_t start = access_start(m, &op, &bytes);
	uint64_t refusals = m->guest->hal->refusals;
	enum mm_error want = access_error(m, &op, MM_R);
	enum mm_error got = mm_aspace_read(&m->guest->as, start, buffer, bytes);

	if (agreed(m, got, want, refusals)) {
		size_t first = op.n > 1 ? LAST_BYTE : op.host % 2 ? LAST_BYTE : 0;
		for (unsigned i = 0; i < op.n; i++) {
			for (unsigned which = 0; which < 2; which++) {
				size_t at = i * MM_PAGE_SIZE + (which ? LAST_BYTE : 0) - first;
				if (access_covers(&op, i, which))
					CHECK_EQ(buffer[at], *value_of(m, op.page + i, which));
			}
		}
	}
	after_access(m, &op, got, false);
}

static void apply_write(struct model *m, const struct model_op *full)
{
	const struct model_op op = shortened(m, full);
	size_t bytes;
	mm_gpa_t start = access_start(m, &op, &bytes);
	uint64_t refusals = m->guest->hal->refusals;
	enum mm_error want = access_error(m, &op, MM_W);
	memset(buffer, op.value, bytes);
	enum mm_error got = op.host & 2 ? mm_aspace_fill(&m->guest->as, start, op.value, bytes)
	                                : mm_aspace_write(&m->guest->as, start, buffer, bytes);

	if (agreed(m, got, want, refusals)) {
		for (unsigned i = 0; i < op.n; i++) {
			for (unsigned which = 0; which < 2; which++) {
				if (access_covers(&op, i, which))
					*value_of(m, op.page + i, which) = op.value;
			}
		}
	}
	after_access(m, &op, got, true);
}

static void apply_translate(struct model *m, const struct model_op *op)
{
	struct mm_aspace_translation t;
	const struct model_page *p = &m->page[op->page];
	enum mm_error got = mm_aspace_translate(&m->guest->as, model_gpa(m, op->page), &t);
	enum mm_error want = page_error(p, MM_NONE);

	if (want == MM_OK && got == MM_NOT_MAPPED && (!p->present || !small_leaves_only(m)))
		return;
	CHECK_ERR(got, want);
	if (got != MM_OK)
		return;
	CHECK(!small_leaves_only(m) || p->present);
	CHECK(mm_permits((enum mm_perm)p->perm, t.perm));
	CHECK(mm_permits(t.perm, (enum mm_perm)(p->perm & ~(m->withheld_once ? MM_W : 0U))));
	CHECK_EQ(*(uint8_t *)hal_test_ptr(m->guest->hal, t.hpa), *value_of(m, op->page, 0));
	CHECK_EQ(t.contiguous, t.page_size - (model_gpa(m, op->page).raw & (t.page_size - 1)));
}

static void apply_clear(struct model *m)
{
	mm_aspace_clear(&m->guest->as);
	memset(m->page, 0, m->pages * sizeof(m->page[0]));
	memset(m->snapshot_live, 0, sizeof(m->snapshot_live));
	m->snapshots = 0;
}

void apply_op(struct model *m, const struct model_op *op)
{
	switch (op->kind) {
	case OP_MAP_LAZY:
	case OP_REPLACE_LAZY:
		apply_map(m, op, MM_AREA_ALLOC, false, op->kind == OP_REPLACE_LAZY);
		break;
	case OP_MAP_POPULATE:
	case OP_REPLACE_POPULATE:
		apply_map(m, op, MM_AREA_ALLOC, true, op->kind == OP_REPLACE_POPULATE);
		break;
	case OP_MAP_LINEAR:
	case OP_REPLACE_LINEAR:
		apply_map(m, op, MM_AREA_LINEAR, false, op->kind == OP_REPLACE_LINEAR);
		break;
	case OP_MAP_DEVICE:
	case OP_REPLACE_DEVICE:
		apply_map(m, op, MM_AREA_DEVICE, false, op->kind == OP_REPLACE_DEVICE);
		break;
	case OP_REMAP:
		apply_remap(m, op);
		break;
	case OP_UNMAP:
		apply_unmap(m, op);
		break;
	case OP_PROTECT:
		apply_protect(m, op);
		break;
	case OP_TOUCH:
		apply_touch(m, op);
		break;
	case OP_READ:
		apply_read(m, op);
		break;
	case OP_WRITE:
		apply_write(m, op);
		break;
	case OP_TRANSLATE:
		apply_translate(m, op);
		break;
	case OP_HARVEST:
		apply_harvest(m, op);
		break;
	case OP_LIMITS:
		apply_limits(m, op);
		break;
	case OP_LOG_START:
		apply_log_start(m, op);
		break;
	case OP_LOG_COLLECT:
		apply_log_collect(m, op);
		break;
	case OP_LOG_STOP:
		mm_aspace_dirty_stop(&m->guest->as);
		m->log_active = false;
		break;
	case OP_CLEAR:
		apply_clear(m);
		break;
	default:
		apply_snapshot(m, op);
	}
}
