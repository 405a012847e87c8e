/*
 * The lock of an address space: many readers that share no cache line they write, one writer.
 *
 * Each CPU that enters as a reader raises a flag in a line of its own and then looks whether a
 * writer is about; a writer says that it is there and then waits until every flag is down. So a
 * fault costs one store with a fence and one load, however many CPUs fault at once.
 */
#ifndef MM_LOCK_H
#define MM_LOCK_H

#include <stdatomic.h>
#include <stdint.h>

#include "mm/compiler.h"
#include "mm/hal.h"

struct mm_lock_reader {
	_Atomic uint32_t inside;
} aligned_to(64);

struct mm_lock {
	_Atomic uint32_t writer;
	struct mm_lock_reader readers[MM_MAX_CPUS];
};

#endif
