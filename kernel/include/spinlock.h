/*
 * A ticket spinlock: CPUs get it in the order in which they asked, so none starves however many
 * hammer on it. The hypervisor runs with interrupts off; a lock is therefore never wanted twice
 * on one CPU, and nothing here disables anything.
 */
#ifndef SPINLOCK_H
#define SPINLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "machine.h"

/* All zero is free. */
struct spinlock {
	_Atomic uint32_t next;    /* the ticket that the next caller draws */
	_Atomic uint32_t serving; /* the ticket whose holder is inside */
};

static inline void spin_lock(struct spinlock *lock)
{
	uint32_t ticket = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);

	while (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket)
		machine_relax();
}

/* Takes the lock if nobody holds or awaits it. */
static inline bool spin_try(struct spinlock *lock)
{
	uint32_t serving = atomic_load_explicit(&lock->serving, memory_order_acquire);

	return atomic_compare_exchange_strong_explicit(&lock->next, &serving, serving + 1,
	                                               memory_order_acquire, memory_order_relaxed);
}

static inline void spin_unlock(struct spinlock *lock)
{
	uint32_t ticket = atomic_load_explicit(&lock->serving, memory_order_relaxed);

	atomic_store_explicit(&lock->serving, ticket + 1, memory_order_release);
}

#endif
