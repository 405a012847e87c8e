/* The slow halves of the address space's lock: see lock.h. */
#include "mm/assert.h"
#include "mm/bits.h"
#include "mm/lock_internal.h"

static struct mm_lock_reader *reader_at(const struct mm_lock *lock, size_t cpu)
{
	return (struct mm_lock_reader *)((char *)lock->readers + cpu * lock->stride);
}

void mm_lock_init(struct mm_lock *lock, struct mm_lock_reader *readers, size_t stride)
{
	lock->readers = readers;
	lock->stride = stride;
	atomic_init(&lock->writer, 0);
	atomic_init(&lock->known, 0);
	for (size_t cpu = 0; cpu < MM_MAX_CPUS; cpu++) {
		atomic_init(&reader_at(lock, cpu)->inside, 0);
		reader_at(lock, cpu)->known = false;
	}
}

static void first_read(struct mm_lock *lock, struct mm_lock_reader *reader)
{
	size_t cpu = (size_t)((char *)reader - (char *)lock->readers) / lock->stride;

	MM_ASSERT(cpu < MM_MAX_CPUS);
	/* Sequentially consistent, and before the first `inside = 1`: a writer that misses this
	 * bit has set `writer` where this CPU will look. */
	atomic_fetch_or_explicit(&lock->known, BIT(cpu), memory_order_seq_cst);
	reader->known = true;
}

void mm_lock_read_slow(struct mm_lock *lock, struct mm_lock_reader *reader)
{
	if (!reader->known)
		first_read(lock, reader);
	do {
		atomic_store_explicit(&reader->inside, 0, memory_order_release);
		while (atomic_load_explicit(&lock->writer, memory_order_relaxed) != 0)
			;
		atomic_store_explicit(&reader->inside, 1, memory_order_seq_cst);
	} while (atomic_load_explicit(&lock->writer, memory_order_seq_cst) != 0);
}

void mm_lock_write_enter(struct mm_lock *lock)
{
	while (atomic_exchange_explicit(&lock->writer, 1, memory_order_seq_cst) != 0) {
		while (atomic_load_explicit(&lock->writer, memory_order_relaxed) != 0)
			;
	}

	uint64_t known = atomic_load_explicit(&lock->known, memory_order_seq_cst);

	for (; known != 0; known &= known - 1) {
		struct mm_lock_reader *reader = reader_at(lock, mm_ctz64(known));

		while (atomic_load_explicit(&reader->inside, memory_order_seq_cst) != 0)
			;
	}
}
