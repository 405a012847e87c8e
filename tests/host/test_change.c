/* SPDX-License-Identifier: BSD-2-Clause */
/* Mapping, unmapping and protecting: where ranges begin and end, what is split, what comes back. */
#include "guest.h"

#include <stdlib.h>
#include <string.h>

#include "mm/compiler.h"

#define TOP UINT64_MAX

static const struct hal_test_options plain = {0};
/* Room for several free 2 MiB blocks however the small frames lie. */
static const struct hal_test_options roomy = {.frames = 32768};

static const struct mm_aspace_backing lazy = {0};
static const struct mm_aspace_backing populated = {.populate = true};

static size_t root_frames(const struct geometry *geo)
{
	return (size_t)1 << mm_npt_root_order(&geo->config);
}

/* --- c05: empty tables go --- */

static void c05_tables_go_with_their_last_page(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	uint64_t tables = geo->config.levels - 1;
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 24), MM_RW, populated));
	CHECK(guest_stats(g).tables > root_frames(geo));
	for (unsigned p = 500; p < 523; p++)
		CHECK_OK(mm_aspace_unmap(&g->as, pages(p, 1)));
	CHECK_EQ(guest_stats(g).tables, root_frames(geo) + tables);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(523, 1)));
	CHECK_EQ(guest_stats(g).tables, root_frames(geo));
	CHECK_EQ(g->hal->in_use, root_frames(geo));
	guest_close(g);
}

static void c05_a_large_leaf_fits_where_small_ones_were(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	for (unsigned way = 0; way < 3; way++) {
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, 512), MM_RW, lazy));
		for (unsigned p = 512; p < 1024; p += 7)
			guest_store(g, page(p), 1);
		if (way == 0) {
			CHECK_OK(mm_aspace_unmap(&g->as, pages(512, 512)));
		} else if (way == 1) {
			for (unsigned p = 1024; p-- > 512;)
				CHECK_OK(mm_aspace_unmap(&g->as, pages(p, 1)));
		} else {
			CHECK_OK(mm_aspace_unmap(&g->as, pages(700, 324)));
			CHECK_OK(mm_aspace_unmap(&g->as, pages(0, 1024)));
		}
		CHECK_OK(mm_aspace_map_linear(&g->as, pages(512, 512), mm_hpa_at(0x40000000), MM_RW,
		                              MM_NORMAL, 1));
		CHECK_EQ(guest_walk(g, page(600), MM_R).level, 1);
		CHECK_OK(mm_aspace_unmap(&g->as, pages(512, 512)));
		CHECK_EQ(g->hal->in_use, root_frames(geo));
	}
	guest_close(g);
}

/* --- c06: parts of large leaves --- */

/* Writes a mark into every 32nd page of [first, first + n), and checks those outside a hole. */
static void mark_pages(struct guest *g, uint64_t first, uint64_t n)
{
	for (uint64_t p = first; p < first + n; p += 32)
		guest_store(g, page(p), (uint8_t)(p / 32));
}

static void check_marks(struct guest *g, uint64_t first, uint64_t n, struct mm_gpa_range hole)
{
	for (uint64_t p = first; p < first + n; p += 32) {
		if (!mm_gpa_range_contains(hole, page(p)))
			CHECK_EQ(guest_load(g, page(p)), (uint8_t)(p / 32));
	}
}

struct part {
	unsigned first, n; /* pages within 2 MiB */
};

static const struct part parts[] = {{0, 1}, {511, 1}, {100, 1}, {0, 256}, {256, 256}, {64, 300}};

static void c06_unmap_a_part_of_a_large_leaf(const struct geometry *geo)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(parts); i++) {
		struct guest *g = guest_open(geo, roomy);
		struct mm_gpa_range hole = pages(512 + parts[i].first, parts[i].n);
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, 512), MM_RW,
		                             (struct mm_aspace_backing){.max_leaf = 1}));
		mark_pages(g, 512, 512);
		CHECK_EQ(guest_stats(g).leaves[1], 1);
		CHECK_OK(mm_aspace_unmap(&g->as, hole));
		CHECK_EQ(guest_stats(g).frames, 512 - parts[i].n);
		CHECK_EQ(guest_stats(g).leaves[0], 512 - parts[i].n);
		CHECK_EQ(guest_stats(g).leaves[1], 0);
		check_marks(g, 512, 512, hole);
		for (unsigned p = 0; p < parts[i].n; p++)
			EXPECT_FAULT(g, mm_gpa_plus(hole.start, p * MM_PAGE_SIZE), MM_R,
			             MM_FAULT_NOT_MAPPED);
		guest_close(g);
	}
}

static void c06_protect_a_part_of_a_large_leaf(const struct geometry *geo)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(parts); i++) {
		struct guest *g = guest_open(geo, roomy);
		struct mm_gpa_range part = pages(512 + parts[i].first, parts[i].n);
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, 512), MM_RW,
		                             (struct mm_aspace_backing){.max_leaf = 1}));
		mark_pages(g, 512, 512);
		CHECK_OK(mm_aspace_protect(&g->as, part, MM_R));
		check_marks(g, 512, 512, pages(0, 1));
		for (unsigned p = 512; p < 1024; p++) {
			if (mm_gpa_range_contains(part, page(p)))
				EXPECT_FAULT(g, page(p), MM_W, MM_FAULT_PERMISSION);
			else
				EXPECT_TOUCH(g, page(p), MM_W, TOUCH_HIT);
		}
		CHECK_EQ(guest_stats(g).frames, 512);
		CHECK_OK(mm_aspace_protect(&g->as, part, MM_RW));
		for (unsigned p = 512; p < 1024; p++)
			EXPECT_TOUCH(g, page(p), MM_W, TOUCH_HIT);
		check_marks(g, 512, 512, pages(0, 1));
		guest_close(g);
	}
}

/* One page out of the middle of the largest leaf, down through every level below it. */
static void c06_one_page_out_of_the_largest_leaf(const struct geometry *geo)
{
	unsigned level = geo->config.max_leaf;
	uint64_t size = MM_LEVEL_SIZE(level);
	mm_hpa_t host = mm_hpa_at(size); /* outside the pool: never touched */
	for (unsigned protect = 0; protect < 2; protect++) {
		struct guest *g = guest_open(geo, plain);
		mm_gpa_t hole = mm_gpa_at(size + mm_align_down(size / 3, MM_PAGE_SIZE));
		if (size * 2 > UINT64_C(1) << mm_npt_gpa_bits(&geo->config) ||
		    size * 2 > UINT64_C(1) << geo->config.hpa_bits) {
			guest_close(g);
			return;
		}
		CHECK_OK(mm_aspace_map_linear(&g->as, mm_gpa_range(mm_gpa_at(size), size), host,
		                              MM_RW, MM_NORMAL, level));
		CHECK_EQ(guest_stats(g).leaves[level], 1);
		if (protect)
			CHECK_OK(mm_aspace_protect(&g->as, mm_gpa_range(hole, MM_PAGE_SIZE),
			                           MM_NONE));
		else
			CHECK_OK(mm_aspace_unmap(&g->as, mm_gpa_range(hole, MM_PAGE_SIZE)));
		CHECK_EQ(guest_stats(g).leaves[level], 0);
		CHECK_EQ(guest_stats(g).leaves[0], protect ? 512 : 511);
		for (int64_t d = -2; d <= 2; d++) {
			mm_gpa_t at = mm_gpa_plus(hole, (uint64_t)(d * (int64_t)MM_PAGE_SIZE) + 5);
			struct hw_result r = guest_walk(g, at, MM_W);
			CHECK_EQ(r.outcome, d == 0 ? HW_NOT_PRESENT : HW_OK);
			if (d != 0)
				CHECK_EQ(r.hpa.raw, host.raw + at.raw - size);
		}
		CHECK_EQ(guest_walk(g, mm_gpa_at(size), MM_W).hpa.raw, host.raw);
		CHECK_EQ(guest_walk(g, mm_gpa_at(2 * size - 1), MM_W).hpa.raw, host.raw + size - 1);
		if (protect) {
			CHECK_OK(
				mm_aspace_protect(&g->as, mm_gpa_range(hole, MM_PAGE_SIZE), MM_RW));
			CHECK_EQ(guest_walk(g, hole, MM_W).outcome, HW_OK);
			CHECK_EQ(guest_stats(g).leaves[level], 1); /* merged again */
			CHECK_EQ(g->hal->in_use - root_frames(geo),
			         (uint64_t)(geo->config.levels - 1 - level));
		}
		guest_close(g);
	}
}

/* A range whose two ends lie in two large leaves, in one and the same, or on the edge of one. */
static void c06_both_ends_in_large_leaves(const struct geometry *geo)
{
	static const struct part ranges[] = {
		{700, 600}, {512, 300}, {600, 424}, {600, 1}, {1023, 2}, {700, 324}, {1024, 5},
	};
	for (size_t i = 0; i < MM_ARRAY_SIZE(ranges); i++) {
		for (unsigned protect = 0; protect < 2; protect++) {
			struct guest *g = guest_open(geo, plain);
			struct mm_gpa_range range = pages(ranges[i].first, ranges[i].n);
			check_context("format=%s case=%zu protect=%u", geo->name, i, protect);
			CHECK_OK(mm_aspace_map_linear(&g->as, pages(512, 1536),
			                              mm_hpa_at(0x40000000), MM_RW, MM_NORMAL, 1));
			if (protect)
				CHECK_OK(mm_aspace_protect(&g->as, range, MM_R));
			else
				CHECK_OK(mm_aspace_unmap(&g->as, range));
			for (unsigned p = 512; p < 2048; p++) {
				bool inside = mm_gpa_range_contains(range, page(p));
				struct hw_result r = guest_walk(g, page(p), MM_W);
				enum hw_outcome want = protect ? HW_PERMISSION : HW_NOT_PRESENT;
				CHECK_EQ(r.outcome, inside ? want : HW_OK);
				if (!inside)
					CHECK_EQ(r.hpa.raw, 0x40000000 + (p - 512) * MM_PAGE_SIZE);
			}
			if (protect) {
				CHECK_OK(mm_aspace_protect(&g->as, range, MM_RW));
				CHECK_EQ(guest_stats(g).leaves[1], 3);
				CHECK_EQ(guest_stats(g).leaves[0], 0);
			}
			guest_close(g);
		}
	}
}

/* Within one 1 GiB leaf: ends on 2 MiB boundaries and off them, so that the two cuts share some
 * tables, all of them, or none. */
static void c06_both_ends_in_one_huge_leaf(const struct geometry *geo)
{
	static const struct part ranges[] = {
		{512, 5},   {507, 5},    {700, 100},     {700, 400},
		{512, 512}, {512, 700},  {5, 512 * 300}, {1024, 512 * 3},
		{0, 1},     {262143, 1}, {700, 512 * 9},
	};
	if (geo->config.max_leaf < 2)
		return;
	for (size_t i = 0; i < MM_ARRAY_SIZE(ranges); i++) {
		struct guest *g = guest_open(geo, plain);
		struct mm_gpa_range gib = pages(0x40000, 0x40000);
		struct mm_gpa_range hole = pages(0x40000 + ranges[i].first, ranges[i].n);
		check_context("format=%s case=%zu", geo->name, i);
		CHECK_OK(mm_aspace_map_linear(&g->as, gib, mm_hpa_at(0x80000000), MM_RW, MM_NORMAL,
		                              2));
		CHECK_OK(mm_aspace_unmap(&g->as, hole));
		for (uint64_t p = 0x40000; p < 0x80000; p += p % 512 ? 1 : 17) {
			bool inside = mm_gpa_range_contains(hole, page(p));
			struct hw_result r = guest_walk(g, page(p), MM_W);
			CHECK_EQ(r.outcome, inside ? HW_NOT_PRESENT : HW_OK);
			if (!inside)
				CHECK_EQ(r.hpa.raw, 0x80000000 + (p - 0x40000) * MM_PAGE_SIZE);
		}
		CHECK_EQ(guest_walk(g, mm_gpa_plus(hole.start, 0), MM_R).outcome, HW_NOT_PRESENT);
		CHECK_EQ(guest_walk(g, mm_gpa_range_last(hole), MM_R).outcome, HW_NOT_PRESENT);
		struct mm_aspace_stats stats = guest_stats(g);
		CHECK_EQ(stats.tables, g->hal->in_use);
		CHECK_EQ(stats.leaves[2], 0);
		CHECK_EQ(stats.leaves[0] + 512 * stats.leaves[1], 0x40000 - ranges[i].n);
		CHECK_OK(mm_aspace_unmap(&g->as, gib));
		CHECK_EQ(g->hal->in_use, root_frames(geo));
		guest_close(g);
	}
}

/* Small pages that could be one large leaf by their permissions, and cannot by their frames, or
 * because one is missing, or differs. */
static void what_does_not_fit_is_not_merged(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, (struct hal_test_options){.no_blocks = true});
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, 512), MM_RW,
	                             (struct mm_aspace_backing){.populate = true, .max_leaf = 1}));
	CHECK_OK(mm_aspace_protect(&g->as, pages(512, 512), MM_R)); /* scattered frames */
	CHECK_EQ(guest_stats(g).leaves[0], 512);
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(1024, 512), mm_hpa_at(0x40000000), MM_RW,
	                              MM_NORMAL, 1));
	CHECK_OK(mm_aspace_protect(&g->as, pages(1100, 10), MM_R));
	CHECK_OK(mm_aspace_protect(&g->as, pages(1105, 10), MM_RW)); /* five differ */
	CHECK_EQ(guest_stats(g).leaves[1], 0);
	CHECK_OK(mm_aspace_protect(&g->as, pages(1100, 5), MM_RW));
	CHECK_EQ(guest_stats(g).leaves[1], 1);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(1500, 1)));
	CHECK_OK(mm_aspace_protect(&g->as, pages(1024, 400), MM_R)); /* one is missing */
	CHECK_OK(mm_aspace_protect(&g->as, pages(1024, 400), MM_RW));
	CHECK_EQ(guest_stats(g).leaves[1], 0);
	guest_close(g);
}

/* Hidden leaves merge like others, beside one that has been whole all the time. */
static void hidden_leaves_merge(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(512, 1024), mm_hpa_at(0x40000000), MM_RW,
	                              MM_NORMAL, 1));
	CHECK_OK(mm_aspace_protect(&g->as, pages(1100, 1), MM_NONE));
	CHECK_OK(mm_aspace_protect(&g->as, pages(512, 1024), MM_NONE));
	CHECK_EQ(guest_stats(g).leaves[1], 2);
	EXPECT_FAULT(g, page(1100), MM_R, MM_FAULT_PERMISSION);
	CHECK_OK(mm_aspace_protect(&g->as, pages(512, 1024), MM_R));
	CHECK_EQ(guest_walk(g, page(1100), MM_R).hpa.raw, 0x40000000 + 588 * MM_PAGE_SIZE);
	guest_close(g);
}

/* More than there is: a table's worth of large blocks, of which the pool has none. */
static void populating_more_than_there_is(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, (struct hal_test_options){.frames = 2048});
	uint64_t before = guest_fingerprint(g);
	for (unsigned max_leaf = 0; max_leaf < 2; max_leaf++)
		CHECK_ERR(mm_aspace_map_alloc(&g->as, pages(0x40000, 0x40000), MM_RW,
		                              (struct mm_aspace_backing){.populate = true,
		                                                         .max_leaf = max_leaf}),
		          MM_NO_MEMORY);
	CHECK_EQ(guest_fingerprint(g), before);
	guest_close(g);
}

/* --- c07, c08 --- */

static void c07_noaccess_then_unmap_keeps_the_frame(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 4), MM_RW, lazy));
	guest_store(g, page(1), 0x77);
	size_t in_use = g->hal->in_use;
	CHECK_OK(mm_aspace_protect(&g->as, pages(0, 4), MM_NONE));
	EXPECT_FAULT(g, page(1), MM_R, MM_FAULT_PERMISSION);
	EXPECT_FAULT(g, page(2), MM_R, MM_FAULT_PERMISSION);
	CHECK_EQ(g->hal->in_use, in_use);
	CHECK_EQ(guest_stats(g).frames, 1);
	CHECK_OK(mm_aspace_protect(&g->as, pages(0, 4), MM_R));
	CHECK_EQ(guest_load(g, page(1)), 0x77);
	CHECK_OK(mm_aspace_protect(&g->as, pages(0, 4), MM_NONE));
	CHECK_OK(mm_aspace_unmap(&g->as, pages(0, 4)));
	CHECK_EQ(g->hal->in_use, root_frames(geo));
	CHECK_EQ(guest_stats(g).frames, 0);
	guest_close(g);
}

static void c08_protect_says_why_it_cannot(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 4), MM_RW, populated));
	CHECK_OK(mm_aspace_map_device(&g->as, pages(4, 4)));
	uint64_t before = guest_fingerprint(g);
	CHECK_ERR(mm_aspace_protect(&g->as, pages(0, 5), MM_R), MM_IS_DEVICE);
	CHECK_ERR(mm_aspace_protect(&g->as, pages(8, 1), MM_R), MM_NOT_MAPPED);
	CHECK_ERR(mm_aspace_protect(&g->as, pages(0, 9), MM_R), MM_IS_DEVICE);
	CHECK_ERR(mm_aspace_protect(&g->as, mm_gpa_range(mm_gpa_at(1), MM_PAGE_SIZE), MM_R),
	          MM_MISALIGNED);
	CHECK_ERR(mm_aspace_protect(&g->as, pages(0, 0), MM_R), MM_INVALID);
	CHECK_ERR(mm_aspace_protect(&g->as, pages(0, 1), (enum mm_perm)8), MM_INVALID);
	CHECK_ERR(
		mm_aspace_protect(&g->as, mm_gpa_range(mm_gpa_at(TOP - 4095), MM_PAGE_SIZE), MM_R),
		MM_OUT_OF_RANGE);
	for (unsigned perm = 0; perm < MM_PERM_SETS; perm++) {
		if (!guest_can(g, (enum mm_perm)perm))
			CHECK_ERR(mm_aspace_protect(&g->as, pages(0, 1), (enum mm_perm)perm),
			          MM_UNSUPPORTED);
	}
	CHECK_EQ(guest_fingerprint(g), before);
	EXPECT_TOUCH(g, page(0), MM_W, TOUCH_HIT);
	guest_close(g);
}

/* --- c09, c11: ends of ranges, widths --- */

struct range_case {
	uint64_t start, size;
	enum mm_error err;
};

static void c09_ranges_that_overflow_are_refused(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	uint64_t end = UINT64_C(1) << mm_npt_gpa_bits(&geo->config);
	const struct range_case cases[] = {
		{0, 0, MM_INVALID},
		{MM_PAGE_SIZE, TOP, MM_INVALID},
		{TOP, 2, MM_INVALID},
		{TOP - MM_PAGE_SIZE + 1, 2 * MM_PAGE_SIZE, MM_INVALID},
		{1, MM_PAGE_SIZE, MM_MISALIGNED},
		{MM_PAGE_SIZE, 1, MM_MISALIGNED},
		{0, TOP, MM_MISALIGNED},
		{TOP - MM_PAGE_SIZE + 1, MM_PAGE_SIZE, MM_OUT_OF_RANGE},
		{0, TOP - MM_PAGE_SIZE + 1, MM_OUT_OF_RANGE},
		{end, MM_PAGE_SIZE, MM_OUT_OF_RANGE},
		{end - MM_PAGE_SIZE, 2 * MM_PAGE_SIZE, MM_OUT_OF_RANGE},
		{end - MM_PAGE_SIZE, MM_PAGE_SIZE, MM_OK},
	};
	for (size_t i = 0; i < MM_ARRAY_SIZE(cases); i++) {
		struct mm_gpa_range range = mm_gpa_range(mm_gpa_at(cases[i].start), cases[i].size);
		enum mm_error err = cases[i].err;
		check_context("format=%s case=%zu", geo->name, i);
		CHECK_ERR(mm_aspace_map_alloc(&g->as, range, MM_RW, lazy), err);
		CHECK_ERR(mm_aspace_protect(&g->as, range, MM_R), err);
		CHECK_ERR(mm_aspace_unmap(&g->as, range), err);
		CHECK_ERR(mm_aspace_map_device(&g->as, range), err);
		CHECK_ERR(mm_aspace_unmap(&g->as, range), err);
		CHECK_ERR(mm_aspace_map_linear(&g->as, range, mm_hpa_at(0), MM_RW, MM_NORMAL, 0),
		          err);
		CHECK_ERR(mm_aspace_unmap(&g->as, range), err);
	}
	guest_close(g);
}

/* The last page that the format can reach works; the limits may not go beyond it. */
static void c11_the_end_of_the_format(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	uint64_t end = UINT64_C(1) << mm_npt_gpa_bits(&geo->config);
	mm_gpa_t last = mm_gpa_at(end - MM_PAGE_SIZE);
	CHECK_OK(mm_aspace_map_alloc(&g->as, mm_gpa_range(last, MM_PAGE_SIZE), MM_RW, lazy));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 1), MM_RW, lazy));
	guest_store(g, last, 9);
	guest_store(g, mm_gpa_at(0), 8);
	CHECK_EQ(guest_load(g, last), 9);
	CHECK_EQ(guest_load(g, mm_gpa_at(0)), 8);
	/* The same address with a bit more is no alias. */
	struct mm_aspace_translation out;
	CHECK_ERR(mm_aspace_translate(&g->as, mm_gpa_at(end), &out), MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_translate(&g->as, mm_gpa_at(TOP), &out), MM_OUT_OF_RANGE);
	CHECK_EQ(mm_aspace_fault(&g->as, mm_gpa_at(end), MM_R), MM_FAULT_OUT_OF_RANGE);
	guest_close(g);

	struct hal_test *hal = hal_test_open(plain);
	struct mm_aspace_config config = guest_config(geo, hal);
	struct mm_aspace *as = aligned_alloc(64, sizeof(*as));
	config.limits = mm_gpa_range(mm_gpa_at(0), end + MM_PAGE_SIZE);
	CHECK_ERR(mm_aspace_init(as, &config), MM_OUT_OF_RANGE);
	config.limits = mm_gpa_range(mm_gpa_at(end), MM_PAGE_SIZE);
	CHECK_ERR(mm_aspace_init(as, &config), MM_OUT_OF_RANGE);
	config.limits = mm_gpa_range(mm_gpa_at(MM_PAGE_SIZE), TOP);
	CHECK_ERR(mm_aspace_init(as, &config), MM_INVALID);
	config.limits = mm_gpa_range(mm_gpa_at(0), MM_PAGE_SIZE / 2);
	CHECK_ERR(mm_aspace_init(as, &config), MM_MISALIGNED);
	CHECK_EQ(hal->in_use, 0);
	hal_test_close(hal);
	free(as);
}

static void c11_host_addresses_beyond_the_bus(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	uint64_t end = UINT64_C(1) << geo->config.hpa_bits;
	uint64_t before = guest_fingerprint(g);
	struct mm_gpa_range two = pages(0, 2);
	CHECK_ERR(mm_aspace_map_linear(&g->as, two, mm_hpa_at(end), MM_RW, MM_NORMAL, 0),
	          MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_map_linear(&g->as, two, mm_hpa_at(end - MM_PAGE_SIZE), MM_RW, MM_NORMAL,
	                               0),
	          MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_map_linear(&g->as, two, mm_hpa_at(TOP - MM_PAGE_SIZE + 1), MM_RW,
	                               MM_NORMAL, 0),
	          MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_map_linear(&g->as, two, mm_hpa_at(1), MM_RW, MM_NORMAL, 0),
	          MM_MISALIGNED);
	CHECK_EQ(guest_fingerprint(g), before);
	CHECK_OK(mm_aspace_map_linear(&g->as, two, mm_hpa_at(end - 2 * MM_PAGE_SIZE), MM_RW,
	                              MM_NORMAL, 0));
	CHECK_EQ(guest_walk(g, mm_gpa_at(2 * MM_PAGE_SIZE - 1), MM_R).hpa.raw, end - 1);
	guest_close(g);
}

/* --- c10, c22, c30: linear mappings --- */

static void c10_host_above_and_below_guest(const struct geometry *geo)
{
	static const uint64_t hosts[] = {0, 0x1000, 0x3ff000, 0x400000, 0x7fff000, 0x200000000};
	for (size_t i = 0; i < MM_ARRAY_SIZE(hosts); i++) {
		struct guest *g = guest_open(geo, plain);
		struct mm_gpa_range range = pages(1000, 1200);
		check_context("format=%s host=0x%llx", geo->name, (unsigned long long)hosts[i]);
		CHECK_OK(mm_aspace_map_linear(&g->as, range, mm_hpa_at(hosts[i]), MM_RW, MM_NORMAL,
		                              2));
		for (unsigned p = 1000; p < 2200; p += 33) {
			struct mm_aspace_translation t;
			uint64_t want = hosts[i] + (p - 1000) * MM_PAGE_SIZE;
			CHECK_EQ(guest_walk(g, page(p), MM_W).hpa.raw, want);
			CHECK_OK(mm_aspace_translate(&g->as, mm_gpa_plus(page(p), 77), &t));
			CHECK_EQ(t.hpa.raw, want + 77);
		}
		guest_close(g);
	}
}

/* Host page 0 at guest page 0: the entry's address bits are all zero, and yet it is a leaf. */
static void c22_zero_addresses_are_addresses(const struct geometry *geo)
{
	for (unsigned max_leaf = 0; max_leaf <= geo->config.max_leaf; max_leaf++) {
		struct guest *g = guest_open(geo, plain);
		struct mm_gpa_range range = mm_gpa_range(mm_gpa_at(0), MM_LEVEL_SIZE(max_leaf));
		CHECK_OK(mm_aspace_map_linear(&g->as, range, mm_hpa_at(0), MM_R, MM_NORMAL,
		                              max_leaf));
		struct hw_result r = guest_walk(g, mm_gpa_at(0), MM_R);
		CHECK_EQ(r.outcome, HW_OK);
		CHECK_EQ(r.level, max_leaf);
		CHECK_EQ(r.hpa.raw, 0);
		CHECK_EQ(guest_walk(g, mm_gpa_at(range.size), MM_R).outcome,
		         range.size >> mm_npt_gpa_bits(&geo->config) ? HW_OUT_OF_RANGE
		                                                     : HW_NOT_PRESENT);
		guest_close(g);
	}
}

/* The largest level at which gpa and hpa can share a leaf within [gpa, end), as the manual's
 * rule has it: both aligned, and the leaf inside. */
static unsigned best_level(const struct geometry *geo, struct mm_gpa_range range, mm_hpa_t host,
                           mm_gpa_t at, unsigned max_leaf)
{
	unsigned level = max_leaf < geo->config.max_leaf ? max_leaf : geo->config.max_leaf;
	for (; level > 0; level--) {
		uint64_t size = MM_LEVEL_SIZE(level);
		struct mm_gpa_range leaf = mm_gpa_range(mm_gpa_align_down(at, size), size);
		if (mm_gpa_range_covers(range, leaf) &&
		    mm_is_aligned(host.raw + (leaf.start.raw - range.start.raw), size))
			break;
	}
	return level;
}

static void c30_every_misalignment(const struct geometry *geo)
{
	static const uint64_t offsets[] = {0, 1, 511, 512, 513, 0x3ffff, 0x40000};
	static const uint64_t counts[] = {1, 2, 511, 512, 513, 1024, 0x40000 + 513};
	if (mm_npt_gpa_bits(&geo->config) < 33)
		return;
	for (size_t a = 0; a < MM_ARRAY_SIZE(offsets); a++)
		for (size_t h = 0; h < MM_ARRAY_SIZE(offsets); h++)
			for (size_t n = 0; n < MM_ARRAY_SIZE(counts); n++) {
				if (counts[n] > 1024 && offsets[a] % 512 != offsets[h] % 512)
					continue; /* a quarter of a million small leaves show
					             nothing new */
				struct guest *g =
					guest_open(geo, (struct hal_test_options){.frames = 2048});
				struct mm_gpa_range range = pages(0x40000 + offsets[a], counts[n]);
				mm_hpa_t host = mm_hpa_at(0x80000000 + offsets[h] * MM_PAGE_SIZE);
				check_context("format=%s gpa=%llu host=%llu pages=%llu", geo->name,
				              (unsigned long long)offsets[a],
				              (unsigned long long)offsets[h],
				              (unsigned long long)counts[n]);
				CHECK_OK(mm_aspace_map_linear(&g->as, range, host, MM_RW, MM_NORMAL,
				                              2));
				CHECK_EQ(guest_walk(g, mm_gpa_plus(range.start, TOP), MM_R).outcome,
				         HW_NOT_PRESENT);
				CHECK_EQ(guest_walk(g, mm_gpa_plus(mm_gpa_range_last(range), 1),
				                    MM_R)
				                 .outcome,
				         HW_NOT_PRESENT);
				uint64_t offset = 0;
				while (offset < range.size) {
					mm_gpa_t at = mm_gpa_plus(range.start, offset);
					struct hw_result r = guest_walk(g, at, MM_R);
					CHECK_EQ(r.outcome, HW_OK);
					CHECK_EQ(r.level, best_level(geo, range, host, at, 2));
					CHECK_EQ(r.hpa.raw, host.raw + offset);
					offset += MM_LEVEL_SIZE(r.level) -
					          at.raw % MM_LEVEL_SIZE(r.level);
				}
				CHECK_EQ(offset, range.size);
				CHECK_OK(mm_aspace_unmap(&g->as, range));
				CHECK_EQ(g->hal->in_use, root_frames(geo));
				guest_close(g);
			}
}

static void a_leaf_policy_is_a_maximum(const struct geometry *geo)
{
	for (unsigned max_leaf = 0; max_leaf < MM_NPT_MAX_LEVELS; max_leaf++) {
		struct guest *g = guest_open(geo, plain);
		struct mm_gpa_range range = pages(0, 0x80000);
		if (range.size >> mm_npt_gpa_bits(&geo->config) == 0 && max_leaf > 0) {
			CHECK_OK(mm_aspace_map_linear(&g->as, range, mm_hpa_at(0), MM_RW, MM_NORMAL,
			                              max_leaf));
			unsigned want =
				best_level(geo, range, mm_hpa_at(0), mm_gpa_at(0), max_leaf);
			CHECK_EQ(guest_walk(g, mm_gpa_at(0), MM_R).level, want);
		}
		guest_close(g);
	}
}

/* --- mapping twice, and beside --- */

static void map_never_overwrites(const struct geometry *geo)
{
	static const struct part others[] = {{9, 2}, {10, 1}, {13, 1}, {13, 5}, {0, 20}, {11, 2}};
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(10, 4), MM_RW, lazy));
	guest_store(g, page(12), 5);
	uint64_t before = guest_fingerprint(g);
	for (size_t i = 0; i < MM_ARRAY_SIZE(others); i++) {
		struct mm_gpa_range range = pages(others[i].first, others[i].n);
		CHECK_ERR(mm_aspace_map_alloc(&g->as, range, MM_RW, populated), MM_EXISTS);
		CHECK_ERR(mm_aspace_map_alloc(&g->as, range, MM_R, lazy), MM_EXISTS);
		CHECK_ERR(mm_aspace_map_linear(&g->as, range, mm_hpa_at(0), MM_R, MM_NORMAL, 2),
		          MM_EXISTS);
		CHECK_ERR(mm_aspace_map_device(&g->as, range), MM_EXISTS);
	}
	CHECK_EQ(guest_fingerprint(g), before);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(9, 1), MM_R, populated));
	CHECK_OK(mm_aspace_map_device(&g->as, pages(14, 1)));
	CHECK_EQ(guest_load(g, page(12)), 5);
	guest_close(g);
}

static void populated_pages_never_fault(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, roomy);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(300, 1300), MM_RW,
	                             (struct mm_aspace_backing){.populate = true, .max_leaf = 2}));
	for (unsigned p = 300; p < 1600; p++) {
		CHECK_EQ(guest_load(g, page(p)), 0);
		EXPECT_TOUCH(g, mm_gpa_plus(page(p), 4095), MM_W, TOUCH_HIT);
	}
	CHECK_EQ(g->faults, 0);
	struct mm_aspace_stats stats = guest_stats(g);
	CHECK_EQ(stats.frames, 1300);
	CHECK_EQ(stats.leaves[1], 2);
	CHECK_EQ(stats.leaves[0], 1300 - 1024);
	guest_close(g);
}

/* Unmapping what was never touched, in holes and across areas of every kind. */
static void unmap_takes_what_is_there(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(0, 4096)));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(10, 10), MM_RW, lazy));
	CHECK_OK(mm_aspace_map_device(&g->as, pages(20, 5)));
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(30, 10), mm_hpa_at(0x1000), MM_RW, MM_NORMAL,
	                              0));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(40, 10), MM_R, populated));
	guest_store(g, page(12), 1);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(12, 30)));
	EXPECT_FAULT(g, page(12), MM_R, MM_FAULT_NOT_MAPPED);
	EXPECT_FAULT(g, page(22), MM_R, MM_FAULT_NOT_MAPPED);
	EXPECT_FAULT(g, page(41), MM_R, MM_FAULT_NOT_MAPPED);
	CHECK_EQ(guest_load(g, page(42)), 0);
	CHECK_EQ(guest_load(g, page(11)), 0);
	CHECK_EQ(guest_stats(g).frames, 9);
	mm_aspace_clear(&g->as);
	EXPECT_FAULT(g, page(42), MM_R, MM_FAULT_NOT_MAPPED);
	CHECK_EQ(g->hal->in_use, root_frames(geo));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(10, 10), MM_RW, lazy));
	CHECK_EQ(guest_load(g, page(12)), 0);
	guest_close(g);
}

/* Permissions of pages not touched yet are those of the area when they are touched. */
static void protect_before_the_first_touch(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 10), MM_RW, lazy));
	CHECK_OK(mm_aspace_protect(&g->as, pages(3, 4), MM_R));
	EXPECT_FAULT(g, page(4), MM_W, MM_FAULT_PERMISSION);
	EXPECT_TOUCH(g, page(4), MM_R, TOUCH_SERVED);
	EXPECT_FAULT(g, page(4), MM_W, MM_FAULT_PERMISSION);
	EXPECT_TOUCH(g, page(2), MM_W, TOUCH_SERVED);
	CHECK_EQ(guest_stats(g).frames, 2);
	CHECK_OK(mm_aspace_protect(&g->as, pages(3, 4), MM_RW));
	EXPECT_TOUCH(g, page(4), MM_W, TOUCH_HIT);
	EXPECT_TOUCH(g, page(5), MM_W, TOUCH_SERVED);
	guest_close(g);
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(c05_tables_go_with_their_last_page),
		GEOMETRY_TEST(c05_a_large_leaf_fits_where_small_ones_were),
		GEOMETRY_TEST(c06_unmap_a_part_of_a_large_leaf),
		GEOMETRY_TEST(c06_protect_a_part_of_a_large_leaf),
		GEOMETRY_TEST(c06_one_page_out_of_the_largest_leaf),
		GEOMETRY_TEST(c06_both_ends_in_large_leaves),
		GEOMETRY_TEST(c06_both_ends_in_one_huge_leaf),
		GEOMETRY_TEST(what_does_not_fit_is_not_merged),
		GEOMETRY_TEST(hidden_leaves_merge),
		GEOMETRY_TEST(populating_more_than_there_is),
		GEOMETRY_TEST(c07_noaccess_then_unmap_keeps_the_frame),
		GEOMETRY_TEST(c08_protect_says_why_it_cannot),
		GEOMETRY_TEST(c09_ranges_that_overflow_are_refused),
		GEOMETRY_TEST(c11_the_end_of_the_format),
		GEOMETRY_TEST(c11_host_addresses_beyond_the_bus),
		GEOMETRY_TEST(c10_host_above_and_below_guest),
		GEOMETRY_TEST(c22_zero_addresses_are_addresses),
		GEOMETRY_TEST(c30_every_misalignment),
		GEOMETRY_TEST(a_leaf_policy_is_a_maximum),
		GEOMETRY_TEST(map_never_overwrites),
		GEOMETRY_TEST(populated_pages_never_fault),
		GEOMETRY_TEST(unmap_takes_what_is_there),
		GEOMETRY_TEST(protect_before_the_first_touch),
	};
	return run_geometry_tests("change", tests, MM_ARRAY_SIZE(tests));
}
