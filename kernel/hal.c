/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an address space takes from the host: the library's hooks, and tags. Any CPU may call any of
 * these at any time.
 */
#include "frame.h"
#include "kernel/vm.h"
#include "log.h"
#include "machine.h"
#include "mm/bits.h"
#include "spinlock.h"

/* --- hooks --- */

/* Subtracts the blocks that were not allocated. */
static MM_NOINLINE size_t hal_short(struct vm_frames *frames, unsigned order, size_t n, size_t got)
{
	atomic_fetch_sub_explicit(&frames->taken, (uint64_t)(n - got) << order,
	                          memory_order_relaxed);
	return got;
}

static size_t hal_alloc(void *ctx, unsigned order, size_t n, mm_hpa_t out[])
{
	struct vm_frames *frames = ctx;
	uint64_t wanted = (uint64_t)n << order;
	uint64_t before = atomic_fetch_add_explicit(&frames->taken, wanted, memory_order_relaxed);
	size_t got;

	/* No sum below overflows: no machine has 2^63 frames. */
	if (MM_UNLIKELY(before + wanted > frames->limit))
		return hal_short(frames, order, n, 0);
	got = frame_alloc_many(order, n, out);
	return MM_LIKELY(got == n) ? got : hal_short(frames, order, n, got);
}

static void hal_free(void *ctx, unsigned order, size_t n, const mm_hpa_t in[])
{
	struct vm_frames *frames = ctx;

	frame_free_many(order, n, in);
	atomic_fetch_sub_explicit(&frames->taken, (uint64_t)n << order, memory_order_relaxed);
}

/* The guest may execute what was written: its image, for example. */
static void hal_written(void *ctx, void *at, size_t bytes)
{
	(void)ctx;
	machine_sync_code(at, bytes);
}

static unsigned hal_cpu_index(void *ctx)
{
	(void)ctx;
	return machine_cpu_index();
}

static void hal_pause(void *ctx)
{
	(void)ctx;
	machine_relax();
}

static void hal_panic(void *ctx, const char *file, int line, const char *condition)
{
	(void)ctx;
	panic("%s:%d: %s does not hold", file, line, condition);
}

struct mm_hal hal_for_vm(struct vm_frames *frames, const struct virt_ops *ops)
{
	return (struct mm_hal){
		.ctx = frames,
		.alloc = hal_alloc,
		.free = hal_free,
		.zero = machine_zero,
		.written = hal_written,
		.publish = machine_publish,
		.flush = ops->flush,
		.cpu_index = hal_cpu_index,
		.pause = hal_pause,
		.panic = hal_panic,
	};
}

/* --- tags --- */

static struct spinlock lock;
static uint64_t used; /* bit n: tag n + 1 is in use */

bool tag_take(const struct virt_caps *caps, uint32_t *out)
{
	uint64_t free;

	if (caps->max_tag == 0) {
		*out = 0;
		return true;
	}
	spin_lock(&lock);
	free = ~used;
	if (caps->max_tag < TAGS)
		free &= BIT(caps->max_tag) - 1;
	if (free != 0) {
		*out = mm_ctz64(free) + 1;
		used |= BIT(*out - 1);
	}
	spin_unlock(&lock);
	return free != 0;
}

void tag_give(uint32_t tag)
{
	if (tag == 0)
		return;
	spin_lock(&lock);
	ASSERT(used & BIT(tag - 1));
	used &= ~BIT(tag - 1);
	spin_unlock(&lock);
}
