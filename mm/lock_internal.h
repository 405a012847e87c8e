/*
 * What is done with the lock of an address space: lock.h says how it works and lock.c has the rare
 * ways in. Not for users of the library.
 */
#ifndef MM_LOCK_INTERNAL_H
#define MM_LOCK_INTERNAL_H

#include "mm/atomic.h"
#include "mm/compiler.h"
#include "mm/lock.h"

void mm_lock_init(struct mm_lock *lock, struct mm_lock_reader *readers, size_t stride);

/* Enters as a reader, unless there is a writer or nobody knows this reader: then the answer is
 * false, and mm_lock_read_slow() has to follow, which waits. */
static inline bool mm_lock_read_fast(const struct mm_lock *lock, struct mm_lock_reader *reader)
{
	if (MM_UNLIKELY(!reader->known))
		return false;
	atomic_store_explicit(&reader->inside, 1, memory_order_seq_cst);
	return MM_LIKELY(atomic_load_explicit(&lock->writer, memory_order_seq_cst) == 0);
}

void mm_lock_read_slow(struct mm_lock *lock, struct mm_lock_reader *reader);

static inline void mm_lock_read_leave(struct mm_lock_reader *reader)
{
	atomic_store_explicit(&reader->inside, 0, memory_order_release);
}

void mm_lock_write_enter(struct mm_lock *lock);

static inline void mm_lock_write_leave(struct mm_lock *lock)
{
	atomic_store_explicit(&lock->writer, 0, memory_order_release);
}

#endif
