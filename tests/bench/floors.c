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

/* 1 GiB of 4 KiB entries, in 512 tables from the pool. */
void floor_linear(struct timer *t)
{
	pool_reset();
	timer_start(t);
	uint64_t entry = 0x40001037;
	for (unsigned i = 0; i < ENTRIES; i++) {
		volatile uint64_t *table =
			(uint64_t *)(pool.memory + pool.stack[--pool.free] * MM_PAGE_SIZE);
		for (unsigned e = 0; e < ENTRIES; e++, entry += MM_PAGE_SIZE)
			table[e] = entry;
	}
	timer_stop(t, ENTRIES * ENTRIES);
}

/* A reader's way into a lock, a frame off the stack, a walk of four levels, an entry written by
 * compare-and-swap, and out again. */
void floor_fault(struct timer *t)
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
	for (uint64_t page = 0; page < ENTRIES * ENTRIES; page++) {
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

static uint64_t walk(const uint64_t *root, uint64_t offset, uint64_t gpa)
{
	const uint64_t *table = root;
	uint64_t entry = 0;
	for (unsigned shift = 39; shift >= 12; shift -= 9) {
		entry = table[(gpa >> shift) & 511];
		if (entry & 0x80)
			break;
		table = (const uint64_t *)(uintptr_t)((entry & 0xffffffffff000) + offset);
	}
	return entry;
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
	timer_start(t);
	for (size_t i = 0; i < RANDOM_COUNT; i++) {
		uint64_t entry = walk(root, offset, GiB + at[i] + carried);
		sum += entry;
		if (chained)
			carried = never_set(entry);
	}
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

/* A binary search without branches over 10,000 packed keys. */
void floor_find(struct timer *t)
{
	enum {
		AREAS = 10000
	};
	static uint64_t starts[AREAS];
	const uint64_t *at = random_pages(AREAS * 16);
	uint64_t sum = 0;
	for (uint64_t i = 0; i < AREAS; i++)
		starts[i] = i * 16 * MM_PAGE_SIZE;
	timer_start(t);
	for (size_t i = 0; i < RANDOM_COUNT; i++) {
		const uint64_t *base = starts;
		for (size_t n = AREAS; n > 1; n -= n / 2)
			base += (size_t)(base[n / 2] <= at[i]) * (n / 2);
		sum += *base;
	}
	timer_stop(t, RANDOM_COUNT);
	sink = sum;
}
