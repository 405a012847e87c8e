/*
 * The host's frame allocator: a buddy allocator over the boot memory map, one lock, any CPU.
 * Blocks are 2^order frames, naturally aligned. Its numbers are what `leaked=0` is made of.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/addr.h"
#include "mm/compiler.h"

#define FRAME_MAX_ORDER 18 /* 1 GiB blocks */

/* False: none left, *out untouched. Contents are undefined. */
bool frame_alloc(unsigned order, hpa_t *out) must_check;
void frame_free(unsigned order, hpa_t pa);

uint64_t frames_free(void);
uint64_t frames_total(void);

/* RAM is mapped at virtual = physical in the hypervisor. */
static inline void *frame_ptr(hpa_t pa)
{
	return (void *)(uintptr_t)pa.raw;
}

static inline hpa_t frame_of(const void *ptr)
{
	return hpa_at((uint64_t)(uintptr_t)ptr);
}

#endif
