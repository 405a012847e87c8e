/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Adding to the counters of struct mm_npt_counts. For the library's own files; npt.h says which
 * call may write to which struct.
 */
#ifndef MM_NPT_COUNTS_H
#define MM_NPT_COUNTS_H

#include <stdint.h>

#include "mm/atomic.h"

/* Each counter has one writer at a time, so a load and a store suffice: no locked instruction. */
static inline void mm_npt_count(_Atomic int64_t *counter, int64_t by)
{
	int64_t was = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, was + by, memory_order_relaxed);
}

#endif
