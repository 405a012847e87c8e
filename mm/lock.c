/* The slow halves of the address space's lock: see lock.h. */
#include "mm/lock.h"

void mm_lock_first_read(struct mm_lock *lock, unsigned cpu)
{
	/* Sequentially consistent, and before the first `inside = 1`: a writer that misses this
	 * bit has set `writer` where this CPU will look. */
	atomic_fetch_or_explicit(&lock->known, BIT(cpu), memory_order_seq_cst);
	lock->readers[cpu].known = true;
}

void mm_lock_read_wait(struct mm_lock *lock, unsigned cpu)
{
	struct mm_lock_reader *reader = &lock->readers[cpu];

	do {
		atomic_store_explicit(&reader->inside, 0, memory_order_release);
		while (atomic_load_explicit(&lock->writer, memory_order_relaxed) != 0)
			;
		atomic_store_explicit(&reader->inside, 1, memory_order_seq_cst);
	} while (atomic_load_explicit(&lock->writer, memory_order_seq_cst) != 0);
}

void mm_lock_write_locked(struct mm_lock *lock)
{
	while (atomic_exchange_explicit(&lock->writer, 1, memory_order_seq_cst) != 0) {
		while (atomic_load_explicit(&lock->writer, memory_order_relaxed) != 0)
			;
	}

	uint64_t known = atomic_load_explicit(&lock->known, memory_order_seq_cst);

	for (; known != 0; known &= known - 1) {
		struct mm_lock_reader *reader = &lock->readers[ctz64(known)];

		while (atomic_load_explicit(&reader->inside, memory_order_seq_cst) != 0)
			;
	}
}
