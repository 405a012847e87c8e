/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lock of an address space: the functions that wait, and the list of readers. lock.h describes
 * the protocol, aspace_internal.h declares these functions and has those that do not wait.
 */
#include "mm/aspace_internal.h"
#include "mm/assert.h"

void mm_lock_init(struct mm_lock *lock, const struct mm_hal *hal, struct mm_lock_reader *own,
                  struct mm_lock_reader *shared)
{
	lock->hal = hal;
	atomic_init(&lock->writer, 0);
	atomic_init(&lock->newest, 0);
	atomic_init(&lock->groups[0], (uintptr_t)own);
	for (unsigned group = 1; group < MM_LOCK_GROUPS; group++)
		atomic_init(&lock->groups[group], 0);
	lock->shared = shared;
}

bool mm_lock_add_group(struct mm_lock *lock, unsigned cpu, void *readers)
{
	unsigned group = mm_lock_group_of(cpu);
	uintptr_t none = 0;
	uintptr_t first = (uintptr_t)mm_lock_group_first(group) * MM_LOCK_STRIDE;

	MM_ASSERT(group > 0 && group < MM_LOCK_GROUPS);
	return atomic_compare_exchange_strong_explicit(&lock->groups[group], &none,
	                                               (uintptr_t)readers - first,
	                                               memory_order_acq_rel, memory_order_acquire);
}

void *mm_lock_group(const struct mm_lock *lock, unsigned group)
{
	uintptr_t base = atomic_load_explicit(&lock->groups[group], memory_order_acquire);
	uintptr_t first = (uintptr_t)mm_lock_group_first(group) * MM_LOCK_STRIDE;

	return base ? (void *)(base + first) : NULL;
}

void mm_lock_register(struct mm_lock *lock, unsigned cpu)
{
	struct mm_lock_reader *reader = mm_lock_reader_of(lock, cpu);
	uint32_t newest = atomic_load_explicit(&lock->newest, memory_order_relaxed);

	/* Sequentially consistent, and before the first INSIDE that counts: a writer that does not
	 * see this reader has set `writer` before this CPU looks at it. */
	do {
		reader->next = (uint16_t)newest;
	} while (!atomic_compare_exchange_weak_explicit(
		&lock->newest, &newest, cpu + 1, memory_order_seq_cst, memory_order_relaxed));
	reader->registered = true;
}

/* Only the shared reader can be another CPU's. */
static void take_reader(const struct mm_lock *lock, struct mm_lock_reader *reader)
{
	uint32_t outside = MM_LOCK_OUTSIDE;

	while (!atomic_compare_exchange_weak_explicit(&reader->reading, &outside, MM_LOCK_WAITING,
	                                              memory_order_seq_cst, memory_order_relaxed)) {
		outside = MM_LOCK_OUTSIDE;
		mm_hal_pause(lock->hal);
	}
}

/* The writer admits a reader by changing WAITING to INSIDE. That is not undone: a reader that stops
 * waiting by itself has to look whether it was admitted meanwhile. */
void mm_lock_read_wait(struct mm_lock *lock, struct mm_lock_reader *reader)
{
	take_reader(lock, reader);
	for (;;) {
		while (atomic_load_explicit(&lock->writer, memory_order_relaxed) != 0 &&
		       atomic_load_explicit(&reader->reading, memory_order_relaxed) ==
		               MM_LOCK_WAITING)
			mm_hal_pause(lock->hal);
		if (atomic_exchange_explicit(&reader->reading, MM_LOCK_INSIDE,
		                             memory_order_seq_cst) == MM_LOCK_INSIDE)
			return; /* admitted */
		if (atomic_load_explicit(&lock->writer, memory_order_seq_cst) == 0)
			return;
		atomic_store_explicit(&reader->reading, MM_LOCK_WAITING, memory_order_seq_cst);
	}
}

static void wait_until_outside(const struct mm_lock *lock)
{
	for (struct mm_lock_reader *reader = mm_lock_newest(lock); reader;
	     reader = mm_lock_older(lock, reader)) {
		while (atomic_load_explicit(&reader->reading, memory_order_seq_cst) ==
		       MM_LOCK_INSIDE)
			mm_hal_pause(lock->hal);
	}
}

void mm_lock_write(struct mm_lock *lock)
{
	while (atomic_exchange_explicit(&lock->writer, 1, memory_order_seq_cst) != 0) {
		while (atomic_load_explicit(&lock->writer, memory_order_relaxed) != 0)
			mm_hal_pause(lock->hal);
	}
	wait_until_outside(lock);
}

/* True: at least one reader was admitted. */
static bool admit(struct mm_lock *lock)
{
	bool any = false;

	for (struct mm_lock_reader *reader = mm_lock_newest(lock); reader;
	     reader = mm_lock_older(lock, reader)) {
		uint32_t waiting = MM_LOCK_WAITING;

		if (atomic_load_explicit(&reader->reading, memory_order_relaxed) == waiting)
			any |= atomic_compare_exchange_strong_explicit(
				&reader->reading, &waiting, MM_LOCK_INSIDE, memory_order_seq_cst,
				memory_order_relaxed);
	}
	return any;
}

bool mm_lock_write_admit(struct mm_lock *lock)
{
	bool any = admit(lock);

	if (any)
		wait_until_outside(lock);
	return any;
}

void mm_lock_write_release(struct mm_lock *lock)
{
	(void)admit(lock);
	atomic_store_explicit(&lock->writer, 0, memory_order_release);
}
