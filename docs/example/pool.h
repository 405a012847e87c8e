/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine of all steps: what the library needs of the hypervisor that uses it. Frames are
 * memory of this process, so hpa = hva and direct_offset is 0.
 */
#ifndef POOL_H
#define POOL_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mm/aspace.h>

/*
 * `taken` has one entry per frame. Blocks are not recorded: frames that were allocated as one block
 * may be freed in pieces, and the reverse. The pool's start is aligned to its largest block.
 */
#define POOL_ORDER  9 /* 2 MiB */
#define POOL_FRAMES (4U << POOL_ORDER)

struct pool {
	unsigned char *memory;
	size_t in_use; /* frames */
	bool taken[POOL_FRAMES];
};

static inline bool is_free(const struct pool *pool, size_t first, size_t frames)
{
	return memchr(&pool->taken[first], true, frames) == NULL;
}

static inline void mark(struct pool *pool, size_t first, size_t frames, bool taken)
{
	for (size_t i = first; i < first + frames; i++) {
		/* A frame that is freed twice, or was never allocated, is a programming error:
		 * stop. */
		if (pool->taken[i] == taken)
			abort();
		pool->taken[i] = taken;
	}
}

/* Returns the first n free blocks, aligned to their size. Fewer than n: no more are free. */
static inline size_t frames_alloc(void *ctx, unsigned order, size_t n, mm_hpa_t out[])
{
	struct pool *pool = ctx;
	size_t frames = (size_t)1 << order, got = 0;

	for (size_t i = 0; got < n && i + frames <= POOL_FRAMES; i += frames) {
		if (order > POOL_ORDER || !is_free(pool, i, frames))
			continue;
		mark(pool, i, frames, true);
		pool->in_use += frames;
		out[got++] = mm_hpa_at((uintptr_t)&pool->memory[i * MM_PAGE_SIZE]);
	}
	return got;
}

static inline void frames_free(void *ctx, unsigned order, size_t n, const mm_hpa_t in[])
{
	struct pool *pool = ctx;
	size_t frames = (size_t)1 << order;

	for (size_t i = 0; i < n; i++) {
		size_t offset = (size_t)(in[i].raw - (uintptr_t)pool->memory);

		mark(pool, offset / MM_PAGE_SIZE, frames, false);
		pool->in_use -= frames;
	}
}

static inline void tlb_flush(void *ctx, const struct mm_flush *request)
{
	(void)ctx, (void)request; /* no hardware walks these tables */
}

/* An address space with Intel's format, 4 levels, and so many bytes from guest-physical 0. */
static inline bool pool_open(struct pool *pool, struct mm_aspace *as, uint64_t bytes)
{
	const struct mm_aspace_config config = {
		.format = &mm_npt_ept,
		.npt = {.levels = 4, .root_bits = 9, .hpa_bits = 48, .max_leaf = 2},
		.hal.ctx = pool,
		.hal.alloc = frames_alloc,
		.hal.free = frames_free,
		.hal.flush = tlb_flush,
		.limits = {{0}, bytes},
		.quota = UINT64_MAX,
	};

	pool->memory = aligned_alloc(MM_PAGE_SIZE << POOL_ORDER, MM_PAGE_SIZE * POOL_FRAMES);
	if (pool->memory && mm_aspace_init(as, &config) == MM_OK)
		return true;
	free(pool->memory);
	return false;
}

/* Prints what was used. True: every frame has come back. */
static inline bool pool_close(struct pool *pool, struct mm_aspace *as)
{
	struct mm_aspace_stats stats;

	mm_aspace_get_stats(as, &stats);
	mm_aspace_destroy(as);
	printf("frames=%" PRIu64 " tables=%" PRIu64 " leaked=%zu\n", stats.frames, stats.tables,
	       pool->in_use);
	free(pool->memory);
	return pool->in_use == 0;
}

#endif
