/* SPDX-License-Identifier: BSD-2-Clause */
/* The corners of the interface: names, arguments that mean nothing, hooks that are not there. */
#include "guest.h"

#include <stdlib.h>
#include <string.h>

#include "mm/compiler.h"
#include "mm/dirty.h"
#include "mm/snapshot.h"

#define TOP UINT64_MAX

static const struct hal_test_options plain = {0};
static const struct mm_aspace_backing lazy = {0};
static const struct mm_aspace_backing populated = {.populate = true};

static bool is_first(const struct geometry *geo)
{
	return geo == &geometries[0];
}

static void names(const struct geometry *geo)
{
	(void)geo;
	CHECK_TEXT(mm_error_name(MM_OK), "ok");
	CHECK_TEXT(mm_error_name(MM_NOT_MAPPED), "not mapped");
	CHECK_TEXT(mm_error_name(MM_BUSY), "busy");
	CHECK_TEXT(mm_error_name((enum mm_error)1), "???");
	CHECK_TEXT(mm_error_name((enum mm_error)(-99)), "???");
	for (int err = 0; err >= MM_NEEDS_FRAME; err--)
		CHECK(strcmp(mm_error_name((enum mm_error)err), "???") != 0);
	CHECK_TEXT(mm_perm_name(MM_NONE), "---");
	CHECK_TEXT(mm_perm_name(MM_RX), "r-x");
	CHECK_TEXT(mm_perm_name((enum mm_perm)8), "???");
	CHECK_TEXT(mm_memtype_name(MM_DEVICE), "device");
	CHECK_TEXT(mm_memtype_name(MM_MEMTYPES), "???");
	CHECK_TEXT(mm_fault_name(MM_FAULT_UNSHARED), "unshared");
	CHECK_TEXT(mm_fault_name(MM_FAULTS), "???");
	for (unsigned fault = 0; fault < MM_FAULTS; fault++)
		CHECK(strcmp(mm_fault_name((enum mm_fault)fault), "???") != 0);
}

static void arguments_that_mean_nothing(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	uint64_t before = guest_fingerprint(g);
	CHECK_ERR(mm_aspace_map_linear(&g->as, pages(0, 1), mm_hpa_at(0), (enum mm_perm)8,
	                               MM_NORMAL, 0),
	          MM_INVALID);
	CHECK_ERR(mm_aspace_map_linear(&g->as, pages(0, 1), mm_hpa_at(0), MM_R, MM_MEMTYPES, 0),
	          MM_INVALID);
	CHECK_ERR(mm_aspace_map_alloc(&g->as, pages(0, 1), (enum mm_perm)(-1), lazy), MM_INVALID);
	uint64_t bitmap[1];
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, false));
	CHECK_ERR(mm_aspace_dirty_collect(&g->as, mm_gpa_range(mm_gpa_at(1), MM_PAGE_SIZE), bitmap),
	          MM_MISALIGNED);
	mm_aspace_dirty_stop(&g->as);
	CHECK_EQ(mm_dirty_bitmap_words(0), 0);
	CHECK_EQ(mm_dirty_bitmap_words(1), 1);
	CHECK_EQ(mm_dirty_bitmap_words(64 * MM_PAGE_SIZE), 1);
	CHECK_EQ(mm_dirty_bitmap_words(64 * MM_PAGE_SIZE + 1), 2);
	CHECK_EQ(mm_dirty_bitmap_words(TOP), UINT64_C(1) << 46);
	CHECK_EQ(guest_fingerprint(g), before);
	guest_close(g);
}

/* No lock where no two calls run at once, no publish, no zero, addresses by offset: the same. */
static void the_fewest_hooks(const struct geometry *geo)
{
	struct hal_test *hal = hal_test_open((struct hal_test_options){
		.light = true, .no_zero = true, .root_order = mm_npt_root_order(&geo->config)});
	hal->hal.publish = NULL;
	hal->hal.written = NULL;
	const struct mm_aspace_config config = guest_config(geo, hal);
	struct guest *g = guest_open_with(geo, hal, &config);
	struct mm_aspace_translation t;
	struct mm_snapshot s;
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 24), MM_RW, lazy));
	CHECK_ERR(mm_aspace_translate(&g->as, page(501), &t), MM_NOT_MAPPED);
	guest_store(g, page(501), 3);
	CHECK_OK(mm_aspace_translate(&g->as, page(501), &t));
	CHECK_EQ(*(uint8_t *)hal_test_ptr(hal, t.hpa), 3);
	CHECK_OK(mm_aspace_store(&g->as, page(502), 8, 0x77)); /* and no hook for what is written */
	CHECK_EQ(guest_load(g, page(502)), 0x77);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(600, 8), MM_RW, populated));
	CHECK_EQ(guest_load(g, mm_gpa_plus(page(607), 4095)), 0);
	CHECK_OK(mm_aspace_protect(&g->as, pages(500, 4), MM_NONE));
	CHECK_OK(mm_aspace_protect(&g->as, pages(500, 4), MM_RW));
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
	guest_store(g, page(501), 4);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &s));
	CHECK_EQ(guest_load(g, page(501)), 3);
	mm_aspace_snapshot_drop(&g->as, &s);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(500, 24)));
	guest_close(g);
}

/* A machine without large leaves: what is 4 KiB is not refused for that. */
static void small_leaves_alone(const struct geometry *geo)
{
	struct hal_test *hal = hal_test_open(
		(struct hal_test_options){.root_order = mm_npt_root_order(&geo->config)});
	struct mm_aspace_config config = guest_config(geo, hal);
	config.npt.max_leaf = 0;
	struct guest *g = guest_open_with(geo, hal, &config);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, 512), MM_RW,
	                             (struct mm_aspace_backing){.populate = true, .max_leaf = 1}));
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(1024, 512), mm_hpa_at(0x200000), MM_RW,
	                              MM_NORMAL, 1));
	CHECK_EQ(guest_stats(g).leaves[0], 1024);
	CHECK_OK(mm_aspace_protect(&g->as, pages(600, 1), MM_R));
	CHECK_EQ(guest_walk(g, page(600), MM_R).perm & MM_W, 0);
	guest_close(g);
}

/* A harvest beside a log that does not live by the marks. */
static bool count_leaf(void *ctx, const struct mm_npt_leaf *leaf)
{
	(void)leaf;
	++*(unsigned *)ctx;
	return true;
}

static bool has_marks(const struct geometry *geo)
{
	return geo->config.accessed_dirty;
}

static void harvest_beside_a_log(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	unsigned seen = 0;
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 8), MM_RW, lazy));
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, false));
	guest_store(g, page(2), 1);
	CHECK_OK(mm_aspace_harvest(&g->as, pages(0, 8), count_leaf, &seen));
	CHECK_EQ(seen, 1);
	uint64_t bitmap[1] = {0};
	CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(0, 8), bitmap));
	CHECK_EQ(bitmap[0], 4); /* the log has lost nothing by it */
	mm_aspace_dirty_stop(&g->as);
	guest_close(g);
}

/* The address in an entry is in two pieces where DS is set: a run of leaves that crosses from one
 * value of the upper piece to the next. */
static bool has_split_addresses(const struct geometry *geo)
{
	return geo->format == &mm_npt_stage2_lpa2;
}

static void leaves_across_two_to_the_fifty(const struct geometry *geo)
{
	for (unsigned level = 0; level <= 1; level++) {
		struct guest *g = guest_open(geo, plain);
		uint64_t size = MM_LEVEL_SIZE(level);
		uint64_t host = (UINT64_C(1) << 50) - 4 * size;
		CHECK_OK(mm_aspace_map_linear(&g->as, mm_gpa_range(mm_gpa_at(0), 8 * size),
		                              mm_hpa_at(host), MM_RW, MM_NORMAL, level));
		for (unsigned i = 0; i < 8; i++) {
			CHECK_EQ(guest_walk(g, mm_gpa_at(i * size), MM_R).hpa.raw, host + i * size);
			CHECK_EQ(guest_walk(g, mm_gpa_at(i * size), MM_R).level, level);
		}
		CHECK_OK(mm_aspace_protect(&g->as, mm_gpa_range(mm_gpa_at(5 * size), MM_PAGE_SIZE),
		                           MM_R));
		CHECK_EQ(guest_walk(g, mm_gpa_at(5 * size), MM_R).hpa.raw, host + 5 * size);
		CHECK_EQ(guest_walk(g, mm_gpa_at(6 * size - 1), MM_R).hpa.raw, host + 6 * size - 1);
		guest_close(g);
	}
}

static void geometry_wider_than_the_format(const struct geometry *geo)
{
	const struct mm_npt_config config = {
		.levels = 5, .root_bits = 13, .hpa_bits = 52, .max_leaf = 3};
	CHECK_ERR(mm_npt_config_check(geo->format, &config), MM_UNSUPPORTED);
}

/* Destroyed and built again in the same place. */
static void an_address_space_can_be_reused(const struct geometry *geo)
{
	struct hal_test *hal = hal_test_open(
		(struct hal_test_options){.root_order = mm_npt_root_order(&geo->config)});
	const struct mm_aspace_config config = guest_config(geo, hal);
	struct mm_aspace *as = aligned_alloc(64, sizeof(*as));
	for (unsigned round = 0; round < 3; round++) {
		struct mm_aspace_stats stats;
		CHECK_OK(mm_aspace_init(as, &config));
		CHECK_EQ(mm_aspace_tag(as), 1);
		CHECK_OK(mm_aspace_map_alloc(as, pages(0, 20), MM_RW, populated));
		CHECK_EQ(mm_aspace_fault(as, page(3), MM_R), MM_FAULT_SPURIOUS);
		mm_aspace_get_stats(as, &stats);
		CHECK_EQ(stats.faults[MM_FAULT_SPURIOUS], 1);
		CHECK_EQ(stats.frames, 20);
		mm_aspace_destroy(as);
		CHECK_EQ(hal->in_use, 0);
	}
	free(as);
	hal_test_close(hal);
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST_IF(names, is_first),
		GEOMETRY_TEST(arguments_that_mean_nothing),
		GEOMETRY_TEST(the_fewest_hooks),
		GEOMETRY_TEST(small_leaves_alone),
		GEOMETRY_TEST_IF(harvest_beside_a_log, has_marks),
		GEOMETRY_TEST_IF(leaves_across_two_to_the_fifty, has_split_addresses),
		GEOMETRY_TEST_IF(geometry_wider_than_the_format, has_split_addresses),
		GEOMETRY_TEST(an_address_space_can_be_reused),
	};
	return run_geometry_tests("api", tests, MM_ARRAY_SIZE(tests));
}
