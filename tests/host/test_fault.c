/* SPDX-License-Identifier: BSD-2-Clause */
/* Lazy allocation and nested faults: who faults, what it costs, and what the guest then reads. */
#include "guest.h"

#include <string.h>

#include "fault_agree.h"

#include "mm/bits.h"
#include "mm/compiler.h"

static const struct hal_test_options plain = {0};

static void lazily(struct guest *g, struct mm_gpa_range range, enum mm_perm perm, unsigned max_leaf)
{
	CHECK_OK(mm_aspace_map_alloc(&g->as, range, perm,
	                             (struct mm_aspace_backing){.max_leaf = max_leaf}));
}

/* Every way of clearing a frame: by the hook or not, through hooks or by offset; fresh frames,
 * which hold 0xA5, and frames that the guest has written to before. */
static void c01_frames_read_as_zero(const struct geometry *geo)
{
	for (unsigned variant = 0; variant < 4; variant++) {
		struct guest *g = guest_open(geo, (struct hal_test_options){.no_zero = variant & 1,
		                                                            .hooks = variant & 2});
		for (unsigned round = 0; round < 3; round++) {
			lazily(g, pages(510, 4), MM_RW, 0);
			for (unsigned p = 510; p < 514; p++) {
				struct touched t = guest_touch(g, page(p), MM_R);
				CHECK_EQ(t.outcome, TOUCH_SERVED);
				void *frame = hal_test_ptr(g->hal, t.hpa);
				CHECK_BYTES(frame, 0, MM_PAGE_SIZE);
				EXPECT_TOUCH(g, page(p), MM_W, TOUCH_HIT);
				memset(frame, 0xee, MM_PAGE_SIZE);
			}
			CHECK_OK(mm_aspace_unmap(&g->as, pages(510, 4)));
		}
		guest_close(g);
	}
}

static void c01_large_blocks_read_as_zero(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	lazily(g, pages(512, 512), MM_RW, 1);
	struct touched t = guest_touch(g, page(700), MM_W);
	CHECK_EQ(t.outcome, TOUCH_SERVED);
	CHECK_EQ(t.level, 1);
	struct touched first = guest_touch(g, page(512), MM_R);
	CHECK_BYTES(hal_test_ptr(g->hal, first.hpa), 0, 512 * MM_PAGE_SIZE);
	guest_close(g);
}

static void c02_a_second_fault_takes_no_frame(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	lazily(g, pages(0, 8), MM_RW, 0);
	guest_store(g, page(3), 0x42);
	size_t in_use = g->hal->in_use;
	CHECK_EQ(mm_aspace_fault(&g->as, page(3), MM_W), MM_FAULT_SPURIOUS);
	CHECK_EQ(mm_aspace_fault(&g->as, mm_gpa_plus(page(3), 4095), MM_R), MM_FAULT_SPURIOUS);
	CHECK_EQ(g->hal->in_use, in_use);
	CHECK_EQ(guest_load(g, page(3)), 0x42);
	struct mm_aspace_stats stats = guest_stats(g);
	CHECK_EQ(stats.frames, 1);
	CHECK_EQ(stats.faults[MM_FAULT_MAPPED], 1);
	CHECK_EQ(stats.faults[MM_FAULT_SPURIOUS], 2);
	guest_close(g);
}

/* The whole space, or a tebibyte of it, costs what it costs when one byte of it is touched. */
static void c04_a_lazy_tebibyte_costs_nothing(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	uint64_t space = UINT64_C(1) << mm_npt_gpa_bits(&geo->config);
	uint64_t size = space < (UINT64_C(1) << 40) ? space : UINT64_C(1) << 40;
	size_t root = g->hal->in_use;
	uint64_t requests = g->hal->requests;
	CHECK_EQ(root, UINT64_C(1) << mm_npt_root_order(&geo->config));
	lazily(g, mm_gpa_range(mm_gpa_at(0), size), MM_RWX, 2);
	CHECK_EQ(g->hal->requests, requests);
	struct mm_aspace_stats stats = guest_stats(g);
	CHECK_EQ(stats.frames, 0);
	CHECK_EQ(stats.tables, root);
	CHECK_EQ(stats.area_frames, 0);
	for (unsigned level = 0; level < MM_NPT_MAX_LEVELS; level++)
		CHECK_EQ(stats.leaves[level], 0);
	CHECK_OK(mm_aspace_unmap(&g->as, mm_gpa_range(mm_gpa_at(0), size)));
	CHECK_EQ(g->hal->in_use, root);
	guest_close(g);
}

/* All sets that the format can express, all accesses: served if and only if permitted. */
static void every_permission_and_access(const struct geometry *geo)
{
	static const enum mm_perm accesses[] = {MM_R, MM_W, MM_X};
	for (unsigned perm = 0; perm < MM_PERM_SETS; perm++) {
		for (unsigned first = 0; first < 3; first++) {
			struct guest *g = guest_open(geo, plain);
			check_context("format=%s perm=%s first=%s", geo->name,
			              mm_perm_name((enum mm_perm)perm),
			              mm_perm_name(accesses[first]));
			if (!guest_can(g, (enum mm_perm)perm)) {
				CHECK_ERR(mm_aspace_map_alloc(&g->as, pages(4, 1),
				                              (enum mm_perm)perm,
				                              (struct mm_aspace_backing){0}),
				          MM_UNSUPPORTED);
				guest_close(g);
				continue;
			}
			lazily(g, pages(4, 1), (enum mm_perm)perm, 0);
			bool present = false;
			for (unsigned i = 0; i < 3; i++) {
				enum mm_perm access = accesses[(first + i) % 3];
				bool allowed = mm_permits((enum mm_perm)perm, access);
				/* AMD cannot take reading from a present page. */
				if (!allowed)
					EXPECT_FAULT(g, page(4), access, MM_FAULT_PERMISSION);
				else
					EXPECT_TOUCH(g, page(4), access,
					             present ? TOUCH_HIT : TOUCH_SERVED);
				present |= allowed;
			}
			CHECK_EQ(guest_stats(g).frames, present);
			guest_close(g);
		}
	}
}

static void every_answer_of_a_fault(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	uint64_t last = (UINT64_C(1) << mm_npt_gpa_bits(&geo->config)) - 1;
	lazily(g, pages(0, 1), MM_R, 0);
	CHECK_OK(mm_aspace_map_device(&g->as, pages(1, 1)));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(2, 1), MM_NONE, (struct mm_aspace_backing){0}));
	EXPECT_FAULT(g, page(1), MM_R, MM_FAULT_IS_DEVICE);
	EXPECT_FAULT(g, page(1), MM_X, MM_FAULT_IS_DEVICE);
	EXPECT_FAULT(g, page(2), MM_R, MM_FAULT_PERMISSION);
	EXPECT_FAULT(g, page(0), MM_W, MM_FAULT_PERMISSION);
	EXPECT_FAULT(g, page(3), MM_R, MM_FAULT_NOT_MAPPED);
	EXPECT_FAULT(g, mm_gpa_at(last), MM_R, MM_FAULT_NOT_MAPPED);
	EXPECT_FAULT(g, mm_gpa_at(last + 1), MM_R, MM_FAULT_OUT_OF_RANGE);
	EXPECT_FAULT(g, mm_gpa_at(UINT64_MAX), MM_R, MM_FAULT_OUT_OF_RANGE);
	EXPECT_TOUCH(g, mm_gpa_at(4095), MM_R, TOUCH_SERVED);

	struct mm_aspace_stats stats = guest_stats(g);
	CHECK_EQ(stats.faults[MM_FAULT_MAPPED], 1);
	CHECK_EQ(stats.faults[MM_FAULT_IS_DEVICE], 2);
	CHECK_EQ(stats.faults[MM_FAULT_PERMISSION], 2);
	CHECK_EQ(stats.faults[MM_FAULT_NOT_MAPPED], 2);
	CHECK_EQ(stats.faults[MM_FAULT_OUT_OF_RANGE], 2);
	guest_close(g);
}

/* Limits narrower than the format's: beyond them nothing is served, whatever is mapped below. */
static void limits_bound_faults(const struct geometry *geo)
{
	struct hal_test *hal = hal_test_open(
		(struct hal_test_options){.root_order = mm_npt_root_order(&geo->config)});
	struct mm_aspace_config config = guest_config(geo, hal);
	config.limits = pages(16, 16);
	struct guest *g = guest_open_with(geo, hal, &config);
	CHECK_ERR(mm_aspace_map_alloc(&g->as, pages(15, 1), MM_RW, (struct mm_aspace_backing){0}),
	          MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_map_alloc(&g->as, pages(31, 2), MM_RW, (struct mm_aspace_backing){0}),
	          MM_OUT_OF_RANGE);
	lazily(g, pages(16, 16), MM_RW, 0);
	EXPECT_TOUCH(g, page(16), MM_R, TOUCH_SERVED);
	EXPECT_TOUCH(g, mm_gpa_at(32 * MM_PAGE_SIZE - 1), MM_R, TOUCH_SERVED);
	EXPECT_FAULT(g, mm_gpa_at(16 * MM_PAGE_SIZE - 1), MM_R, MM_FAULT_OUT_OF_RANGE);
	EXPECT_FAULT(g, page(32), MM_R, MM_FAULT_OUT_OF_RANGE);
	guest_close(g);
}

static void a_dry_hal_is_an_answer(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	unsigned tables = geo->config.levels - 1;
	lazily(g, pages(0, 2048), MM_RW, 0);
	for (unsigned n = 1; n <= tables + 1; n++) {
		uint64_t before = guest_fingerprint(g);
		hal_test_fail_after(g->hal, n);
		EXPECT_FAULT(g, page(7), MM_W, MM_FAULT_NO_MEMORY);
		CHECK_EQ(guest_fingerprint(g), before);
	}
	hal_test_fail_after(g->hal, 0);
	EXPECT_TOUCH(g, page(7), MM_W, TOUCH_SERVED);
	guest_close(g);
}

/* Data and tables count; at the limit a fault says so, and gives back what it had taken. */
static void a_quota_bounds_frames_and_tables(const struct geometry *geo)
{
	struct hal_test *hal = hal_test_open(
		(struct hal_test_options){.root_order = mm_npt_root_order(&geo->config)});
	struct mm_aspace_config config = guest_config(geo, hal);
	uint64_t root = UINT64_C(1) << mm_npt_root_order(&geo->config);
	uint64_t tables = geo->config.levels - 1;
	config.quota = root + tables + 3;
	struct guest *g = guest_open_with(geo, hal, &config);
	lazily(g, pages(0, 16), MM_RW, 0);
	for (unsigned p = 0; p < 3; p++)
		EXPECT_TOUCH(g, page(p), MM_W, TOUCH_SERVED);
	uint64_t before = guest_fingerprint(g);
	EXPECT_FAULT(g, page(3), MM_W, MM_FAULT_QUOTA);
	CHECK_EQ(guest_fingerprint(g), before);
	CHECK_EQ(hal->in_use, config.quota);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(1, 1)));
	EXPECT_TOUCH(g, page(3), MM_W, TOUCH_SERVED);
	EXPECT_FAULT(g, page(4), MM_W, MM_FAULT_QUOTA);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(0, 16)));
	CHECK_EQ(hal->in_use, root);
	CHECK_ERR(mm_aspace_map_alloc(&g->as, pages(0, 16), MM_RW,
	                              (struct mm_aspace_backing){.populate = true}),
	          MM_QUOTA);
	CHECK_EQ(hal->in_use, root);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 3), MM_RW,
	                             (struct mm_aspace_backing){.populate = true}));
	guest_close(g);
}

static void one_fault_per_large_leaf(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	/* A ragged end on both sides: small pages there, large ones between. */
	lazily(g, pages(500, 512 + 12 + 20), MM_RW, 2);
	EXPECT_TOUCH(g, page(600), MM_R, TOUCH_SERVED);
	EXPECT_TOUCH(g, page(512), MM_W, TOUCH_HIT);
	EXPECT_TOUCH(g, page(1023), MM_W, TOUCH_HIT);
	EXPECT_TOUCH(g, page(511), MM_W, TOUCH_SERVED);
	EXPECT_TOUCH(g, page(510), MM_W, TOUCH_SERVED);
	EXPECT_TOUCH(g, page(1024), MM_W, TOUCH_SERVED);
	struct mm_aspace_stats stats = guest_stats(g);
	CHECK_EQ(stats.leaves[1], 1);
	CHECK_EQ(stats.leaves[0], 3);
	CHECK_EQ(stats.frames, 512 + 3);
	guest_close(g);
}

static void small_pages_where_no_block_is_free(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, (struct hal_test_options){.no_blocks = true});
	lazily(g, pages(512, 512), MM_RW, 2);
	EXPECT_TOUCH(g, page(600), MM_W, TOUCH_SERVED);
	EXPECT_TOUCH(g, page(601), MM_W, TOUCH_SERVED);
	CHECK_EQ(guest_stats(g).leaves[0], 2);
	CHECK_EQ(guest_stats(g).frames, 2);
	guest_close(g);
}

/* Once a table is there, a large leaf is not an option, even where a block is free. */
static void small_pages_beside_small_pages(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, (struct hal_test_options){.frames = 16384});
	lazily(g, pages(512, 8), MM_RW, 0);
	EXPECT_TOUCH(g, page(512), MM_W, TOUCH_SERVED);
	lazily(g, pages(520, 1024), MM_RW, 1);
	EXPECT_TOUCH(g, page(700), MM_W, TOUCH_SERVED);
	EXPECT_TOUCH(g, page(701), MM_W, TOUCH_SERVED);
	EXPECT_TOUCH(g, page(1100), MM_W, TOUCH_SERVED);
	EXPECT_TOUCH(g, page(1101), MM_W, TOUCH_HIT);
	guest_close(g);
}

/* Forwards, backwards, every other page: one fault and one frame each, no more. */
static void exactly_one_fault_per_page(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	unsigned touched = 0;
	lazily(g, pages(0, 1500), MM_RW, 0);
	for (unsigned p = 0; p < 300; p++, touched++)
		EXPECT_TOUCH(g, page(p), MM_W, TOUCH_SERVED);
	for (unsigned p = 1499; p >= 1300; p--, touched++)
		EXPECT_TOUCH(g, page(p), MM_R, TOUCH_SERVED);
	for (unsigned p = 500; p < 900; p += 2, touched++)
		EXPECT_TOUCH(g, page(p), MM_R, TOUCH_SERVED);
	CHECK_EQ(g->faults, touched);
	CHECK_EQ(guest_stats(g).frames, touched);
	for (unsigned p = 0; p < 300; p++)
		EXPECT_TOUCH(g, page(p), MM_R, TOUCH_HIT);
	guest_close(g);
}

/* What a CPU remembers of one fault must not decide about another. */
static void a_neighbour_is_refused_all_the_same(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	lazily(g, pages(0, 8), MM_R, 0);
	lazily(g, pages(8, 8), MM_RW, 0);
	CHECK_OK(mm_aspace_map_device(&g->as, pages(16, 1)));
	EXPECT_TOUCH(g, page(2), MM_R, TOUCH_SERVED);
	EXPECT_FAULT(g, page(3), MM_W, MM_FAULT_PERMISSION);
	EXPECT_FAULT(g, page(16), MM_R, MM_FAULT_IS_DEVICE);
	EXPECT_FAULT(g, page(16), MM_W, MM_FAULT_IS_DEVICE);
	EXPECT_TOUCH(g, page(9), MM_W, TOUCH_SERVED);
	EXPECT_FAULT(g, page(10), MM_X, MM_FAULT_PERMISSION);
	EXPECT_FAULT(g, page(17), MM_W, MM_FAULT_NOT_MAPPED);
	CHECK_EQ(guest_stats(g).frames, 2);
	guest_close(g);
}

/* A device's fault and a page's: what a CPU keeps of the one is not taken for the other. */
static void memory_after_a_device(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(mm_aspace_map_device(&g->as, pages(16, 8)));
	lazily(g, pages(512, 16), MM_RW, 0);
	for (unsigned round = 0; round < 3; round++) {
		CHECK_EQ(mm_aspace_fault(&g->as, page(17), MM_R), MM_FAULT_IS_DEVICE);
		CHECK_EQ(mm_aspace_fault(&g->as, page(17), MM_W), MM_FAULT_IS_DEVICE);
		CHECK_EQ(mm_aspace_fault(&g->as, page(512 + 2 * round), MM_W), MM_FAULT_MAPPED);
		CHECK_EQ(mm_aspace_fault(&g->as, page(513 + 2 * round), MM_W), MM_FAULT_MAPPED);
		CHECK_EQ(mm_aspace_fault(&g->as, page(513 + 2 * round), MM_W), MM_FAULT_SPURIOUS);
		CHECK_EQ(mm_aspace_fault(&g->as, page(512), MM_X), MM_FAULT_PERMISSION);
	}
	guest_close(g);
}

static void the_same_page_of_other_gigabytes(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	uint64_t bits = mm_npt_gpa_bits(&geo->config) < 40 ? mm_npt_gpa_bits(&geo->config) : 40;
	uint64_t gib = 1 << (MM_LEVEL_SHIFT(2) - MM_PAGE_SHIFT); /* in pages */
	lazily(g, mm_gpa_range(mm_gpa_at(0), BIT(bits)), MM_RW, 0);
	for (uint64_t p = 7; p < BIT(bits) >> MM_PAGE_SHIFT; p += (p & ~(gib - 1)) + gib) {
		struct mm_aspace_translation t;
		CHECK_ERR(mm_aspace_translate(&g->as, page(p), &t), MM_NOT_MAPPED);
		EXPECT_TOUCH(g, page(p), MM_W, TOUCH_SERVED);
		CHECK_OK(mm_aspace_translate(&g->as, page(p), &t));
	}
	guest_close(g);
}

/* Three pages, four blocks of 2 MiB, and five pages; a device follows. Each fault is compared with
 * the slow path (fault_agree.h), in an order of no kind, so that the window of the fast path moves
 * to whole blocks, to parts of blocks, and to what is no block of the area. */
static void faults_at_random(const struct geometry *geo)
{
	static const enum mm_perm perms[] = {MM_R, MM_RW, MM_RWX};
	const uint64_t first = 1024 - 3, count = 3 + 4 * 512 + 5;

	for (unsigned variant = 0; variant < 2 * MM_ARRAY_SIZE(perms); variant++) {
		struct guest *g = guest_open(geo, (struct hal_test_options){.frames = 8192});
		struct rng rng = rng_seeded(variant);

		g->both_layers = true;
		lazily(g, pages(first, count), perms[variant / 2], variant % 2);
		CHECK_OK(mm_aspace_map_device(&g->as, pages(first + count, 4)));
		/* A table in each block but the last: else the first fault would take a block. */
		for (unsigned block = 0; block < 3; block++) {
			hal_test_fail_once(g->hal, variant % 2);
			EXPECT_TOUCH(g, page(1024 + 512 * block), MM_R, TOUCH_SERVED);
		}
		hal_test_fail_after(g->hal, 0);
		for (unsigned i = 0; i < 4000; i++) {
			static const enum mm_perm accesses[] = {MM_R, MM_W, MM_X, MM_RW};
			uint64_t number = first - 4 + rng_below(&rng, count + 12);
			struct fault_forecast forecast;
			enum mm_perm access = accesses[rng_below(&rng, 16) % 13 % 4];

			forecast = fault_forecast(g, page(number), access);
			fault_check(g, page(number), access, &forecast,
			            mm_aspace_fault(&g->as, page(number), access));
			fault_check_caches(&g->as);
		}
		guest_close(g);
	}
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(c01_frames_read_as_zero),
		GEOMETRY_TEST(c01_large_blocks_read_as_zero),
		GEOMETRY_TEST(c02_a_second_fault_takes_no_frame),
		GEOMETRY_TEST(c04_a_lazy_tebibyte_costs_nothing),
		GEOMETRY_TEST(every_permission_and_access),
		GEOMETRY_TEST(every_answer_of_a_fault),
		GEOMETRY_TEST(limits_bound_faults),
		GEOMETRY_TEST(a_dry_hal_is_an_answer),
		GEOMETRY_TEST(a_quota_bounds_frames_and_tables),
		GEOMETRY_TEST(one_fault_per_large_leaf),
		GEOMETRY_TEST(small_pages_where_no_block_is_free),
		GEOMETRY_TEST(small_pages_beside_small_pages),
		GEOMETRY_TEST(exactly_one_fault_per_page),
		GEOMETRY_TEST(a_neighbour_is_refused_all_the_same),
		GEOMETRY_TEST(memory_after_a_device),
		GEOMETRY_TEST(the_same_page_of_other_gigabytes),
		GEOMETRY_TEST(faults_at_random),
	};
	return run_geometry_tests("fault", tests, MM_ARRAY_SIZE(tests));
}
