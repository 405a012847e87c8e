/* SPDX-License-Identifier: BSD-2-Clause */
#include "hal_test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"
#include "step.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define POISON(at, bytes)   ASAN_POISON_MEMORY_REGION(at, bytes)
#define UNPOISON(at, bytes) ASAN_UNPOISON_MEMORY_REGION(at, bytes)
#endif
#endif
#ifndef POISON
#define POISON(at, bytes)   ((void)(at), (void)(bytes))
#define UNPOISON(at, bytes) ((void)(at), (void)(bytes))
#endif

static _Thread_local unsigned this_cpu;

void hal_test_set_cpu(unsigned cpu)
{
	this_cpu = cpu;
}

unsigned hal_test_tlb_cpu(const struct hal_test *test)
{
	return this_cpu % test->tlb.cpus;
}

/* --- small parts --- */

/* A moment at which other CPUs may do something. */
static void meanwhile(struct hal_test *test)
{
	if (test->interlude_in != 0 && --test->interlude_in == 0 && test->interlude)
		test->interlude(test->interlude_ctx);
	if (test->tlb.cpus > 1)
		ghost_tlb_check_coherent(&test->tlb);
}

static void lock(struct hal_test *test)
{
	meanwhile(test);
	step_pause();
	if (test->options.threads)
		pthread_mutex_lock(&test->mutex);
}

static void unlock(struct hal_test *test)
{
	if (test->options.threads)
		pthread_mutex_unlock(&test->mutex);
	step_resume();
}

/* Marks freed frames for AddressSanitizer; another process's marks would be missing here. */
static void set_poison(struct hal_test *test, void *at, size_t bytes, bool poison)
{
	if (test->options.shared)
		return;
	if (poison)
		POISON(at, bytes);
	else
		UNPOISON(at, bytes);
}

static void *map_pages(size_t bytes, bool shared)
{
	int flags = MAP_ANONYMOUS | MAP_NORESERVE | (shared ? MAP_SHARED : MAP_PRIVATE);
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
	CHECK(at != MAP_FAILED);
	return at;
}

static void record(struct hal_test *test, const struct hal_event *event)
{
	if (test->tracing && test->event_count < HAL_EVENTS)
		test->events[test->event_count] = *event;
	if (test->tracing)
		test->event_count++;
}

static mm_hpa_t frame_address(size_t index)
{
	return mm_hpa_at(HAL_TEST_BASE + index * MM_PAGE_SIZE);
}

static size_t frame_index(const struct hal_test *test, mm_hpa_t pa)
{
	uint64_t index = (pa.raw - HAL_TEST_BASE) / MM_PAGE_SIZE;
	if (index >= test->frames)
		check_failed(__FILE__, __LINE__, "0x%llx is no address of the pool",
		             (unsigned long long)pa.raw);
	return index;
}

void *hal_test_ptr(struct hal_test *test, mm_hpa_t pa)
{
	return test->memory + frame_index(test, pa) * MM_PAGE_SIZE + pa.raw % MM_PAGE_SIZE;
}

bool hal_test_owned(struct hal_test *test, mm_hpa_t pa)
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
		size_t step = test->options.in_order ? 1 : 0x9e5;
		test->cursor = (test->cursor + step) & (blocks - 1);
		*first = test->cursor << order;
		if (order >= 9 && *first < test->options.small)
			continue;
		if (block_is_free(test, *first, (size_t)1 << order))
			return true;
	}
	return false;
}

/* Small blocks fill the lower half first, or none would be left for large ones. */
static bool take_block(struct hal_test *test, unsigned order, mm_hpa_t *out)
{
	const struct hal_test_options *options = &test->options;
	size_t frames = (size_t)1 << order;
	size_t first;

	if (order > 0 && options->no_blocks && order != options->root_order)
		return false;
	if (test->frames - test->in_use < frames + test->keep_free)
		return false;
	if (order < 9 && options->small) {
		if (!find_block(test, order, options->small, &first))
			return false;
	} else if (!(order < 9 && find_block(test, order, test->frames / 2, &first)) &&
	           !find_block(test, order, test->frames, &first)) {
		return false;
	}
	memset(&test->owner[first], true, frames);
	test->in_use += frames;
	*out = frame_address(first);
	return true;
}

/* Sets all bytes of frames, or those at their edges. */
static void fill_frames(uint8_t *at, uint8_t value, size_t bytes, bool edges)
{
	if (!edges) {
		memset(at, value, bytes);
		return;
	}
	for (; bytes > 0; at += MM_PAGE_SIZE, bytes -= MM_PAGE_SIZE) {
		memset(at, value, 64);
		memset(at + MM_PAGE_SIZE - 64, value, 64);
	}
}

static bool refused(struct hal_test *test)
{
	uint64_t request = ++test->requests;
	return test->fail_at &&
	       (test->fail_on ? request >= test->fail_at : request == test->fail_at);
}

static size_t hook_alloc(void *ctx, unsigned order, size_t n, mm_hpa_t out[])
{
	struct hal_test *test = ctx;
	size_t got = 0;

	lock(test);
	for (; got < n; got++) {
		if (refused(test) || !take_block(test, order, &out[got])) {
			test->refusals++;
			break;
		}
		void *at = hal_test_ptr(test, out[got]);
		set_poison(test, at, MM_PAGE_SIZE << order, false);
		if (order < 9 || !test->options.sparse)
			fill_frames(at, HAL_TEST_POISON, MM_PAGE_SIZE << order,
			            test->options.light || test->options.edges);
		record(test,
		       &(struct hal_event){.kind = HAL_ALLOC, .frame = out[got], .order = order});
	}
	unlock(test);
	return got;
}

static void give_block(struct hal_test *test, unsigned order, mm_hpa_t frame)
{
	size_t first = frame_index(test, frame);
	size_t frames = (size_t)1 << order;

	CHECK(frame.raw % (MM_PAGE_SIZE << order) == 0);
	for (size_t i = 0; i < frames; i++) {
		if (!test->owner[first + i])
			check_failed(__FILE__, __LINE__, "free of 0x%llx, which nobody owns",
			             (unsigned long long)frame_address(first + i).raw);
	}
	ghost_tlb_check_free(&test->tlb, frame, order);
	memset(&test->owner[first], false, frames);
	test->in_use -= frames;
	set_poison(test, hal_test_ptr(test, frame), MM_PAGE_SIZE << order, true);
	record(test, &(struct hal_event){.kind = HAL_FREE, .frame = frame, .order = order});
}

static void hook_free(void *ctx, unsigned order, size_t n, const mm_hpa_t in[])
{
	struct hal_test *test = ctx;
	lock(test);
	for (size_t i = 0; i < n; i++)
		give_block(test, order, in[i]);
	unlock(test);
}

/* --- the other hooks --- */

static void *hook_phys_to_virt(void *ctx, mm_hpa_t pa)
{
	return hal_test_ptr(ctx, pa);
}

static mm_hpa_t hook_virt_to_phys(void *ctx, const void *va)
{
	struct hal_test *test = ctx;
	uint64_t offset = (uint64_t)((const uint8_t *)va - test->memory);
	CHECK(offset < test->frames * MM_PAGE_SIZE);
	return mm_hpa_at(HAL_TEST_BASE + offset);
}

/* The host's stores reach the mirror by way of the hooks alone. */
static void show(struct hal_test *test, const void *at, size_t bytes)
{
	size_t offset = (size_t)((const uint8_t *)at - test->memory);
	CHECK(offset <= test->frames * MM_PAGE_SIZE &&
	      bytes <= test->frames * MM_PAGE_SIZE - offset);
	if (test->mirror)
		memcpy(test->mirror + offset, at, bytes);
}

static void hook_zero(void *ctx, void *page, size_t bytes)
{
	struct hal_test *test = ctx;
	CHECK(bytes % MM_PAGE_SIZE == 0);
	lock(test);
	if (bytes <= MM_PAGE_SIZE || !test->options.sparse)
		fill_frames(page, 0, bytes, test->options.edges);
	show(test, page, bytes);
	test->zeroed += bytes / MM_PAGE_SIZE;
	record(test, &(struct hal_event){.kind = HAL_ZERO, .frame = hook_virt_to_phys(ctx, page)});
	unlock(test);
}

static void hook_written(void *ctx, void *at, size_t bytes)
{
	struct hal_test *test = ctx;
	lock(test);
	show(test, at, bytes);
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
	for (unsigned i = 0; i < test->tlb.cpus; i++) {
		if (i > 0)
			meanwhile(test);
		ghost_tlb_flush(&test->tlb, (test->flush_first + i) % test->tlb.cpus, request);
	}
	unlock(test);
}

static unsigned hook_cpu_index(void *ctx)
{
	(void)ctx;
	return this_cpu;
}

static void hook_panic(void *ctx, const char *file, int line, const char *condition)
{
	(void)ctx;
	mm_assert_failed(file, line, condition);
}

/* --- life --- */

struct hal_test *hal_test_open(struct hal_test_options options)
{
	struct hal_test *test = map_pages(sizeof(*test), options.shared);
	test->options = options;
	test->frames = options.frames ? options.frames : 4096;
	CHECK((test->frames & (test->frames - 1)) == 0);
	test->memory = map_pages(test->frames * MM_PAGE_SIZE, options.shared);
	set_poison(test, test->memory, test->frames * MM_PAGE_SIZE, true);
	test->mirror = options.mirror ? map_pages(test->frames * MM_PAGE_SIZE, false) : NULL;
	test->owner = calloc(test->frames, 1);
	CHECK(test->owner != NULL);
	pthread_mutex_init(&test->mutex, NULL);
	CHECK(options.cpus <= 1 || !options.threads);
	ghost_tlb_init(&test->tlb, options.cpus ? options.cpus : 1, options.tlb_entries);
	test->hal = (struct mm_hal){
		.ctx = test,
		.alloc = hook_alloc,
		.free = hook_free,
		.phys_to_virt = options.hooks ? hook_phys_to_virt : NULL,
		.virt_to_phys = options.hooks ? hook_virt_to_phys : NULL,
		.direct_offset = (uint64_t)(uintptr_t)test->memory - HAL_TEST_BASE,
		.zero = options.no_zero ? NULL : hook_zero,
		.written = options.no_zero ? NULL : hook_written,
		.publish = hook_publish,
		.flush = hook_flush,
		.cpu_index = options.light ? NULL : hook_cpu_index,
		.panic = hook_panic,
	};
	return test;
}

void hal_test_close(struct hal_test *test)
{
	CHECK_EQ(test->in_use, 0);
	set_poison(test, test->memory, test->frames * MM_PAGE_SIZE, false);
	munmap(test->memory, test->frames * MM_PAGE_SIZE);
	if (test->mirror)
		munmap(test->mirror, test->frames * MM_PAGE_SIZE);
	ghost_tlb_fini(&test->tlb);
	pthread_mutex_destroy(&test->mutex);
	free(test->owner);
	munmap(test, sizeof(*test));
}

void hal_test_fail_after(struct hal_test *test, uint64_t n)
{
	test->fail_at = n ? test->requests + n : 0;
	test->fail_on = true;
}

void hal_test_fail_once(struct hal_test *test, uint64_t n)
{
	hal_test_fail_after(test, n);
	test->fail_on = false;
}

void hal_test_interlude(struct hal_test *test, unsigned n, void (*call)(void *ctx), void *ctx)
{
	test->interlude = call;
	test->interlude_ctx = ctx;
	test->interlude_in = n;
}

void hal_test_trace(struct hal_test *test)
{
	test->tracing = true;
	test->event_count = 0;
}
