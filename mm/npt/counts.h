/*
 * Counting what a table holds: struct npt_counts in npt.h says who may. Not for users of the
 * library.
 */
#ifndef MM_NPT_COUNTS_H
#define MM_NPT_COUNTS_H

#include <stdint.h>

#include "mm/atomic.h"

/* One writer per counter at a time: a load and a store, and no locked instruction. */
static inline void npt_count(_Atomic int64_t *counter, int64_t by)
{
	int64_t was = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, was + by, memory_order_relaxed);
}

#endif
