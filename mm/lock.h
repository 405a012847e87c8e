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
 *
 * A struct aspace has one, which is why its members are here; lock_internal.h has the functions.
 */
#ifndef MM_LOCK_H
#define MM_LOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/compiler.h"
#include "mm/hal.h"

MM_BEGIN_DECLS

struct mm_lock_reader {
	MM_ATOMIC(uint32_t) inside;
	bool known; /* this CPU's alone */
};

struct mm_lock {
	MM_ATOMIC(uint32_t) writer;
	MM_ATOMIC(uint64_t) known;      /* CPUs that have been readers */
	struct mm_lock_reader *readers; /* the first of MM_MAX_CPUS... */
	size_t stride;                  /* ...this many bytes apart */
};

MM_STATIC_ASSERT(MM_MAX_CPUS <= 64, "a bit of `known` for each CPU");

MM_END_DECLS

#endif
