/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's own view of guest memory: translate, read, write, fill, compare, spans. */
#include "guest.h"
#include "mm/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "mm/compiler.h"

#define TOP UINT64_MAX

static const struct hal_test_options plain = {0};
static const struct mm_aspace_backing lazy = {0};

/* --- c12: how far a translation reaches --- */

static void c12_contiguous_ends_with_the_leaf(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_aspace_translation t;
	/* Three small pages, a large leaf, and small ones again. */
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(509, 3 + 512 + 2), mm_hpa_at(0x401fd000), MM_RW,
	                              MM_NORMAL, 1));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(1100, 2), MM_RW, lazy));
	CHECK_OK(mm_aspace_translate(&g->as, mm_gpa_plus(page(510), 0x123), &t));
	CHECK_EQ(t.contiguous, MM_PAGE_SIZE - 0x123);
	CHECK_EQ(t.page_size, MM_PAGE_SIZE);
	CHECK_EQ(t.hpa.raw, 0x401fe123);
	CHECK_OK(mm_aspace_translate(&g->as, mm_gpa_plus(page(512), 0x5123), &t));
	CHECK_EQ(t.contiguous, MM_LEVEL_SIZE(1) - 0x5123);
	CHECK_EQ(t.page_size, MM_LEVEL_SIZE(1));
	CHECK_EQ(t.hpa.raw, 0x40205123);
	CHECK_EQ(t.perm, MM_RW);
	CHECK_EQ(t.memtype, MM_NORMAL);
	CHECK_OK(mm_aspace_translate(&g->as, mm_gpa_at(1024 * MM_PAGE_SIZE - 1), &t));
	CHECK_EQ(t.contiguous, 1);
	guest_store(g, page(1100), 1);
	CHECK_OK(mm_aspace_translate(&g->as, page(1100), &t));
	CHECK_EQ(t.contiguous, MM_PAGE_SIZE);
	guest_close(g);
}

static void c16_untouched_pages_do_not_translate(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_aspace_translation t;
	uint8_t byte = 0xff;
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(4, 4), MM_RW, lazy));
	CHECK_OK(mm_aspace_map_device(&g->as, pages(8, 1)));
	CHECK_ERR(mm_aspace_translate(&g->as, page(5), &t), MM_NOT_MAPPED);
	CHECK_ERR(mm_aspace_translate(&g->as, page(9), &t), MM_NOT_MAPPED);
	CHECK_ERR(mm_aspace_translate(&g->as, page(8), &t), MM_IS_DEVICE);
	CHECK_EQ(guest_stats(g).frames, 0);
	/* Reading brings the page in, and it is zero. */
	CHECK_OK(mm_aspace_read(&g->as, mm_gpa_plus(page(5), 17), &byte, 1));
	CHECK_EQ(byte, 0);
	CHECK_OK(mm_aspace_translate(&g->as, page(5), &t));
	CHECK_EQ(guest_stats(g).frames, 1);
	/* Kept, but hidden. */
	CHECK_OK(mm_aspace_protect(&g->as, pages(5, 1), MM_NONE));
	CHECK_OK(mm_aspace_translate(&g->as, page(5), &t));
	CHECK_EQ(t.perm, MM_NONE);
	guest_close(g);
}

/* --- c13, c14: frames are scattered, and physical addresses are no pointers --- */

static void c13_copies_cross_scattered_frames(const struct geometry *geo)
{
	for (unsigned hooks = 0; hooks < 2; hooks++) {
		struct guest *g = guest_open(geo, (struct hal_test_options){.hooks = hooks != 0});
		enum {
			BYTES = 9 * 4096 + 77
		};
		uint8_t *out = malloc(BYTES), *in = malloc(BYTES);
		mm_gpa_t start = mm_gpa_plus(page(508), 4001);
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(508, 5), MM_RW, lazy));
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(513, 8), MM_RWX, lazy));
		for (unsigned i = 0; i < BYTES; i++)
			out[i] = (uint8_t)(i * 7 + i / 251);
		CHECK_OK(mm_aspace_write(&g->as, start, out, BYTES));
		memset(in, 0, BYTES);
		CHECK_OK(mm_aspace_read(&g->as, start, in, BYTES));
		CHECK(memcmp(in, out, BYTES) == 0);
		for (unsigned i = 0; i < BYTES; i += 97)
			CHECK_EQ(guest_load(g, mm_gpa_plus(start, i)), out[i]);
		CHECK_EQ(guest_load(g, mm_gpa_plus(start, TOP)), 0);
		CHECK_EQ(guest_load(g, mm_gpa_plus(start, BYTES)), 0);
		/* Neighbours in the guest are none in the host. */
		struct mm_aspace_translation a, b;
		CHECK_OK(mm_aspace_translate(&g->as, page(509), &a));
		CHECK_OK(mm_aspace_translate(&g->as, page(510), &b));
		CHECK(a.hpa.raw + MM_PAGE_SIZE != b.hpa.raw);
		free(out);
		free(in);
		guest_close(g);
	}
}

static void c14_values_of_every_width_and_place(const struct geometry *geo)
{
	static const unsigned widths[] = {1, 2, 4, 8};
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 2), MM_RW, lazy));
	for (size_t w = 0; w < MM_ARRAY_SIZE(widths); w++) {
		for (unsigned offset = 4096 - 9; offset < 4096 + 9; offset++) {
			uint64_t value = 0x8877665544332211, got = 0;
			uint64_t mask = widths[w] == 8 ? TOP : (UINT64_C(1) << 8 * widths[w]) - 1;
			CHECK_OK(mm_aspace_fill(&g->as, mm_gpa_at(4096 - 32), 0xcc, 64));
			CHECK_OK(mm_aspace_store(&g->as, mm_gpa_at(offset), widths[w], value));
			CHECK_OK(mm_aspace_load(&g->as, mm_gpa_at(offset), widths[w], &got));
			CHECK_EQ(got, value & mask);
			for (unsigned i = 0; i < widths[w]; i++)
				CHECK_EQ(guest_load(g, mm_gpa_at(offset + i)), 0x11 * (i + 1));
			CHECK_EQ(guest_load(g, mm_gpa_at(offset - 1)), 0xcc);
			CHECK_EQ(guest_load(g, mm_gpa_at(offset + widths[w])), 0xcc);
		}
	}
	uint64_t got = 7;
	CHECK_ERR(mm_aspace_load(&g->as, mm_gpa_at(0), 0, &got), MM_INVALID);
	CHECK_ERR(mm_aspace_load(&g->as, mm_gpa_at(0), 3, &got), MM_INVALID);
	CHECK_ERR(mm_aspace_load(&g->as, mm_gpa_at(0), 16, &got), MM_INVALID);
	CHECK_ERR(mm_aspace_store(&g->as, mm_gpa_at(0), 5, 1), MM_INVALID);
	CHECK_ERR(mm_aspace_load(&g->as, mm_gpa_at(2 * 4096 - 4), 8, &got), MM_NOT_MAPPED);
	CHECK_ERR(mm_aspace_load(&g->as, mm_gpa_at(TOP - 3), 8, &got), MM_OUT_OF_RANGE);
	CHECK_EQ(got, 7);
	guest_close(g);
}

/* --- a guest with its caches off --- */

static bool is_visible(void *ctx, const struct mm_npt_leaf *leaf)
{
	const struct hal_test *hal = ctx;
	size_t offset = leaf->hpa.raw - HAL_TEST_BASE;
	CHECK(memcmp(hal->mirror + offset, hal->memory + offset, MM_LEVEL_SIZE(leaf->level)) == 0);
	return true;
}

static void whatever_is_written_is_made_visible(const struct geometry *geo)
{
	static const char text[] = "across the end of a page";
	struct guest *g = guest_open(geo, (struct hal_test_options){.mirror = true});
	struct mm_snapshot snapshot;
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(16, 8), MM_RW, lazy));
	CHECK_OK(mm_aspace_write(&g->as, mm_gpa_at(0x10ffc), text, sizeof(text)));
	CHECK_OK(mm_aspace_fill(&g->as, mm_gpa_at(0x12f00), 0x5a, 0x200));
	CHECK_OK(mm_aspace_store(&g->as, mm_gpa_at(0x14008), 8, 0x0123456789abcdef));
	CHECK_OK(mm_aspace_store(&g->as, mm_gpa_at(0x15ffd), 8, 0x0123456789abcdef));
	CHECK_OK(mm_aspace_for_each_leaf(&g->as, pages(16, 8), is_visible, g->hal));
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &snapshot));
	EXPECT_TOUCH(g, mm_gpa_at(0x10000), MM_W, TOUCH_SERVED);     /* copied by a fault */
	CHECK_OK(mm_aspace_store(&g->as, mm_gpa_at(0x12f00), 1, 1)); /* copied by a write */
	CHECK_OK(mm_aspace_for_each_leaf(&g->as, pages(16, 8), is_visible, g->hal));
	guest_close(g);
}

/* --- c15: all or nothing --- */

struct reach {
	uint64_t start, bytes;
	enum mm_error read, write;
};

static void c15_all_or_nothing(const struct geometry *geo)
{
	/* 16-19 rw, 20-21 r, 22 device, 23 nothing, 24 rw, 25 none. */
	static const struct reach cases[] = {
		{0x10000, 0, MM_OK, MM_OK},
		{0x90000, 0, MM_OK, MM_OK}, /* nothing is asked of nothing */
		{0x10000, 0x4000, MM_OK, MM_OK},
		{0x10000, 0x4001, MM_OK, MM_DENIED},
		{0x13fff, 2, MM_OK, MM_DENIED},
		{0x13fff, 0x2002, MM_IS_DEVICE, MM_DENIED},
		{0x15fff, 2, MM_IS_DEVICE, MM_DENIED},
		{0x16000, 1, MM_IS_DEVICE, MM_IS_DEVICE},
		{0x17000, 1, MM_NOT_MAPPED, MM_NOT_MAPPED},
		{0x17fff, 2, MM_NOT_MAPPED, MM_NOT_MAPPED},
		{0x18fff, 2, MM_DENIED, MM_DENIED},
		{0x0ffff, 2, MM_NOT_MAPPED, MM_NOT_MAPPED},
		{0x10000, TOP, MM_OUT_OF_RANGE, MM_OUT_OF_RANGE},
		{0x10000, TOP - 0x10000, MM_OUT_OF_RANGE, MM_OUT_OF_RANGE},
		{TOP, 1, MM_OUT_OF_RANGE, MM_OUT_OF_RANGE},
		{TOP, 2, MM_OUT_OF_RANGE, MM_OUT_OF_RANGE},
		{TOP, TOP, MM_OUT_OF_RANGE, MM_OUT_OF_RANGE},
		{0x10000, 0xffffffff, MM_IS_DEVICE, MM_DENIED},
	};
	struct guest *g = guest_open(geo, plain);
	uint8_t *buf = malloc(0x8000);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(16, 4), MM_RW, lazy));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(20, 2), MM_R, lazy));
	CHECK_OK(mm_aspace_map_device(&g->as, pages(22, 1)));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(24, 1), MM_RW, lazy));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(25, 1), MM_NONE, lazy));
	if (mm_npt_gpa_bits(&geo->config) < 33) /* there, 4 GiB ends beyond the space */
		CHECK_ERR(mm_aspace_read(&g->as, mm_gpa_at(0x10000), buf, 0xffffffff),
		          MM_OUT_OF_RANGE);
	for (size_t i = 0; i < MM_ARRAY_SIZE(cases); i++) {
		mm_gpa_t start = mm_gpa_at(cases[i].start);
		size_t bytes = cases[i].bytes;
		int order = 99;
		check_context("format=%s case=%zu", geo->name, i);
		if (bytes == 0xffffffff && mm_npt_gpa_bits(&geo->config) < 33)
			continue;
		/* What is refused touches neither the buffer nor memory: 0 bytes of either. */
		CHECK_OK(mm_aspace_fill(&g->as, page(16), 0x11, 4 * MM_PAGE_SIZE));
		memset(buf, 0x22, 0x8000);
		CHECK_ERR(mm_aspace_write(&g->as, start, buf, bytes), cases[i].write);
		if (cases[i].write != MM_OK)
			CHECK_BYTES(hal_test_ptr(g->hal, guest_touch(g, page(19), MM_R).hpa), 0x11,
			            MM_PAGE_SIZE);
		CHECK_ERR(mm_aspace_fill(&g->as, start, 0x33, bytes), cases[i].write);
		if (cases[i].write != MM_OK)
			CHECK_BYTES(hal_test_ptr(g->hal, guest_touch(g, page(19), MM_R).hpa), 0x11,
			            MM_PAGE_SIZE);
		CHECK_ERR(mm_aspace_read(&g->as, start, buf, bytes), cases[i].read);
		if (cases[i].read != MM_OK)
			CHECK_BYTES(buf, 0x22, 0x8000);
		CHECK_ERR(mm_aspace_compare(&g->as, start, buf, bytes, &order), cases[i].read);
		CHECK_EQ(order, cases[i].read == MM_OK ? 0 : 99);
	}
	free(buf);
	guest_close(g);
}

/* Out of frames in the middle: no byte has moved. */
static void c15_no_byte_moves_when_frames_run_out(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	uint8_t *buf = malloc(4 * MM_PAGE_SIZE);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 4), MM_RW, lazy));
	memset(buf, 0x5c, 4 * MM_PAGE_SIZE);
	guest_store(g, page(0), 1);
	for (unsigned n = 1; n <= 3; n++) {
		hal_test_fail_after(g->hal, 1);
		CHECK_ERR(mm_aspace_write(&g->as, mm_gpa_at(0), buf, 4 * MM_PAGE_SIZE),
		          MM_NO_MEMORY);
		CHECK_EQ(guest_load(g, page(0)), 1);
		hal_test_fail_after(g->hal, 0);
		EXPECT_TOUCH(g, page(n), MM_R, TOUCH_SERVED); /* so the next one fails further on */
	}
	CHECK_OK(mm_aspace_write(&g->as, mm_gpa_at(0), buf, 4 * MM_PAGE_SIZE));
	CHECK_EQ(guest_load(g, mm_gpa_at(4 * MM_PAGE_SIZE - 1)), 0x5c);
	free(buf);
	guest_close(g);
}

/* --- c17: permissions hold for the hypervisor, too --- */

static void c17_the_guests_permissions_hold(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	for (unsigned perm = 0; perm < MM_PERM_SETS; perm++) {
		enum mm_perm p = (enum mm_perm)perm;
		uint64_t value = 1;
		uint8_t byte = 1;
		int order = 0;
		if (!guest_can(g, p))
			continue;
		check_context("format=%s perm=%s", geo->name, mm_perm_name(p));
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(perm, 1), p, lazy));
		enum mm_error read = perm & MM_R ? MM_OK : MM_DENIED;
		enum mm_error write = perm & MM_W ? MM_OK : MM_DENIED;
		enum mm_error fetch = perm & MM_X ? MM_OK : MM_DENIED;
		for (unsigned twice = 0; twice < 2; twice++) { /* untouched, and touched */
			CHECK_ERR(mm_aspace_write(&g->as, page(perm), &byte, 1), write);
			CHECK_ERR(mm_aspace_fill(&g->as, page(perm), 1, 1), write);
			CHECK_ERR(mm_aspace_store(&g->as, page(perm), 8, 1), write);
			CHECK_ERR(mm_aspace_read(&g->as, page(perm), &byte, 1), read);
			CHECK_ERR(mm_aspace_load(&g->as, page(perm), 8, &value), read);
			CHECK_ERR(mm_aspace_compare(&g->as, page(perm), &byte, 1, &order), read);
			CHECK_ERR(mm_aspace_fetch(&g->as, page(perm), &byte, 1), fetch);
		}
	}
	guest_close(g);
}

/* --- compare, spans --- */

static void compare_finds_the_first_difference(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	uint8_t buf[200];
	int order;
	mm_gpa_t start = mm_gpa_at(4096 - 100);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 2), MM_RW, lazy));
	memset(buf, 9, sizeof(buf));
	CHECK_OK(mm_aspace_write(&g->as, start, buf, sizeof(buf)));
	CHECK_OK(mm_aspace_compare(&g->as, start, buf, sizeof(buf), &order));
	CHECK_EQ(order, 0);
	for (unsigned at = 0; at < sizeof(buf); at += 13) {
		buf[at] = 8;
		CHECK_OK(mm_aspace_compare(&g->as, start, buf, sizeof(buf), &order));
		CHECK(order > 0);
		CHECK_OK(mm_aspace_compare(&g->as, start, buf, at, &order));
		CHECK_EQ(order, 0);
		buf[at] = 10;
		CHECK_OK(mm_aspace_compare(&g->as, start, buf, sizeof(buf), &order));
		CHECK(order < 0);
		buf[at] = 9;
	}
	guest_close(g);
}

struct spans {
	struct guest *g;
	mm_gpa_t next;
	size_t bytes;
	unsigned calls, stop_after;
};

static bool note_span(void *ctx, mm_gpa_t gpa, struct mm_aspace_span span)
{
	struct spans *s = ctx;
	CHECK_EQ(gpa.raw, s->next.raw);
	for (size_t i = 0; i < span.bytes; i += 512)
		CHECK(hal_test_ptr(s->g->hal, guest_walk(s->g, mm_gpa_plus(gpa, i), MM_R).hpa) ==
		      (char *)span.host + i);
	s->next = mm_gpa_plus(gpa, span.bytes);
	s->bytes += span.bytes;
	return ++s->calls != s->stop_after;
}

static void spans_cover_the_range_in_order(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, (struct hal_test_options){.frames = 16384});
	mm_gpa_t start = mm_gpa_plus(page(510), 1000);
	struct mm_gpa_range range = mm_gpa_range(start, 0x300000);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(510, 1026), MM_RW,
	                             (struct mm_aspace_backing){.max_leaf = 1}));
	struct spans s = {.g = g, .next = start};
	CHECK_OK(mm_aspace_for_each_span(&g->as, range, MM_W, note_span, &s));
	CHECK_EQ(s.bytes, range.size);
	s = (struct spans){.g = g, .next = start, .stop_after = 2};
	CHECK_OK(mm_aspace_for_each_span(&g->as, range, MM_R, note_span, &s));
	CHECK_EQ(s.calls, 2);
	s = (struct spans){.g = g};
	CHECK_ERR(mm_aspace_for_each_span(&g->as, range, MM_X, note_span, &s), MM_DENIED);
	CHECK_ERR(
		mm_aspace_for_each_span(&g->as, mm_gpa_range(start, 0x500000), MM_R, note_span, &s),
		MM_NOT_MAPPED);
	CHECK_ERR(mm_aspace_for_each_span(&g->as, mm_gpa_range(start, TOP), MM_R, note_span, &s),
	          MM_OUT_OF_RANGE);
	CHECK_OK(mm_aspace_for_each_span(&g->as, mm_gpa_range(start, 0), MM_R, note_span, &s));
	CHECK_EQ(s.calls, 0);
	guest_close(g);
}

static void find_free_keeps_to_the_limits(const struct geometry *geo)
{
	struct hal_test *hal = hal_test_open(
		(struct hal_test_options){.root_order = mm_npt_root_order(&geo->config)});
	struct mm_aspace_config config = guest_config(geo, hal);
	config.limits = pages(16, 64);
	struct guest *g = guest_open_with(geo, hal, &config);
	mm_gpa_t at = mm_gpa_at(0);
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(20, 8), MM_RW, lazy));
	CHECK_OK(mm_aspace_find_free(&g->as, mm_gpa_at(0), 4 * MM_PAGE_SIZE, MM_PAGE_SIZE, &at));
	CHECK_EQ(at.raw, 16 * MM_PAGE_SIZE);
	CHECK_OK(mm_aspace_find_free(&g->as, mm_gpa_at(0), 5 * MM_PAGE_SIZE, MM_PAGE_SIZE, &at));
	CHECK_EQ(at.raw, 28 * MM_PAGE_SIZE);
	CHECK_OK(mm_aspace_find_free(&g->as, page(22), MM_PAGE_SIZE, 32 * MM_PAGE_SIZE, &at));
	CHECK_EQ(at.raw, 32 * MM_PAGE_SIZE);
	CHECK_OK(mm_aspace_find_free(&g->as, mm_gpa_at(0), 52 * MM_PAGE_SIZE, MM_PAGE_SIZE, &at));
	CHECK_ERR(mm_aspace_find_free(&g->as, mm_gpa_at(0), 53 * MM_PAGE_SIZE, MM_PAGE_SIZE, &at),
	          MM_NO_MEMORY);
	guest_close(g);
}

/* Where hardware sets no marks, the hypervisor's accesses set none either. */
static void entries_stay_as_they_are_without_marks(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	uint64_t value;
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 1), MM_RW,
	                             (struct mm_aspace_backing){.populate = true}));
	uint64_t before = guest_walk(g, page(500), MM_R).entry;
	CHECK_OK(mm_aspace_store(&g->as, page(500), 8, 1));
	CHECK_OK(mm_aspace_load(&g->as, page(500), 8, &value));
	CHECK_EQ(guest_walk(g, page(500), MM_R).entry, before);
	guest_close(g);
}

static bool has_no_marks(const struct geometry *geo)
{
	return !geo->config.accessed_dirty;
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(c12_contiguous_ends_with_the_leaf),
		GEOMETRY_TEST(c13_copies_cross_scattered_frames),
		GEOMETRY_TEST(c14_values_of_every_width_and_place),
		GEOMETRY_TEST(whatever_is_written_is_made_visible),
		GEOMETRY_TEST(c15_all_or_nothing),
		GEOMETRY_TEST(c15_no_byte_moves_when_frames_run_out),
		GEOMETRY_TEST(c16_untouched_pages_do_not_translate),
		GEOMETRY_TEST(c17_the_guests_permissions_hold),
		GEOMETRY_TEST(compare_finds_the_first_difference),
		GEOMETRY_TEST(spans_cover_the_range_in_order),
		GEOMETRY_TEST(find_free_keeps_to_the_limits),
		GEOMETRY_TEST_IF(entries_stay_as_they_are_without_marks, has_no_marks),
	};
	return run_geometry_tests("memory", tests, MM_ARRAY_SIZE(tests));
}
