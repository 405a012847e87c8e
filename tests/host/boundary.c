/* SPDX-License-Identifier: BSD-2-Clause */
#include "boundary.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mm/compiler.h"

#define GIB UINT64_C(0x40000000)

/* --- values --- */

bool boundary_chance(struct boundary *b, unsigned one_in)
{
	return rng_below(&b->rng, one_in) == 0;
}

static uint64_t one_off(struct boundary *b, uint64_t value)
{
	return value + rng_below(&b->rng, 3) - 1;
}

uint64_t boundary_number(struct boundary *b)
{
	switch (rng_below(&b->rng, 5)) {
	case 0:
		return one_off(b, 0);
	case 1:
		return one_off(b, MM_LEVEL_SIZE(rng_below(&b->rng, MM_NPT_MAX_LEVELS)) *
		                          (1 + rng_below(&b->rng, 3)));
	case 2:
		return UINT64_MAX - rng_below(&b->rng, 2) * rng_below(&b->rng, 2 * MM_PAGE_SIZE);
	default:
		return one_off(b, UINT64_C(1) << rng_below(&b->rng, 64));
	}
}

/* Above or below something by as much as matters anywhere. */
static uint64_t near(struct boundary *b, uint64_t value)
{
	static const uint64_t steps[] = {0, 0, 0,    0,    1,        1,        7,
	                                 8, 8, 4095, 4096, 0x1fffff, 0x200000, GIB};
	uint64_t step = steps[rng_below(&b->rng, MM_ARRAY_SIZE(steps))];

	return boundary_chance(b, 2) ? value + step : value - step;
}

/* Addresses whose GiB is, in fewer bits than it has, a key of the cache or the highest number. */
static uint64_t cache_alias(struct boundary *b)
{
	static const uint64_t above[] = {0,
	                                 4,
	                                 UINT64_C(1) << 8,
	                                 UINT64_C(1) << 16,
	                                 UINT64_C(1) << 27,
	                                 UINT64_C(1) << 29,
	                                 UINT64_C(1) << 31,
	                                 UINT64_C(1) << 32,
	                                 UINT64_C(1) << 33,
	                                 UINT64_C(3) << 32};
	uint64_t slot = rng_below(&b->rng, MM_ASPACE_CACHE_SLOTS);
	uint64_t gib;

	switch (rng_below(&b->rng, 3)) {
	case 0:
		gib = b->as->cpus[0].cache.gib[slot];
		break;
	case 1:
		gib = slot;
		break;
	default:
		gib = UINT32_MAX - slot;
	}
	if (boundary_chance(b, 2))
		gib += above[rng_below(&b->rng, MM_ARRAY_SIZE(above))];
	return gib << 30 | (b->recent[slot] & (GIB - 1));
}

static uint64_t area_edge(struct boundary *b)
{
	const struct mm_area *area =
		mm_area_first_from(&b->as->areas, mm_gpa_at(b->recent[rng_below(&b->rng, 8)]));

	if (!area)
		area = mm_area_first_from(&b->as->areas, b->as->limits.start);
	if (!area)
		return 0;
	return boundary_chance(b, 2) ? area->range.start.raw
	                             : mm_gpa_range_last(area->range).raw + 1;
}

uint64_t boundary_address(struct boundary *b)
{
	const struct mm_aspace *as = b->as;

	switch (rng_below(&b->rng, 14)) {
	case 0:
		return boundary_number(b);
	case 1:
		return near(b, boundary_chance(b, 2) ? as->limits.start.raw
		                                     : mm_gpa_range_last(as->limits).raw + 1);
	case 2:
		return near(b, area_edge(b));
	case 3:
	case 6:
		return cache_alias(b);
	case 4:
		return near(b, as->cpus[0].cache.window.raw);
	case 5:
		return as->cpus[0].cache.window.raw + boundary_number(b);
	default:
		return near(b, b->recent[rng_below(&b->rng, 8)]);
	}
}

uint64_t boundary_size(struct boundary *b, uint64_t address)
{
	switch (rng_below(&b->rng, 8)) {
	case 0:
		return boundary_number(b);
	case 1:
		return one_off(b, 0 - address); /* ends at 2^64 */
	case 2:
		return one_off(b, mm_gpa_range_last(b->as->limits).raw + 1 - address);
	case 3:
		return one_off(b, MM_PAGE_SIZE - address % MM_PAGE_SIZE);
	case 4:
		return one_off(b, MM_PAGE_SIZE * rng_below(&b->rng, 5));
	default:
		return rng_below(&b->rng, 17);
	}
}

struct mm_gpa_range boundary_hole(struct boundary *b)
{
	struct mm_gpa_range range = boundary_range(b);

	if (boundary_chance(b, 2))
		(void)!mm_aspace_find_free(b->as, range.start, range.size, MM_PAGE_SIZE,
		                           &range.start);
	return range;
}

struct mm_gpa_range boundary_range(struct boundary *b)
{
	uint64_t start = boundary_address(b);
	uint64_t size = boundary_chance(b, 4) ? boundary_size(b, start)
	                                      : MM_PAGE_SIZE * rng_below(&b->rng, 40);

	if (!boundary_chance(b, 8)) {
		start = mm_align_down(start, MM_PAGE_SIZE);
		size = mm_align_down(size + 2, MM_PAGE_SIZE);
	}
	return mm_gpa_range(mm_gpa_at(start), size);
}

mm_hpa_t boundary_host(struct boundary *b, uint64_t size)
{
	if (!boundary_chance(b, 3) && size <= MM_LEVEL_SIZE(1))
		return b->linear;
	if (boundary_chance(b, 2))
		return mm_hpa_at(boundary_number(b));
	return mm_hpa_at(one_off(b, (UINT64_C(1) << b->as->npt.config.hpa_bits) - size));
}

uint32_t boundary_enum(struct boundary *b)
{
	static const uint32_t highs[] = {0, 0, 0, 0x100, 0x10000, 0x80000000};

	if (boundary_chance(b, 4))
		return (uint32_t)boundary_number(b);
	return highs[rng_below(&b->rng, MM_ARRAY_SIZE(highs))] + (uint32_t)rng_below(&b->rng, 10);
}

enum mm_perm boundary_access(struct boundary *b)
{
	if (boundary_chance(b, 2))
		return (enum mm_perm)(1U << rng_below(&b->rng, 3));
	return (enum mm_perm)boundary_enum(b);
}

/* --- what the answer should be --- */

bool boundary_is_access(uint32_t access)
{
	return access == 1 || access == 2 || access == 4;
}

bool boundary_is_served(enum mm_error err)
{
	return err == MM_OK || err == MM_NO_MEMORY || err == MM_QUOTA || err == MM_NEEDS_FRAME;
}

enum mm_error boundary_expect_bytes(struct boundary *b, uint64_t gpa, uint64_t bytes,
                                    uint32_t access)
{
	uint64_t last = gpa + (bytes - 1);
	uint64_t top = mm_gpa_range_last(b->as->limits).raw;

	if (bytes == 0)
		return MM_OK;
	if (last < gpa || gpa < b->as->limits.start.raw || last > top)
		return MM_OUT_OF_RANGE;
	for (uint64_t at = gpa;;) {
		const struct mm_area *area = mm_area_first_from(&b->as->areas, mm_gpa_at(at));

		if (!area || area->range.start.raw > at)
			return MM_NOT_MAPPED;
		if (area->backend == MM_AREA_DEVICE)
			return MM_IS_DEVICE;
		if ((area->perm & access) != access)
			return MM_DENIED;
		if (mm_gpa_range_last(area->range).raw >= last)
			return MM_OK;
		at = mm_gpa_range_last(area->range).raw + 1;
	}
}

enum mm_error boundary_expect_range(const struct boundary *b, struct mm_gpa_range range)
{
	uint64_t last = range.start.raw + (range.size - 1);

	if (range.size == 0 || last < range.start.raw)
		return MM_INVALID;
	if (range.start.raw % MM_PAGE_SIZE != 0 || range.size % MM_PAGE_SIZE != 0)
		return MM_MISALIGNED;
	if (range.start.raw < b->as->limits.start.raw ||
	    last > mm_gpa_range_last(b->as->limits).raw)
		return MM_OUT_OF_RANGE;
	return MM_OK;
}

/* --- around a call --- */

void boundary_before(struct boundary *b, const char *format, ...)
{
	char what[120];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	check_context("format=%s call=%llu %s", b->geo->name, (unsigned long long)b->calls, what);
	b->calls++;
	if (!b->known)
		b->print = fingerprint_of(b->as, b->geo, b->hal);
	b->known = true;
}

void boundary_after(struct boundary *b, bool failed)
{
	for (unsigned cpu = 0; cpu < 2; cpu++)
		CHECK_EQ(atomic_load(&b->as->cpus[cpu].reader.reading), 0);
	CHECK_EQ(atomic_load(&b->as->lock.writer), 0);
	*(failed ? &b->refused : &b->changed) += 1;
	if (failed)
		CHECK_EQ(fingerprint_of(b->as, b->geo, b->hal), b->print);
	else
		b->known = false;
	if (b->calls % 64 == 0)
		boundary_check_secrets(b);
}

/* After a call on a range that answers these errors of its own where the range is good. */
void boundary_check_range(struct boundary *b, struct mm_gpa_range range, bool valid,
                          enum mm_error err)
{
	enum mm_error expected = boundary_expect_range(b, range);

	if (!valid)
		CHECK(err == MM_INVALID || (expected != MM_OK && err == expected));
	else if (expected != MM_OK)
		CHECK_ERR(err, expected);
	boundary_after(b, err != MM_OK);
}

void boundary_check_bytes(struct boundary *b, const void *at, size_t bytes)
{
	const uint8_t *byte = at;

	(void)b;
	for (size_t i = 0; i < bytes; i++) {
		if (byte[i] != 0 && byte[i] != BOUNDARY_WRITTEN && byte[i] != BOUNDARY_LINEAR)
			check_failed(__FILE__, __LINE__, "byte %zu is 0x%02x: not the guest's", i,
			             byte[i]);
	}
}

void boundary_check_secrets(struct boundary *b)
{
	for (unsigned i = 0; i < b->secret_count; i++)
		CHECK_BYTES(hal_test_ptr(b->hal, b->secrets[i]), BOUNDARY_SECRET, MM_PAGE_SIZE);
}

/* --- states --- */

/* The hypervisor's own frames: what was the guest's a moment ago, as likely as not. */
static void keep_secrets(struct boundary *b)
{
	const struct mm_hal *hal = &b->hal->hal;

	hal->free(hal->ctx, 0, b->secret_count, b->secrets);
	b->secret_count = (unsigned)hal->alloc(hal->ctx, 0, BOUNDARY_SECRETS, b->secrets);
	for (unsigned i = 0; i < b->secret_count; i++)
		memset(hal_test_ptr(b->hal, b->secrets[i]), BOUNDARY_SECRET, MM_PAGE_SIZE);
	b->known = false;
}

static uint64_t some_page(struct boundary *b)
{
	uint64_t at = b->recent[rng_below(&b->rng, 8)];

	return mm_align_down(at, MM_PAGE_SIZE) + MM_PAGE_SIZE * rng_below(&b->rng, 24);
}

static void use(struct boundary *b, uint64_t address)
{
	b->recent[rng_below(&b->rng, 8)] = address;
}

static void map_something(struct boundary *b)
{
	static const uint64_t sizes[] = {MM_PAGE_SIZE, 16 * MM_PAGE_SIZE, 600 * MM_PAGE_SIZE,
	                                 0x200000, 0x400000};
	const uint64_t end = mm_gpa_range_last(b->as->limits).raw + 1;
	const uint64_t bases[] = {
		0,       0x200000, GIB - 0x2000,   GIB,           2 * GIB + 0x1000,
		3 * GIB, 5 * GIB,  end - 0x600000, end - 0x10000, end - 0x1000};
	struct mm_gpa_range range =
		mm_gpa_range(mm_gpa_at(bases[rng_below(&b->rng, MM_ARRAY_SIZE(bases))]),
	                     sizes[rng_below(&b->rng, MM_ARRAY_SIZE(sizes))]);
	enum mm_perm perm = (enum mm_perm)rng_below(&b->rng, MM_PERM_SETS);
	struct mm_aspace_backing backing = {.max_leaf = (unsigned)rng_below(&b->rng, 3)};

	if (boundary_chance(b, 2))
		perm = MM_RWX;
	use(b, range.start.raw);
	switch (rng_below(&b->rng, 6)) {
	case 0:
		range.size =
			mm_align_down(range.size, MM_PAGE_SIZE) > 0x200000 ? 0x200000 : range.size;
		(void)!mm_aspace_map_linear(b->as, range, b->linear, perm, MM_NORMAL,
		                            backing.max_leaf);
		break;
	case 1:
		(void)!mm_aspace_map_device(b->as, range);
		break;
	case 2:
		backing.populate = range.size <= 0x200000;
		(void)!mm_aspace_map_alloc(b->as, range, perm, backing);
		break;
	default:
		(void)!mm_aspace_map_alloc(b->as, range, perm, backing);
	}
}

static void change_something(struct boundary *b)
{
	struct mm_gpa_range range =
		mm_gpa_range(mm_gpa_at(some_page(b)), MM_PAGE_SIZE * (1 + rng_below(&b->rng, 32)));
	unsigned n = (unsigned)rng_below(&b->rng, BOUNDARY_SNAPSHOTS);

	switch (rng_below(&b->rng, 10)) {
	case 0:
		(void)!mm_aspace_unmap(b->as, range);
		break;
	case 1:
		(void)!mm_aspace_protect(b->as, range, (enum mm_perm)rng_below(&b->rng, 8));
		break;
	case 2:
		(void)!mm_aspace_snapshot_take(b->as, &b->snapshots[n]);
		break;
	case 3:
		(void)!mm_aspace_snapshot_restore(b->as, &b->snapshots[n]);
		break;
	case 4:
		mm_aspace_snapshot_drop(b->as, &b->snapshots[n]);
		break;
	case 5:
		(void)!mm_aspace_dirty_start(b->as, (enum mm_dirty_mode)rng_below(&b->rng, 2),
		                             boundary_chance(b, 2));
		break;
	case 6:
	case 7:
		mm_aspace_dirty_stop(b->as);
		break;
	case 8:
		if (boundary_chance(b, 8))
			mm_aspace_clear(b->as);
		break;
	default:
		keep_secrets(b);
	}
}

static void touch_something(struct boundary *b)
{
	uint64_t at = some_page(b) + rng_below(&b->rng, MM_PAGE_SIZE);
	struct mm_aspace_translation t;

	use(b, at);
	if (boundary_chance(b, 2))
		(void)!mm_aspace_fault(b->as, mm_gpa_at(at),
		                       (enum mm_perm)(1U << rng_below(&b->rng, 3)));
	else
		(void)!mm_aspace_fill(b->as, mm_gpa_at(at), BOUNDARY_WRITTEN, 9);
	(void)!mm_aspace_translate(b->as, mm_gpa_at(at), &t);
}

/* Any exclusive call empties the caches. These are faults on neighbours, of which the second opens
 * the window, and a page behind them that is not there yet. */
void boundary_warm(struct boundary *b)
{
	uint64_t at = some_page(b);
	struct mm_aspace_translation t;

	b->known = false;
	for (unsigned i = 0; i < 3; i++)
		(void)!mm_aspace_fault(b->as, mm_gpa_at(at + i * MM_PAGE_SIZE), MM_R);
	(void)!mm_aspace_translate(b->as, mm_gpa_at(at), &t);
	use(b, at + 3 * MM_PAGE_SIZE);
}

void boundary_prepare(struct boundary *b)
{
	check_context("format=%s call=%llu: preparing", b->geo->name, (unsigned long long)b->calls);
	b->known = false;
	/* For a call that wants frames or a hole there are some. */
	if (b->hal->in_use > b->hal->frames / 2 || boundary_chance(b, 4))
		mm_aspace_clear(b->as);
	for (unsigned n = 0; n < BOUNDARY_SNAPSHOTS; n++)
		mm_aspace_snapshot_drop(b->as, &b->snapshots[n]);
	mm_aspace_dirty_stop(b->as);
	for (unsigned i = 0; i < 4; i++)
		map_something(b);
	for (unsigned i = 0; i < 16; i++)
		touch_something(b);
	for (unsigned i = 0; i < 3; i++)
		change_something(b);
	for (unsigned i = 0; i < 4; i++)
		touch_something(b);
}

static struct mm_aspace_config config_for(struct boundary *b)
{
	static const uint64_t quotas[] = {UINT64_MAX,     UINT64_MAX, UINT64_MAX, UINT64_MAX,
	                                  UINT64_MAX - 1, 1000,       60};
	struct mm_aspace_config config = guest_config(b->geo, b->hal);

	config.quota = quotas[rng_below(&b->rng, MM_ARRAY_SIZE(quotas))];
	if (boundary_chance(b, 4)) /* within tables at both ends */
		config.limits = mm_gpa_range(mm_gpa_at(0x1000), 3 * GIB + 0x5000);
	return config;
}

void boundary_open(struct boundary *b, const struct geometry *geo, uint64_t seed)
{
	const struct hal_test_options options = {.frames = 2048,
	                                         .root_order = mm_npt_root_order(&geo->config),
	                                         .light = seed % 3 == 1,
	                                         .hooks = seed % 5 == 4};
	struct mm_aspace_config config;

	*b = (struct boundary){.rng = rng_seeded(seed), .geo = geo};
	b->hal = hal_test_open(options);
	config = config_for(b);
	b->vm = aligned_alloc(256, (sizeof(*b->vm) + 255) & ~(size_t)255);
	b->buffer = mmap(NULL, BOUNDARY_BUFFER, PROT_READ | PROT_WRITE,
	                 MAP_ANONYMOUS | MAP_PRIVATE | MAP_NORESERVE, -1, 0);
	CHECK(b->vm != NULL && b->buffer != MAP_FAILED);
	memset(b->vm, 0, sizeof(*b->vm));
	memset(b->snapshots, 0xdd, sizeof(b->snapshots));
	b->as = &b->vm->as;
	memset(b->as, 0xdd, sizeof(*b->as));
	CHECK_OK(mm_aspace_init(b->as, &config));
	watch_aspace(b->as, geo, b->hal);
	CHECK_EQ(b->hal->hal.alloc(b->hal, 9, 1, &b->linear), 1);
	memset(hal_test_ptr(b->hal, b->linear), BOUNDARY_LINEAR, MM_LEVEL_SIZE(1));
	keep_secrets(b);
}

void boundary_close(struct boundary *b)
{
	uint32_t tag = mm_aspace_tag(b->as);

	check_context("format=%s call=%llu: closing", b->geo->name, (unsigned long long)b->calls);
	boundary_check_secrets(b);
	mm_aspace_destroy(b->as);
	ghost_tlb_unwatch(&b->hal->tlb, tag);
	b->hal->hal.free(b->hal, 0, b->secret_count, b->secrets);
	b->hal->hal.free(b->hal, 9, 1, &b->linear);
	hal_test_close(b->hal);
	munmap(b->buffer, BOUNDARY_BUFFER);
	free(b->vm);
}
