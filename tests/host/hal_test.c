#include "hal_test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define POISON(at, bytes)   ASAN_POISON_MEMORY_REGION(at, bytes)
#define UNPOISON(at, bytes) ASAN_UNPOISON_MEMORY_REGION(at, bytes)
#endif
#endif
#ifndef POISON
#define POISON(at, bytes)   ((void)(at))
#define UNPOISON(at, bytes) ((void)(at))
#endif

static _Thread_local unsigned this_cpu;

void hal_test_set_cpu(unsigned cpu)
{
	this_cpu = cpu;
}

/* --- small parts --- */

static void lock(struct hal_test *test)
{
	if (test->options.threads)
		pthread_mutex_lock(&test->mutex);
}

static void unlock(struct hal_test *test)
{
	if (test->options.threads)
		pthread_mutex_unlock(&test->mutex);
}

static void record(struct hal_test *test, const struct hal_event *event)
{
	if (test->tracing && test->event_count < HAL_EVENTS)
		test->events[test->event_count] = *event;
	if (test->tracing)
		test->event_count++;
}

static hpa_t frame_address(size_t index)
{
	return hpa_at(HAL_TEST_BASE + index * PAGE_SIZE);
}

static size_t frame_index(const struct hal_test *test, hpa_t pa)
{
	uint64_t index = (pa.raw - HAL_TEST_BASE) / PAGE_SIZE;
	if (index >= test->frames)
		check_failed(__FILE__, __LINE__, "0x%llx is no address of the pool",
		             (unsigned long long)pa.raw);
	return index;
}

void *hal_test_ptr(struct hal_test *test, hpa_t pa)
{
	return test->memory + frame_index(test, pa) * PAGE_SIZE + pa.raw % PAGE_SIZE;
}

bool hal_test_owned(struct hal_test *test, hpa_t pa)
{
	return test->owner[frame_index(test, pa)];
}

/* --- frames --- */

static bool block_is_free(const struct hal_test *test, size_t first, size_t frames)
{
	for (size_t i = 0; i < frames; i++) {
		if (test->owner[first + i])
			return false;
	}
	return true;
}

/* Looks for a free, aligned block among the first `within` frames, and never next to the one
 * before: an odd stride visits every block of a power of two. */
static bool find_block(struct hal_test *test, unsigned order, size_t within, size_t *first)
{
	size_t blocks = within >> order;
	for (size_t tries = 0; tries < blocks; tries++) {
		test->cursor = (test->cursor + 0x9e5) & (blocks - 1);
		*first = test->cursor << order;
		if (block_is_free(test, *first, (size_t)1 << order))
			return true;
	}
	return false;
}

/* Small blocks fill the lower half first, or none would be left for large ones. */
static bool take_block(struct hal_test *test, unsigned order, hpa_t *out)
{
	const struct hal_test_options *options = &test->options;
	size_t frames = (size_t)1 << order;
	size_t first;

	if (order > 0 && options->no_blocks && order != options->root_order)
		return false;
	if (test->frames - test->in_use < frames + test->keep_free)
		return false;
	if (!(order < 9 && find_block(test, order, test->frames / 2, &first)) &&
	    !find_block(test, order, test->frames, &first))
		return false;
	memset(&test->owner[first], true, frames);
	test->in_use += frames;
	*out = frame_address(first);
	return true;
}

static size_t hook_alloc(void *ctx, unsigned order, size_t n, hpa_t out[])
{
	struct hal_test *test = ctx;
	size_t got = 0;

	lock(test);
	for (; got < n; got++) {
		if (++test->requests == test->fail_at || !take_block(test, order, &out[got]))
			break;
		void *at = hal_test_ptr(test, out[got]);
		UNPOISON(at, PAGE_SIZE << order);
		memset(at, HAL_TEST_POISON, PAGE_SIZE << order);
		record(test,
		       &(struct hal_event){.kind = HAL_ALLOC, .frame = out[got], .order = order});
	}
	unlock(test);
	return got;
}

static void give_block(struct hal_test *test, unsigned order, hpa_t frame)
{
	size_t first = frame_index(test, frame);
	size_t frames = (size_t)1 << order;

	CHECK(frame.raw % (PAGE_SIZE << order) == 0);
	for (size_t i = 0; i < frames; i++) {
		if (!test->owner[first + i])
			check_failed(__FILE__, __LINE__, "free of 0x%llx, which nobody owns",
			             (unsigned long long)frame_address(first + i).raw);
	}
	ghost_tlb_check_free(&test->tlb, frame, order);
	memset(&test->owner[first], false, frames);
	test->in_use -= frames;
	POISON(hal_test_ptr(test, frame), PAGE_SIZE << order);
	record(test, &(struct hal_event){.kind = HAL_FREE, .frame = frame, .order = order});
}

static void hook_free(void *ctx, unsigned order, size_t n, const hpa_t in[])
{
	struct hal_test *test = ctx;
	lock(test);
	for (size_t i = 0; i < n; i++)
		give_block(test, order, in[i]);
	unlock(test);
}

/* --- the other hooks --- */

static void *hook_phys_to_virt(void *ctx, hpa_t pa)
{
	return hal_test_ptr(ctx, pa);
}

static hpa_t hook_virt_to_phys(void *ctx, const void *va)
{
	struct hal_test *test = ctx;
	uint64_t offset = (uint64_t)((const uint8_t *)va - test->memory);
	CHECK(offset < test->frames * PAGE_SIZE);
	return hpa_at(HAL_TEST_BASE + offset);
}

static void hook_zero(void *ctx, void *page, size_t bytes)
{
	struct hal_test *test = ctx;
	CHECK(bytes % PAGE_SIZE == 0);
	memset(page, 0, bytes);
	lock(test);
	test->zeroed += bytes / PAGE_SIZE;
	record(test, &(struct hal_event){.kind = HAL_ZERO, .frame = hook_virt_to_phys(ctx, page)});
	unlock(test);
}

static void hook_publish(void *ctx)
{
	struct hal_test *test = ctx;
	lock(test);
	test->publishes++;
	record(test, &(struct hal_event){.kind = HAL_PUBLISH});
	unlock(test);
}

static void hook_flush(void *ctx, const struct mm_flush *request)
{
	struct hal_test *test = ctx;
	lock(test);
	test->flushes++;
	record(test, &(struct hal_event){.kind = HAL_FLUSH, .flush = *request});
	ghost_tlb_flush(&test->tlb, request);
	unlock(test);
}

static unsigned hook_cpu_index(void *ctx)
{
	(void)ctx;
	return this_cpu;
}

/* --- life --- */

struct hal_test *hal_test_open(struct hal_test_options options)
{
	struct hal_test *test = calloc(1, sizeof(*test));
	CHECK(test != NULL);
	test->options = options;
	test->frames = options.frames ? options.frames : 4096;
	CHECK((test->frames & (test->frames - 1)) == 0);
	test->memory = mmap(NULL, test->frames * PAGE_SIZE, PROT_READ | PROT_WRITE,
	                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(test->memory != MAP_FAILED);
	POISON(test->memory, test->frames * PAGE_SIZE);
	test->owner = calloc(test->frames, 1);
	CHECK(test->owner != NULL);
	pthread_mutex_init(&test->mutex, NULL);
	ghost_tlb_init(&test->tlb, options.tlb_entries);
	test->hal = (struct mm_hal){
		.ctx = test,
		.alloc = hook_alloc,
		.free = hook_free,
		.phys_to_virt = options.hooks ? hook_phys_to_virt : NULL,
		.virt_to_phys = options.hooks ? hook_virt_to_phys : NULL,
		.direct_offset = (uint64_t)(uintptr_t)test->memory - HAL_TEST_BASE,
		.zero = options.no_zero ? NULL : hook_zero,
		.publish = hook_publish,
		.flush = hook_flush,
		.cpu_index = hook_cpu_index,
	};
	return test;
}

void hal_test_close(struct hal_test *test)
{
	CHECK_EQ(test->in_use, 0);
	UNPOISON(test->memory, test->frames * PAGE_SIZE);
	munmap(test->memory, test->frames * PAGE_SIZE);
	ghost_tlb_fini(&test->tlb);
	pthread_mutex_destroy(&test->mutex);
	free(test->owner);
	free(test);
}

void hal_test_fail_after(struct hal_test *test, uint64_t n)
{
	test->fail_at = n ? test->requests + n : 0;
}

void hal_test_trace(struct hal_test *test)
{
	test->tracing = true;
	test->event_count = 0;
}
