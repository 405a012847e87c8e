/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blocks of the CPUs that use an address space: struct mm_aspace_cpu.
 *
 * An address space has blocks for MM_ASPACE_OWN_CPUS CPUs in itself. Blocks of other CPUs come in
 * frames of the HAL, MM_LOCK_GROUP to a frame, when the first of these CPUs takes the read lock. A
 * CPU whose frame cannot be had uses the shared block, and asks for the frame again the next time.
 * So no call fails because there is no block. mm_aspace_destroy() gives the frames back.
 */
#include "mm/aspace_internal.h"
#include "mm/npt/frames.h"

MM_STATIC_ASSERT(sizeof(struct mm_aspace_cpu) == MM_LOCK_STRIDE, "lock.c finds the blocks");
MM_STATIC_ASSERT(offsetof(struct mm_aspace_cpu, reader) == 0, "a reader is at a block's start");
MM_STATIC_ASSERT(MM_LOCK_GROUP *MM_LOCK_STRIDE == MM_PAGE_SIZE, "a group of blocks is a frame");
MM_STATIC_ASSERT(sizeof(struct mm_aspace) <= MM_PAGE_SIZE, "an address space is at most a frame");

_Noreturn void mm_aspace_refuse_cpu(const struct mm_aspace *as)
{
	const bool cpu_index_is_below_mm_max_cpus = false;

	for (;;)
		MM_REQUIRE(&as->npt.hal, cpu_index_is_below_mm_max_cpus);
}

void mm_aspace_cpus_init(struct mm_aspace *as)
{
	__builtin_memset(as->cpus, 0, sizeof(as->cpus));
	__builtin_memset(&as->shared, 0, sizeof(as->shared));
	mm_lock_init(&as->lock, &as->npt.hal, &as->cpus[0].reader, &as->shared.reader);
	if (!as->npt.hal.cpu_index)
		mm_lock_register(&as->lock, 0); /* all calls count as CPU 0 */
}

void mm_aspace_cpus_free(struct mm_aspace *as)
{
	const struct mm_hal *hal = &as->npt.hal;

	for (unsigned group = 1; group < MM_LOCK_GROUPS; group++) {
		void *blocks = mm_lock_group(&as->lock, group);

		if (blocks) {
			mm_hpa_t frame = mm_hal_to_phys(hal, blocks);

			hal->free(hal->ctx, 0, 1, &frame);
		}
	}
}

size_t mm_aspace_cpu_frames(const struct mm_aspace *as)
{
	size_t frames = 0;

	for (unsigned group = 1; group < MM_LOCK_GROUPS; group++)
		frames += mm_lock_group(&as->lock, group) != NULL;
	return frames;
}

/* The reader of a CPU whose group may be missing. NULL: there is no frame for it. Of two CPUs that
 * add one group at the same time, one gives its frame back. */
static struct mm_lock_reader *provide(struct mm_aspace *as, unsigned cpu)
{
	const struct mm_hal *hal = &as->npt.hal;
	struct mm_lock_reader *reader = mm_lock_reader_of(&as->lock, cpu);
	mm_hpa_t frame;

	if (reader)
		return reader;
	if (hal->alloc(hal->ctx, 0, 1, &frame) != 1)
		return NULL;
	mm_npt_clear_table(&as->npt, frame, 0);
	if (!mm_lock_add_group(&as->lock, cpu, mm_hal_to_virt(hal, frame)))
		hal->free(hal->ctx, 0, 1, &frame);
	return mm_lock_reader_of(&as->lock, cpu);
}

struct mm_aspace_cpu *mm_aspace_read_slow(struct mm_aspace *as, unsigned index)
{
	struct mm_lock_reader *reader = provide(as, index);

	if (!reader) {
		reader = as->lock.shared;
	} else {
		mm_lock_read_release(reader); /* mm_lock_read_try() may have set it */
		if (!reader->registered)
			mm_lock_register(&as->lock, index);
	}
	mm_lock_read_wait(&as->lock, reader);
	return mm_aspace_refresh(mm_aspace_cpu_of(reader));
}

struct mm_aspace_cpu *mm_aspace_refresh(struct mm_aspace_cpu *cpu)
{
	if (cpu->reader.valid)
		return cpu;
	cpu->cache = (struct mm_aspace_cache){.window = mm_gpa_at(0)};
	for (unsigned slot = 0; slot < MM_ASPACE_CACHE_SLOTS; slot++)
		cpu->cache.gib[slot] = slot ^ 1; /* belongs to another slot: see aspace.h */
	cpu->reader.valid = true;
	return cpu;
}

void mm_aspace_invalidate(struct mm_aspace *as)
{
	for (struct mm_lock_reader *reader = mm_lock_newest(&as->lock); reader;
	     reader = mm_lock_older(&as->lock, reader)) {
		if (reader->valid)
			reader->valid = false;
	}
}

bool mm_aspace_take_credit_back(struct mm_aspace *as)
{
	bool any = false;

	for (struct mm_lock_reader *reader = mm_lock_newest(&as->lock); reader;
	     reader = mm_lock_older(&as->lock, reader))
		any |= mm_npt_take_credit_back(&as->npt, &mm_aspace_cpu_of(reader)->counts);
	return any;
}

bool mm_aspace_collect_credit(struct mm_aspace *as, struct mm_aspace_cpu *cpu)
{
	bool any;

	if (as->npt.quota == UINT64_MAX)
		return false;
	mm_aspace_read_unlock(cpu);
	if (as->npt.hal.cpu_index)
		mm_lock_write(&as->lock);
	any = mm_aspace_take_credit_back(as);
	if (as->npt.hal.cpu_index) {
		mm_lock_write_release(&as->lock);
		mm_lock_read_wait(&as->lock, &cpu->reader);
	}
	(void)mm_aspace_refresh(cpu);
	return any;
}
