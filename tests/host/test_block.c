/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of frames that a caller owns: taken, filled, and given back exactly once. */
#include "check.h"
#include "hal_test.h"

#include <string.h>

#include "mm/block.h"

static void a_block_is_owned_from_taking_to_freeing(void **state)
{
	struct hal_test *hal = hal_test_open((struct hal_test_options){.frames = 64});
	struct mm_block block = {0};
	(void)state;
	CHECK_OK(mm_block_alloc(&hal->hal, 2, &block));
	CHECK(block.held);
	CHECK_EQ(mm_block_bytes(&block), 4 * MM_PAGE_SIZE);
	CHECK(mm_is_aligned(block.pa.raw, 4 * MM_PAGE_SIZE));
	CHECK_EQ(hal->in_use, 4);
	mm_block_fill(&hal->hal, &block, 0x5a);
	CHECK_BYTES(mm_block_ptr(&hal->hal, &block), 0x5a, 4 * MM_PAGE_SIZE);
	mm_block_free(&hal->hal, &block);
	CHECK(!block.held);
	CHECK_EQ(hal->in_use, 0);
	mm_block_free(&hal->hal, &block); /* holds nothing: nothing happens */
	hal_test_close(hal);
}

static void a_zeroed_block_is_zero(void **state)
{
	struct hal_test *hal = hal_test_open((struct hal_test_options){.frames = 64});
	struct mm_block block = {0};
	(void)state;
	CHECK_OK(mm_block_alloc_zeroed(&hal->hal, 1, &block));
	CHECK_BYTES(mm_block_ptr(&hal->hal, &block), 0, 2 * MM_PAGE_SIZE);
	mm_block_free(&hal->hal, &block);
	hal_test_close(hal);
}

static void without_memory_it_holds_nothing(void **state)
{
	struct hal_test *hal = hal_test_open((struct hal_test_options){.frames = 64});
	struct mm_block block = {0};
	(void)state;
	hal_test_fail_after(hal, 1);
	CHECK_ERR(mm_block_alloc(&hal->hal, 1, &block), MM_NO_MEMORY);
	CHECK(!block.held);
	CHECK_ERR(mm_block_alloc_zeroed(&hal->hal, 1, &block), MM_NO_MEMORY);
	CHECK(!block.held);
	mm_block_free(&hal->hal, &block);
	hal_test_close(hal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_is_owned_from_taking_to_freeing),
		cmocka_unit_test(a_zeroed_block_is_zero),
		cmocka_unit_test(without_memory_it_holds_nothing),
	};
	return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
