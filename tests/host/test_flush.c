/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flush requests: when there is one, what it names, what it covers, and what comes after it. The
 * ghost TLB behind every other test says that stale translations do not survive; this says that
 * nothing needless is asked for either.
 */
#include "guest.h"

#include <stdlib.h>

#include "mm/compiler.h"

static const struct hal_test_options plain = {0};

static const struct hal_event *find_event(const struct hal_test *hal, enum hal_event_kind kind,
                                          unsigned nth)
{
	for (size_t i = 0; i < hal->event_count; i++) {
		if (hal->events[i].kind == kind && nth-- == 0)
			return &hal->events[i];
	}
	return NULL;
}

static unsigned count_events(const struct hal_test *hal, enum hal_event_kind kind)
{
	unsigned n = 0;
	CHECK(hal->event_count <= HAL_EVENTS);
	for (size_t i = 0; i < hal->event_count; i++)
		n += hal->events[i].kind == kind;
	return n;
}

/* The trace since hal_test_trace() has exactly one flush; this is it. */
static const struct mm_flush *the_flush(const struct hal_test *hal)
{
	CHECK_EQ(count_events(hal, HAL_FLUSH), 1);
	return &find_event(hal, HAL_FLUSH, 0)->flush;
}

static void map_some(struct guest *g)
{
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 40), MM_RW,
	                             (struct mm_aspace_backing){.populate = true}));
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(1024, 1024), mm_hpa_at(0x40000000), MM_RW,
	                              MM_NORMAL, 1));
	for (unsigned p = 500; p < 540; p++)
		EXPECT_TOUCH(g, page(p), MM_W, TOUCH_HIT);
}

static void c18_no_flush_for_what_was_absent(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(
		mm_aspace_map_alloc(&g->as, pages(5000, 40), MM_RW, (struct mm_aspace_backing){0}));
	map_some(g);
	CHECK_EQ(mm_aspace_fault(&g->as, page(5001), MM_R), MM_FAULT_MAPPED);
	CHECK_EQ(g->hal->flushes, 0);
	CHECK(g->hal->publishes >= 3);
	CHECK_OK(mm_aspace_protect(&g->as, pages(5010, 10), MM_R)); /* nothing is there */
	CHECK_OK(mm_aspace_unmap(&g->as, pages(5020, 10)));
	CHECK_OK(mm_aspace_unmap(&g->as, pages(9000, 10)));
	CHECK_EQ(g->hal->flushes, 0);
	CHECK_EQ(guest_stats(g).flushes, 0);
	/* A present page that faults again: only where the machine may cache its absence. */
	CHECK_EQ(mm_aspace_fault(&g->as, page(5001), MM_R), MM_FAULT_SPURIOUS);
	CHECK_EQ(g->hal->flushes, caches_absent(geo));
	guest_close(g);
}

/* One flush names this address space and the range, in bytes, unshifted. */
static void check_request(struct guest *g, const struct mm_flush *f, struct mm_gpa_range range)
{
	CHECK_EQ(f->root.raw, mm_aspace_root(&g->as).raw);
	CHECK_EQ(f->tag, mm_aspace_tag(&g->as));
	if (f->all)
		return;
	CHECK_EQ(f->range.start.raw, range.start.raw);
	CHECK_EQ(f->range.size, range.size);
}

static void c18_one_flush_per_change(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	map_some(g);

	hal_test_trace(g->hal);
	CHECK_OK(mm_aspace_protect(&g->as, pages(505, 10), MM_R));
	const struct mm_flush *f = the_flush(g->hal);
	check_request(g, f, pages(505, 10));
	CHECK_EQ(f->leaf_level, 0);
	CHECK(!f->tables && !f->all);

	hal_test_trace(g->hal);
	CHECK_OK(mm_aspace_protect(&g->as, pages(1024, 1024), MM_R));
	f = the_flush(g->hal);
	check_request(g, f, pages(1024, 1024));
	CHECK_EQ(f->leaf_level, 1); /* two strides, not a thousand */
	CHECK(!f->tables && !f->all);

	hal_test_trace(g->hal);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(1024, 512)));
	f = the_flush(g->hal);
	check_request(g, f, pages(1024, 512));
	CHECK_EQ(f->leaf_level, 1);

	hal_test_trace(g->hal);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(510, 1)));
	f = the_flush(g->hal);
	check_request(g, f, pages(510, 1));
	CHECK_EQ(f->leaf_level, 0);
	CHECK(!f->tables);

	/* The last page of its table: the table goes with it, and the request says so. */
	hal_test_trace(g->hal);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(500, 12)));
	f = the_flush(g->hal);
	CHECK(f->tables || f->all);

	CHECK_EQ(guest_stats(g).flushes, g->hal->flushes);
	guest_close(g);
}

static bool any_leaf(void *ctx, const struct mm_npt_leaf *leaf)
{
	(void)ctx;
	return leaf->level == 1;
}

static bool has_marks(const struct geometry *geo)
{
	return geo->config.accessed_dirty;
}

/* A range from the middle of one large leaf to the middle of the next: a request whose stride is
 * theirs begins where the first begins and ends where the last ends. */
static void strides_begin_where_leaves_begin(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	map_some(g);
	EXPECT_TOUCH(g, page(1024), MM_W, TOUCH_HIT);
	EXPECT_TOUCH(g, page(1536), MM_W, TOUCH_HIT);
	hal_test_trace(g->hal);
	CHECK_OK(mm_aspace_harvest(&g->as, pages(1280, 512), any_leaf, NULL));
	const struct mm_flush *f = the_flush(g->hal);
	check_request(g, f, pages(1024, 1024));
	CHECK_EQ(f->leaf_level, 1);
	ghost_tlb_check_at_rest(&g->hal->tlb);
	/* The next write leaves its mark again. */
	EXPECT_TOUCH(g, page(1024), MM_W, TOUCH_HIT);
	EXPECT_TOUCH(g, page(1536), MM_W, TOUCH_HIT);
	CHECK(guest_walk(g, page(1024), MM_W).dirty);
	CHECK(guest_walk(g, page(1536), MM_W).dirty);
	guest_close(g);
}

/* Nothing changed for the hardware: the same permissions again. */
static void c18_no_flush_for_no_change(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	map_some(g);
	CHECK_OK(mm_aspace_protect(&g->as, pages(505, 10), MM_RW));
	CHECK_OK(mm_aspace_protect(&g->as, pages(1100, 10), MM_RW));
	CHECK_EQ(g->hal->flushes, 0);
	CHECK_EQ(guest_stats(g).leaves[1], 2); /* and nothing was split for it */
	guest_close(g);
}

/* Too many strides: everything instead, once. */
static void a_long_range_is_flushed_whole(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, (struct hal_test_options){.frames = 8192});
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(1, 3000), MM_RW,
	                             (struct mm_aspace_backing){.populate = true}));
	hal_test_trace(g->hal);
	CHECK_OK(mm_aspace_protect(&g->as, pages(1, 3000), MM_R));
	CHECK(the_flush(g->hal)->all);
	guest_close(g);
}

static void c26_frames_go_back_after_the_flush(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, (struct hal_test_options){.frames = 8192});
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(300, 700), MM_RW,
	                             (struct mm_aspace_backing){.populate = true}));
	for (unsigned p = 300; p < 1000; p++)
		EXPECT_TOUCH(g, page(p), MM_W, TOUCH_HIT); /* now the TLB holds them all */
	hal_test_trace(g->hal);
	CHECK_OK(mm_aspace_unmap(&g->as, pages(300, 700)));
	bool flushed = false;
	for (size_t i = 0; i < g->hal->event_count; i++) {
		flushed |= g->hal->events[i].kind == HAL_FLUSH;
		CHECK(flushed || g->hal->events[i].kind != HAL_FREE);
	}
	CHECK_EQ(count_events(g->hal, HAL_FLUSH), 1);
	CHECK(count_events(g->hal, HAL_FREE) > 700);
	guest_close(g);
}

/* Destruction flushes all: the tag may be another VM's next. */
static void c26_destroy_flushes_before_it_frees(const struct geometry *geo)
{
	struct hal_test *hal = hal_test_open(
		(struct hal_test_options){.root_order = mm_npt_root_order(&geo->config)});
	const struct mm_aspace_config config = guest_config(geo, hal);
	struct guest *keeper_of_the_hal, *g;
	struct mm_aspace_config other = config;
	other.tag = 2;
	keeper_of_the_hal = guest_open_with(geo, hal, &other);
	g = guest_open_with(geo, hal, &config);
	map_some(g);
	hal_test_trace(hal);
	guest_close(g); /* fails if the TLB still holds something of tag 1 */
	const struct mm_flush *last = NULL;
	for (size_t i = 0; i < hal->event_count; i++) {
		const struct hal_event *e = &hal->events[i];
		last = e->kind == HAL_FLUSH ? &e->flush : last;
		CHECK(last != NULL || e->kind != HAL_FREE);
	}
	CHECK(last->tables);
	CHECK_EQ(last->tag, 1);
	guest_close(keeper_of_the_hal);
}

/* Two address spaces on one machine: each flushes its own, and only its own. */
static void c29_two_address_spaces_with_two_tags(const struct geometry *geo)
{
	struct hal_test *hal = hal_test_open(
		(struct hal_test_options){.root_order = mm_npt_root_order(&geo->config)});
	struct mm_aspace_config config = guest_config(geo, hal);
	struct guest *g[2];
	for (unsigned i = 0; i < 2; i++) {
		config.tag = 7 + i;
		g[i] = guest_open_with(geo, hal, &config);
		CHECK_OK(mm_aspace_map_alloc(&g[i]->as, pages(0, 8), MM_RW,
		                             (struct mm_aspace_backing){0}));
		for (unsigned p = 0; p < 8; p++)
			guest_store(g[i], page(p), (uint8_t)(16 * i + p));
	}
	for (unsigned i = 0; i < 2; i++) {
		hal_test_trace(hal);
		CHECK_OK(mm_aspace_protect(&g[i]->as, pages(2, 2), MM_R));
		CHECK_EQ(the_flush(hal)->tag, 7 + i);
		CHECK_EQ(the_flush(hal)->root.raw, mm_aspace_root(&g[i]->as).raw);
		EXPECT_FAULT(g[i], page(2), MM_W, MM_FAULT_PERMISSION);
		hal_test_trace(hal);
		CHECK_OK(mm_aspace_unmap(&g[i]->as, pages(4, 2)));
		CHECK_EQ(the_flush(hal)->tag, 7 + i);
		EXPECT_FAULT(g[i], page(4), MM_R, MM_FAULT_NOT_MAPPED);
	}
	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(guest_load(g[i], page(1)), 16 * i + 1);
		CHECK_EQ(guest_load(g[i], page(7)), 16 * i + 7);
	}
	guest_close(g[0]);
	CHECK_EQ(guest_load(g[1], page(1)), 17);
	guest_close(g[1]);
}

/* A frame has one owner: over all leaves of two address spaces, no frame appears twice. */
struct owners {
	struct hal_test *hal;
	bool *seen;
	size_t frames;
};

static bool note_owner(void *ctx, const struct mm_npt_leaf *leaf)
{
	struct owners *o = ctx;
	for (uint64_t at = 0; at < MM_LEVEL_SIZE(leaf->level); at += MM_PAGE_SIZE) {
		size_t frame = (leaf->hpa.raw + at - HAL_TEST_BASE) / MM_PAGE_SIZE;
		CHECK(hal_test_owned(o->hal, mm_hpa_plus(leaf->hpa, at)));
		CHECK(!o->seen[frame]);
		o->seen[frame] = true;
		o->frames++;
	}
	return true;
}

static void c27_every_frame_has_one_owner(const struct geometry *geo)
{
	struct hal_test *hal = hal_test_open((struct hal_test_options){
		.root_order = mm_npt_root_order(&geo->config), .frames = 16384});
	struct mm_aspace_config config = guest_config(geo, hal);
	struct owners o = {.hal = hal, .seen = calloc(hal->frames, sizeof(bool))};
	struct guest *g[2];
	uint64_t owned = 0;
	for (unsigned i = 0; i < 2; i++) {
		config.tag = 1 + i;
		g[i] = guest_open_with(geo, hal, &config);
		CHECK_OK(mm_aspace_map_alloc(&g[i]->as, pages(500, 1600), MM_RW,
		                             (struct mm_aspace_backing){.max_leaf = 1}));
		for (unsigned p = 500; p < 2100; p += 3)
			guest_store(g[i], page(p), 1);
		CHECK_OK(mm_aspace_unmap(&g[i]->as, pages(700, 30)));
		CHECK_OK(mm_aspace_protect(&g[i]->as, pages(1200, 30), MM_NONE));
	}
	for (unsigned i = 0; i < 2; i++) {
		CHECK_OK(mm_aspace_for_each_leaf(&g[i]->as, pages(0, 4096), note_owner, &o));
		owned += guest_stats(g[i]).frames;
	}
	CHECK_EQ(o.frames, owned);
	struct mm_aspace_stats a = guest_stats(g[0]), b = guest_stats(g[1]);
	CHECK_EQ(a.frames + a.tables + b.frames + b.tables, hal->in_use);
	free(o.seen);
	guest_close(g[0]);
	guest_close(g[1]);
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(c18_no_flush_for_what_was_absent),
		GEOMETRY_TEST(c18_one_flush_per_change),
		GEOMETRY_TEST_IF(strides_begin_where_leaves_begin, has_marks),
		GEOMETRY_TEST(c18_no_flush_for_no_change),
		GEOMETRY_TEST(a_long_range_is_flushed_whole),
		GEOMETRY_TEST(c26_frames_go_back_after_the_flush),
		GEOMETRY_TEST(c26_destroy_flushes_before_it_frees),
		GEOMETRY_TEST(c27_every_frame_has_one_owner),
		GEOMETRY_TEST(c29_two_address_spaces_with_two_tags),
	};
	return run_geometry_tests("flush", tests, MM_ARRAY_SIZE(tests));
}
