/* SPDX-License-Identifier: BSD-2-Clause */
/* Boundary values for functions without a state: addresses and ranges, configurations, names,
 * blocks. Each is held against arithmetic in 128 bits, or against a plain search. */
#include "boundary.h"

#include <string.h>

#include "mm/block.h"
#include "mm/compiler.h"
#include "mm/version.h"

typedef unsigned __int128 wide;

/* --- addr.h: one kind stands for all four, which one macro makes --- */

#define ALL ((wide)1 << 64)

static wide end_of(struct mm_gpa_range r)
{
	return (wide)r.start.raw + r.size;
}

static bool valid(struct mm_gpa_range r)
{
	return r.size != 0 && end_of(r) <= ALL;
}

static void call_align(struct boundary *b)
{
	uint64_t value = boundary_number(b);
	uint64_t unit = UINT64_C(1) << rng_below(&b->rng, 64);
	wide up = ((wide)value + unit - 1) / unit * unit;
	mm_gpa_t got = mm_gpa_at(7);

	CHECK_EQ(mm_is_aligned(value, unit), value % unit == 0);
	CHECK_EQ(mm_align_down(value, unit), value / unit * unit);
	CHECK_EQ(mm_align_up(value, unit), (uint64_t)up);
	CHECK_EQ(mm_gpa_is_aligned(mm_gpa_at(value), unit), value % unit == 0);
	CHECK_EQ(mm_gpa_align_down(mm_gpa_at(value), unit).raw, value / unit * unit);
	CHECK_EQ(mm_gpa_align_up(mm_gpa_at(value), unit, &got), up < ALL);
	CHECK_EQ(got.raw, up < ALL ? (uint64_t)up : 7);
}

static void call_add(struct boundary *b)
{
	mm_gpa_t addr = mm_gpa_at(boundary_number(b));
	uint64_t bytes = boundary_number(b);
	wide sum = (wide)addr.raw + bytes;
	mm_gpa_t got = mm_gpa_at(7);

	CHECK_EQ(mm_gpa_add(addr, bytes, &got), sum < ALL);
	CHECK_EQ(got.raw, sum < ALL ? (uint64_t)sum : 7);
	CHECK_EQ(mm_gpa_plus(addr, bytes).raw, (uint64_t)sum);
	CHECK_EQ(mm_gpa_diff(mm_gpa_plus(addr, bytes), addr), bytes);
}

static struct mm_gpa_range some(struct boundary *b)
{
	uint64_t start = boundary_number(b);

	return mm_gpa_range(mm_gpa_at(start),
	                    boundary_chance(b, 2) ? boundary_number(b) : 0 - start);
}

static void call_range(struct boundary *b)
{
	struct mm_gpa_range r = some(b), s = some(b), low, high, both;
	uint64_t at = boundary_chance(b, 2) ? boundary_number(b) : r.start.raw + s.size;
	uint64_t unit = UINT64_C(1) << rng_below(&b->rng, 64);
	bool inside = at >= r.start.raw && at < end_of(r);
	wide first, end;

	CHECK_EQ(mm_gpa_range_valid(r), valid(r));
	if (!valid(r) || !valid(s))
		return;
	CHECK_EQ(mm_gpa_range_last(r).raw, (uint64_t)(end_of(r) - 1));
	CHECK_EQ(mm_gpa_range_contains(r, mm_gpa_at(at)), inside);
	CHECK_EQ(mm_gpa_range_covers(r, s), s.start.raw >= r.start.raw && end_of(s) <= end_of(r));
	first = r.start.raw > s.start.raw ? r.start.raw : s.start.raw;
	end = end_of(r) < end_of(s) ? end_of(r) : end_of(s);
	CHECK_EQ(mm_gpa_range_overlaps(r, s), first < end);
	both = mm_gpa_range_intersect(r, s);
	CHECK_EQ(both.size, first < end ? (uint64_t)(end - first) : 0);
	CHECK(both.size == 0 || both.start.raw == first);
	CHECK_EQ(mm_gpa_range_is_aligned(r, unit), r.start.raw % unit == 0 && r.size % unit == 0);
	if (mm_gpa_range_split(r, mm_gpa_at(at), &low, &high)) {
		CHECK(inside && at != r.start.raw && end_of(low) == at && high.start.raw == at);
		CHECK(low.start.raw == r.start.raw && end_of(high) == end_of(r));
	} else {
		CHECK(!inside || at == r.start.raw);
	}
}

static void call_format(struct boundary *b)
{
	uint64_t value = boundary_number(b), bytes = boundary_number(b);
	char exact[MM_ADDR_TEXT], text[MM_ADDR_TEXT];
	size_t size = rng_below(&b->rng, MM_ADDR_TEXT + 1);
	size_t whole =
		mm_gpa_range_format(exact, sizeof(exact), mm_gpa_range(mm_gpa_at(value), bytes));

	CHECK(whole < MM_ADDR_TEXT && strlen(exact) == whole);
	memset(text, '#', sizeof(text));
	CHECK_EQ(mm_addr_format_range(text, size, "GPA", value, bytes), whole);
	if (size != 0) {
		CHECK_EQ(strlen(text), size - 1 < whole ? size - 1 : whole);
		CHECK(memcmp(text, exact, strlen(text)) == 0);
	}
	for (size_t i = size; i < sizeof(text); i++)
		CHECK_EQ(text[i], '#');
	CHECK(mm_gpa_format(text, sizeof(text), mm_gpa_at(value)) < MM_ADDR_TEXT);
	CHECK(mm_addr_format(NULL, 0, "GPA", value) == strlen(text));
}

/* --- npt_format.h, access.h, error.h --- */

static void call_config(struct boundary *b)
{
	const struct geometry *geo = &geometries[rng_below(&b->rng, geometry_count)];
	struct mm_npt_config config = geo->config;
	unsigned level = boundary_enum(b);
	uint32_t perm = boundary_enum(b), type = boundary_enum(b);
	enum mm_error err;

	CHECK(mm_npt_format_name(geo->format)[0] != '\0');
	CHECK_OK(mm_npt_config_check(geo->format, &config));
	err = mm_npt_can_express(geo->format, &config, level, (enum mm_perm)perm,
	                         (enum mm_memtype)type);
	CHECK(err == MM_OK || err == MM_UNSUPPORTED);
	if (level > config.max_leaf || perm >= MM_PERM_SETS || type >= MM_MEMTYPES)
		CHECK_ERR(err, MM_UNSUPPORTED);
	config.levels = boundary_enum(b);
	config.root_bits = boundary_enum(b);
	config.hpa_bits = boundary_chance(b, 2) ? config.hpa_bits : boundary_enum(b);
	config.max_leaf = boundary_chance(b, 2) ? config.max_leaf : boundary_enum(b);
	err = mm_npt_config_check(geo->format, &config);
	CHECK(err == MM_OK || err == MM_UNSUPPORTED);
	if (err == MM_OK) { /* whatever is accepted, the arithmetic of the walker is good for */
		CHECK(config.levels >= 2 && config.levels <= MM_NPT_MAX_LEVELS);
		CHECK(config.max_leaf < config.levels && config.hpa_bits <= 56);
		CHECK(mm_npt_gpa_bits(&config) <= 59 && mm_npt_root_order(&config) <= 4);
	}
}

static void call_names(struct boundary *b)
{
	uint32_t value = boundary_enum(b);

	CHECK(mm_error_name((enum mm_error)value)[0] != '\0');
	CHECK(mm_perm_name((enum mm_perm)value)[0] != '\0');
	CHECK(mm_memtype_name((enum mm_memtype)value)[0] != '\0');
	CHECK(mm_fault_name((enum mm_fault)value)[0] != '\0');
	CHECK_EQ(mm_permits((enum mm_perm)value, MM_R), value & 1);
	CHECK_EQ(mm_version(), MM_VERSION);
}

/* --- block.h, hal.h --- */

static void call_block(struct boundary *b)
{
	const struct mm_hal *hal = &b->hal->hal;
	unsigned order = boundary_enum(b);
	size_t in_use = b->hal->in_use;
	struct mm_block block = {.held = false};
	enum mm_error err = boundary_chance(b, 2) ? mm_block_alloc(hal, order, &block)
	                                          : mm_block_alloc_zeroed(hal, order, &block);

	CHECK(err == MM_OK ? order < 12 && block.held : err == MM_NO_MEMORY && !block.held);
	if (err == MM_OK) {
		CHECK_EQ(mm_block_bytes(&block), MM_PAGE_SIZE << order);
		CHECK(mm_hal_to_virt(hal, block.pa) == mm_block_ptr(hal, &block));
		CHECK_EQ(mm_hal_to_phys(hal, mm_block_ptr(hal, &block)).raw, block.pa.raw);
		mm_block_fill(hal, &block, 1);
	}
	mm_block_free(hal, &block);
	mm_block_free(hal, &block);
	CHECK_EQ(b->hal->in_use, in_use);
}

static void count_pause(void *ctx)
{
	(*(unsigned *)ctx)++;
}

/* The hook may be NULL. */
static void call_pause(struct boundary *b)
{
	struct mm_hal hal = b->hal->hal;
	unsigned pauses = 0;
	bool has_hook = boundary_chance(b, 2);

	hal.ctx = &pauses;
	hal.pause = has_hook ? count_pause : NULL;
	mm_hal_pause(&hal);
	CHECK_EQ(pauses, has_hook);
}

/* A kind's functions stand under the name that the macro gives them for gpa. */
const struct boundary_call boundary_pure[] = {
	{"mm_align_down", call_align, true},
	{"mm_align_up", call_align, true},
	{"mm_is_aligned", call_align, true},
	{"mm_gpa_at", call_align, true},
	{"mm_gpa_align_down", call_align, true},
	{"mm_gpa_align_up", call_align, true},
	{"mm_gpa_is_aligned", call_align, true},
	{"mm_gpa_plus", call_add, true},
	{"mm_gpa_add", call_add, true},
	{"mm_gpa_diff", call_add, true},
	{"mm_gpa_range", call_range, true},
	{"mm_gpa_range_valid", call_range, true},
	{"mm_gpa_range_last", call_range, true},
	{"mm_gpa_range_contains", call_range, true},
	{"mm_gpa_range_covers", call_range, true},
	{"mm_gpa_range_overlaps", call_range, true},
	{"mm_gpa_range_intersect", call_range, true},
	{"mm_gpa_range_split", call_range, true},
	{"mm_gpa_range_is_aligned", call_range, true},
	{"mm_addr_format", call_format, true},
	{"mm_addr_format_range", call_format, true},
	{"mm_gpa_format", call_format, true},
	{"mm_gpa_range_format", call_format, true},
	{"mm_npt_format_name", call_config, true},
	{"mm_npt_gpa_bits", call_config, true},
	{"mm_npt_root_order", call_config, true},
	{"mm_npt_config_check", call_config, true},
	{"mm_npt_can_express", call_config, true},
	{"mm_error_name", call_names, true},
	{"mm_perm_name", call_names, true},
	{"mm_memtype_name", call_names, true},
	{"mm_fault_name", call_names, true},
	{"mm_permits", call_names, true},
	{"mm_version", call_names, true},
	{"mm_block_alloc", call_block, true},
	{"mm_block_alloc_zeroed", call_block, true},
	{"mm_block_fill", call_block, true},
	{"mm_block_free", call_block, true},
	{"mm_block_bytes", call_block, true},
	{"mm_block_ptr", call_block, true},
	{"mm_hal_to_virt", call_block, true},
	{"mm_hal_to_phys", call_block, true},
	{"mm_hal_pause", call_pause, true},
};

const size_t boundary_pure_count = MM_ARRAY_SIZE(boundary_pure);
