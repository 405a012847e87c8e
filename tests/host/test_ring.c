/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of written pages beside the bitmap of a dirty log. */
#include "guest.h"
#include "mm/aspace_internal.h"
#include "mm/dirty_ring.h"
#include "mm/snapshot.h"

#include <string.h>

#include "mm/compiler.h"

static const struct hal_test_options plain = {0};
static const struct mm_aspace_backing lazily = {0}, now = {.populate = true};

static uint64_t entries[512];
static struct mm_dirty_part parts[512];

/* Takes up to n parts; their number. */
static size_t take(struct guest *g, size_t n, bool overflow)
{
	bool overflowed = !overflow;
	size_t count = 999;

	memset(parts, 0xee, sizeof(parts));
	CHECK_OK(mm_aspace_dirty_ring_collect(&g->as, parts, n, &count, &overflowed));
	CHECK(count <= n);
	CHECK_EQ(overflowed, overflow);
	return count;
}

static void expect_page(size_t i, unsigned number)
{
	CHECK_EQ(parts[i].start.raw, page(number).raw);
	CHECK_EQ(parts[i].bytes, MM_PAGE_SIZE);
}

static void begin(struct guest *g, struct mm_dirty_ring *ring, enum mm_dirty_mode mode, size_t size)
{
	CHECK_OK(mm_aspace_dirty_start_with_ring(&g->as, mode, false, ring, entries, size));
}

static void hostile_arguments_are_refused(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	uint64_t end = mm_gpa_range_last(g->as.limits).raw + 1;
	static const size_t sizes[] = {0,
	                               3,
	                               5,
	                               63,
	                               (size_t)UINT64_C(0x80000001),
	                               SIZE_MAX,
	                               (size_t)UINT64_C(0x100000000),
	                               (size_t)1 << 63};
	mm_gpa_t gpas[] = {mm_gpa_at(0), mm_gpa_at(end - 1), mm_gpa_at(end)};
	struct mm_dirty_ring ring;
	size_t count = 77;
	bool overflowed = true;

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 16), MM_RW, now));
	for (unsigned i = 0; i < MM_ARRAY_SIZE(sizes); i++)
		CHECK_ERR(mm_aspace_dirty_start_with_ring(&g->as, MM_DIRTY_WRITE_PROTECT, false,
		                                          &ring, entries, sizes[i]),
		          MM_INVALID);
	CHECK_ERR(mm_aspace_dirty_start_with_ring(&g->as, MM_DIRTY_WRITE_PROTECT, false, NULL,
	                                          entries, 64),
	          MM_INVALID);
	CHECK_ERR(mm_aspace_dirty_start_with_ring(&g->as, MM_DIRTY_WRITE_PROTECT, false, &ring,
	                                          NULL, 64),
	          MM_INVALID);
	CHECK_ERR(mm_aspace_dirty_start_with_ring(&g->as, (enum mm_dirty_mode)2, false, &ring,
	                                          entries, 64),
	          MM_INVALID);
	CHECK_ERR(mm_aspace_dirty_ring_add(&g->as, gpas, 1), MM_INVALID);
	CHECK_ERR(mm_aspace_dirty_ring_collect(&g->as, parts, 1, &count, &overflowed), MM_INVALID);
	/* A log without a ring. */
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, false));
	CHECK_ERR(mm_aspace_dirty_ring_add(&g->as, gpas, 1), MM_INVALID);
	CHECK_ERR(mm_aspace_dirty_ring_collect(&g->as, parts, 1, &count, &overflowed), MM_INVALID);
	CHECK_ERR(mm_aspace_dirty_start_with_ring(&g->as, MM_DIRTY_WRITE_PROTECT, false, &ring,
	                                          entries, 64),
	          MM_BUSY);
	CHECK_EQ(count, 77);
	CHECK(overflowed);
	mm_aspace_dirty_stop(&g->as);
	begin(g, &ring, MM_DIRTY_WRITE_PROTECT, 64);
	/* One beyond the limits: none is added. Pages that are not there are dropped. */
	guest_store(g, page(0), 1);
	CHECK_EQ(take(g, 64, false), 1);
	CHECK_ERR(mm_aspace_dirty_ring_add(&g->as, gpas, 3), MM_OUT_OF_RANGE);
	CHECK_EQ(ring.head, ring.tail);
	CHECK_OK(mm_aspace_dirty_ring_add(&g->as, gpas, 2));
	CHECK_EQ(take(g, 64, false), 0);
	CHECK_OK(mm_aspace_dirty_ring_add(&g->as, gpas, 0));
	CHECK_EQ(take(g, 0, false), 0);
	mm_aspace_dirty_stop(&g->as);
	CHECK_ERR(mm_aspace_dirty_ring_add(&g->as, gpas, 1), MM_INVALID);
	guest_close(g);
}

/* First writes, in their order, each once; then the pages are clean. */
static void faults_fill_it(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_dirty_ring ring;
	uint64_t bitmap[1] = {0}, flushes;

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 32), MM_RW, now));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(32, 32), MM_RW, lazily));
	begin(g, &ring, MM_DIRTY_WRITE_PROTECT, 16);
	for (unsigned round = 0; round < 5; round++) { /* the places are used again */
		guest_store(g, mm_gpa_plus(page(9), 100), 1);
		guest_store(g, page(3), 1);
		guest_store(g, page(9), 2);
		(void)guest_load(g, page(4));
		(void)guest_load(g, page(33 + round));
		guest_store(g, page(50 + round), 1); /* an absent page */
		CHECK_OK(mm_aspace_write(&g->as, page(5), "x", 1));
		CHECK_EQ(take(g, 2, false), 2);
		expect_page(0, 9);
		expect_page(1, 3);
		flushes = g->hal->flushes;
		CHECK_EQ(take(g, 64, false), 2);
		CHECK_EQ(g->hal->flushes, flushes + 1);
		expect_page(0, 50 + round);
		expect_page(1, 5);
		flushes = g->hal->flushes;
		CHECK_EQ(take(g, 64, false), 0);
		CHECK_EQ(g->hal->flushes, flushes);
		CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(0, 64), bitmap));
		CHECK_EQ(bitmap[0], 0); /* the ring's pages are clean for the bitmap, too */
	}
	/* And the other way round; what was unmapped is dropped. */
	guest_store(g, page(1), 1);
	guest_store(g, page(2), 1);
	guest_store(g, page(6), 1);
	CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(0, 2), bitmap));
	CHECK_EQ(bitmap[0], 2);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(2, 1)));
	CHECK_EQ(take(g, 64, false), 1);
	expect_page(0, 6);
	mm_aspace_dirty_stop(&g->as);
	EXPECT_TOUCH(g, page(4), MM_W, TOUCH_HIT);
	guest_close(g);
}

/* Nothing is lost: the bitmap has what the ring has not. */
static void an_overflow_is_told(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_dirty_ring ring;
	uint64_t bitmap[1] = {0}, found = 0;

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 64), MM_RW, now));
	begin(g, &ring, MM_DIRTY_WRITE_PROTECT, 8);
	entries[8] = 0x5a5a;
	for (unsigned p = 0; p < 8; p++)
		guest_store(g, page(p), 1);
	CHECK_EQ(take(g, 3, false), 3); /* full, and no more than that */
	for (unsigned p = 8; p < 64; p++)
		guest_store(g, page(p), 1);
	CHECK_EQ(entries[8], 0x5a5a);
	CHECK_EQ(take(g, 2, true), 2); /* said once */
	for (size_t n = take(g, 100, false), i = 0; i < n; i++)
		found |= UINT64_C(1) << (parts[i].start.raw / MM_PAGE_SIZE);
	CHECK_EQ(found, 0x7e0);
	CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(0, 64), bitmap));
	CHECK_EQ(bitmap[0], ~UINT64_C(0x7ff));
	guest_store(g, page(1), 1); /* and it goes on */
	CHECK_EQ(take(g, 100, false), 1);
	mm_aspace_dirty_stop(&g->as);
	guest_close(g);
}

/* What a fault between two turns of a collection does (npt/turn.h). */
static void write_between_turns(void *ctx)
{
	struct guest *g = ctx;
	static const unsigned written[] = {0, 520};

	g->as.npt.admit = NULL;
	for (unsigned i = 0; i < MM_ARRAY_SIZE(written); i++)
		CHECK_EQ(mm_fault_resolve(&g->as, &g->as.cpus[0],
		                          (mm_checked_gpa_t){page(written[i])}, MM_W),
		         MM_FAULT_UNSHARED);
}

static void writes_between_turns_come_next(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_dirty_ring ring;
	void (*admit)(void *ctx) = g->as.npt.admit;
	void *ctx = g->as.npt.admit_ctx;

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 600), MM_RW, now));
	begin(g, &ring, MM_DIRTY_WRITE_PROTECT, 512);
	for (unsigned p = 0; p < 513; p++) /* an overflow, too */
		guest_store(g, page(p), 1);
	g->as.npt.admit = write_between_turns;
	g->as.npt.admit_ctx = g;
	CHECK_EQ(take(g, 512, true), 512);
	CHECK(!g->as.npt.admit);
	g->as.npt.admit = admit;
	g->as.npt.admit_ctx = ctx;
	CHECK_EQ(take(g, 512, false), 2);
	expect_page(0, 0);
	expect_page(1, 520);
	mm_aspace_dirty_stop(&g->as);
	guest_close(g);
}

static void a_large_leaf_is_one_part(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_aspace_backing large = {.populate = true, .max_leaf = 1};
	struct mm_dirty_ring ring;
	uint64_t bitmap[1] = {0};

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, 1024), MM_RW, large));
	begin(g, &ring, MM_DIRTY_WRITE_PROTECT, 8);
	guest_store(g, page(700), 1);
	guest_store(g, page(701), 1);
	CHECK_EQ(take(g, 8, false), 1);
	CHECK_EQ(parts[0].start.raw, page(512).raw);
	CHECK_EQ(parts[0].bytes, MM_LEVEL_SIZE(1));
	/* It is split: 701 was written, and has no entry of its own. */
	guest_store(g, page(700), 1);
	guest_store(g, page(701), 1);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(702, 1)));
	CHECK_EQ(take(g, 8, true), 1);
	expect_page(0, 700);
	CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(701, 1), bitmap));
	CHECK_EQ(bitmap[0], 1);
	CHECK_OK(mm_aspace_replace_alloc(&g->as, pages(1030, 1), MM_RW, lazily));
	CHECK_EQ(take(g, 8, true), 0);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(704, 8)));
	CHECK_EQ(take(g, 8, false), 0); /* pages: nothing was split */
	mm_aspace_dirty_stop(&g->as);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(512, 1024)));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, 1024), MM_RW, large));
	CHECK_OK(mm_aspace_dirty_start_with_ring(&g->as, MM_DIRTY_WRITE_PROTECT, true, &ring,
	                                         entries, 8));
	guest_store(g, page(700), 1);
	guest_store(g, page(1400), 1);
	CHECK_EQ(take(g, 8, false), 2);
	expect_page(0, 700);
	expect_page(1, 1400);
	EXPECT_TOUCH(g, page(700), MM_W, TOUCH_SERVED); /* clean: it faults again */
	mm_aspace_dirty_stop(&g->as);
	guest_close(g);
}

/* The hypervisor adds what the hardware has recorded; twice is once. */
static bool has_marks(const struct geometry *geo)
{
	return geo->config.accessed_dirty;
}

static void hardware_pages_are_added(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_dirty_ring ring;
	mm_gpa_t gpas[] = {mm_gpa_plus(page(7), 8), page(9), page(7), page(12)};

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 32), MM_RW, now));
	begin(g, &ring, MM_DIRTY_HARDWARE, 16);
	guest_store(g, page(7), 1);
	guest_store(g, page(9), 1);
	CHECK_EQ(take(g, 16, false), 0); /* nobody has told it */
	CHECK_OK(mm_aspace_dirty_ring_add(&g->as, gpas, MM_ARRAY_SIZE(gpas)));
	CHECK_OK(mm_aspace_write(&g->as, page(20), "x", 1)); /* no hardware sees this */
	CHECK_EQ(take(g, 16, false), 3);
	expect_page(0, 7);
	expect_page(1, 9);
	expect_page(2, 20);
	CHECK_OK(mm_aspace_dirty_ring_add(&g->as, gpas, MM_ARRAY_SIZE(gpas)));
	CHECK_EQ(take(g, 16, false), 0); /* they are clean */
	guest_store(g, page(9), 2);
	CHECK_OK(mm_aspace_dirty_ring_add(&g->as, gpas, MM_ARRAY_SIZE(gpas)));
	CHECK_EQ(take(g, 16, false), 1);
	mm_aspace_dirty_stop(&g->as);
	guest_close(g);
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(hostile_arguments_are_refused),
		GEOMETRY_TEST(faults_fill_it),
		GEOMETRY_TEST(an_overflow_is_told),
		GEOMETRY_TEST(writes_between_turns_come_next),
		GEOMETRY_TEST(a_large_leaf_is_one_part),
		GEOMETRY_TEST_IF(hardware_pages_are_added, has_marks),
	};

	return run_geometry_tests("ring", tests, MM_ARRAY_SIZE(tests));
}
