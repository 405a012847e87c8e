/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of struct mm_aspace share: its lock, checked addresses, the lookup of the per-CPU
 * translation cache, and the two layers of the fault path. Not for users of the library.
 */
#ifndef MM_ASPACE_INTERNAL_H
#define MM_ASPACE_INTERNAL_H

#include "mm/aspace.h"
#include "mm/atomic.h"
#include "mm/dirty_ring.h"
#include "mm/npt/walk.h"

/* True between mm_aspace_init() and mm_aspace_destroy(). Every other call requires it. */
static inline bool mm_aspace_is_open(const struct mm_aspace *as)
{
	return as && as->npt.root_table;
}

/* [exclusive] The areas have changed: snapshots have other ones from now on. */
static inline void mm_aspace_areas_changed(struct mm_aspace *as)
{
	as->areas_version = as->changes;
}

/* mm_aspace_dirty_start(), with a ring unless `ring` is NULL (dirty.c). */
enum mm_error mm_aspace_dirty_begin(struct mm_aspace *as, enum mm_dirty_mode mode, bool split,
                                    struct mm_dirty_ring *ring, uint64_t entries[],
                                    size_t size) MM_MUST_CHECK;
/* [shared] Adds the page to the ring, which exists (dirty_ring.c). */
void mm_aspace_dirty_ring_put(struct mm_aspace *as, mm_gpa_t gpa);
/* A call is about to split the large leaves at the ends of this range. The ring has one entry for
 * all pages of a large leaf, so it says that it is not complete. */
void mm_aspace_dirty_ring_cut(struct mm_aspace *as, struct mm_gpa_range range);

/* [exclusive] Ends all snapshots (snapshot.c). */
void mm_aspace_drop_snapshots(struct mm_aspace *as);
/* [shared] The frames that the areas of all snapshots hold. */
uint64_t mm_aspace_snapshot_frames(const struct mm_aspace *as);

/* Decides again what the fast path has to do beside installing a page: see aspace.after_install.
 * Called under the write lock, after each change of the log or of the snapshots. */
static inline void mm_aspace_update_fast_path(struct mm_aspace *as)
{
	as->fast_path = as->npt.direct;
	as->after_install = as->npt.hal.publish || as->log.active || as->npt.copies;
}

/* --- checked addresses and accesses --- */

/*
 * A guest-physical address within the limits of its address space. Everything below the public
 * calls takes addresses of this type. A mm_gpa_t becomes one in three ways: by
 * mm_aspace_check_gpa(), as part of a range that was checked (mm_aspace_part_at()), or because a
 * cache lookup has hit: the cache holds checked addresses only.
 */
typedef struct {
	mm_gpa_t gpa;
} mm_checked_gpa_t;

static inline bool mm_aspace_check_gpa(const struct mm_aspace *as, mm_gpa_t gpa,
                                       mm_checked_gpa_t *out)
{
	*out = (mm_checked_gpa_t){gpa};
	return mm_gpa_range_contains(as->limits, gpa);
}

/* The byte at this offset of a range that lies within the limits. offset < checked.size. */
static inline mm_checked_gpa_t mm_aspace_part_at(struct mm_gpa_range checked, uint64_t offset)
{
	MM_ASSERT(offset < checked.size);
	return (mm_checked_gpa_t){mm_gpa_plus(checked.start, offset)};
}

/* Is this exactly one of R, W and X? */
static inline bool mm_aspace_is_access(enum mm_perm access)
{
	return access == MM_R || access == MM_W || access == MM_X;
}

/* MM_INVALID, MM_MISALIGNED, MM_OUT_OF_RANGE: see the map calls. */
enum mm_error mm_aspace_check_range(const struct mm_aspace *as,
                                    struct mm_gpa_range range) MM_MUST_CHECK;

/* --- the lock: lock.h describes the protocol, lock.c has the functions that wait --- */

/* `own`: the readers of the first CPUs. */
void mm_lock_init(struct mm_lock *lock, const struct mm_hal *hal, struct mm_lock_reader *own,
                  struct mm_lock_reader *shared);

/* The group of a CPU, and the first CPU of a group but 0. */
static inline unsigned mm_lock_group_of(unsigned cpu)
{
	return (cpu + MM_LOCK_OWN_READERS) / MM_LOCK_GROUP;
}

static inline unsigned mm_lock_group_first(unsigned group)
{
	return group * MM_LOCK_GROUP - MM_LOCK_OWN_READERS;
}

/* Adds the readers of this CPU's group, all zero. False: another CPU has added them. */
bool mm_lock_add_group(struct mm_lock *lock, unsigned cpu, void *readers);

/* The readers of a group but 0, or NULL. */
void *mm_lock_group(const struct mm_lock *lock, unsigned group);

/* The group of a CPU as mm_lock.groups has it, or 0. */
static inline uintptr_t mm_lock_base_of(const struct mm_lock *lock, unsigned cpu)
{
	return atomic_load_explicit(&lock->groups[mm_lock_group_of(cpu)], MM_NPT_ORDER_DEPENDENT);
}

static inline struct mm_lock_reader *mm_lock_reader_at(uintptr_t base, unsigned cpu)
{
	return (struct mm_lock_reader *)(base + (uintptr_t)cpu * MM_LOCK_STRIDE);
}

/* The reader of a CPU, or NULL: its group has not been added. */
static inline struct mm_lock_reader *mm_lock_reader_of(const struct mm_lock *lock, unsigned cpu)
{
	uintptr_t base = mm_lock_base_of(lock, cpu);

	return base ? mm_lock_reader_at(base, cpu) : NULL;
}

/* Adds this CPU's reader, which exists, to the list of registered ones. Once. */
void mm_lock_register(struct mm_lock *lock, unsigned cpu);

static inline struct mm_lock_reader *mm_lock_numbered(const struct mm_lock *lock, uint32_t number)
{
	return number == 0 ? lock->shared : mm_lock_reader_of(lock, number - 1);
}

/* All registered readers, and at last the shared one: from mm_lock_newest() by mm_lock_older(). */
static inline struct mm_lock_reader *mm_lock_newest(const struct mm_lock *lock)
{
	return mm_lock_numbered(lock, atomic_load_explicit(&lock->newest, memory_order_seq_cst));
}

static inline struct mm_lock_reader *mm_lock_older(const struct mm_lock *lock,
                                                   const struct mm_lock_reader *reader)
{
	return reader == lock->shared ? NULL : mm_lock_numbered(lock, reader->next);
}

/* Takes the read lock unless there is a writer, or `valid` is false: a reader that is not
 * registered is not valid. False: `reading` is set, but the lock is not taken. The caller has to
 * clear it and to call mm_lock_read_wait(). */
static inline bool mm_lock_read_try(const struct mm_lock *lock, struct mm_lock_reader *reader)
{
	atomic_store_explicit(&reader->reading, MM_LOCK_INSIDE, memory_order_seq_cst);
	return MM_LIKELY(atomic_load_explicit(&lock->writer, memory_order_seq_cst) == 0) &&
	       MM_LIKELY(reader->valid);
}

/* Takes the read lock for a registered or the shared reader, whose `reading` this CPU has not set.
 * Waits for the writer, and for CPUs that hold the shared reader. */
void mm_lock_read_wait(struct mm_lock *lock, struct mm_lock_reader *reader);

static inline void mm_lock_read_release(struct mm_lock_reader *reader)
{
	atomic_store_explicit(&reader->reading, MM_LOCK_OUTSIDE, memory_order_release);
}

/* Takes the write lock. Waits for the other writer and for all readers. */
void mm_lock_write(struct mm_lock *lock);

/* Admits the readers that wait, and releases the write lock. The next writer waits for them. */
void mm_lock_write_release(struct mm_lock *lock);

/* In the middle of a long call: admits the readers that wait, and waits until each of them has
 * left. The caller has the lock before and after. True: there was one, so entries, tables and
 * counters may have changed. */
bool mm_lock_write_admit(struct mm_lock *lock);

/* Stops: the HAL has returned a CPU number of MM_MAX_CPUS or more. */
_Noreturn void mm_aspace_refuse_cpu(const struct mm_aspace *as);

/* --- the blocks of the CPUs: aspace_cpus.c --- */

void mm_aspace_cpus_init(struct mm_aspace *as);
/* Gives the frames of the blocks back. No call uses them any more. */
void mm_aspace_cpus_free(struct mm_aspace *as);
size_t mm_aspace_cpu_frames(const struct mm_aspace *as);

static inline struct mm_aspace_cpu *mm_aspace_cpu_of(struct mm_lock_reader *reader)
{
	return (struct mm_aspace_cpu *)(void *)reader;
}

/* Takes the read lock where mm_aspace_read_lock() could not: the CPU has no block yet or is not
 * registered, there is a writer, or the cache is not valid. index < MM_MAX_CPUS. */
struct mm_aspace_cpu *mm_aspace_read_slow(struct mm_aspace *as, unsigned index);

/* [read lock] Empties the translation cache if it is not valid. Returns `cpu`. */
struct mm_aspace_cpu *mm_aspace_refresh(struct mm_aspace_cpu *cpu);

/* Takes the read lock, and returns the block of the calling CPU. Where the HAL has no CPU numbers,
 * no two calls run at once, and there is nothing to lock. */
static inline struct mm_aspace_cpu *mm_aspace_read_lock(struct mm_aspace *as)
{
	const struct mm_hal *hal = &as->npt.hal;
	struct mm_lock_reader *reader = &as->cpus[0].reader;

	MM_ASSERT(mm_aspace_is_open(as));
	if (hal->cpu_index) {
		unsigned index = hal->cpu_index(hal->ctx);

		if (MM_UNLIKELY(index >= MM_MAX_CPUS))
			mm_aspace_refuse_cpu(as);

		uintptr_t base = mm_lock_base_of(&as->lock, index);

		reader = mm_lock_reader_at(base, index);
		if (MM_UNLIKELY(base == 0 || !mm_lock_read_try(&as->lock, reader)))
			return mm_aspace_read_slow(as, index);
	} else if (MM_UNLIKELY(!reader->valid)) {
		return mm_aspace_refresh(mm_aspace_cpu_of(reader));
	}
	return mm_aspace_cpu_of(reader);
}

static inline void mm_aspace_read_unlock(struct mm_aspace_cpu *cpu)
{
	mm_lock_read_release(&cpu->reader);
}

/* [exclusive] Takes the credit of all CPUs back (npt/frames.c). True: at least one had credit. */
bool mm_aspace_take_credit_back(struct mm_aspace *as);

/* [exclusive] Invalidates the cache of every CPU that has used the address space. */
void mm_aspace_invalidate(struct mm_aspace *as);

/* [exclusive] Counts a change, invalidates all caches, and takes the CPUs' credit back. The caches
 * have to become invalid each time that the write lock has been taken, or others have been
 * admitted, before areas move or tables are freed. */
static inline void mm_aspace_begin_change(struct mm_aspace *as)
{
	as->changes++;
	if (as->npt.hal.cpu_index)
		mm_aspace_invalidate(as);
	else
		as->cpus[0].reader.valid = false;
	if (as->npt.quota != UINT64_MAX)
		(void)mm_aspace_take_credit_back(as);
}

/* Takes the write lock for a change. */
static inline void mm_aspace_write_lock(struct mm_aspace *as)
{
	MM_ASSERT(mm_aspace_is_open(as));
	if (as->npt.hal.cpu_index)
		mm_lock_write(&as->lock);
	mm_aspace_begin_change(as);
	as->npt.work = 0;
}

static inline void mm_aspace_write_unlock(struct mm_aspace *as)
{
	if (as->npt.hal.cpu_index)
		mm_lock_write_release(&as->lock);
}

/*
 * [read lock] The quota seems exhausted: takes the credit of all CPUs back. For that it releases
 * the read lock, takes the write lock for a moment, and takes the read lock again. What was read
 * before is not valid any more. True: there was credit, so the caller should try again.
 */
bool mm_aspace_collect_credit(struct mm_aspace *as, struct mm_aspace_cpu *cpu);

/* --- the translation cache: struct mm_aspace_cache says what it holds --- */

/* Looks up the table whose entries map 2 MiB each of gpa's GiB. gpa may be any address: a hit
 * means that it lies within the limits. */
static MM_ALWAYS_INLINE bool mm_aspace_cache_lookup(const struct mm_aspace_cpu *cpu, mm_gpa_t gpa,
                                                    _Atomic uint64_t **table)
{
	uint64_t gib = gpa.raw >> MM_LEVEL_SHIFT(2); /* up to 2^34: more bits than gib[] has */

	*table = cpu->cache.table[gib % MM_ASPACE_CACHE_SLOTS];
	return cpu->cache.gib[gib % MM_ASPACE_CACHE_SLOTS] == gib;
}

/* [read lock] After a lookup has missed: finds the table from the root, and adds it to the cache.
 * False: there is none yet, or none from which mm_npt_walk_near() can start. */
static MM_ALWAYS_INLINE bool mm_aspace_table_missed(const struct mm_aspace *as,
                                                    struct mm_aspace_cpu *cpu, mm_checked_gpa_t at,
                                                    _Atomic uint64_t **table)
{
	uint64_t gib = at.gpa.raw >> MM_LEVEL_SHIFT(2); /* below 2^29 in every format */

	if (!mm_npt_table_of_gib(&as->npt, at.gpa, table))
		return false;
	cpu->cache.table[gib % MM_ASPACE_CACHE_SLOTS] = *table;
	cpu->cache.gib[gib % MM_ASPACE_CACHE_SLOTS] = (uint32_t)gib;
	return true;
}

/* [read lock] mm_npt_walk(), from the cached table where the lookup hits. */
static MM_ALWAYS_INLINE struct mm_npt_slot mm_aspace_walk(const struct mm_aspace *as,
                                                          struct mm_aspace_cpu *cpu,
                                                          mm_checked_gpa_t at)
{
	_Atomic uint64_t *table;

	if (MM_UNLIKELY(!mm_aspace_cache_lookup(cpu, at.gpa, &table)) &&
	    !mm_aspace_table_missed(as, cpu, at, &table))
		return mm_npt_walk(&as->npt, at.gpa);
	return mm_npt_walk_near(&as->npt, table, at.gpa);
}

/* --- faults: fault.c is the slow path, fault_fast.c the fast path --- */

/* The permissions that a new leaf gets when `access` faults. While a dirty log withholds W, only a
 * write gets W. */
static inline enum mm_perm mm_aspace_leaf_perm(const struct mm_aspace *as, unsigned perm,
                                               enum mm_perm access)
{
	return (enum mm_perm)(perm & ~((unsigned)as->log.withheld & ~(unsigned)access));
}

/* [read lock; releases it] The slow path. Does all that mm_aspace_fault() promises, and uses
 * nothing of the fast path. `cpu` is what mm_aspace_read_lock() has returned. */
enum mm_fault mm_fault_slow(struct mm_aspace *as, struct mm_aspace_cpu *cpu, mm_gpa_t gpa,
                            enum mm_perm access) MM_MUST_CHECK;

/*
 * [read lock] Steps 3 to 7 of the slow path: makes the page present with enough permission for the
 * access, if its area permits it. After MM_FAULT_MAPPED, _SPURIOUS and _UNSHARED a walk finds the
 * page, unless another CPU is replacing it. mm_aspace_is_access(access). Counts no fault.
 */
enum mm_fault mm_fault_resolve(struct mm_aspace *as, struct mm_aspace_cpu *cpu, mm_checked_gpa_t at,
                               enum mm_perm access) MM_MUST_CHECK;

/*
 * [read lock] The fast path for a missing page whose table exists. True: the page is mapped, and
 * the credit that it took counts as one fault (MM_FAULT_MAPPED). False: nothing has changed, and
 * the slow path decides. mm_aspace_is_access(access).
 */
bool mm_fault_fast(struct mm_aspace *as, struct mm_aspace_cpu *cpu, mm_checked_gpa_t at,
                   enum mm_perm access) MM_MUST_CHECK;

#endif
