/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame allocator: a binary buddy system. The free blocks of each order are the members of a
 * bit_tree, which is stored outside of the free frames. So nothing is read from or written to a
 * free frame, and the lowest free block of an order is found in a few steps.
 *
 *	zone    one usable range of RAM, with trees of its own; no block spans two zones
 *	block   2^order frames, naturally aligned in the physical address space
 *	cache   single frames that a CPU has taken in advance; they are allocated without the lock
 *
 * Invariants, under the lock:
 *   - a frame lies in at most one free block, and no free block has a free buddy;
 *   - the bit of an allocated frame is set in `taken`, so that a double free is detected, and so is
 *     the free of a frame that was never allocated. A block may be freed in parts;
 *   - bit k of zone->orders is set exactly if the tree of order k is not empty.
 */
#include "frame.h"

#include "kernel/bit_tree.h"
#include "kernel/string.h"
#include "log.h"
#include "machine.h"
#include "mm/bits.h"
#include "spinlock.h"

#define ZONES        64
#define CACHE_FRAMES 64
#define MAX_FRAMES   (UINT64_C(1) << (6 * BIT_TREE_LEVELS)) /* of a zone: 4 TiB */

/* At the start of its zone, followed by the words of its trees. */
struct zone {
	uint64_t base;   /* number of the first frame that can be allocated */
	uint64_t frames; /* how many can be allocated */
	uint64_t orders; /* bit k: the tree of order k has a member */
	uint64_t *taken; /* a bit per frame */
	struct bit_tree free[FRAME_MAX_ORDER + 1];
};

static struct {
	struct spinlock lock;
	struct zone *zones[ZONES]; /* largest first: most allocations need no other */
	size_t count;
	uint64_t free; /* in the trees */
	uint64_t total;
} pool;

/* Per-CPU frame cache, written by its own CPU alone. The last frame is allocated next. */
static struct frame_cache {
	_Atomic uint32_t count;
	mm_hpa_t frames[CACHE_FRAMES];
} MM_ALIGNED_TO(64) caches[MACHINE_MAX_CPUS];

/* --- one zone --- */

/* The index of a block in the tree of its order. For a frame below the zone it wraps, and the
 * result is not in the tree. */
static uint64_t slot_of(const struct zone *zone, unsigned order, uint64_t frame)
{
	return (frame >> order) - (zone->base >> order);
}

static uint64_t slots(uint64_t base, uint64_t frames, unsigned order)
{
	return ((base + frames - 1) >> order) - (base >> order) + 1;
}

static void insert(struct zone *zone, unsigned order, uint64_t frame)
{
	bit_tree_add(&zone->free[order], slot_of(zone, order, frame));
	zone->orders |= BIT(order);
}

static void withdraw(struct zone *zone, unsigned order, uint64_t slot)
{
	bit_tree_remove(&zone->free[order], slot);
	if (bit_tree_empty(&zone->free[order]))
		zone->orders &= ~BIT(order);
}

/* Inverts the bits of consecutive frames, which must all be `before`. */
static void flip_taken(struct zone *zone, uint64_t index, uint64_t frames, bool before)
{
	while (frames != 0) {
		uint64_t *word = &zone->taken[index / 64];
		uint64_t here = 64 - index % 64 < frames ? 64 - index % 64 : frames;
		uint64_t mask = ~UINT64_C(0) >> (64 - here) << (index % 64);

		ASSERT((*word & mask) == (before ? mask : 0));
		*word ^= mask;
		index += here;
		frames -= here;
	}
}

/* Sets `count` bits, at most 64, from bit `first` on. They may be in two words. */
static void mark_taken(struct zone *zone, uint64_t first, uint64_t count)
{
	uint64_t bits = ~UINT64_C(0) >> (64 - count), shift = first % 64;

	zone->taken[first / 64] |= bits << shift;
	if (shift + count > 64)
		zone->taken[first / 64 + 1] |= bits >> (64 - shift);
}

/* Takes the lowest block of the smallest order that suffices, and frees the upper halves. */
static bool zone_alloc(struct zone *zone, unsigned order, uint64_t *out)
{
	uint64_t fitting = zone->orders & ~(BIT(order) - 1);
	uint64_t slot, frame;
	unsigned from;

	if (fitting == 0)
		return false;
	from = mm_ctz64(fitting);
	slot = bit_tree_lowest(&zone->free[from]);
	frame = ((zone->base >> from) + slot) << from;
	withdraw(zone, from, slot);
	while (from > order) {
		from--;
		insert(zone, from, frame + BIT(from));
	}
	flip_taken(zone, frame - zone->base, BIT(order), false);
	*out = frame;
	return true;
}

/* Merges a block with its buddy as long as the buddy is free, too. */
static void zone_free(struct zone *zone, unsigned order, uint64_t frame)
{
	flip_taken(zone, frame - zone->base, BIT(order), true);
	for (; order < FRAME_MAX_ORDER; order++) {
		uint64_t buddy = slot_of(zone, order, frame ^ BIT(order));

		if (!bit_tree_has(&zone->free[order], buddy))
			break;
		withdraw(zone, order, buddy);
		frame &= ~BIT(order);
	}
	insert(zone, order, frame);
}

/* --- start-up --- */

static uint64_t bookkeeping_bytes(uint64_t base, uint64_t frames)
{
	uint64_t words = frames / 64 + 1;

	for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++)
		words += bit_tree_words(slots(base, frames, order));
	return sizeof(struct zone) + words * sizeof(uint64_t);
}

/* Splits the frames of the zone, lowest first, into the largest aligned blocks. */
static void fill_zone(struct zone *zone)
{
	uint64_t frame = zone->base, left = zone->frames;

	while (left != 0) {
		unsigned order = FRAME_MAX_ORDER;

		while (BIT(order) > left || !mm_is_aligned(frame, BIT(order)))
			order--;
		insert(zone, order, frame);
		frame += BIT(order);
		left -= BIT(order);
	}
}

/* NULL if the range is too small for its own bitmaps. */
static struct zone *make_zone(struct mm_hpa_range range)
{
	uint64_t frames = range.size >> MM_PAGE_SHIFT;
	uint64_t base = range.start.raw >> MM_PAGE_SHIFT;
	uint64_t bytes, overhead;
	struct zone *zone;
	uint64_t *words;

	if (frames > MAX_FRAMES)
		frames = MAX_FRAMES;
	bytes = bookkeeping_bytes(base, frames);
	overhead = mm_align_up(bytes, MM_PAGE_SIZE) >> MM_PAGE_SHIFT;
	if (overhead >= frames)
		return NULL;

	zone = frame_ptr(range.start);
	/* 6 MiB for 64 GiB of RAM, so the fastest way to clear them. */
	machine_zero(NULL, zone, overhead << MM_PAGE_SHIFT);
	zone->base = base + overhead;
	zone->frames = frames - overhead;
	words = (uint64_t *)(zone + 1);
	zone->taken = words;
	words += zone->frames / 64 + 1;
	for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++) {
		uint64_t count = slots(zone->base, zone->frames, order);

		bit_tree_init(&zone->free[order], count, words);
		words += bit_tree_words(count);
	}
	fill_zone(zone);
	return zone;
}

/* Keeps the zones sorted, largest first. If there are too many, the smallest are not used. */
static void add_zone(struct zone *zone)
{
	size_t at = pool.count;

	while (at > 0 && pool.zones[at - 1]->frames < zone->frames) {
		if (at < ZONES)
			pool.zones[at] = pool.zones[at - 1];
		at--;
	}
	if (at < ZONES)
		pool.zones[at] = zone;
	if (pool.count < ZONES)
		pool.count++;
}

bool frame_init(const struct mm_hpa_range ranges[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct zone *zone = make_zone(ranges[i]);

		if (zone != NULL)
			add_zone(zone);
	}
	for (size_t i = 0; i < pool.count; i++)
		pool.total += pool.zones[i]->frames;
	pool.free = pool.total;
	return pool.count != 0;
}

/* --- under the lock --- */

static bool alloc_locked(unsigned order, mm_hpa_t *out)
{
	uint64_t frame;

	for (size_t i = 0; i < pool.count; i++) {
		if (zone_alloc(pool.zones[i], order, &frame)) {
			pool.free -= BIT(order);
			*out = mm_hpa_at(frame << MM_PAGE_SHIFT);
			return true;
		}
	}
	return false;
}

static struct zone *zone_of(uint64_t frame)
{
	for (size_t i = 0; i < pool.count; i++) {
		if (frame - pool.zones[i]->base < pool.zones[i]->frames)
			return pool.zones[i];
	}
	panic("frame 0x%" PRIx64 " is none of ours", frame);
}

static void free_locked(unsigned order, mm_hpa_t pa)
{
	uint64_t frame = pa.raw >> MM_PAGE_SHIFT;

	zone_free(zone_of(frame), order, frame);
	pool.free += BIT(order);
}

/* Takes a block of at most this order, from the smallest free block. Answers its order, or -1. Its
 * frames are marked one by one, because they are freed one by one. */
static int alloc_run_locked(unsigned most, mm_hpa_t *out)
{
	for (size_t i = 0; i < pool.count; i++) {
		struct zone *zone = pool.zones[i];
		uint64_t frame;
		unsigned order;

		if (zone->orders == 0)
			continue;
		order = mm_ctz64(zone->orders);
		order = order < most ? order : most;
		ASSERT(zone_alloc(zone, order, &frame));
		mark_taken(zone, frame - zone->base, BIT(order));
		pool.free -= BIT(order);
		*out = mm_hpa_at(frame << MM_PAGE_SHIFT);
		return (int)order;
	}
	return -1;
}

/* --- this CPU's cache --- */

static uint32_t cache_count(const struct frame_cache *cache)
{
	return atomic_load_explicit(&cache->count, memory_order_relaxed);
}

static void set_cache_count(struct frame_cache *cache, uint32_t count)
{
	atomic_store_explicit(&cache->count, count, memory_order_relaxed);
}

/*
 * Fills an empty cache to at least one half, or as far as there are frames. It is not filled
 * completely, because that would split many small blocks. It is filled from the end downwards, so
 * that frames are allocated in ascending order. Answers how many it has.
 */
static MM_NOINLINE uint32_t fill_cache(struct frame_cache *cache)
{
	mm_hpa_t *to = cache->frames + CACHE_FRAMES;
	uint32_t count;

	spin_lock(&pool.lock);
	while (to > cache->frames + CACHE_FRAMES / 2) {
		mm_hpa_t run, end;
		int order = alloc_run_locked(mm_fls64((uint64_t)(to - cache->frames)), &run);

		if (order < 0)
			break;
		end = mm_hpa_plus(run, MM_PAGE_SIZE << order);
		for (; run.raw != end.raw; run = mm_hpa_plus(run, MM_PAGE_SIZE))
			*--to = run;
	}
	spin_unlock(&pool.lock);
	count = (uint32_t)(cache->frames + CACHE_FRAMES - to);
	memmove(cache->frames, to, count * sizeof(mm_hpa_t));
	set_cache_count(cache, count);
	return count;
}

/* Returns the cached frames to the trees, so that they can merge into a larger block. */
static void empty_cache_locked(struct frame_cache *cache)
{
	for (uint32_t i = 0; i < cache_count(cache); i++)
		free_locked(0, cache->frames[i]);
	set_cache_count(cache, 0);
}

/* --- the interface --- */

static size_t alloc_blocks(struct frame_cache *cache, unsigned order, size_t n, mm_hpa_t out[])
{
	size_t got = 0;

	if (order > FRAME_MAX_ORDER)
		return 0;
	spin_lock(&pool.lock);
	while (got < n && alloc_locked(order, &out[got]))
		got++;
	if (got < n && cache_count(cache) != 0) {
		empty_cache_locked(cache);
		while (got < n && alloc_locked(order, &out[got]))
			got++;
	}
	spin_unlock(&pool.lock);
	return got;
}

size_t frame_alloc_many(unsigned order, size_t n, mm_hpa_t out[])
{
	struct frame_cache *cache = &caches[machine_cpu_index()];
	uint32_t count;

	if (MM_UNLIKELY(order != 0 || n != 1))
		return alloc_blocks(cache, order, n, out);
	count = cache_count(cache);
	if (MM_UNLIKELY(count == 0)) {
		count = fill_cache(cache);
		if (count == 0)
			return 0;
	}
	count--;
	set_cache_count(cache, count);
	out[0] = cache->frames[count];
	return 1;
}

void frame_free_many(unsigned order, size_t n, const mm_hpa_t in[])
{
	spin_lock(&pool.lock);
	for (size_t i = 0; i < n; i++)
		free_locked(order, in[i]);
	spin_unlock(&pool.lock);
}

bool frame_alloc(unsigned order, mm_hpa_t *out)
{
	return frame_alloc_many(order, 1, out) == 1;
}

void frame_free(unsigned order, mm_hpa_t pa)
{
	frame_free_many(order, 1, &pa);
}

uint64_t frames_free(void)
{
	uint64_t free;

	spin_lock(&pool.lock);
	free = pool.free;
	spin_unlock(&pool.lock);
	for (unsigned cpu = 0; cpu < MACHINE_MAX_CPUS; cpu++)
		free += cache_count(&caches[cpu]);
	return free;
}

uint64_t frames_total(void)
{
	return pool.total;
}
