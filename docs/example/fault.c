/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A short example of the library. It makes an address space on a pool of frames and maps 1 GiB
 * lazily, which takes no frame. It handles one nested fault. Then it unmaps a part of a large page,
 * so that the page's block is freed in pieces.
 *
 *	make lib
 *	export PKG_CONFIG_PATH=$PWD/build/lib/host/lib/pkgconfig
 *	cc docs/example/fault.c $(pkg-config --cflags --libs faultline-mm) -o fault && ./fault
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mm/aspace.h>

/*
 * The frame allocator: memory of this process, so hpa = hva and direct_offset is 0. `taken` has one
 * entry per frame. Blocks are not recorded: frames that were allocated as one block may be freed in
 * pieces, and the reverse. The pool's start is aligned to its largest block.
 */
#define POOL_ORDER  9 /* 2 MiB */
#define POOL_FRAMES (4U << POOL_ORDER)

struct pool {
	unsigned char *memory;
	size_t in_use; /* frames */
	bool taken[POOL_FRAMES];
};

static bool is_free(const struct pool *pool, size_t first, size_t frames)
{
	return memchr(&pool->taken[first], true, frames) == NULL;
}

static void mark(struct pool *pool, size_t first, size_t frames, bool taken)
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
static size_t frames_alloc(void *ctx, unsigned order, size_t n, mm_hpa_t out[])
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

static void frames_free(void *ctx, unsigned order, size_t n, const mm_hpa_t in[])
{
	struct pool *pool = ctx;
	size_t frames = (size_t)1 << order;

	for (size_t i = 0; i < n; i++) {
		size_t offset = (size_t)(in[i].raw - (uintptr_t)pool->memory);

		mark(pool, offset / MM_PAGE_SIZE, frames, false);
		pool->in_use -= frames;
	}
}

static void tlb_flush(void *ctx, const struct mm_flush *request)
{
	(void)ctx, (void)request; /* no hardware walks these tables */
}

/* 1 GiB of memory at guest-physical 0x40000000, and a guest that writes to 0x40001234. */
static bool lazy(struct mm_aspace *as)
{
	const struct mm_gpa_range ram = {mm_gpa_at(0x40000000), UINT64_C(1) << 30};
	struct mm_aspace_translation where;
	uint64_t value = 0;

	if (mm_aspace_map_alloc(as, ram, MM_RW, (struct mm_aspace_backing){.populate = false}) !=
	    MM_OK)
		return false;

	/* The hardware finds no entry and exits: */
	enum mm_fault fault = mm_aspace_fault(as, mm_gpa_at(0x40001234), MM_W);

	if (mm_aspace_store(as, mm_gpa_at(0x40001238), 8, 42) != MM_OK ||
	    mm_aspace_load(as, mm_gpa_at(0x40001238), 8, &value) != MM_OK ||
	    mm_aspace_translate(as, mm_gpa_at(0x40001234), &where) != MM_OK)
		return false;
	printf("fault=%s page=%" PRIu64 " value=%" PRIu64, mm_fault_name(fault), where.page_size,
	       value);
	return true;
}

/* One 2 MiB page, populated at once. Its block is freed in two parts: one page now, and the other
 * 511 pages when the address space ends. */
static bool large(struct mm_aspace *as)
{
	const struct mm_gpa_range block = {mm_gpa_at(0), UINT64_C(2) << 20};
	const struct mm_gpa_range page = {mm_gpa_at(0x5000), MM_PAGE_SIZE};
	const struct mm_aspace_backing now = {.populate = true, .max_leaf = 1};

	return mm_aspace_map_alloc(as, block, MM_RWX, now) == MM_OK &&
	       mm_aspace_unmap(as, page) == MM_OK;
}

int main(void)
{
	static struct mm_aspace as;
	static struct pool pool;
	const struct mm_aspace_config config = {
		.format = &mm_npt_ept,
		.npt = {.levels = 4, .root_bits = 9, .hpa_bits = 48, .max_leaf = 2},
		.hal.ctx = &pool,
		.hal.alloc = frames_alloc,
		.hal.free = frames_free,
		.hal.flush = tlb_flush,
		.limits = {{0}, UINT64_C(1) << 39},
		.quota = UINT64_MAX,
	};
	struct mm_aspace_stats stats;
	bool done;

	pool.memory = aligned_alloc(MM_PAGE_SIZE << POOL_ORDER, MM_PAGE_SIZE * POOL_FRAMES);
	if (!pool.memory || mm_aspace_init(&as, &config) != MM_OK)
		return 1;
	done = lazy(&as) && large(&as);
	mm_aspace_get_stats(&as, &stats);
	mm_aspace_destroy(&as);
	printf(" frames=%" PRIu64 " tables=%" PRIu64 " leaked=%zu\n", stats.frames, stats.tables,
	       pool.in_use);
	free(pool.memory);
	return done && pool.in_use == 0 ? 0 : 1;
}
