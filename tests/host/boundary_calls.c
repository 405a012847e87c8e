/* SPDX-License-Identifier: BSD-2-Clause */
/* Boundary values for the calls on memory and mappings of aspace.h: see boundary.h. */
#include "boundary.h"

#include <string.h>

#include "mm/compiler.h"

/* --- bytes of the guest's memory --- */

/* Sizes that no buffer has are for calls that have to fail before they touch one. */
static bool fits(uint64_t bytes)
{
	return bytes <= BOUNDARY_BUFFER;
}

/* A call that was given these bytes has answered `err`. */
static void check_bytes_call(struct boundary *b, uint64_t gpa, uint64_t bytes, enum mm_perm access,
                             enum mm_error err)
{
	enum mm_error expected = boundary_expect_bytes(b, gpa, bytes, access);

	if (expected != MM_OK || bytes == 0)
		CHECK_ERR(err, expected);
	else
		CHECK(boundary_is_served(err));
	/* What had to be faulted in before the frames ran out stays. */
	boundary_after(b, expected != MM_OK);
}

struct bytes {
	uint64_t gpa;
	uint64_t bytes;
};

static struct bytes some_bytes(struct boundary *b, const char *name)
{
	struct bytes r = {.gpa = boundary_address(b)};

	r.bytes = boundary_size(b, r.gpa);
	boundary_before(b, "%s(0x%llx, 0x%llx)", name, (unsigned long long)r.gpa,
	                (unsigned long long)r.bytes);
	/* A success would need a buffer. */
	if (!fits(r.bytes) && boundary_expect_bytes(b, r.gpa, r.bytes, MM_NONE) == MM_OK)
		r.bytes = 1;
	return r;
}

static void read_with(struct boundary *b, const char *name, enum mm_perm access,
                      enum mm_error (*call)(struct mm_aspace *as, mm_gpa_t gpa, void *buf,
                                            size_t bytes))
{
	struct bytes r = some_bytes(b, name);
	enum mm_error err = call(b->as, mm_gpa_at(r.gpa), b->buffer, r.bytes);

	check_bytes_call(b, r.gpa, r.bytes, access, err);
	if (err == MM_OK)
		boundary_check_bytes(b, b->buffer, r.bytes);
}

static void call_read(struct boundary *b)
{
	read_with(b, "mm_aspace_read", MM_R, mm_aspace_read);
}

static void call_fetch(struct boundary *b)
{
	read_with(b, "mm_aspace_fetch", MM_X, mm_aspace_fetch);
}

static void call_write(struct boundary *b)
{
	struct bytes r = some_bytes(b, "mm_aspace_write");

	memset(b->buffer, BOUNDARY_WRITTEN, fits(r.bytes) ? r.bytes : 1);
	check_bytes_call(b, r.gpa, r.bytes, MM_W,
	                 mm_aspace_write(b->as, mm_gpa_at(r.gpa), b->buffer, r.bytes));
}

static void call_fill(struct boundary *b)
{
	struct bytes r = some_bytes(b, "mm_aspace_fill");

	check_bytes_call(b, r.gpa, r.bytes, MM_W,
	                 mm_aspace_fill(b->as, mm_gpa_at(r.gpa), BOUNDARY_WRITTEN, r.bytes));
}

static void call_compare(struct boundary *b)
{
	struct bytes r = some_bytes(b, "mm_aspace_compare");
	int order = 77;
	enum mm_error err = mm_aspace_compare(b->as, mm_gpa_at(r.gpa), b->buffer, r.bytes, &order);

	check_bytes_call(b, r.gpa, r.bytes, MM_R, err);
	CHECK(err == MM_OK || order == 77);
}

static bool is_width(unsigned width)
{
	return width == 1 || width == 2 || width == 4 || width == 8;
}

/* A width of 1, 2, 4 or 8 mostly; 0 after any other was refused. */
static unsigned some_width(struct boundary *b)
{
	return boundary_chance(b, 4) ? boundary_enum(b) : 1U << rng_below(&b->rng, 4);
}

static void call_load(struct boundary *b)
{
	uint64_t gpa = boundary_address(b);
	unsigned width = some_width(b);
	uint64_t value = 0x7777;
	enum mm_error err;

	boundary_before(b, "mm_aspace_load(0x%llx, %u)", (unsigned long long)gpa, width);
	err = mm_aspace_load(b->as, mm_gpa_at(gpa), width, &value);
	if (err == MM_OK)
		boundary_check_bytes(b, &value, sizeof(value));
	else
		CHECK_EQ(value, 0x7777);
	if (is_width(width)) {
		check_bytes_call(b, gpa, width, MM_R, err);
	} else {
		CHECK_ERR(err, MM_INVALID);
		boundary_after(b, true);
	}
}

static void call_store(struct boundary *b)
{
	uint64_t gpa = boundary_address(b);
	unsigned width = some_width(b);
	enum mm_error err;

	boundary_before(b, "mm_aspace_store(0x%llx, %u)", (unsigned long long)gpa, width);
	err = mm_aspace_store(b->as, mm_gpa_at(gpa), width, UINT64_C(0x1111111111111111));
	if (is_width(width)) {
		check_bytes_call(b, gpa, width, MM_W, err);
	} else {
		CHECK_ERR(err, MM_INVALID);
		boundary_after(b, true);
	}
}

static bool look_at_span(void *ctx, mm_gpa_t gpa, struct mm_aspace_span span)
{
	struct boundary *b = ctx;

	(void)gpa;
	boundary_check_bytes(b, span.host, span.bytes);
	return true;
}

static void call_for_each_span(struct boundary *b)
{
	uint64_t gpa = boundary_address(b);
	uint64_t bytes = boundary_size(b, gpa);
	enum mm_perm access = boundary_access(b);
	enum mm_error err;

	boundary_before(b, "mm_aspace_for_each_span(0x%llx, 0x%llx, 0x%x)", (unsigned long long)gpa,
	                (unsigned long long)bytes, (unsigned)access);
	err = mm_aspace_for_each_span(b->as, mm_gpa_range(mm_gpa_at(gpa), bytes), access,
	                              look_at_span, b);
	if (boundary_is_access(access)) {
		check_bytes_call(b, gpa, bytes, access, err);
	} else {
		CHECK_ERR(err, MM_INVALID);
		boundary_after(b, true);
	}
}

/* --- single addresses --- */

static enum mm_error error_of_fault(enum mm_fault fault)
{
	switch (fault) {
	case MM_FAULT_MAPPED:
	case MM_FAULT_SPURIOUS:
	case MM_FAULT_UNSHARED:
		return MM_OK;
	case MM_FAULT_NO_MEMORY:
		return MM_NO_MEMORY;
	case MM_FAULT_QUOTA:
		return MM_QUOTA;
	case MM_FAULT_NOT_MAPPED:
		return MM_NOT_MAPPED;
	case MM_FAULT_PERMISSION:
		return MM_DENIED;
	case MM_FAULT_IS_DEVICE:
		return MM_IS_DEVICE;
	case MM_FAULT_NEEDS_FRAME:
		return MM_NEEDS_FRAME;
	case MM_FAULT_OUT_OF_RANGE:
		return MM_OUT_OF_RANGE;
	default:
		return MM_INVALID;
	}
}

static void call_fault(struct boundary *b)
{
	enum mm_perm access = boundary_access(b);
	enum mm_error expected = MM_INVALID, err;
	enum mm_fault fault;
	uint64_t gpa;

	if (boundary_chance(b, 2))
		boundary_warm(b);
	gpa = boundary_address(b);
	if (boundary_chance(b, 3)) /* a page of the window */
		gpa = b->as->cpus[0].cache.window.raw + MM_PAGE_SIZE * rng_below(&b->rng, 20);
	boundary_before(b, "mm_aspace_fault(0x%llx, 0x%x)", (unsigned long long)gpa,
	                (unsigned)access);
	fault = mm_aspace_fault(b->as, mm_gpa_at(gpa), access);
	CHECK((unsigned)fault < MM_FAULTS);
	err = error_of_fault(fault);
	if (boundary_is_access(access))
		expected = boundary_expect_bytes(b, gpa, 1, access);
	if (expected == MM_OK)
		CHECK(boundary_is_served(err));
	else
		CHECK_ERR(err, expected);
	boundary_after(b, err != MM_OK);
	if (err == MM_OK) /* and the table says so, as the hardware reads it */
		CHECK_EQ(walk_aspace(b->as, b->geo, b->hal, mm_gpa_at(gpa), access).outcome, HW_OK);
}

static void call_translate(struct boundary *b)
{
	uint64_t gpa = boundary_address(b);
	enum mm_error expected = boundary_expect_bytes(b, gpa, 1, MM_NONE);
	struct mm_aspace_translation t;
	enum mm_error err;

	boundary_before(b, "mm_aspace_translate(0x%llx)", (unsigned long long)gpa);
	memset(&t, 0xee, sizeof(t));
	err = mm_aspace_translate(b->as, mm_gpa_at(gpa), &t);
	boundary_after(b, true);
	if (expected != MM_OK) {
		CHECK_ERR(err, expected);
		return;
	}
	CHECK(err == MM_OK || err == MM_NOT_MAPPED);
	if (err != MM_OK)
		return;
	CHECK(hal_test_owned(b->hal, t.hpa));
	CHECK_EQ(t.hpa.raw % MM_PAGE_SIZE, gpa % MM_PAGE_SIZE);
	CHECK(t.contiguous != 0 && t.contiguous <= t.page_size);
	boundary_check_bytes(b, hal_test_ptr(b->hal, t.hpa), 1);
}

static void call_steps(struct boundary *b)
{
	uint64_t gpa = boundary_address(b);
	bool inside = boundary_expect_bytes(b, gpa, 1, MM_NONE) != MM_OUT_OF_RANGE;
	struct mm_npt_step steps[MM_NPT_MAX_LEVELS];
	size_t count;

	boundary_before(b, "mm_aspace_steps(0x%llx)", (unsigned long long)gpa);
	count = mm_aspace_steps(b->as, mm_gpa_at(gpa), steps);
	CHECK(inside ? count >= 1 && count <= b->geo->config.levels : count == 0);
	boundary_after(b, true);
}

static void call_find_free(struct boundary *b)
{
	uint64_t hint = boundary_address(b);
	uint64_t size = boundary_chance(b, 2) ? MM_PAGE_SIZE * (1 + rng_below(&b->rng, 40))
	                                      : boundary_size(b, hint);
	uint64_t align =
		boundary_chance(b, 3) ? boundary_number(b) : UINT64_C(1) << rng_below(&b->rng, 64);
	bool valid = size != 0 && size % MM_PAGE_SIZE == 0 && align >= MM_PAGE_SIZE &&
	             (align & (align - 1)) == 0;
	mm_gpa_t out = mm_gpa_at(7);
	enum mm_error err;

	boundary_before(b, "mm_aspace_find_free(0x%llx, 0x%llx, 0x%llx)", (unsigned long long)hint,
	                (unsigned long long)size, (unsigned long long)align);
	err = mm_aspace_find_free(b->as, mm_gpa_at(hint), size, align, &out);
	boundary_after(b, true);
	if (!valid || err != MM_OK) {
		CHECK_EQ(out.raw, 7);
		CHECK_ERR(err, valid ? MM_NO_MEMORY : MM_INVALID);
		return;
	}
	CHECK(out.raw >= hint && out.raw % align == 0);
	CHECK_OK(boundary_expect_range(b, mm_gpa_range(out, size)));
	const struct mm_area *above = mm_area_first_from(&b->as->areas, out);
	CHECK(!above || above->range.start.raw > out.raw + (size - 1));
}

static void call_get_stats(struct boundary *b)
{
	struct mm_aspace_stats stats;

	boundary_before(b, "mm_aspace_get_stats()");
	mm_aspace_get_stats(b->as, &stats);
	boundary_after(b, true);
	CHECK(stats.frames + stats.tables + stats.area_frames <= b->hal->in_use);
}

/* --- ranges --- */

static void about_range(struct boundary *b, const char *name, struct mm_gpa_range range)
{
	boundary_before(b, "%s(0x%llx, 0x%llx)", name, (unsigned long long)range.start.raw,
	                (unsigned long long)range.size);
}

static struct mm_gpa_range some_range(struct boundary *b, const char *name)
{
	struct mm_gpa_range range = boundary_range(b);

	about_range(b, name, range);
	return range;
}

static struct mm_gpa_range some_hole(struct boundary *b, const char *name)
{
	struct mm_gpa_range range = boundary_hole(b);

	about_range(b, name, range);
	return range;
}

/* What was mapped to memory that is not there goes before anybody looks at it. */
static void undo_foreign(struct boundary *b, struct mm_gpa_range range, mm_hpa_t host,
                         enum mm_error err)
{
	if (err == MM_OK && host.raw != b->linear.raw && mm_aspace_unmap(b->as, range) != MM_OK)
		b->over = true;
	if (err == MM_OK)
		b->known = false;
}

struct linear {
	mm_hpa_t host;
	enum mm_perm perm;
	enum mm_memtype type;
	unsigned leaf;
};

static enum mm_perm some_perm(struct boundary *b)
{
	return (enum mm_perm)(boundary_chance(b, 2) ? MM_RWX : boundary_enum(b));
}

static struct linear some_linear(struct boundary *b, struct mm_gpa_range range)
{
	return (struct linear){
		.host = boundary_host(b, range.size),
		.perm = some_perm(b),
		.type = (enum mm_memtype)(boundary_chance(b, 2) ? 0 : boundary_enum(b)),
		.leaf = boundary_chance(b, 2) ? (unsigned)rng_below(&b->rng, 3) : boundary_enum(b),
	};
}

static void map_linear_with(struct boundary *b, const char *name,
                            enum mm_error (*call)(struct mm_aspace *as, struct mm_gpa_range range,
                                                  mm_hpa_t host, enum mm_perm perm,
                                                  enum mm_memtype type, unsigned max_leaf))
{
	struct mm_gpa_range range = boundary_hole(b);
	struct linear l = some_linear(b, range);
	bool valid = l.perm < MM_PERM_SETS && (unsigned)l.type < MM_MEMTYPES &&
	             l.leaf < MM_NPT_MAX_LEVELS;
	enum mm_error err;

	boundary_before(b, "%s(0x%llx, 0x%llx, 0x%llx, 0x%x, 0x%x, 0x%x)", name,
	                (unsigned long long)range.start.raw, (unsigned long long)range.size,
	                (unsigned long long)l.host.raw, (unsigned)l.perm, (unsigned)l.type, l.leaf);
	err = call(b->as, range, l.host, l.perm, l.type, l.leaf);
	if (err == MM_OK) {
		CHECK_EQ(l.host.raw % MM_PAGE_SIZE, 0);
		CHECK((l.host.raw + (range.size - 1)) >> b->as->npt.config.hpa_bits == 0 &&
		      l.host.raw + (range.size - 1) >= l.host.raw);
	}
	boundary_check_range(b, range, valid, err);
	undo_foreign(b, range, l.host, err);
}

static void call_map_linear(struct boundary *b)
{
	map_linear_with(b, "mm_aspace_map_linear", mm_aspace_map_linear);
}

static void call_replace_linear(struct boundary *b)
{
	map_linear_with(b, "mm_aspace_replace_linear", mm_aspace_replace_linear);
}

static void map_alloc_with(struct boundary *b, const char *name,
                           enum mm_error (*call)(struct mm_aspace *as, struct mm_gpa_range range,
                                                 enum mm_perm perm,
                                                 struct mm_aspace_backing backing))
{
	struct mm_gpa_range range = boundary_hole(b);
	enum mm_perm perm = some_perm(b);
	struct mm_aspace_backing backing = {
		/* Large ones would take every frame there is, again and again. */
		.populate =
			boundary_chance(b, 2) && (range.size < 0x40000 || boundary_chance(b, 8)),
		.max_leaf =
			boundary_chance(b, 2) ? (unsigned)rng_below(&b->rng, 3) : boundary_enum(b),
	};
	bool valid = perm < MM_PERM_SETS && backing.max_leaf < MM_NPT_MAX_LEVELS;

	boundary_before(b, "%s(0x%llx, 0x%llx, 0x%x, {%d, 0x%x})", name,
	                (unsigned long long)range.start.raw, (unsigned long long)range.size,
	                (unsigned)perm, backing.populate, backing.max_leaf);
	boundary_check_range(b, range, valid, call(b->as, range, perm, backing));
}

static void call_map_alloc(struct boundary *b)
{
	map_alloc_with(b, "mm_aspace_map_alloc", mm_aspace_map_alloc);
}

static void call_replace_alloc(struct boundary *b)
{
	map_alloc_with(b, "mm_aspace_replace_alloc", mm_aspace_replace_alloc);
}

static void call_map_device(struct boundary *b)
{
	struct mm_gpa_range range = some_hole(b, "mm_aspace_map_device");

	boundary_check_range(b, range, true, mm_aspace_map_device(b->as, range));
}

static void call_replace_device(struct boundary *b)
{
	struct mm_gpa_range range = some_range(b, "mm_aspace_replace_device");

	boundary_check_range(b, range, true, mm_aspace_replace_device(b->as, range));
}

static void call_unmap(struct boundary *b)
{
	struct mm_gpa_range range = some_range(b, "mm_aspace_unmap");

	boundary_check_range(b, range, true, mm_aspace_unmap(b->as, range));
}

/* The beginning of a linear area, if there is one. */
static struct mm_gpa_range linear_range(struct boundary *b)
{
	const struct mm_area *area = mm_area_first_from(&b->as->areas, b->as->limits.start);

	while (area && area->backend != MM_AREA_LINEAR)
		area = mm_area_first_from(&b->as->areas,
		                          mm_gpa_plus(mm_gpa_range_last(area->range), 1));
	return area ? mm_gpa_range(area->range.start, MM_PAGE_SIZE) : boundary_range(b);
}

static void call_remap(struct boundary *b)
{
	struct mm_gpa_range range = boundary_chance(b, 2) ? linear_range(b) : boundary_range(b);
	mm_hpa_t host = boundary_host(b, range.size);
	enum mm_error err;

	about_range(b, "mm_aspace_remap", range);
	err = mm_aspace_remap(b->as, range, host);
	boundary_check_range(b, range, true, err);
	undo_foreign(b, range, host, err);
}

static void call_protect(struct boundary *b)
{
	enum mm_perm perm = some_perm(b);
	struct mm_gpa_range range = some_range(b, "mm_aspace_protect");

	boundary_check_range(b, range, perm < MM_PERM_SETS, mm_aspace_protect(b->as, range, perm));
}

static bool look_at_leaf(void *ctx, const struct mm_npt_leaf *leaf)
{
	const struct boundary *b = ctx;

	CHECK(leaf->level < b->geo->config.levels);
	CHECK(hal_test_owned(b->hal, leaf->hpa));
	return true;
}

static void call_for_each_leaf(struct boundary *b)
{
	struct mm_gpa_range range = some_range(b, "mm_aspace_for_each_leaf");
	enum mm_error err = mm_aspace_for_each_leaf(b->as, range, look_at_leaf, b);

	CHECK_ERR(err, boundary_expect_range(b, range));
	boundary_after(b, true);
}

static void call_harvest(struct boundary *b)
{
	struct mm_gpa_range range = some_range(b, "mm_aspace_harvest");

	boundary_check_range(b, range, true, mm_aspace_harvest(b->as, range, look_at_leaf, b));
}

const struct boundary_call boundary_calls[] = {
	{"mm_aspace_map_linear", call_map_linear},
	{"mm_aspace_map_alloc", call_map_alloc},
	{"mm_aspace_map_device", call_map_device},
	{"mm_aspace_replace_linear", call_replace_linear},
	{"mm_aspace_replace_alloc", call_replace_alloc},
	{"mm_aspace_replace_device", call_replace_device},
	{"mm_aspace_unmap", call_unmap},
	{"mm_aspace_remap", call_remap},
	{"mm_aspace_protect", call_protect},
	{"mm_aspace_fault", call_fault},
	{"mm_aspace_translate", call_translate, .one_way = true},
	{"mm_aspace_read", call_read},
	{"mm_aspace_write", call_write},
	{"mm_aspace_fill", call_fill},
	{"mm_aspace_compare", call_compare},
	{"mm_aspace_fetch", call_fetch},
	{"mm_aspace_load", call_load},
	{"mm_aspace_store", call_store},
	{"mm_aspace_for_each_span", call_for_each_span},
	{"mm_aspace_find_free", call_find_free, .one_way = true},
	{"mm_aspace_for_each_leaf", call_for_each_leaf, .one_way = true},
	{"mm_aspace_harvest", call_harvest},
	{"mm_aspace_steps", call_steps, .one_way = true},
	{"mm_aspace_get_stats", call_get_stats, .one_way = true},
};

const size_t boundary_call_count = MM_ARRAY_SIZE(boundary_calls);
