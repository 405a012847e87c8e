/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One CPU by itself: its number, clearing frames, and making stores visible. The log uses this
 * file, so nothing here may log.
 */
#include "machine/x86_64/cpu.h"

#include "machine.h"
#include "machine/x86_64/desc.h"
#include "machine/x86_64/smp.h"

const char machine_arch[] = "x86_64";

unsigned cpus_up = 1;

unsigned machine_cpu_count(void)
{
	return cpus_up;
}

/* Each CPU has a TSS of its own, so the task register identifies it. */
unsigned machine_cpu_index(void)
{
	uint32_t tr;

	__asm__ volatile("str %0" : "=r"(tr));
	return (tr - SELECTOR_TSS) / TSS_DESC_SIZE;
}

void machine_relax(void)
{
	cpu_pause();
}

/* --- memory --- */

/* The page-table walkers of every CPU see stores in order: SDM vol. 3, 8.2.2. */
void (*const machine_publish)(void *ctx) = NULL;

void machine_zero(void *ctx, void *page, size_t bytes)
{
	size_t words = bytes / 8;

	(void)ctx;
	__asm__ volatile("rep stosq" : "+D"(page), "+c"(words) : "a"(UINT64_C(0)) : "memory");
}

/* Instruction fetch is coherent with stores. The next VM entry serializes, which drops prefetched
 * instructions: SDM vol. 3, 8.1.3 and 8.3. */
void machine_sync_code(const void *start, size_t bytes)
{
	(void)start;
	(void)bytes;
}
