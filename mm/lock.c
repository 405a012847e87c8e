/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lock of an address space: the functions that wait. lock.h describes the protocol,
 * aspace_internal.h declares these functions and has those that do not wait.
 */
#include "mm/aspace_internal.h"
#include "mm/assert.h"
#include "mm/bits.h"

static struct mm_lock_reader *reader_at(const struct mm_lock *lock, size_t cpu)
{
	return (struct mm_lock_reader *)((char *)lock->readers + cpu * lock->stride);
}

void mm_lock_init(struct mm_lock *lock, struct mm_lock_reader *readers, size_t stride)
{
	lock->readers = readers;
	lock->stride = stride;
	atomic_init(&lock->writer, 0);
	atomic_init(&lock->registered, 0);
	for (size_t cpu = 0; cpu < MM_MAX_CPUS; cpu++) {
		atomic_init(&reader_at(lock, cpu)->reading, 0);
		reader_at(lock, cpu)->registered = false;
	}
}

static void register_reader(struct mm_lock *lock, struct mm_lock_reader *reader)
{
	size_t cpu = (size_t)((char *)reader - (char *)lock->readers) / lock->stride;

	MM_ASSERT(cpu < MM_MAX_CPUS);
	/* Sequentially consistent, and before the first `reading = 1`: a writer that does not see
	 * this bit has set `writer` before this CPU looks at it. */
	atomic_fetch_or_explicit(&lock->registered, BIT(cpu), memory_order_seq_cst);
	reader->registered = true;
}

void mm_lock_read_wait(struct mm_lock *lock, struct mm_lock_reader *reader)
{
	if (!reader->registered)
		register_reader(lock, reader);
	do {
		atomic_store_explicit(&reader->reading, 0, memory_order_release);
		while (atomic_load_explicit(&lock->writer, memory_order_relaxed) != 0)
			;
		atomic_store_explicit(&reader->reading, 1, memory_order_seq_cst);
	} while (atomic_load_explicit(&lock->writer, memory_order_seq_cst) != 0);
}

void mm_lock_write(struct mm_lock *lock)
{
	while (atomic_exchange_explicit(&lock->writer, 1, memory_order_seq_cst) != 0) {
		while (atomic_load_explicit(&lock->writer, memory_order_relaxed) != 0)
			;
	}

	uint64_t registered = atomic_load_explicit(&lock->registered, memory_order_seq_cst);

	for (; registered != 0; registered &= registered - 1) {
		struct mm_lock_reader *reader = reader_at(lock, mm_ctz64(registered));

		while (atomic_load_explicit(&reader->reading, memory_order_seq_cst) != 0)
			;
	}
}
