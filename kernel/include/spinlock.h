/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ticket spinlock: CPUs get it in the order in which they ask, so none starves. The hypervisor
 * runs with interrupts off. So no interrupt handler can ask for a lock that its CPU holds, and
 * nothing here disables interrupts.
 */
#ifndef SPINLOCK_H
#define SPINLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "machine.h"

/* All zero is free. */
struct spinlock {
	_Atomic uint32_t next;    /* the ticket of the next caller */
	_Atomic uint32_t serving; /* the ticket that holds the lock */
};

static inline void spin_lock(struct spinlock *lock)
{
	uint32_t ticket = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);

	while (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket)
		machine_relax();
}

/* Takes the lock if no CPU holds it or waits for it. */
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
