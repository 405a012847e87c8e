/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invalidates cached nested translations on every CPU, without an acknowledgement from each.
 * Shared by VMX and SVM; each has its own means to invalidate on the CPU that runs it.
 *
 * A CPU uses the cached translations of a guest's nested tables only while it runs that guest. So
 * it is enough that each CPU invalidates before its next entry, and that a CPU which runs the
 * guest now is made to exit:
 *
 *	flush                                 every other CPU, at each entry
 *	-----                                 -----------------------------
 *	store to the tables (by the caller)   running = root
 *	stale = root                          fence
 *	fence                                 if stale: invalidate, stale = 0
 *	if running == root: kick, and wait    enter, ... exit
 *	until it left or has invalidated      running = 0
 *
 * Because of the two fences, the flush sees `running` and waits, or the entry sees `stale` and
 * invalidates, or both.
 */
#ifndef X86_SHOOTDOWN_H
#define X86_SHOOTDOWN_H

#include <stdatomic.h>
#include <stdint.h>

#include "mm/compiler.h"

/* More than one root is stale. Not a root, because a root is aligned to a page. */
#define SHOOTDOWN_ALL UINT64_C(1)

/* Marks the cached translations of this root as stale on every other CPU. */
void shootdown_begin(uint64_t root);
/* Returns when no other CPU runs a guest with stale translations of this root. Between the two
 * calls, the caller invalidates on its own CPU. */
void shootdown_end(uint64_t root);

/* Per CPU. */
struct shootdown_cpu {
	_Atomic uint64_t running; /* the root of the tables that a guest runs on here, or 0 */
	_Atomic uint64_t stale;
} MM_ALIGNED_TO(64);

struct shootdown_cpu *shootdown_this_cpu(void);

/* Between these two calls, this CPU (`self`) runs a guest on `root`. The caller invalidates what
 * shootdown_enter() returns before it enters the guest: 0 (nothing), a root, or SHOOTDOWN_ALL. */
static inline uint64_t shootdown_enter(struct shootdown_cpu *self, uint64_t root)
{
	atomic_exchange(&self->running, root);
	if (MM_LIKELY(atomic_load_explicit(&self->stale, memory_order_relaxed) == 0))
		return 0;
	return atomic_exchange(&self->stale, 0);
}

static inline void shootdown_leave(struct shootdown_cpu *self)
{
	atomic_store_explicit(&self->running, 0, memory_order_release);
}

#endif
