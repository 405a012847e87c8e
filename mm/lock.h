/*
 * The lock of an address space: many readers that share no cache line they write, one writer.
 *
 *	reader                                writer
 *	inside = 1                            writer = 1
 *	writer? yes: inside = 0, wait, again  every known reader's inside? 1: wait
 *
 * Both sides store first and look second, in sequentially consistent order, so at least one of
 * two that meet sees the other. A fault thus costs one such store and one load of a line that
 * seldom changes, however many CPUs fault at once. The writer looks only at CPUs that have ever
 * been readers: a bit in `known`, which a reader sets before its first entry.
 *
 * A HAL without cpu_index says that no two calls ever run at once: then nothing is locked.
 *
 * Not recursive; never held across a return to the caller.
 */
#ifndef MM_LOCK_H
#define MM_LOCK_H

#include <stdatomic.h>
#include <stdint.h>

#include "mm/assert.h"
#include "mm/bits.h"
#include "mm/compiler.h"
#include "mm/hal.h"

struct mm_lock_reader {
	_Atomic uint32_t inside;
	bool known; /* this CPU's alone */
} aligned_to(64);

struct mm_lock {
	_Atomic uint32_t writer;
	_Atomic uint64_t known; /* CPUs that have been readers */
	struct mm_lock_reader readers[MM_MAX_CPUS];
};

_Static_assert(MM_MAX_CPUS <= 64, "a bit of `known` for each CPU");

static inline void mm_lock_init(struct mm_lock *lock)
{
	atomic_init(&lock->writer, 0);
	atomic_init(&lock->known, 0);
	for (unsigned cpu = 0; cpu < MM_MAX_CPUS; cpu++) {
		atomic_init(&lock->readers[cpu].inside, 0);
		lock->readers[cpu].known = false;
	}
}

/* The rare ways into and out of the lock: see lock.c. */
void mm_lock_first_read(struct mm_lock *lock, unsigned cpu);
void mm_lock_read_wait(struct mm_lock *lock, unsigned cpu);
void mm_lock_write_locked(struct mm_lock *lock);

/* Enters as a reader, and answers the CPU index that mm_lock_read_leave() wants back. */
static inline unsigned mm_lock_read_enter(struct mm_lock *lock, const struct mm_hal *hal)
{
	if (!hal->cpu_index)
		return 0;

	unsigned cpu = hal->cpu_index(hal->ctx);
	struct mm_lock_reader *reader = &lock->readers[cpu];

	MM_ASSERT(cpu < MM_MAX_CPUS);
	if (unlikely(!reader->known))
		mm_lock_first_read(lock, cpu);
	atomic_store_explicit(&reader->inside, 1, memory_order_seq_cst);
	if (unlikely(atomic_load_explicit(&lock->writer, memory_order_seq_cst) != 0))
		mm_lock_read_wait(lock, cpu);
	return cpu;
}

static inline void mm_lock_read_leave(struct mm_lock *lock, const struct mm_hal *hal, unsigned cpu)
{
	if (hal->cpu_index)
		atomic_store_explicit(&lock->readers[cpu].inside, 0, memory_order_release);
}

static inline void mm_lock_write_enter(struct mm_lock *lock, const struct mm_hal *hal)
{
	if (hal->cpu_index)
		mm_lock_write_locked(lock);
}

static inline void mm_lock_write_leave(struct mm_lock *lock, const struct mm_hal *hal)
{
	if (hal->cpu_index)
		atomic_store_explicit(&lock->writer, 0, memory_order_release);
}

#endif
