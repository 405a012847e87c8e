/*
 * Forgetting nested translations on every CPU, without any of them having to answer. Shared by
 * VMX and SVM, which each know how to invalidate on the CPU they are on.
 *
 * What a CPU has cached of a guest's nested tables it uses only while it runs that guest. So it
 * is enough that each CPU invalidates before its next entry, and that a CPU which runs the guest
 * now is made to leave it:
 *
 *	flush                                 every other CPU, at each entry
 *	-----                                 -----------------------------
 *	stores to the tables (the caller's)   running = root
 *	stale = root                          fence
 *	fence                                 if stale: invalidate, stale = 0
 *	if running == root: kick, and wait    enter, ... exit
 *	until it left or has invalidated      running = 0
 *
 * Either the flush sees `running` and waits, or the entry sees `stale` and invalidates: the two
 * fences leave no third way.
 */
#ifndef X86_SHOOTDOWN_H
#define X86_SHOOTDOWN_H

#include <stdatomic.h>
#include <stdint.h>

#include "mm/compiler.h"

/* More roots than one are stale: no root is a frame at 1. */
#define SHOOTDOWN_ALL UINT64_C(1)

/* Tells every other CPU that what it cached under this root is stale. */
void shootdown_begin(uint64_t root);
/* Waits until none of them runs on it any more. In between, the caller invalidates here. */
void shootdown_end(uint64_t root);

/* A CPU's two words. */
struct shootdown_cpu {
	_Atomic uint64_t running; /* the root of the tables that a guest runs on here, or 0 */
	_Atomic uint64_t stale;
} MM_ALIGNED_TO(64);

struct shootdown_cpu *shootdown_this_cpu(void);

/* Between these two, this CPU (`self`) runs a guest on `root`. What enter answers (0: nothing, a
 * root, or SHOOTDOWN_ALL) is invalidated before the guest is entered. */
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
