/*
 * The library in one screen: an address space on a pool of frames, 1 GiB mapped lazily for the
 * price of an entry in a list, one nested fault handled; then a large page of which one part is
 * unmapped, so that its block comes back in pieces.
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
 * The frame allocator: memory of this process, so hpa = hva and direct_offset stays 0. `taken` has
 * one entry per frame, and no record of blocks: what was taken as one block may come back in
 * pieces, and the other way round. The pool's start is aligned to its largest block.
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
		/* A frame that is freed twice, or was never taken, is a defect worth a stop. */
		if (pool->taken[i] == taken)
			abort();
		pool->taken[i] = taken;
	}
}

/* The first n free blocks, aligned to their size. Fewer than n: no more are free. */
static size_t frames_alloc(void *ctx, unsigned order, size_t n, hpa_t out[])
{
	struct pool *pool = ctx;
	size_t frames = (size_t)1 << order, got = 0;

	for (size_t i = 0; got < n && i + frames <= POOL_FRAMES; i += frames) {
		if (order > POOL_ORDER || !is_free(pool, i, frames))
			continue;
		mark(pool, i, frames, true);
		pool->in_use += frames;
		out[got++] = hpa_at((uintptr_t)&pool->memory[i * MM_PAGE_SIZE]);
	}
	return got;
}

static void frames_free(void *ctx, unsigned order, size_t n, const hpa_t in[])
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
static bool lazy(struct aspace *as)
{
	const struct gpa_range ram = {gpa_at(0x40000000), UINT64_C(1) << 30};
	struct aspace_translation where;
	uint64_t value = 0;

	if (aspace_map_alloc(as, ram, MM_RW, (struct aspace_backing){.populate = false}) != MM_OK)
		return false;

	/* The hardware finds nothing there and exits: */
	enum mm_fault fault = aspace_fault(as, gpa_at(0x40001234), MM_W);

	if (aspace_store(as, gpa_at(0x40001238), 8, 42) != MM_OK ||
	    aspace_load(as, gpa_at(0x40001238), 8, &value) != MM_OK ||
	    aspace_translate(as, gpa_at(0x40001234), &where) != MM_OK)
		return false;
	printf("fault=%s page=%" PRIu64 " value=%" PRIu64, mm_fault_name(fault), where.page_size,
	       value);
	return true;
}

/* One 2 MiB page with memory from the start. Its block goes back in two parts: one page now, and
 * the 511 others when the address space ends. */
static bool large(struct aspace *as)
{
	const struct gpa_range block = {gpa_at(0), UINT64_C(2) << 20};
	const struct gpa_range page = {gpa_at(0x5000), MM_PAGE_SIZE};
	const struct aspace_backing now = {.populate = true, .max_leaf = 1};

	return aspace_map_alloc(as, block, MM_RWX, now) == MM_OK && aspace_unmap(as, page) == MM_OK;
}

int main(void)
{
	static struct aspace as;
	static struct pool pool;
	const struct aspace_config config = {
		.format = &npt_ept,
		.npt = {.levels = 4, .root_bits = 9, .hpa_bits = 48, .max_leaf = 2},
		.hal.ctx = &pool,
		.hal.alloc = frames_alloc,
		.hal.free = frames_free,
		.hal.flush = tlb_flush,
		.limits = {{0}, UINT64_C(1) << 39},
		.quota = UINT64_MAX,
	};
	struct aspace_stats stats;
	bool done;

	pool.memory = aligned_alloc(MM_PAGE_SIZE << POOL_ORDER, MM_PAGE_SIZE * POOL_FRAMES);
	if (!pool.memory || aspace_init(&as, &config) != MM_OK)
		return 1;
	done = lazy(&as) && large(&as);
	aspace_get_stats(&as, &stats);
	aspace_destroy(&as);
	printf(" frames=%" PRIu64 " tables=%" PRIu64 " leaked=%zu\n", stats.frames, stats.tables,
	       pool.in_use);
	free(pool.memory);
	return done && pool.in_use == 0 ? 0 : 1;
}
