/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot memory map, and the frame allocator that is built on it. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "kernel/boot.h"
#include "kernel_stubs.h"

/* --- the map --- */

static void add(struct boot_info *info, enum boot_region_kind kind, uint64_t start, uint64_t size)
{
	info->regions[info->region_count++] =
		(struct boot_region){mm_hpa_range(mm_hpa_at(start), size), kind};
}

static void possible_maps_pass(void **state)
{
	struct boot_info info = {.region_count = 0};

	(void)state;
	add(&info, BOOT_RAM, 0x80000000, 0x10000);
	add(&info, BOOT_RAM, 0x80010000, 0x10000);        /* touches, and does not overlap */
	add(&info, BOOT_RAM, UINT64_MAX - 0xfff, 0x1000); /* ends at 2^64 */
	add(&info, BOOT_RESERVED, 0x80000000, 0x20000);
	add(&info, BOOT_RESERVED, 0x80000000, 0x1);
	info.guest_image = mm_hpa_range(mm_hpa_at(0x80001000), 0x100);
	CHECK(memory_map_check(&info) == NULL);
}

static void impossible_maps_are_refused(void **state)
{
	struct boot_info info = {.region_count = 0};

	(void)state;
	CHECK_TEXT(memory_map_check(&info), "no RAM");
	add(&info, BOOT_RESERVED, 0x1000, 0x1000);
	CHECK_TEXT(memory_map_check(&info), "no RAM");
	add(&info, BOOT_RAM, 0x80000000, 0x10000);
	add(&info, BOOT_RAM, 0x8000ffff, 0x10000);
	CHECK_TEXT(memory_map_check(&info), "two RAM regions overlap");
	info.region_count = 2;
	add(&info, BOOT_RESERVED, UINT64_MAX, 2);
	CHECK_TEXT(memory_map_check(&info), "a memory region is empty or wraps");
	info.region_count = 2;
	add(&info, BOOT_RAM, 0x1000, 0);
	CHECK_TEXT(memory_map_check(&info), "a memory region is empty or wraps");
	info.region_count = 2;
	info.guest_image = mm_hpa_range(mm_hpa_at(0x8000ff00), 0x101);
	CHECK_TEXT(memory_map_check(&info), "the guest image does not lie in RAM");
	info.guest_image = mm_hpa_range(mm_hpa_at(UINT64_MAX - 1), 0x101);
	CHECK_TEXT(memory_map_check(&info), "the guest image does not lie in RAM");
	info.region_count = BOOT_REGIONS + 1;
	CHECK_TEXT(memory_map_check(&info), "more memory regions than there is room for");
}

static void check_usable(const struct boot_info *info, size_t count, const uint64_t rows[][2])
{
	struct mm_hpa_range out[8];

	CHECK_EQ(memory_map_usable(info, out, 8), count);
	for (size_t i = 0; i < count; i++) {
		CHECK_EQ(out[i].start.raw, rows[i][0]);
		CHECK_EQ(out[i].size, rows[i][1]);
	}
}

static void reserved_is_cut_out(void **state)
{
	struct boot_info info = {.region_count = 0};

	(void)state;
	add(&info, BOOT_RAM, 0x100000, 0x10000);
	check_usable(&info, 1, (const uint64_t[][2]){{0x100000, 0x10000}});
	add(&info, BOOT_RESERVED, 0x104001, 0x10); /* one frame of it is lost */
	add(&info, BOOT_RESERVED, 0x104008, 0x18);
	check_usable(&info, 2, (const uint64_t[][2]){{0x100000, 0x4000}, {0x105000, 0xb000}});
	add(&info, BOOT_RESERVED, 0, 0x100800);          /* over the start */
	add(&info, BOOT_RESERVED, 0x10ffff, 0x10000000); /* over the end */
	check_usable(&info, 2, (const uint64_t[][2]){{0x101000, 0x3000}, {0x105000, 0xa000}});
	add(&info, BOOT_RESERVED, 0, UINT64_MAX);
	check_usable(&info, 0, NULL);
}

static void frame_zero_and_the_last_byte(void **state)
{
	struct boot_info info = {.region_count = 0};

	(void)state;
	add(&info, BOOT_RAM, UINT64_MAX - 0x1fff, 0x2000); /* found after the one below */
	add(&info, BOOT_RAM, 0, 0x2800);
	check_usable(&info, 2,
	             (const uint64_t[][2]){{0x1000, 0x1000}, {UINT64_MAX - 0x1fff, 0x2000}});
}

/* --- frames --- */

#define ARENA_BYTES  (UINT64_C(128) << 20)
#define ARENA_FRAMES (ARENA_BYTES / MM_PAGE_SIZE)
#define LIVE         20000

static struct {
	uint8_t *base;
	uint8_t owners[ARENA_FRAMES]; /* of each frame: 0 or 1, or it has two */
	struct {
		mm_hpa_t pa;
		unsigned order;
	} live[LIVE];
	size_t count;
} arena;

/*
 * Two zones with a hole between them, and one that is too small to be used. The allocator is
 * initialised once: each test gives back what it takes.
 *
 * The arena is aligned to its own size. Where the host's malloc() puts it must not decide how
 * many aligned 16 MiB blocks it holds:
 *
 *	MiB  15 16         32 35   36        48         64        76  78
 *	     |--|--block---|--|    |---------|--block---|---------|   |one frame|
 */
static int make_arena(void **state)
{
	uint64_t base;
	struct mm_hpa_range ranges[3];

	(void)state;
	arena.base = aligned_alloc(ARENA_BYTES, ARENA_BYTES);
	if (!arena.base)
		return -1;
	base = (uintptr_t)arena.base;
	ranges[0] = mm_hpa_range(mm_hpa_at(base + (15 << 20)), 20 << 20);
	ranges[1] = mm_hpa_range(mm_hpa_at(base + (36 << 20)), (40 << 20) + 3 * MM_PAGE_SIZE);
	ranges[2] = mm_hpa_range(mm_hpa_at(base + (78 << 20)), MM_PAGE_SIZE);
	return frame_init(ranges, 3) ? 0 : -1;
}

static bool take(unsigned order)
{
	mm_hpa_t pa;

	if (arena.count == LIVE || !frame_alloc(order, &pa))
		return false;
	CHECK(mm_hpa_is_aligned(pa, MM_PAGE_SIZE << order));
	for (uint64_t i = 0; i < UINT64_C(1) << order; i++)
		CHECK_EQ(arena.owners[(pa.raw - (uintptr_t)arena.base) / MM_PAGE_SIZE + i]++, 0);
	arena.live[arena.count].pa = pa;
	arena.live[arena.count++].order = order;
	return true;
}

static void give(size_t at)
{
	mm_hpa_t pa = arena.live[at].pa;
	unsigned order = arena.live[at].order;

	for (uint64_t i = 0; i < UINT64_C(1) << order; i++)
		arena.owners[(pa.raw - (uintptr_t)arena.base) / MM_PAGE_SIZE + i]--;
	frame_free(order, pa);
	arena.live[at] = arena.live[--arena.count];
}

static void give_all(void)
{
	while (arena.count > 0)
		give(arena.count - 1);
	CHECK_EQ(frames_free(), frames_total());
}

static void single_frames_ascend(void **state)
{
	uint64_t descents = 0;

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		CHECK(take(0));
		descents += i > 0 && arena.live[i].pa.raw < arena.live[i - 1].pa.raw;
	}
	CHECK(descents <= 4); /* where the fragments at the ends of zones run out */
	give_all();
}

static void all_of_it_can_be_had(void **state)
{
	uint64_t frames = 0;

	(void)state;
	while (take(0))
		frames++;
	CHECK_EQ(frames, frames_total());
	CHECK_EQ(frames_free(), 0);
	give_all();
	/* Merged again: both aligned blocks of 16 MiB, and no third. */
	CHECK(take(12));
	CHECK(take(12));
	CHECK(!take(12));
	give_all();
}

static void too_large_a_block(void **state)
{
	mm_hpa_t pa = mm_hpa_at(42), many[4];
	size_t got;

	(void)state;
	CHECK(!frame_alloc(FRAME_MAX_ORDER, &pa));
	CHECK(!frame_alloc(FRAME_MAX_ORDER + 1, &pa));
	CHECK_EQ(pa.raw, 42);
	got = frame_alloc_many(12, 4, many);
	CHECK_EQ(got, 2);
	frame_free_many(12, got, many);
	CHECK_EQ(frames_free(), frames_total());
}

static void random_blocks(void **state)
{
	struct rng rng = rng_seeded(3);

	(void)state;
	for (int i = 0; i < 300000; i++) {
		uint64_t growing = i / 30000 % 2 == 0 ? 60 : 45;

		if (rng_below(&rng, 100) < growing)
			(void)take((unsigned)rng_below(&rng, rng_below(&rng, 8) == 0 ? 11 : 3));
		else if (arena.count > 0)
			give(rng_below(&rng, arena.count));
	}
	give_all();
}

static void a_second_free_is_caught(void **state)
{
	jmp_buf env;
	mm_hpa_t pa;

	(void)state;
	CHECK(frame_alloc(3, &pa));
	frame_free(3, pa);
	stubs_panic = &env;
	if (setjmp(env) == 0) {
		frame_free(3, pa);
		check_failed(__FILE__, __LINE__, "freed twice, and nobody noticed");
	}
	stubs_panic = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(possible_maps_pass),
		cmocka_unit_test(impossible_maps_are_refused),
		cmocka_unit_test(reserved_is_cut_out),
		cmocka_unit_test(frame_zero_and_the_last_byte),
		cmocka_unit_test(single_frames_ascend),
		cmocka_unit_test(all_of_it_can_be_had),
		cmocka_unit_test(too_large_a_block),
		cmocka_unit_test(random_blocks),
		cmocka_unit_test(a_second_free_is_caught), /* last: it leaves the lock held */
	};

	return cmocka_run_group_tests(tests, make_arena, NULL);
}
