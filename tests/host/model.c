#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/compiler.h"

#define LAST_BYTE (MM_PAGE_SIZE - 1)

/* --- life --- */

static void lay_out(struct model *m, const struct geometry *geo)
{
	uint64_t end = UINT64_C(1) << (npt_gpa_bits(&geo->config) - MM_PAGE_SHIFT);
	for (unsigned r = 0; r < MM_ARRAY_SIZE(m->universe->runs); r++) {
		unsigned n = m->universe->runs[r].pages;
		uint64_t first = m->universe->runs[r].first;
		first = first == UINT64_MAX ? end - n : first;
		for (unsigned i = 0; i < n; i++)
			m->number[m->pages++] = first + i;
	}
}

struct model *model_open(const struct geometry *geo, const struct universe *universe)
{
	struct model *m = calloc(1, sizeof(*m));
	CHECK(m != NULL);
	m->universe = universe;
	lay_out(m, geo);
	m->guest = guest_open(geo, universe->hal);
	if (universe->host_pages) {
		unsigned order = (unsigned)__builtin_ctz(universe->host_pages);
		struct hal_test *hal = m->guest->hal;
		hal->options.no_blocks = false;
		CHECK_EQ(hal->hal.alloc(hal, order, 1, &m->host), 1);
		hal->options.no_blocks = universe->hal.no_blocks;
		memset(hal_test_ptr(hal, m->host), 0, universe->host_pages * MM_PAGE_SIZE);
	}
	return m;
}

void model_close(struct model *m)
{
	for (unsigned s = 0; s < MODEL_SNAPSHOTS; s++) {
		if (m->snapshot_live[s])
			aspace_snapshot_drop(&m->guest->as, &m->snapshot[s]);
	}
	if (m->universe->host_pages) {
		struct hal_test *hal = m->guest->hal;
		aspace_clear(&m->guest->as);
		hal->hal.free(hal, (unsigned)__builtin_ctz(m->universe->host_pages), 1, &m->host);
	}
	guest_close(m->guest);
	free(m);
}

/* --- what is expected --- */

static gpa_t page_gpa(const struct model *m, unsigned i)
{
	return gpa_at(m->number[i] * MM_PAGE_SIZE);
}

static struct gpa_range op_range(const struct model *m, const struct model_op *op)
{
	return gpa_range(page_gpa(m, op->page), op->n * MM_PAGE_SIZE);
}

static bool small_leaves_only(const struct model *m)
{
	return m->universe->max_leaf == 0;
}

/* The value of a page's first or last byte, wherever it is kept. */
static uint8_t *value_of(struct model *m, unsigned i, unsigned which)
{
	struct model_page *p = &m->page[i];
	return p->backend == 1 + AREA_LINEAR ? &m->host_value[p->host][which] : &p->value[which];
}

static enum mm_error page_error(const struct model_page *p, enum mm_perm access)
{
	if (p->backend == 0)
		return MM_NOT_MAPPED;
	if (p->backend == 1 + AREA_DEVICE)
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
                               enum area_backend backend, bool replace)
{
	if (backend != AREA_DEVICE && !guest_can(m->guest, (enum mm_perm)op->perm))
		return MM_UNSUPPORTED;
	for (unsigned i = op->page; i < op->page + op->n && !replace; i++) {
		if (m->page[i].backend != 0)
			return MM_EXISTS;
	}
	return m->snapshots ? MM_BUSY : MM_OK;
}

static void note_present(struct model *m, unsigned i, bool write)
{
	struct model_page *p = &m->page[i];
	if (!p->present)
		p->met = true;
	p->present = true;
	p->written |= write;
}

/* After an operation that ran out of frames half-way, as it may: which pages are there now? */
static void look_which_are_present(struct model *m, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++) {
		struct aspace_translation t;
		struct model_page *p = &m->page[i];
		if (p->backend == 0 || p->backend == 1 + AREA_DEVICE)
			continue;
		bool there = aspace_translate(&m->guest->as, page_gpa(m, i), &t) == MM_OK;
		CHECK(there || p->backend != 1 + AREA_LINEAR); /* from the start, and for ever */
		p->met |= there && !p->present;
		p->present = there;
	}
}

/* Compares an answer. True: the operation happened. A dry HAL is an excuse. */
static bool agreed(struct model *m, enum mm_error got, enum mm_error want, uint64_t refusals)
{
	if (got == MM_NO_MEMORY && want == MM_OK && m->guest->hal->refusals != refusals)
		return false;
	CHECK_ERR(got, want);
	return got == MM_OK;
}

/* --- the operations --- */

static enum mm_error map_or_replace(struct model *m, const struct model_op *op,
                                    enum area_backend backend, bool populate, bool replace)
{
	struct aspace *as = &m->guest->as;
	struct gpa_range range = op_range(m, op);
	enum mm_perm perm = (enum mm_perm)op->perm;
	hpa_t host = hpa_plus(m->host, op->host * MM_PAGE_SIZE);
	unsigned max_leaf = m->universe->max_leaf;
	struct aspace_backing backing = {.populate = populate, .max_leaf = max_leaf};

	switch (backend) {
	case AREA_DEVICE:
		return replace ? aspace_replace_device(as, range) : aspace_map_device(as, range);
	case AREA_LINEAR:
		return replace ? aspace_replace_linear(as, range, host, perm, MM_NORMAL, max_leaf)
		               : aspace_map_linear(as, range, host, perm, MM_NORMAL, max_leaf);
	default:
		return replace ? aspace_replace_alloc(as, range, perm, backing)
		               : aspace_map_alloc(as, range, perm, backing);
	}
}

static void apply_map(struct model *m, const struct model_op *op, enum area_backend backend,
                      bool populate, bool replace)
{
	enum mm_error want = map_error(m, op, backend, replace);
	uint64_t refusals = m->guest->hal->refusals;

	if (!agreed(m, map_or_replace(m, op, backend, populate, replace), want, refusals))
		return;
	for (unsigned i = 0; i < op->n; i++)
		m->page[op->page + i] = (struct model_page){
			.backend = (uint8_t)(1 + backend),
			.perm = op->perm,
			.present = populate || backend == AREA_LINEAR,
			.met = true,
			.host = (uint16_t)(op->host + i),
		};
}

static void apply_unmap(struct model *m, const struct model_op *op)
{
	uint64_t refusals = m->guest->hal->refusals;
	enum mm_error got = aspace_unmap(&m->guest->as, op_range(m, op));
	if (!agreed(m, got, m->snapshots ? MM_BUSY : MM_OK, refusals))
		return;
	memset(&m->page[op->page], 0, op->n * sizeof(m->page[0]));
}

static void apply_protect(struct model *m, const struct model_op *op)
{
	enum mm_error want = MM_OK;
	if (!guest_can(m->guest, (enum mm_perm)op->perm))
		want = MM_UNSUPPORTED;
	if (want == MM_OK)
		want = access_error(m, op, MM_NONE);
	if (want == MM_OK && (m->log_active || m->snapshots))
		want = MM_BUSY;
	uint64_t refusals = m->guest->hal->refusals;
	enum mm_error got = aspace_protect(&m->guest->as, op_range(m, op), (enum mm_perm)op->perm);
	if (!agreed(m, got, want, refusals))
		return;
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
	for (unsigned i = 0; i < op->n; i++) {
		const struct model_page *p = &m->page[op->page + i];
		if (p->backend != 1 + AREA_LINEAR || p->perm != first->perm ||
		    p->host != first->host + i)
			err = MM_UNSUPPORTED;
	}
	return err;
}

static void apply_remap(struct model *m, const struct model_op *op)
{
	enum mm_error want = remap_error(m, op);
	if (want == MM_OK && (m->log_active || m->snapshots))
		want = MM_BUSY;
	uint64_t refusals = m->guest->hal->refusals;
	hpa_t host = hpa_plus(m->host, op->host * MM_PAGE_SIZE);
	if (!agreed(m, aspace_remap(&m->guest->as, op_range(m, op), host), want, refusals))
		return;
	for (unsigned i = 0; i < op->n; i++)
		m->page[op->page + i].host = (uint16_t)(op->host + i);
}

static void apply_touch(struct model *m, const struct model_op *op)
{
	enum mm_perm access = (enum mm_perm)op->perm;
	gpa_t gpa = gpa_plus(page_gpa(m, op->page), op->host % 2 ? LAST_BYTE : 0);
	enum mm_error want = page_error(&m->page[op->page], access);
	uint64_t refusals = m->guest->hal->refusals;
	struct touched t = guest_touch(m->guest, gpa, access);

	if (t.outcome == TOUCH_REFUSED) {
		static const enum mm_fault faults[] = {
			[-MM_NOT_MAPPED] = MM_FAULT_NOT_MAPPED,
			[-MM_IS_DEVICE] = MM_FAULT_IS_DEVICE,
			[-MM_DENIED] = MM_FAULT_PERMISSION,
		};
		if (t.fault == MM_FAULT_NO_MEMORY && want == MM_OK &&
		    m->guest->hal->refusals != refusals)
			return;
		CHECK(want != MM_OK);
		CHECK_EQ(t.fault, faults[-want]);
		return;
	}
	CHECK_ERR(MM_OK, want);
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
static gpa_t access_start(const struct model *m, const struct model_op *op, size_t *bytes)
{
	bool at_end = op->n > 1 || op->host % 2;
	*bytes = op->n > 1 ? (op->n - 2U) * MM_PAGE_SIZE + 2 : 1;
	return gpa_plus(page_gpa(m, op->page), at_end ? LAST_BYTE : 0);
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
static struct model_op shortened(const struct model_op *op)
{
	struct model_op o = *op;
	o.n = o.n > 4 ? 4 : o.n;
	return o;
}

static void after_access(struct model *m, const struct model_op *op, enum mm_error got, bool write)
{
	if (got != MM_OK) {
		look_which_are_present(m, op->page, op->n);
		/* Made ready to be written to, and then was not: a log may report it. */
		for (unsigned i = 0; got == MM_NO_MEMORY && i < op->n; i++)
			m->page[op->page + i].met |= write;
		return;
	}
	for (unsigned i = 0; i < op->n; i++)
		note_present(m, op->page + i, write);
}

static void apply_read(struct model *m, const struct model_op *full)
{
	const struct model_op op = shortened(full);
	size_t bytes;
	gpa_t start = access_start(m, &op, &bytes);
	uint64_t refusals = m->guest->hal->refusals;
	enum mm_error want = access_error(m, &op, MM_R);
	enum mm_error got = aspace_read(&m->guest->as, start, buffer, bytes);

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
	const struct model_op op = shortened(full);
	size_t bytes;
	gpa_t start = access_start(m, &op, &bytes);
	uint64_t refusals = m->guest->hal->refusals;
	enum mm_error want = access_error(m, &op, MM_W);
	memset(buffer, op.value, bytes);
	enum mm_error got = op.host & 2 ? aspace_fill(&m->guest->as, start, op.value, bytes)
	                                : aspace_write(&m->guest->as, start, buffer, bytes);

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
	struct aspace_translation t;
	const struct model_page *p = &m->page[op->page];
	enum mm_error got = aspace_translate(&m->guest->as, page_gpa(m, op->page), &t);
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
	CHECK_EQ(t.contiguous, t.page_size - (page_gpa(m, op->page).raw & (t.page_size - 1)));
}

/* --- the log --- */

static void forget_writes(struct model *m)
{
	for (unsigned i = 0; i < m->pages; i++)
		m->page[i].written = m->page[i].met = false;
}

static void apply_log_start(struct model *m, const struct model_op *op)
{
	bool hardware = op->perm & 1, split = op->perm & 2;
	bool can = !hardware || (m->guest->geo->config.accessed_dirty && !split);
	enum mm_error want = !can ? MM_UNSUPPORTED : m->log_active ? MM_BUSY : MM_OK;
	CHECK_ERR(aspace_dirty_start(&m->guest->as, hardware ? DIRTY_HARDWARE : DIRTY_WRITE_PROTECT,
	                             split),
	          want);
	if (want != MM_OK)
		return;
	m->log_active = true;
	m->log_hardware = hardware;
	m->withheld_once = true;
	forget_writes(m);
}

static void apply_log_collect(struct model *m)
{
	static uint64_t bitmap[MODEL_PAGES / 64 + 1];
	unsigned i = 0;
	while (i < m->pages) {
		unsigned n = 1; /* to the end of the run */
		while (i + n < m->pages && m->number[i + n] == m->number[i] + n)
			n++;
		memset(bitmap, 0, sizeof(bitmap));
		CHECK_ERR(aspace_dirty_collect(&m->guest->as,
		                               gpa_range(page_gpa(m, i), n * MM_PAGE_SIZE), bitmap),
		          m->log_active ? MM_OK : MM_INVALID);
		for (unsigned p = 0; m->log_active && p < n; p++) {
			const struct model_page *page = &m->page[i + p];
			bool reported = bitmap[p / 64] >> (p % 64) & 1;
			if (page->written)
				CHECK(reported);
			if (reported && small_leaves_only(m))
				CHECK(page->written || page->met);
		}
		i += n;
	}
	if (m->log_active)
		forget_writes(m);
}

/* --- snapshots --- */

static void apply_snapshot(struct model *m, const struct model_op *op)
{
	struct aspace *as = &m->guest->as;
	unsigned s = op->value % MODEL_SNAPSHOTS;
	uint64_t refusals = m->guest->hal->refusals;
	enum mm_error want = m->log_active ? MM_BUSY : MM_OK;

	if ((op->kind == OP_SNAPSHOT_TAKE) == m->snapshot_live[s])
		return;
	if (op->kind == OP_SNAPSHOT_DROP) {
		aspace_snapshot_drop(as, &m->snapshot[s]);
		m->snapshot_live[s] = false;
		m->snapshots--;
	} else if (op->kind == OP_SNAPSHOT_TAKE) {
		if (!agreed(m, aspace_snapshot_take(as, &m->snapshot[s]), want, refusals))
			return;
		m->snapshot_live[s] = true;
		m->snapshots++;
		m->withheld_once = true;
		memcpy(m->saved[s], m->page, m->pages * sizeof(m->page[0]));
	} else {
		if (!agreed(m, aspace_snapshot_restore(as, &m->snapshot[s]), want, refusals))
			return;
		memcpy(m->page, m->saved[s], m->pages * sizeof(m->page[0]));
		look_which_are_present(m, 0, m->pages);
	}
}

static void apply_clear(struct model *m)
{
	aspace_clear(&m->guest->as);
	memset(m->page, 0, sizeof(m->page));
	memset(m->snapshot_live, 0, sizeof(m->snapshot_live));
	m->snapshots = 0;
}

void model_apply(struct model *m, const struct model_op *op)
{
	switch (op->kind) {
	case OP_MAP_LAZY:
	case OP_REPLACE_LAZY:
		apply_map(m, op, AREA_ALLOC, false, op->kind == OP_REPLACE_LAZY);
		break;
	case OP_MAP_POPULATE:
	case OP_REPLACE_POPULATE:
		apply_map(m, op, AREA_ALLOC, true, op->kind == OP_REPLACE_POPULATE);
		break;
	case OP_MAP_LINEAR:
	case OP_REPLACE_LINEAR:
		apply_map(m, op, AREA_LINEAR, false, op->kind == OP_REPLACE_LINEAR);
		break;
	case OP_MAP_DEVICE:
	case OP_REPLACE_DEVICE:
		apply_map(m, op, AREA_DEVICE, false, op->kind == OP_REPLACE_DEVICE);
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
	case OP_LOG_START:
		apply_log_start(m, op);
		break;
	case OP_LOG_COLLECT:
		apply_log_collect(m);
		break;
	case OP_LOG_STOP:
		aspace_dirty_stop(&m->guest->as);
		m->log_active = false;
		break;
	case OP_CLEAR:
		apply_clear(m);
		break;
	default:
		apply_snapshot(m, op);
	}
}

/* --- the whole state --- */

static void check_page(struct model *m, unsigned i)
{
	static const enum mm_perm accesses[] = {MM_R, MM_W, MM_X};
	struct model_page *p = &m->page[i];
	bool memory = p->backend != 0 && p->backend != 1 + AREA_DEVICE;

	for (unsigned a = 0; a < 3; a++) {
		struct hw_result r = guest_walk(m->guest, page_gpa(m, i), accesses[a]);
		bool allowed = memory && (p->perm & accesses[a]);
		CHECK(r.outcome != HW_MISCONFIG && r.outcome != HW_ACCESS_FLAG);
		if (r.outcome != HW_OK) {
			bool withheld = accesses[a] == MM_W && m->withheld_once;
			bool absent = !p->present || !small_leaves_only(m);
			CHECK(!allowed || withheld || absent);
			continue;
		}
		CHECK(allowed);
		const uint8_t *frame = hal_test_ptr(m->guest->hal, r.hpa);
		CHECK_EQ(frame[0], *value_of(m, i, 0));
		CHECK_EQ(frame[LAST_BYTE], *value_of(m, i, 1));
	}
}

void model_check(struct model *m)
{
	uint64_t frames = 0;
	for (unsigned i = 0; i < m->pages; i++) {
		frames += m->page[i].backend == 1 + AREA_ALLOC && m->page[i].present;
		check_page(m, i);
	}
	if (m->snapshots)
		return;
	struct aspace_stats stats = guest_stats(m->guest);
	CHECK_EQ(stats.frames + stats.tables + stats.area_frames + m->universe->host_pages,
	         m->guest->hal->in_use);
	if (small_leaves_only(m))
		CHECK_EQ(stats.frames, frames);
}

/* --- making and printing them --- */

struct weight {
	enum model_kind kind;
	unsigned weight;
};

/* Per mille. */
static const struct weight weights[] = {
	{OP_MAP_LAZY, 80},      {OP_MAP_POPULATE, 20},    {OP_MAP_LINEAR, 25},
	{OP_MAP_DEVICE, 10},    {OP_REPLACE_LAZY, 10},    {OP_REPLACE_POPULATE, 8},
	{OP_REPLACE_LINEAR, 8}, {OP_REPLACE_DEVICE, 4},   {OP_REMAP, 15},
	{OP_UNMAP, 105},        {OP_PROTECT, 110},        {OP_TOUCH, 315},
	{OP_READ, 80},          {OP_WRITE, 90},           {OP_TRANSLATE, 80},
	{OP_LOG_START, 4},      {OP_LOG_COLLECT, 6},      {OP_LOG_STOP, 8},
	{OP_SNAPSHOT_TAKE, 4},  {OP_SNAPSHOT_RESTORE, 6}, {OP_SNAPSHOT_DROP, 10},
	{OP_CLEAR, 2},
};

static enum model_kind random_kind(struct rng *rng)
{
	uint64_t at = rng_below(rng, 1000);
	for (size_t i = 0; i < MM_ARRAY_SIZE(weights); i++) {
		if (at < weights[i].weight)
			return weights[i].kind;
		at -= weights[i].weight;
	}
	return OP_TOUCH;
}

/* Pages left from here to the end of the run. */
static unsigned left_in_run(const struct universe *u, unsigned page)
{
	unsigned end = 0;
	for (unsigned r = 0; r < MM_ARRAY_SIZE(u->runs); r++) {
		end += u->runs[r].pages;
		if (page < end)
			return end - page;
	}
	return 1;
}

struct model_op model_random(const struct universe *universe, unsigned pages, struct rng *rng)
{
	struct model_op op = {.kind = (uint8_t)random_kind(rng)};
	uint64_t bits = rng_next(rng);
	op.page = (uint16_t)(bits % pages);
	bits /= pages;
	unsigned most = left_in_run(universe, op.page);
	unsigned longest = bits & 7 ? 5 : bits & 0x38 ? 40 : most;
	op.n = (uint16_t)(1 + (bits >> 8) % longest);
	op.n = op.n > most ? (uint16_t)most : op.n;
	op.value = (uint8_t)(1 + (bits >> 20) % 255);
	op.perm = (bits >> 30) & 3 ? (uint8_t)((bits >> 32) & 7) : MM_RW;
	if (op.kind == OP_TOUCH)
		op.perm = (uint8_t)(1U << (bits >> 32) % 3);
	if (op.kind == OP_MAP_LINEAR || op.kind == OP_REPLACE_LINEAR || op.kind == OP_REMAP) {
		op.n = op.n > universe->host_pages ? (uint16_t)universe->host_pages : op.n;
		op.host = (uint16_t)((bits >> 40) % (universe->host_pages - op.n + 1U));
		if (universe->max_leaf && bits & 0x40) /* so that large leaves fit */
			op.host = 0;
	} else {
		op.host = (uint16_t)((bits >> 40) & 3);
	}
	return op;
}

void model_describe(const struct model_op *op, char *text, size_t size)
{
	static const char *const names[OP_KINDS] = {
		[OP_MAP_LAZY] = "map_lazy",
		[OP_MAP_POPULATE] = "map_populate",
		[OP_MAP_LINEAR] = "map_linear",
		[OP_MAP_DEVICE] = "map_device",
		[OP_REPLACE_LAZY] = "replace_lazy",
		[OP_REPLACE_POPULATE] = "replace_populate",
		[OP_REPLACE_LINEAR] = "replace_linear",
		[OP_REPLACE_DEVICE] = "replace_device",
		[OP_REMAP] = "remap",
		[OP_UNMAP] = "unmap",
		[OP_PROTECT] = "protect",
		[OP_TOUCH] = "touch",
		[OP_READ] = "read",
		[OP_WRITE] = "write",
		[OP_TRANSLATE] = "translate",
		[OP_LOG_START] = "log_start",
		[OP_LOG_COLLECT] = "log_collect",
		[OP_LOG_STOP] = "log_stop",
		[OP_SNAPSHOT_TAKE] = "snapshot_take",
		[OP_SNAPSHOT_RESTORE] = "snapshot_restore",
		[OP_SNAPSHOT_DROP] = "snapshot_drop",
		[OP_CLEAR] = "clear",
	};
	snprintf(text, size, "%s page=%u n=%u perm=%s(%u) value=%u host=%u", names[op->kind],
	         op->page, op->n, mm_perm_name((enum mm_perm)op->perm), op->perm, op->value,
	         op->host);
}
