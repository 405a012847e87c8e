/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and ranges: no operation overflows, and a range may end at 2^64. */
#include "check.h"

#include "mm/addr.h"
#include "mm/bits.h"

#define TOP UINT64_MAX

static void alignment(void **state)
{
	(void)state;
	mm_gpa_t up;
	CHECK_EQ(mm_align_down(0x1fff, MM_PAGE_SIZE), 0x1000);
	CHECK_EQ(mm_align_up(0x1001, MM_PAGE_SIZE), 0x2000);
	CHECK_EQ(mm_align_up(0x1000, MM_PAGE_SIZE), 0x1000);
	CHECK(mm_gpa_is_aligned(mm_gpa_at(0x2000), 0x2000) &&
	      !mm_gpa_is_aligned(mm_gpa_at(0x2000), 0x4000));
	CHECK_EQ(mm_gpa_align_down(mm_gpa_at(TOP), MM_PAGE_SIZE).raw, TOP - 0xfff);
	CHECK(mm_gpa_align_up(mm_gpa_at(TOP - 0xfff), MM_PAGE_SIZE, &up) && up.raw == TOP - 0xfff);
	CHECK(!mm_gpa_align_up(mm_gpa_at(TOP - 0xffe), MM_PAGE_SIZE, &up));
	CHECK(!mm_gpa_align_up(mm_gpa_at(TOP), MM_PAGE_SIZE, &up));
	CHECK(mm_gpa_range_is_aligned(mm_gpa_range(mm_gpa_at(0x3000), 0x1000), MM_PAGE_SIZE));
	CHECK(!mm_gpa_range_is_aligned(mm_gpa_range(mm_gpa_at(0x3000), 0x800), MM_PAGE_SIZE));
	CHECK(!mm_gpa_range_is_aligned(mm_gpa_range(mm_gpa_at(0x3800), 0x1000), MM_PAGE_SIZE));
}

static void addition(void **state)
{
	(void)state;
	mm_hpa_t sum = mm_hpa_at(7);
	CHECK(mm_hpa_add(mm_hpa_at(1), TOP - 1, &sum) && sum.raw == TOP);
	CHECK(!mm_hpa_add(mm_hpa_at(2), TOP - 1, &sum) && sum.raw == TOP);
	CHECK_EQ(mm_hpa_plus(mm_hpa_at(5), 3).raw, 8);
	CHECK_EQ(mm_hpa_diff(mm_hpa_at(9), mm_hpa_at(5)), 4);
}

struct range_case {
	uint64_t start, size;
	bool valid;
};

static void c09_range_validity(void **state)
{
	static const struct range_case cases[] = {
		{0, 0, false},      {0, 1, true},        {0, TOP, true},    {1, TOP, true},
		{2, TOP, false},    {TOP, 1, true},      {TOP, 2, false},   {TOP, 0, false},
		{TOP - 7, 8, true}, {TOP - 7, 9, false}, {TOP, TOP, false}, {0x1000, TOP, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check_context("case %zu", i);
		CHECK_EQ(mm_gpa_range_valid(mm_gpa_range(mm_gpa_at(cases[i].start), cases[i].size)),
		         cases[i].valid);
	}
}

/* Every pair of ranges in a small ring that ends at 2^64, against counting bytes. */
static void c09_relations_up_to_the_top(void **state)
{
	enum {
		SPAN = 10
	};
	const uint64_t base = TOP - SPAN + 1;
	(void)state;
	for (unsigned a = 0; a < SPAN; a++)
		for (unsigned an = 1; a + an <= SPAN; an++)
			for (unsigned b = 0; b < SPAN; b++)
				for (unsigned bn = 1; b + bn <= SPAN; bn++) {
					struct mm_gpa_range ra =
						mm_gpa_range(mm_gpa_at(base + a), an);
					struct mm_gpa_range rb =
						mm_gpa_range(mm_gpa_at(base + b), bn);
					unsigned shared = 0, first = 0;
					for (unsigned i = SPAN; i-- > 0;) {
						bool in_a = i >= a && i < a + an,
						     in_b = i >= b && i < b + bn;
						shared += in_a && in_b;
						first = in_a && in_b ? i : first;
						CHECK_EQ(mm_gpa_range_contains(ra,
						                               mm_gpa_at(base + i)),
						         in_a);
					}
					check_context("a=%u+%u b=%u+%u", a, an, b, bn);
					CHECK_EQ(mm_gpa_range_overlaps(ra, rb), shared > 0);
					CHECK_EQ(mm_gpa_range_covers(ra, rb), shared == bn);
					struct mm_gpa_range both = mm_gpa_range_intersect(ra, rb);
					CHECK_EQ(both.size, shared);
					if (shared > 0)
						CHECK_EQ(both.start.raw, base + first);
					CHECK_EQ(mm_gpa_range_last(ra).raw, base + a + an - 1);

					struct mm_gpa_range low, high;
					bool cuts = b > a && b < a + an;
					CHECK_EQ(mm_gpa_range_split(ra, rb.start, &low, &high),
					         cuts);
					if (cuts) {
						CHECK_EQ(low.start.raw, ra.start.raw);
						CHECK_EQ(low.size, b - a);
						CHECK_EQ(high.start.raw, rb.start.raw);
						CHECK_EQ(high.size, an - (b - a));
					}
				}
}

static void contains_does_not_wrap(void **state)
{
	(void)state;
	struct mm_gpa_range all_but_one = mm_gpa_range(mm_gpa_at(1), TOP);
	CHECK(!mm_gpa_range_contains(all_but_one, mm_gpa_at(0)));
	CHECK(mm_gpa_range_contains(all_but_one, mm_gpa_at(TOP)));
	CHECK(!mm_gpa_range_contains(mm_gpa_range(mm_gpa_at(0x1000), 0), mm_gpa_at(0x1000)));
	CHECK(!mm_gpa_range_covers(mm_gpa_range(mm_gpa_at(0x1000), 0x1000),
	                           mm_gpa_range(mm_gpa_at(0), 0x1800)));
}

static void text(void **state)
{
	char buf[MM_ADDR_TEXT];
	char small[8];
	(void)state;
	CHECK_EQ(mm_gpa_format(buf, sizeof(buf), mm_gpa_at(0x40001000)), 14);
	CHECK_TEXT(buf, "GPA:0x40001000");
	mm_gva_format(buf, sizeof(buf), mm_gva_at(0));
	CHECK_TEXT(buf, "GVA:0x0");
	mm_hva_format(buf, sizeof(buf), mm_hva_at(TOP));
	CHECK_TEXT(buf, "HVA:0xffffffffffffffff");
	mm_hpa_format(buf, sizeof(buf), mm_hpa_at(0x10));
	CHECK_TEXT(buf, "HPA:0x10");

	CHECK_EQ(mm_gpa_range_format(buf, sizeof(buf),
	                             mm_gpa_range(mm_gpa_at(0x40000000), 0x10000000)),
	         26);
	CHECK_TEXT(buf, "GPA:0x40000000..0x4fffffff");
	mm_gpa_range_format(buf, sizeof(buf), mm_gpa_range(mm_gpa_at(TOP - 0xfff), 0x1000));
	CHECK_TEXT(buf, "GPA:0xfffffffffffff000..0xffffffffffffffff");
	mm_hpa_range_format(buf, sizeof(buf), mm_hpa_range(mm_hpa_at(0x1000), 0));
	CHECK_TEXT(buf, "HPA:0x1000..");

	/* Too small a buffer: cut, ended by a NUL, and the length it would have had. */
	CHECK_EQ(mm_gpa_format(small, sizeof(small), mm_gpa_at(0x40001000)), 14);
	CHECK_TEXT(small, "GPA:0x4");
	small[0] = small[1] = 'x';
	CHECK_EQ(mm_gpa_format(&small[1], 0, mm_gpa_at(1)), 7);
	CHECK_EQ(small[0], 'x');
	CHECK_EQ(small[1], 'x');
	CHECK_EQ(mm_gpa_format(small, 1, mm_gpa_at(1)), 7);
	CHECK_TEXT(small, "");
}

static void extension(void **state)
{
	(void)state;
	CHECK_EQ(mm_sign_extend(0x7f, 8), 0x7f);
	CHECK_EQ(mm_sign_extend(0x180, 8), -0x80);
	CHECK_EQ(mm_sign_extend(0x7ff, 12), 0x7ff);
	CHECK_EQ(mm_sign_extend(0xfff, 12), -1);
	CHECK_EQ(mm_sign_extend(1, 1), -1);
	CHECK_EQ(mm_sign_extend(TOP, 64), -1);
	CHECK_EQ(mm_sign_extend(TOP >> 1, 64), INT64_MAX);
	CHECK_EQ(mm_zero_extend(TOP, 8), 0xff);
	CHECK_EQ(mm_zero_extend(0x180, 8), 0x80);
	CHECK_EQ(mm_zero_extend(TOP, 1), 1);
	CHECK_EQ(mm_zero_extend(TOP, 64), TOP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alignment),
		cmocka_unit_test(addition),
		cmocka_unit_test(c09_range_validity),
		cmocka_unit_test(c09_relations_up_to_the_top),
		cmocka_unit_test(contains_does_not_wrap),
		cmocka_unit_test(text),
		cmocka_unit_test(extension),
	};
	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
