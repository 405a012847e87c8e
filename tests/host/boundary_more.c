/* SPDX-License-Identifier: BSD-2-Clause */
/* Boundary values for queries of areas, exchanges, and what else has a header of its own: see
 * boundary.h. */
#include "boundary.h"

#include <string.h>

#include "mm/block.h"
#include "mm/compiler.h"
#include "mm/dirty_ring.h"
#include "mm/query.h"
#include "mm/supply.h"

/* --- queries --- */

static void call_query_area(struct boundary *b)
{
	uint64_t gpa = boundary_address(b);
	enum mm_error expected = boundary_expect_bytes(b, gpa, 1, MM_NONE);
	struct mm_aspace_area area;
	enum mm_error err;

	boundary_before(b, "mm_aspace_query_area(0x%llx)", (unsigned long long)gpa);
	err = mm_aspace_query_area(b->as, mm_gpa_at(gpa), &area);
	boundary_after(b, true);
	CHECK_ERR(err, expected == MM_IS_DEVICE ? MM_OK : expected);
	if (err != MM_OK)
		return;
	CHECK(mm_gpa_range_contains(area.range, mm_gpa_at(gpa)));
	CHECK_OK(boundary_expect_range(b, area.range));
	CHECK_EQ(area.backend == MM_AREA_DEVICE, expected == MM_IS_DEVICE);
	CHECK(area.backend == MM_AREA_LINEAR || area.host.raw == 0);
}

struct areas_seen {
	struct mm_gpa_range range;
	uint64_t from; /* no area begins below this */
};

static bool look_at_area(void *ctx, const struct mm_aspace_area *area)
{
	struct areas_seen *seen = ctx;

	CHECK(area->range.start.raw >= seen->from);
	CHECK(mm_gpa_range_overlaps(area->range, seen->range));
	seen->from = mm_gpa_range_last(area->range).raw;
	return true;
}

static void call_for_each_area(struct boundary *b)
{
	struct areas_seen seen = {.range = boundary_range(b)};
	enum mm_error err;

	boundary_before(b, "mm_aspace_for_each_area(0x%llx, 0x%llx)",
	                (unsigned long long)seen.range.start.raw,
	                (unsigned long long)seen.range.size);
	err = mm_aspace_for_each_area(b->as, seen.range, look_at_area, &seen);
	CHECK_ERR(err, boundary_expect_range(b, seen.range));
	boundary_after(b, true);
}

/* --- exchanges --- */

static bool fits(uint64_t value, unsigned width)
{
	return width == 8 || value >> (8 * width) == 0;
}

static void call_compare_exchange(struct boundary *b)
{
	uint64_t gpa = boundary_address(b);
	unsigned width = boundary_chance(b, 4) ? boundary_enum(b) : 1U << rng_below(&b->rng, 4);
	uint64_t wanted = boundary_chance(b, 4) ? boundary_number(b) : 0;
	uint64_t by = boundary_chance(b, 8) ? UINT64_C(0x1111111111111111) : BOUNDARY_WRITTEN;
	bool valid = (width == 1 || width == 2 || width == 4 || width == 8) &&
	             fits(wanted, width) && fits(by, width);
	enum mm_error expected, err;
	uint64_t found = 0x7777;

	if (boundary_chance(b, 2) && width != 0)
		gpa -= gpa % width;
	boundary_before(b, "mm_aspace_compare_exchange(0x%llx, %u)", (unsigned long long)gpa,
	                width);
	err = mm_aspace_compare_exchange(b->as, mm_gpa_at(gpa), width, wanted, by, &found);
	if (!valid)
		expected = MM_INVALID;
	else if (gpa % width != 0)
		expected = MM_MISALIGNED;
	else
		expected = boundary_expect_bytes(b, gpa, width, MM_RW);
	if (expected != MM_OK)
		CHECK_ERR(err, expected);
	else
		CHECK(boundary_is_served(err));
	if (err == MM_OK)
		boundary_check_bytes(b, &found, width);
	else
		CHECK_EQ(found, 0x7777);
	/* What had to be faulted in before the frames ran out stays. */
	boundary_after(b, expected != MM_OK);
}

/* --- frames that the caller supplies --- */

static void call_map_supplied(struct boundary *b)
{
	struct mm_gpa_range range = boundary_hole(b);
	enum mm_perm perm = (enum mm_perm)(boundary_chance(b, 2) ? MM_RWX : boundary_enum(b));
	enum mm_memtype type = (enum mm_memtype)(boundary_chance(b, 2) ? 0 : boundary_enum(b));
	unsigned leaf = boundary_chance(b, 2) ? (unsigned)rng_below(&b->rng, 3) : boundary_enum(b);
	bool valid =
		perm < MM_PERM_SETS && (unsigned)type < MM_MEMTYPES && leaf < MM_NPT_MAX_LEVELS;

	boundary_before(b, "mm_aspace_map_supplied(0x%llx, 0x%llx, 0x%x, 0x%x, 0x%x)",
	                (unsigned long long)range.start.raw, (unsigned long long)range.size,
	                (unsigned)perm, (unsigned)type, leaf);
	boundary_check_range(b, range, valid,
	                     mm_aspace_map_supplied(b->as, range, perm, type, leaf));
}

/* The first supplied area, or an empty range. */
static struct mm_gpa_range supplied_range(const struct boundary *b)
{
	const struct mm_area *area = mm_area_first_from(&b->as->areas, b->as->limits.start);

	while (area && area->backend != MM_AREA_SUPPLIED)
		area = mm_area_first_from(&b->as->areas,
		                          mm_gpa_plus(mm_gpa_range_last(area->range), 1));
	return area ? area->range : mm_gpa_range(mm_gpa_at(0), 0);
}

static void call_supply(struct boundary *b)
{
	static const unsigned orders[] = {0, 0, 0, 0, 9, 18, 27, 36};
	struct mm_gpa_range area = supplied_range(b);
	uint64_t gpa = boundary_address(b);
	unsigned order = boundary_chance(b, 4) ? boundary_enum(b) : orders[rng_below(&b->rng, 8)];
	uint64_t size = order < 48 ? MM_PAGE_SIZE << order : MM_PAGE_SIZE;
	mm_hpa_t host = boundary_host(b, size);
	enum mm_error err;

	if (area.size == 0 && boundary_chance(b, 2)) { /* or few calls would find one */
		uint64_t at = b->as->limits.start.raw + MM_PAGE_SIZE * rng_below(&b->rng, 1024);

		(void)!mm_aspace_map_supplied(b->as, mm_gpa_range(mm_gpa_at(at), 16 * MM_PAGE_SIZE),
		                              MM_RW, MM_NORMAL, 0);
		b->known = false;
		area = supplied_range(b);
	}
	if (area.size != 0 && !boundary_chance(b, 3))
		gpa = area.start.raw + MM_PAGE_SIZE * rng_below(&b->rng, 40);
	if (!boundary_chance(b, 4))
		gpa = mm_align_down(gpa, MM_PAGE_SIZE);
	boundary_before(b, "mm_aspace_supply(0x%llx, 0x%llx, 0x%x)", (unsigned long long)gpa,
	                (unsigned long long)host.raw, order);
	err = mm_aspace_supply(b->as, mm_gpa_at(gpa), host, order);
	boundary_after(b, err != MM_OK);
	if (err != MM_OK)
		return;
	CHECK(order % 9 == 0 && gpa % size == 0 && host.raw % size == 0);
	CHECK_OK(boundary_expect_bytes(b, gpa, size, MM_NONE));
	CHECK((host.raw + (size - 1)) >> b->as->npt.config.hpa_bits == 0);
	b->recent[0] = gpa;
	/* What leads to memory that is not there goes before anybody looks at it. */
	if (host.raw != b->linear.raw)
		CHECK_OK(
			mm_aspace_take_back(b->as, mm_gpa_range(mm_gpa_at(gpa), size), NULL, NULL));
	b->known = false;
}

static void look_at_taken(void *ctx, mm_gpa_t gpa, mm_hpa_t hpa, unsigned order)
{
	struct boundary *b = ctx;

	(void)gpa;
	CHECK_EQ(order % 9, 0);
	CHECK(hpa.raw - b->linear.raw < MM_LEVEL_SIZE(1));
}

static void call_take_back(struct boundary *b)
{
	struct mm_gpa_range range = boundary_range(b);

	boundary_before(b, "mm_aspace_take_back(0x%llx, 0x%llx)",
	                (unsigned long long)range.start.raw, (unsigned long long)range.size);
	boundary_check_range(b, range, true, mm_aspace_take_back(b->as, range, look_at_taken, b));
}

/* The TLB of the tests knows the VM's tag. It changes for a moment, in which no call flushes. */
static void call_set_tag(struct boundary *b)
{
	uint32_t tag = boundary_enum(b), before = mm_aspace_tag(b->as);

	boundary_before(b, "mm_aspace_set_tag(0x%x)", tag);
	mm_aspace_set_tag(b->as, tag);
	CHECK_EQ(mm_aspace_tag(b->as), tag);
	mm_aspace_set_tag(b->as, before);
	boundary_after(b, false);
}

/* --- shared blocks --- */

static void call_shared_block(struct boundary *b)
{
	const struct mm_hal *hal = &b->hal->hal;
	size_t in_use = b->hal->in_use;
	struct mm_shared_block block;
	unsigned order = boundary_enum(b);
	enum mm_error err;
	unsigned more = (unsigned)rng_below(&b->rng, 3);

	boundary_before(b, "mm_shared_block_alloc(0x%x)", order);
	err = mm_shared_block_alloc(hal, order, &block);
	CHECK(err == MM_OK ? order < 12 : err == MM_NO_MEMORY);
	for (unsigned i = 0; i < more; i++)
		CHECK_ERR(mm_shared_block_hold(&block), err == MM_OK ? MM_OK : MM_INVALID);
	for (unsigned i = 0; i < more + 3; i++)
		CHECK_EQ(mm_shared_block_drop(hal, &block), err == MM_OK && i == more);
	CHECK_EQ(b->hal->in_use, in_use);
	boundary_after(b, true);
}

/* --- the ring of a dirty log --- */

/* Of the log that was started last. In the state of one geometry at a time. */
static struct mm_dirty_ring ring;
static uint64_t ring_entries[64];

static void call_start_with_ring(struct boundary *b)
{
	size_t size = boundary_chance(b, 2) ? (size_t)1 << rng_below(&b->rng, 7)
	                                    : (size_t)boundary_number(b);
	bool valid = size != 0 && size <= 64 && (size & (size - 1)) == 0;
	uint32_t mode = boundary_chance(b, 2) ? 0 : boundary_enum(b);
	enum mm_error err;

	if (!valid && size <= UINT64_C(1) << 31 && size != 0 && (size & (size - 1)) == 0)
		size--; /* no array is so long */
	valid = valid && mode <= MM_DIRTY_HARDWARE;
	boundary_before(b, "mm_aspace_dirty_start_with_ring(0x%x, 0x%zx)", mode, size);
	err = mm_aspace_dirty_start_with_ring(b->as, (enum mm_dirty_mode)mode,
	                                      boundary_chance(b, 2), &ring, ring_entries, size);
	if (!valid && size > 64)
		CHECK_ERR(err, MM_INVALID);
	boundary_after(b, err != MM_OK);
	if (err == MM_OK && boundary_chance(b, 2)) { /* or no call would find a log to start */
		mm_aspace_dirty_stop(b->as);
		b->known = false;
	}
}

static void call_ring_add(struct boundary *b)
{
	mm_gpa_t gpas[4];
	size_t n = rng_below(&b->rng, 5);
	enum mm_error err, expected = b->as->log.ring ? MM_OK : MM_INVALID;

	for (size_t i = 0; i < n; i++) {
		gpas[i] = mm_gpa_at(boundary_address(b));
		if (expected == MM_OK && !mm_gpa_range_contains(b->as->limits, gpas[i]))
			expected = MM_OUT_OF_RANGE;
	}
	boundary_before(b, "mm_aspace_dirty_ring_add(%zu)", n);
	err = mm_aspace_dirty_ring_add(b->as, gpas, n);
	CHECK_ERR(err, expected);
	boundary_after(b, err != MM_OK);
}

static void call_ring_collect(struct boundary *b)
{
	struct mm_dirty_part parts[64];
	size_t n = rng_below(&b->rng, 65), count = 77;
	bool overflowed = false;
	enum mm_error err;

	boundary_before(b, "mm_aspace_dirty_ring_collect(%zu)", n);
	err = mm_aspace_dirty_ring_collect(b->as, parts, n, &count, &overflowed);
	CHECK_ERR(err, b->as->log.ring ? MM_OK : MM_INVALID);
	CHECK(err == MM_OK ? count <= n : count == 77);
	for (size_t i = 0; err == MM_OK && i < count; i++)
		CHECK_OK(boundary_expect_range(b, mm_gpa_range(parts[i].start, parts[i].bytes)));
	boundary_after(b, err != MM_OK);
}

const struct boundary_call boundary_more[] = {
	{"mm_aspace_query_area", call_query_area, .one_way = true},
	{"mm_aspace_for_each_area", call_for_each_area, .one_way = true},
	{"mm_aspace_compare_exchange", call_compare_exchange},
	{"mm_aspace_map_supplied", call_map_supplied},
	{"mm_aspace_supply", call_supply},
	{"mm_aspace_take_back", call_take_back},
	{"mm_aspace_dirty_start_with_ring", call_start_with_ring},
	{"mm_aspace_dirty_ring_add", call_ring_add},
	{"mm_aspace_dirty_ring_collect", call_ring_collect},
	{"mm_aspace_set_tag", call_set_tag, .one_way = true},
	{"mm_shared_block_alloc", call_shared_block, .one_way = true},
	{"mm_shared_block_hold", call_shared_block, .one_way = true},
	{"mm_shared_block_drop", call_shared_block, .one_way = true},
};

const size_t boundary_more_count = MM_ARRAY_SIZE(boundary_more);
