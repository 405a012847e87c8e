/*
 * The frame allocator: a binary buddy system. Free blocks of each size are the members of a
 * bit_tree per order, which lies outside the frames it speaks of: nothing is read from or
 * written to a free frame, and the lowest free block of a size is found in a few steps.
 *
 *	zone    one usable range of RAM: its own trees, its own frames; blocks never span two
 *	block   2^order frames, naturally aligned in the physical address space
 *
 * Invariants, under the lock:
 *   - a frame lies in at most one free block, and no free block has a free buddy;
 *   - an allocated frame has its bit set in `taken`, so that a second free of it, or a free of
 *     what was never handed out, is caught; a block may come back in parts;
 *   - zone->orders has bit k set exactly if the tree of order k is not empty.
 */
#include "frame.h"

#include "kernel/bit_tree.h"
#include "kernel/string.h"
#include "log.h"
#include "machine.h"
#include "mm/bits.h"
#include "spinlock.h"

#define ZONES      64
#define STOCK      64
#define MAX_FRAMES (UINT64_C(1) << (6 * BIT_TREE_LEVELS)) /* of a zone: 4 TiB */

/* Lies at the start of its zone, before its trees' words. */
struct zone {
	uint64_t base;   /* number of the first frame that is handed out */
	uint64_t frames; /* how many */
	uint64_t orders; /* which trees have a member */
	uint64_t *taken; /* a bit per frame */
	struct bit_tree free[FRAME_MAX_ORDER + 1];
};

static struct {
	struct spinlock lock;
	struct zone *zones[ZONES]; /* largest first: the others are seldom asked */
	size_t count;
	uint64_t free; /* in the trees */
	uint64_t total;
} pool;

/* Written by its own CPU alone. The next one to be handed out is the last. */
static struct stock {
	_Atomic uint32_t count;
	hpa_t frames[STOCK];
} MM_ALIGNED_TO(64) stocks[MACHINE_MAX_CPUS];

/* --- one zone --- */

/* A block's place in its order's tree. Wraps for frames below the zone, beyond the tree. */
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

/* Turns the bits of a run of frames over: they must all have been `before`. */
static void turn(struct zone *zone, uint64_t index, uint64_t frames, bool before)
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

/* Sets `count` bits, at most 64, from `first` on: they may lie in two words. */
static void mark_taken(struct zone *zone, uint64_t first, uint64_t count)
{
	uint64_t bits = ~UINT64_C(0) >> (64 - count), shift = first % 64;

	zone->taken[first / 64] |= bits << shift;
	if (shift + count > 64)
		zone->taken[first / 64 + 1] |= bits >> (64 - shift);
}

/* Takes the lowest block of the smallest order that will do, and gives back the upper halves. */
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
	turn(zone, frame - zone->base, BIT(order), false);
	*out = frame;
	return true;
}

/* Joins a block with its buddy as long as that one is free too. */
static void zone_free(struct zone *zone, unsigned order, uint64_t frame)
{
	turn(zone, frame - zone->base, BIT(order), true);
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

/* Cuts what is left of the zone, lowest first, into the largest aligned blocks. */
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

/* NULL if the range is too small to be worth its bookkeeping. */
static struct zone *make_zone(struct hpa_range range)
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
	/* 6 MiB for 64 GiB of RAM: cleared as fast as the machine can. */
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

/* Keeps the zones sorted, largest first; of too many, the smallest are forgotten. */
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

bool frame_init(const struct hpa_range ranges[], size_t count)
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

static bool alloc_locked(unsigned order, hpa_t *out)
{
	uint64_t frame;

	for (size_t i = 0; i < pool.count; i++) {
		if (zone_alloc(pool.zones[i], order, &frame)) {
			pool.free -= BIT(order);
			*out = hpa_at(frame << MM_PAGE_SHIFT);
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

static void free_locked(unsigned order, hpa_t pa)
{
	uint64_t frame = pa.raw >> MM_PAGE_SHIFT;

	zone_free(zone_of(frame), order, frame);
	pool.free += BIT(order);
}

/* A block of at most this order, from the smallest block there is: its order, or -1. Each of its
 * frames is then taken by itself. */
static int alloc_run_locked(unsigned most, hpa_t *out)
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
		*out = hpa_at(frame << MM_PAGE_SHIFT);
		return (int)order;
	}
	return -1;
}

/* --- this CPU's stock --- */

static uint32_t stock_count(const struct stock *stock)
{
	return atomic_load_explicit(&stock->count, memory_order_relaxed);
}

static void set_stock_count(struct stock *stock, uint32_t count)
{
	atomic_store_explicit(&stock->count, count, memory_order_relaxed);
}

/*
 * From an empty stock to one that is at least half full, or to as much as there is. Not further:
 * to fill it to the last place would split ever smaller runs. It is filled from the end downwards,
 * so that frames are handed out in the order in which they were taken. Answers how many it has.
 */
static MM_NOINLINE uint32_t fill_stock(struct stock *stock)
{
	hpa_t *to = stock->frames + STOCK;
	uint32_t count;

	spin_lock(&pool.lock);
	while (to > stock->frames + STOCK / 2) {
		hpa_t run, end;
		int order = alloc_run_locked(mm_fls64((uint64_t)(to - stock->frames)), &run);

		if (order < 0)
			break;
		end = hpa_plus(run, MM_PAGE_SIZE << order);
		for (; run.raw != end.raw; run = hpa_plus(run, MM_PAGE_SIZE))
			*--to = run;
	}
	spin_unlock(&pool.lock);
	count = (uint32_t)(stock->frames + STOCK - to);
	memmove(stock->frames, to, count * sizeof(hpa_t));
	set_stock_count(stock, count);
	return count;
}

/* Gives the stock back to the trees, for the sake of a larger block. */
static void empty_stock_locked(struct stock *stock)
{
	for (uint32_t i = 0; i < stock_count(stock); i++)
		free_locked(0, stock->frames[i]);
	set_stock_count(stock, 0);
}

/* --- the interface --- */

static size_t alloc_blocks(struct stock *stock, unsigned order, size_t n, hpa_t out[])
{
	size_t got = 0;

	if (order > FRAME_MAX_ORDER)
		return 0;
	spin_lock(&pool.lock);
	while (got < n && alloc_locked(order, &out[got]))
		got++;
	if (got < n && stock_count(stock) != 0) {
		empty_stock_locked(stock);
		while (got < n && alloc_locked(order, &out[got]))
			got++;
	}
	spin_unlock(&pool.lock);
	return got;
}

size_t frame_alloc_many(unsigned order, size_t n, hpa_t out[])
{
	struct stock *stock = &stocks[machine_cpu_index()];
	uint32_t count;

	if (MM_UNLIKELY(order != 0 || n != 1))
		return alloc_blocks(stock, order, n, out);
	count = stock_count(stock);
	if (MM_UNLIKELY(count == 0)) {
		count = fill_stock(stock);
		if (count == 0)
			return 0;
	}
	count--;
	set_stock_count(stock, count);
	out[0] = stock->frames[count];
	return 1;
}

void frame_free_many(unsigned order, size_t n, const hpa_t in[])
{
	spin_lock(&pool.lock);
	for (size_t i = 0; i < n; i++)
		free_locked(order, in[i]);
	spin_unlock(&pool.lock);
}

bool frame_alloc(unsigned order, hpa_t *out)
{
	return frame_alloc_many(order, 1, out) == 1;
}

void frame_free(unsigned order, hpa_t pa)
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
		free += stock_count(&stocks[cpu]);
	return free;
}

uint64_t frames_total(void)
{
	return pool.total;
}
