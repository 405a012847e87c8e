/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's frame allocator: a buddy allocator over the boot memory map. Any CPU may call it;
 * there is one lock. A block is 2^order frames, naturally aligned. `leaked=0` in the log is
 * computed from frames_free().
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/addr.h"
#include "mm/compiler.h"

#define FRAME_MAX_ORDER 18 /* 1 GiB blocks */

/* Once: gives these disjoint, page-aligned ranges to the allocator. It keeps its bitmaps in the
 * first frames of each range, which are not counted. False: no range has room for them. */
bool frame_init(const struct mm_hpa_range ranges[], size_t count) MM_MUST_CHECK;

/* False: no block is left, and *out is not written. The contents of the block are undefined. Takes
 * the lowest block of the smallest order that suffices, so a series of allocations ascends. */
bool frame_alloc(unsigned order, mm_hpa_t *out) MM_MUST_CHECK;
/* Panics if the block is not allocated. */
void frame_free(unsigned order, mm_hpa_t pa);

/* The same for n blocks, with the lock taken once. Answers how many it allocated, 0 to n. */
size_t frame_alloc_many(unsigned order, size_t n, mm_hpa_t out[]) MM_MUST_CHECK;
void frame_free_many(unsigned order, size_t n, const mm_hpa_t in[]);

uint64_t frames_free(void);
uint64_t frames_total(void);

/* RAM is mapped at virtual = physical in the hypervisor. */
static inline void *frame_ptr(mm_hpa_t pa)
{
	return (void *)(uintptr_t)pa.raw;
}

static inline mm_hpa_t frame_of(const void *ptr)
{
	return mm_hpa_at((uint64_t)(uintptr_t)ptr);
}

#endif
