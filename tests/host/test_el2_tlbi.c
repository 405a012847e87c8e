/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TLBI operands of el2/tlbi.h. They are decoded here as the Arm ARM describes them (D8.13.6):
 * they cover the range from its first to its last page, without a gap, and nothing beyond the
 * entries of the range.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "el2/tlbi.h"
#include "mm/addr.h"

#define PAGES_2M UINT64_C(512)
#define PAGES_1G (PAGES_2M * 512)

static uint64_t field(uint64_t operand, unsigned low, unsigned bits)
{
	return operand >> low & ((UINT64_C(1) << bits) - 1);
}

/* The pages that one instruction invalidates, if the entries have `entry` pages. */
static void decode(const struct el2_tlbi *insn, uint64_t entry, uint64_t *first, uint64_t *pages)
{
	if (!insn->range) {
		assert_int_equal(field(insn->operand, 40, 24), 0); /* no TTL, not secure */
		*first = field(insn->operand, 0, 40) / entry * entry;
		*pages = entry;
		return;
	}
	assert_int_equal(field(insn->operand, 46, 2), 1); /* TG: 4 KiB */
	assert_int_equal(field(insn->operand, 37, 2), 0); /* TTL */
	assert_int_equal(field(insn->operand, 48, 16), 0);
	*first = field(insn->operand, 0, 37);
	*pages = (field(insn->operand, 39, 5) + 1) << (5 * field(insn->operand, 44, 2) + 1);
}

static uint64_t entry_pages(unsigned level)
{
	return level == 0 ? 1 : level == 1 ? PAGES_2M : PAGES_1G;
}

static struct mm_flush request_of(uint64_t page, uint64_t pages, unsigned level)
{
	return (struct mm_flush){
		.range = {.start = {page << 12}, .size = pages << 12},
		.leaf_level = level,
	};
}

/* True: by range or singly; false: all. */
static bool check(uint64_t page, uint64_t pages, unsigned level, bool ranges)
{
	struct mm_flush request = request_of(page, pages, level);
	uint64_t entry = entry_pages(level), at = page, count = 0, first, taken;
	struct el2_tlbi_plan plan;
	struct el2_tlbi insn;

	if (!el2_tlbi_begin(&plan, &request, ranges))
		return false;
	while (el2_tlbi_next(&plan, &insn)) {
		assert_true(ranges || !insn.range);
		decode(&insn, entry, &first, &taken);
		assert_true(first <= at); /* no gap */
		assert_true(first + taken > at);
		assert_true(first >= page / entry * entry);
		at = first + taken;
		assert_true(++count <= 66);
	}
	assert_true(at >= page + pages);
	assert_true(at < page + pages + entry);
	return true;
}

static const uint64_t starts[] = {
	0,
	1,
	2,
	3,
	63,
	64,
	511,
	512,
	513,
	PAGES_1G - 1,
	PAGES_1G,
	PAGES_1G + 1,
	(UINT64_C(1) << 27) - 1,
	(UINT64_C(1) << 35) + 12345,
};

#define STARTS (sizeof(starts) / sizeof(starts[0]))

/* Every number of pages up to 70, and 2^k - 1, 2^k and 2^k + 1. */
static uint64_t pages_number(unsigned i)
{
	if (i < 70)
		return i + 1;
	i -= 70;
	return (UINT64_C(1) << (i / 3 + 6)) + i % 3 - 1;
}

#define NUMBERS (70 + 3 * 18)

static void pages_with_ranges(void **state)
{
	(void)state;
	for (size_t s = 0; s < STARTS; s++) {
		for (unsigned i = 0; i < NUMBERS; i++) {
			uint64_t pages = pages_number(i);

			assert_int_equal(check(starts[s], pages, 0, true), pages < UINT64_C(1)
			                                                                   << 21);
		}
	}
}

static void pages_without_ranges(void **state)
{
	(void)state;
	for (size_t s = 0; s < STARTS; s++) {
		for (unsigned i = 0; i < NUMBERS; i++)
			assert_int_equal(check(starts[s], pages_number(i), 0, false),
			                 pages_number(i) <= 64);
	}
}

/* Leaves of 2 MiB and 1 GiB: one instruction for each, whatever the alignment of the range. */
static void large_leaves(void **state)
{
	(void)state;
	for (size_t s = 0; s < STARTS; s++) {
		for (uint64_t leaves = 1; leaves <= 64; leaves++) {
			assert_true(check(starts[s] / PAGES_2M * PAGES_2M, leaves * PAGES_2M, 1,
			                  false));
			assert_true(check(starts[s] / PAGES_1G * PAGES_1G, leaves * PAGES_1G, 2,
			                  false));
		}
		assert_false(check(starts[s] / PAGES_2M * PAGES_2M, 65 * PAGES_2M, 1, false));
		assert_true(check(starts[s], 1, 1, false));
		assert_true(check(starts[s], PAGES_2M, 1, false));
		assert_true(check(starts[s], PAGES_2M + 1, 1, false));
	}
}

/* Every even number and odd number below 2^21 in steps that reach each NUM of each SCALE. */
static void every_num_and_scale(void **state)
{
	(void)state;
	for (unsigned scale = 0; scale < 4; scale++) {
		for (uint64_t num = 0; num < 32; num++) {
			uint64_t pages = (num + 1) << (5 * scale + 1);

			if (pages < UINT64_C(1) << 21)
				assert_true(check(4096, pages, 0, true));
			if (pages > 2 && pages < UINT64_C(1) << 21) {
				assert_true(check(4096, pages - 1, 0, true));
				assert_true(check(4096, pages - 2, 0, true));
			}
		}
	}
	for (uint64_t pages = 65; pages < 70000; pages++)
		assert_true(check(77, pages, 0, true));
}

/* BaseADDR has 37 bits. */
static void end_of_the_field(void **state)
{
	uint64_t end = UINT64_C(1) << 37;

	(void)state;
	assert_true(check(end - 1000, 999, 0, true));
	assert_false(check(end - 1000, 1001, 0, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_with_ranges), cmocka_unit_test(pages_without_ranges),
		cmocka_unit_test(large_leaves),      cmocka_unit_test(every_num_and_scale),
		cmocka_unit_test(end_of_the_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
