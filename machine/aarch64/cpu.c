/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One CPU by itself: its number, its start-up, and its caches: clearing frames, and making stores
 * visible to what does not read this CPU's caches (a guest with caches off, instruction fetch). The
 * log uses this file, so nothing here may log.
 */
#include "machine/aarch64/cpu.h"

#include <stddef.h>

#include "machine/aarch64/irq.h"
#include "machine/aarch64/timer.h"

#include "mm/bits.h"

const char machine_arch[] = "aarch64";

unsigned cpus_up = 1;

unsigned machine_cpu_count(void)
{
	return cpus_up;
}

unsigned machine_cpu_index(void)
{
	return (unsigned)this_cpu()->index;
}

void machine_relax(void)
{
	__asm__ volatile("yield" : : : "memory");
}

/* SErrors are unmasked: they are reported, too. */
void cpu_init(void)
{
	timer_init_cpu();
	irq_init_cpu(this_cpu());
	__asm__ volatile("msr daifclr, #4" : : : "memory");
}

/* --- caches --- */

SYSREG_READ(ctr_el0, "ctr_el0")
SYSREG_READ(dczid_el0, "dczid_el0")

/* Arm ARM D17.2.34 and D17.2.43: sizes are log2 of words. */
#define CTR_IMINLINE GENMASK(3, 0)
#define CTR_DMINLINE GENMASK(19, 16)
#define DCZID_BS     GENMASK(3, 0)
#define DCZID_DZP    BIT(4)

#define UNROLL 8

static uint64_t words(uint64_t log2)
{
	return UINT64_C(4) << log2;
}

static inline void clean_line(uint64_t at)
{
	__asm__ volatile("dc civac, %0" : : "r"(at) : "memory");
}

static void clean_range(uint64_t start, uint64_t end)
{
	uint64_t line = words(FIELD_GET(CTR_DMINLINE, read_ctr_el0()));

	for (uint64_t at = mm_align_down(start, line); at < end; at += line)
		clean_line(at);
}

/* Where a block of DC ZVA is one cache line, as on almost every CPU: zero and clean in one pass. */
static void zero_by_lines(uint64_t at, uint64_t end, uint64_t line)
{
	while (at != end) {
		for (unsigned i = 0; i < UNROLL; i++, at += line)
			__asm__ volatile("dc zva, %0\n\tdc civac, %0" : : "r"(at) : "memory");
	}
}

static void zero_by_stores(uint64_t at, uint64_t end)
{
	for (; at != end; at += 16)
		__asm__ volatile("stp xzr, xzr, [%0]" : : "r"(at) : "memory");
}

static void zero_by_blocks(uint64_t at, uint64_t end, uint64_t block)
{
	for (; at != end; at += block)
		__asm__ volatile("dc zva, %0" : : "r"(at) : "memory");
}

void machine_zero(void *ctx, void *page, size_t bytes)
{
	uint64_t start = (uint64_t)(uintptr_t)page;
	uint64_t end = start + bytes;
	uint64_t zva = read_dczid_el0();
	uint64_t block = words(FIELD_GET(DCZID_BS, zva));

	(void)ctx;
	if ((zva & DCZID_DZP) == 0 && block == words(FIELD_GET(CTR_DMINLINE, read_ctr_el0()))) {
		zero_by_lines(start, end, block);
	} else {
		if ((zva & DCZID_DZP) == 0)
			zero_by_blocks(start, end, block);
		else
			zero_by_stores(start, end);
		clean_range(start, end);
	}
	dsb_ish();
}

/* The page-table walkers of other CPUs must see an entry before the guest continues there. */
static void publish(void *ctx)
{
	(void)ctx;
	dsb_ishst();
}

void (*const machine_publish)(void *ctx) = publish;

/* Arm ARM B2.7.4.2: clean data, wait, invalidate instructions, wait. Data is cleaned to the point
 * of coherency, since a guest may fetch with its caches off. */
void machine_sync_code(const void *start, size_t bytes)
{
	uint64_t from = (uint64_t)(uintptr_t)start;
	uint64_t line = words(FIELD_GET(CTR_IMINLINE, read_ctr_el0()));

	clean_range(from, from + bytes);
	dsb_ish();
	for (uint64_t at = mm_align_down(from, line); at < from + bytes; at += line)
		__asm__ volatile("ic ivau, %0" : : "r"(at) : "memory");
	dsb_ish();
	isb();
}
