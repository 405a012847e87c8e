/*
 * The hooks by which the library reaches the machine. An address space keeps a copy of this
 * struct, so two address spaces may live on different HALs (a test has a poisoned, a failing
 * and a counting one). Every hook may be called concurrently unless the owner serialises its
 * address space; none may call back into the library.
 */
#ifndef MM_HAL_H
#define MM_HAL_H

#include <stddef.h>
#include <stdint.h>

#include "mm/addr.h"
#include "mm/compiler.h"

MM_BEGIN_DECLS

/* Readers (faults, translations, guest-memory accesses) that run at once in one address space
 * each need an index of their own below this: see mm_hal.cpu_index. */
#define MM_MAX_CPUS 64

/* One request to forget translations of one address space. When the hook returns, no CPU holds
 * one. The hook orders every earlier store to a page table before the invalidation, and the
 * invalidation's completion before its own return (Arm: DSB ISHST; TLBI...; DSB ISH. RISC-V:
 * fence, hfence.gvma here and by IPI elsewhere. x86: INVEPT or INVLPGA/ASID flush everywhere). */
struct mm_flush {
	hpa_t root;             /* the root table: EPTP, nCR3, VTTBR and hgatp are made of it */
	uint32_t tag;           /* VMID, VPID or ASID, as given in aspace_config */
	bool all;               /* everything of this address space; otherwise `range` */
	struct gpa_range range; /* aligned to the stride; meaningful if !all */
	unsigned leaf_level;    /* the smallest leaf changed in the range: the stride, as a level.
	                           One address per stride is enough: it meets every such leaf */
	bool tables;            /* tables were unlinked as well: drop intermediate entries too */
};

struct mm_hal {
	void *ctx; /* given back to every hook */

	/*
	 * Allocates n blocks of 2^order frames each, aligned to their size, contents undefined,
	 * into out[0..n). Returns how many it got, 0 to n; fewer than n means it ran dry.
	 */
	size_t (*alloc)(void *ctx, unsigned order, size_t n, hpa_t out[]);

	/* Takes n blocks of 2^order frames back. A frame is a frame: what came as one large block
	 * may go back in smaller ones (a large page was split, and part of it unmapped), and what
	 * came in small ones as a large one (merged); always naturally aligned. */
	void (*free)(void *ctx, unsigned order, size_t n, const hpa_t in[]);

	/*
	 * Crossing between hpa and hva. Where all of memory is mapped at one constant offset,
	 * leave both hooks NULL and set direct_offset: hva = hpa + direct_offset (mod 2^64).
	 * It spares an indirect call per level of every walk.
	 */
	void *(*phys_to_virt)(void *ctx, hpa_t pa);
	hpa_t (*virt_to_phys)(void *ctx, const void *va);
	uint64_t direct_offset;

	/* Clears `bytes` (whole frames) at `page`, and makes the zeros visible to a guest whose
	 * caches may be off: for what a guest gets. NULL: plain stores. */
	void (*zero)(void *ctx, void *page, size_t bytes);

	/* The library has written these bytes of guest memory (a copy of a page, aspace_write() and
	 * its like): makes them visible to a guest whose caches may be off, and to instruction
	 * fetch (Arm: DC CIVAC, IC IVAU; RISC-V: FENCE.I where guests run). NULL where stores are
	 * enough. */
	void (*written)(void *ctx, void *at, size_t bytes);

	/* Makes entries that went from absent to present visible to the table walkers of other
	 * CPUs (Arm: DSB ISHST). NULL where coherent walkers need nothing. */
	void (*publish)(void *ctx);

	/* See struct mm_flush. Required. Other CPUs may be waiting inside the library for the call
	 * that flushes, for its lock or for an entry that it has frozen, perhaps with interrupts
	 * off: the hook must not wait for them to take one. Faults flush as well (a shared page is
	 * copied, a large leaf is split), so two CPUs may be in this hook at once, and neither may
	 * wait for the other to leave it. A CPU that is not in a guest needs only to flush before
	 * it enters one. */
	void (*flush)(void *ctx, const struct mm_flush *request);

	/* An index below MM_MAX_CPUS that no concurrent caller has: the CPU's number when the
	 * library runs with preemption off. NULL: no two calls on the address space ever run at
	 * once, and nothing is locked. */
	unsigned (*cpu_index)(void *ctx);

	/* An invariant of the library does not hold (`condition`, at `line` of `file`), and going
	 * on would corrupt memory: stops the machine, and does not return. The address space may be
	 * locked. NULL: the library executes an instruction that traps. */
	void (*panic)(void *ctx, const char *file, int line, const char *condition);
};

static inline void *hal_to_virt(const struct mm_hal *hal, hpa_t pa)
{
	if (MM_UNLIKELY(hal->phys_to_virt))
		return hal->phys_to_virt(hal->ctx, pa);
	return (void *)(uintptr_t)(pa.raw + hal->direct_offset);
}

static inline hpa_t hal_to_phys(const struct mm_hal *hal, const void *va)
{
	if (MM_UNLIKELY(hal->virt_to_phys))
		return hal->virt_to_phys(hal->ctx, va);
	return hpa_at((uint64_t)(uintptr_t)va - hal->direct_offset);
}

MM_END_DECLS

#endif
