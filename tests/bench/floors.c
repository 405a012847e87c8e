/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least code that does each job: the stores and loads that the hardware's tables demand, in
 * straight loops, with nothing checked and nothing looked up twice. No correct code can be faster.
 */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#include "mm/compiler.h"

#define ENTRIES 512

static volatile uint64_t sink;

/* 1 GiB of 4 KiB entries, in 512 tables from the pool. The compiler may store several at once. Four
 * times, as the workload. */
void floor_linear(struct timer *t)
{
	pool_reset();
	for (unsigned round = 0; round < 4; round++, pool.free += ENTRIES) {
		timer_start(t);
		uint64_t first = 0x40001037;
		for (unsigned i = 0; i < ENTRIES; i++) {
			uint64_t *table =
				(uint64_t *)(pool.memory + pool.stack[--pool.free] * MM_PAGE_SIZE);
			for (uint64_t e = 0; e < ENTRIES; e++)
				table[e] = first + e * MM_PAGE_SIZE;
			first += ENTRIES * MM_PAGE_SIZE;
		}
		timer_stop(t, ENTRIES * ENTRIES);
	}
}

/* A reader's way into a lock, a frame off the stack, a walk of four levels, an entry written by
 * compare-and-swap, and out again. */
static MM_ALWAYS_INLINE void fault_floor(struct timer *t, const uint32_t *order)
{
	static _Alignas(64) volatile uint32_t inside;
	static _Alignas(64) volatile uint32_t writer;
	uint64_t *tables = (uint64_t *)pool.memory;
	pool_reset();
	/* Tables 0, 1, 2 above 512 of the lowest level, linked before. */
	memset(tables, 0, (3 + ENTRIES) * MM_PAGE_SIZE);
	tables[0] = (uint64_t)(uintptr_t)&tables[ENTRIES];
	tables[ENTRIES] = (uint64_t)(uintptr_t)&tables[2 * ENTRIES];
	for (uint64_t i = 0; i < ENTRIES; i++)
		tables[2 * ENTRIES + i] = (uint64_t)(uintptr_t)&tables[(3 + i) * ENTRIES];
	timer_start(t);
	for (uint64_t n = 0; n < ENTRIES * ENTRIES; n++) {
		uint64_t page = order ? order[n] : n;
		__atomic_store_n(&inside, 1, __ATOMIC_SEQ_CST);
		if (writer)
			abort();
		const uint64_t *l3 = tables;
		const uint64_t *l2 = (const uint64_t *)(uintptr_t)l3[page >> 27];
		const uint64_t *l1 = (const uint64_t *)(uintptr_t)l2[(page >> 18) & 511];
		uint64_t *l0 = (uint64_t *)(uintptr_t)l1[(page >> 9) & 511];
		uint64_t absent = 0;
		uint64_t entry = (uint64_t)pool.stack[--pool.free] * MM_PAGE_SIZE | 0x37;
		__atomic_compare_exchange_n(&l0[page & 511], &absent, entry, false,
		                            __ATOMIC_RELEASE, __ATOMIC_RELAXED);
		__atomic_store_n(&inside, 0, __ATOMIC_RELEASE);
	}
	timer_stop(t, ENTRIES * ENTRIES);
}

void floor_fault(struct timer *t)
{
	fault_floor(t, NULL);
}

void floor_fault_random(struct timer *t)
{
	fault_floor(t, scrambled(ENTRIES * ENTRIES));
}

void floor_zero_cold(struct timer *t)
{
	timer_start(t);
	for (uint64_t page = 0; page < 256 * MiB / MM_PAGE_SIZE; page++)
		memset(pool.memory + page * MM_PAGE_SIZE, 0, MM_PAGE_SIZE);
	timer_stop(t, 256 * MiB / MM_PAGE_SIZE);
}

void floor_zero_warm(struct timer *t)
{
	for (unsigned round = 0; round < 512; round++) {
		timer_start(t);
		for (uint64_t page = 0; page < 64; page++)
			memset(pool.memory + page * MM_PAGE_SIZE, 0, MM_PAGE_SIZE);
		timer_stop(t, 64);
	}
}

/* --- translation: the same tables that the library made --- */

/* The last two levels: all addresses are in one GiB, so the table that maps it is found once. */
static MM_ALWAYS_INLINE uint64_t walk_in_gib(const uint64_t *table, uint64_t offset, uint64_t gpa)
{
	uint64_t entry = table[(gpa >> 21) & 511];
	if (entry & 0x80)
		return entry;
	table = (const uint64_t *)(uintptr_t)((entry & 0xffffffffff000) + offset);
	return table[(gpa >> 12) & 511];
}

static const uint64_t *below(const uint64_t *table, uint64_t index, uint64_t offset)
{
	return (const uint64_t *)(uintptr_t)((table[index] & 0xffffffffff000) + offset);
}

/* All four levels of a page of 4 KiB. */
static MM_ALWAYS_INLINE uint64_t walk(const uint64_t *root, uint64_t offset, uint64_t gpa)
{
	const uint64_t *l2 = below(root, gpa >> 39, offset);
	return walk_in_gib(below(l2, (gpa >> 30) & 511, offset), offset, gpa);
}

/* `chained` is a constant: each walk's address waits for the last one's entry, or for nothing. */
static MM_ALWAYS_INLINE void translate_floor(struct timer *t, unsigned level, bool chained)
{
	static struct mm_aspace as;
	const uint64_t *at = random_pages(GiB / MM_PAGE_SIZE);
	uint64_t offset = pool.hal.direct_offset;
	uint64_t sum = 0, carried = 0;

	pool_reset();
	bench_aspace(&as, false, UINT64_MAX);
	bench_map_present(&as, level);
	const uint64_t *root = (const uint64_t *)(uintptr_t)(mm_aspace_root(&as).raw + offset);
	const uint64_t *table = below(below(root, 0, offset), 1, offset);
	timer_start(t);
	for (size_t i = 0; i < RANDOM_COUNT; i++) {
		uint64_t entry = walk_in_gib(table, offset, GiB + at[i] + carried);
		sum += entry;
		if (chained)
			carried = never_set(entry);
	}
	timer_stop(t, RANDOM_COUNT);
	sink = sum;
	mm_aspace_destroy(&as);
}

/* At random in 64 GiB of small pages. */
void floor_translate_far(struct timer *t)
{
	static struct mm_aspace as;
	const uint64_t *at = random_pages(64 * GiB / MM_PAGE_SIZE);
	uint64_t offset = pool.hal.direct_offset;
	uint64_t sum = 0;

	pool_reset();
	bench_aspace(&as, false, UINT64_MAX);
	must(mm_aspace_map_linear(&as, mm_gpa_range(mm_gpa_at(GiB), 64 * GiB), mm_hpa_at(GiB),
	                          MM_RWX, MM_NORMAL, 0));
	const uint64_t *root = (const uint64_t *)(uintptr_t)(mm_aspace_root(&as).raw + offset);
	timer_start(t);
	for (size_t i = 0; i < RANDOM_COUNT; i++)
		sum += walk(root, offset, GiB + at[i]);
	timer_stop(t, RANDOM_COUNT);
	sink = sum;
	mm_aspace_destroy(&as);
}

void floor_translate(struct timer *t)
{
	translate_floor(t, 0, false);
}

void floor_translate_chain(struct timer *t)
{
	translate_floor(t, 0, true);
}

void floor_translate_large(struct timer *t)
{
	translate_floor(t, 1, false);
}

void floor_translate_large_chain(struct timer *t)
{
	translate_floor(t, 1, true);
}

/* Reads each entry, clears it, and pushes its frame back. */
void floor_unmap(struct timer *t)
{
	uint64_t *entries = (uint64_t *)pool.memory;
	pool_reset();
	for (uint64_t i = 0; i < ENTRIES * ENTRIES; i++)
		entries[i] = (uint64_t)pool.stack[--pool.free] * MM_PAGE_SIZE | 0x37;
	timer_start(t);
	for (uint64_t i = 0; i < ENTRIES * ENTRIES; i++) {
		volatile uint64_t *entry = &entries[i];
		pool.stack[pool.free++] = (uint32_t)(*entry / MM_PAGE_SIZE);
		*entry = 0;
	}
	timer_stop(t, ENTRIES * ENTRIES);
}

typedef int32_t lanes __attribute__((__vector_size__(16)));

/* The number of keys, out of n, that are at most `key`: four at a time. n is a multiple of 4. */
static MM_ALWAYS_INLINE uint32_t count_at_most(const int32_t *keys, uint32_t n, int32_t key)
{
	lanes wanted = {key, key, key, key}, count = {0};
	for (uint32_t i = 0; i < n; i += 4)
		count -= *(const lanes *)(const void *)&keys[i] <= wanted;
	return (uint32_t)(count[0] + count[1] + count[2] + count[3]);
}

/* Page numbers of 32 bits in three levels of 24 keys each: a search that compares four keys at a
 * time, and whose loads of a level wait for nothing but the level above. */
void floor_find(struct timer *t)
{
	enum {
		AREAS = 10000,
		FAN = 24
	};
	static _Alignas(16) int32_t starts[AREAS + FAN], top[FAN];
	static _Alignas(16) int32_t middle[AREAS / FAN + 2 * FAN];
	const uint64_t *at = random_pages(AREAS * 16);
	uint64_t sum = 0;
	memset(middle, 0x7f, sizeof(middle));
	memset(top, 0x7f, sizeof(top));
	for (int32_t i = AREAS - 1; i >= 0; i--) {
		starts[i] = i * 16;
		middle[i / FAN] = i / FAN * FAN * 16;
		top[i / FAN / FAN] = i / FAN / FAN * FAN * FAN * 16;
	}
	for (int32_t i = AREAS; i < AREAS + FAN; i++)
		starts[i] = INT32_MAX;
	timer_start(t);
	for (size_t i = 0; i < RANDOM_COUNT; i++) {
		int32_t key = (int32_t)(at[i] / MM_PAGE_SIZE);
		uint32_t slot = count_at_most(top, FAN, key) - 1;
		slot = slot * FAN + count_at_most(&middle[slot * FAN], FAN, key) - 1;
		slot = slot * FAN + count_at_most(&starts[slot * FAN], FAN, key) - 1;
		sum += (uint64_t)starts[slot];
	}
	timer_stop(t, RANDOM_COUNT);
	sink = sum;
}
