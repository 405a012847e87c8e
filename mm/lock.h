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
 * The readers lie in an array of the owner's, one per CPU, each at the start of whatever else
 * the owner keeps per CPU. Not recursive; never held across a return to the library's caller.
 */
#ifndef MM_LOCK_H
#define MM_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/compiler.h"
#include "mm/hal.h"

struct mm_lock_reader {
	_Atomic uint32_t inside;
	bool known; /* this CPU's alone */
};

struct mm_lock {
	_Atomic uint32_t writer;
	_Atomic uint64_t known;         /* CPUs that have been readers */
	struct mm_lock_reader *readers; /* the first of MM_MAX_CPUS... */
	size_t stride;                  /* ...this many bytes apart */
};

_Static_assert(MM_MAX_CPUS <= 64, "a bit of `known` for each CPU");

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
