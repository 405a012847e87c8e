/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * The hooks by which the library reaches the machine. Each address space keeps its own copy, so two
 * address spaces may use different HALs. Hooks may be called concurrently, unless the owner
 * serialises all calls of its address space. A hook must not call the library.
 */
#ifndef MM_HAL_H
#define MM_HAL_H

#include <stddef.h>
#include <stdint.h>

#include "mm/addr.h"
#include "mm/compiler.h"

MM_BEGIN_DECLS

/** Readers (faults, translations, guest-memory accesses) that run at once in one address space
 * each need an index of their own below this: see mm_hal.cpu_index. */
#define MM_MAX_CPUS 1024

/** One request to flush TLBs. When the hook returns, no CPU holds a translation that it covers. The
 * hook orders every earlier store to a page table before the invalidation, and the
 * invalidation's completion before its own return (Arm: DSB ISHST; TLBI...; DSB ISH. RISC-V:
 * fence, hfence.gvma here and by IPI elsewhere. x86: INVEPT or INVLPGA/ASID flush everywhere). */
struct mm_flush {
	mm_hpa_t root; /**< the root table: EPTP, nCR3, VTTBR and hgatp are made of it */
	uint32_t tag;  /**< VMID, VPID or ASID: mm_aspace_config, mm_aspace_set_tag() */
	bool all;      /**< everything of this address space; otherwise `range` */
	struct mm_gpa_range range; /**< aligned to the stride; meaningful if !all */
	unsigned leaf_level; /**< the level of the smallest leaf that has changed: the stride. One
	                        address per stride is enough to reach every such leaf */
	bool tables;         /**< tables were unlinked: flush paging-structure caches too */
};

/** The hooks. alloc, free and flush are required; the others may be NULL if the machine does not
 * need them. */
struct mm_hal {
	void *ctx; /**< passed to every hook */

	/**
	 * Allocates n blocks of 2^order frames each, aligned to their size, contents undefined,
	 * into out[0..n). Returns their number, 0 to n. Fewer than n: there are no more.
	 */
	size_t (*alloc)(void *ctx, unsigned order, size_t n, mm_hpa_t out[]);

	/** Frees n blocks of 2^order frames, naturally aligned. The blocks need not be those that
	 * were allocated: a large block may be freed in parts (its leaf was split), and several
	 * blocks as one (their leaves were merged). */
	void (*free)(void *ctx, unsigned order, size_t n, const mm_hpa_t in[]);

	/**
	 * Conversion between hpa and hva. If all memory is mapped at one constant offset, leave
	 * both hooks NULL and set direct_offset: hva = hpa + direct_offset (mod 2^64). This saves
	 * an indirect call per level of each walk.
	 */
	void *(*phys_to_virt)(void *ctx, mm_hpa_t pa);
	mm_hpa_t (*virt_to_phys)(void *ctx, const void *va); /**< the reverse of phys_to_virt */
	uint64_t direct_offset; /**< hva - hpa; used if both hooks are NULL */

	/** Clears `bytes` (whole frames) at `page` for a guest, and makes the zeros visible to a
	 * guest whose caches may be off. NULL: plain stores. */
	void (*zero)(void *ctx, void *page, size_t bytes);

	/** The library has written these bytes of guest memory (a copy of a page, mm_aspace_write()
	 * and its like): makes them visible to a guest whose caches may be off, and to instruction
	 * fetch (Arm: DC CIVAC, IC IVAU; RISC-V: FENCE.I where guests run). NULL: stores are
	 * enough. */
	void (*written)(void *ctx, void *at, size_t bytes);

	/** Makes entries that went from absent to present visible to the table walkers of other
	 * CPUs (Arm: DSB ISHST). NULL: the walkers need nothing. */
	void (*publish)(void *ctx);

	/** See struct mm_flush. Required. Other CPUs may wait in the library for the caller: for
	 * its lock, or for an entry that it has frozen. They may have interrupts off, so the hook
	 * must not wait until they take one. Faults flush too (a shared page is copied, a large
	 * leaf is split), so two CPUs may be in this hook at once, and neither may wait for the
	 * other to return. A CPU that is not in a guest may flush later, before it enters one. */
	void (*flush)(void *ctx, const struct mm_flush *request);

	/** An index below MM_MAX_CPUS that no concurrent caller has: the number of the CPU, if the
	 * library runs with preemption off. From CPU 8 on, the library takes a frame of this HAL
	 * for each 16 CPUs that use an address space (mm_aspace_stats.cpu_frames). NULL: no two
	 * calls on the address space run at the same time, and the library takes no lock. */
	unsigned (*cpu_index)(void *ctx);

	/** Called in each turn of a loop that waits for another CPU: for a lock, or for an entry
	 * that the other CPU is replacing. Executes the processor's hint for that (x86: PAUSE.
	 * Arm: YIELD, or WFE with an event stream. RISC-V: PAUSE of Zihintpause). May yield the CPU
	 * where threads are CPUs. NULL: a compiler barrier. */
	void (*pause)(void *ctx);

	/** An invariant of the library does not hold (`condition`, at `line` of `file`). To go on
	 * would corrupt memory, so the hook stops the machine and does not return. The address
	 * space may be locked. NULL: the library executes an instruction that traps. */
	void (*panic)(void *ctx, const char *file, int line, const char *condition);
};

/** [any] The hypervisor's address of a host-physical one. Cannot fail: the frame came from this
 * HAL. */
static inline void *mm_hal_to_virt(const struct mm_hal *hal, mm_hpa_t pa)
{
	if (MM_UNLIKELY(hal->phys_to_virt))
		return hal->phys_to_virt(hal->ctx, pa);
	return (void *)(uintptr_t)(pa.raw + hal->direct_offset);
}

/** [any] The host-physical address of a hypervisor's one. Cannot fail: see mm_hal_to_virt(). */
static inline mm_hpa_t mm_hal_to_phys(const struct mm_hal *hal, const void *va)
{
	if (MM_UNLIKELY(hal->virt_to_phys))
		return hal->virt_to_phys(hal->ctx, va);
	return mm_hpa_at((uint64_t)(uintptr_t)va - hal->direct_offset);
}

/** [any] One turn of a loop that waits for another CPU. */
static inline void mm_hal_pause(const struct mm_hal *hal)
{
	if (hal->pause)
		hal->pause(hal->ctx);
	else
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

MM_END_DECLS

#endif
