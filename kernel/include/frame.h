/*
 * The host's frame allocator: a buddy allocator over the boot memory map, one lock, any CPU.
 * Blocks are 2^order frames, naturally aligned. Its numbers are what `leaked=0` is made of.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/addr.h"
#include "mm/compiler.h"

#define FRAME_MAX_ORDER 18 /* 1 GiB blocks */

/* Once: makes these disjoint, page-aligned ranges the allocator's. Its bookkeeping lies in the
 * first frames of each, and those count as nobody's. False: no range has room for that. */
bool frame_init(const struct hpa_range ranges[], size_t count) MM_MUST_CHECK;

/* False: none left, *out untouched. Contents are undefined. The lowest block that splits no
 * larger one than it must: a run of allocations ascends. */
bool frame_alloc(unsigned order, hpa_t *out) MM_MUST_CHECK;
/* Freeing what is not allocated is our own mistake: a panic. */
void frame_free(unsigned order, hpa_t pa);

/* The same for n blocks under one lock. Answers how many it got, 0 to n. */
size_t frame_alloc_many(unsigned order, size_t n, hpa_t out[]) MM_MUST_CHECK;
void frame_free_many(unsigned order, size_t n, const hpa_t in[]);

uint64_t frames_free(void);
uint64_t frames_total(void);

/* RAM is mapped at virtual = physical in the hypervisor. */
static inline void *frame_ptr(hpa_t pa)
{
	return (void *)(uintptr_t)pa.raw;
}

static inline hpa_t frame_of(const void *ptr)
{
	return hpa_at((uint64_t)(uintptr_t)ptr);
}

#endif
