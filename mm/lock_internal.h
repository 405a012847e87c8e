/*
 * What is done with the lock of an address space: lock.h says how it works and lock.c has the rare
 * ways in. Not for users of the library.
 */
#ifndef MM_LOCK_INTERNAL_H
#define MM_LOCK_INTERNAL_H

#include <stdatomic.h>

#include "mm/compiler.h"
#include "mm/lock.h"

void mm_lock_init(struct mm_lock *lock, struct mm_lock_reader *readers, size_t stride);

/* The rare ways in: see lock.c. */
void mm_lock_first_read(struct mm_lock *lock, struct mm_lock_reader *reader);
void mm_lock_read_wait(struct mm_lock *lock, struct mm_lock_reader *reader);

static inline void mm_lock_read_enter(struct mm_lock *lock, struct mm_lock_reader *reader)
{
	if (MM_UNLIKELY(!reader->known))
		mm_lock_first_read(lock, reader);
	atomic_store_explicit(&reader->inside, 1, memory_order_seq_cst);
	if (MM_UNLIKELY(atomic_load_explicit(&lock->writer, memory_order_seq_cst) != 0))
		mm_lock_read_wait(lock, reader);
}

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
