/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TLBs and paging-structure caches of several CPUs. They never forget on their own: each keeps
 * every translation, and every table entry that a walk went through, until a flush request that
 * covers it reaches its CPU. What hardware may keep, they do keep.
 *
 * The test accesses guest memory through them (guest_touch), as a CPU would: a hit uses what the
 * TLB holds, stale or not; a miss walks the raw tables, from the lowest table that is cached, and
 * keeps what it found.
 *
 * Two invariants can be checked:
 *
 * Coherent, at any time: all CPUs, and the table, lead to one frame for one address, where they
 * lead anywhere. A write by one CPU is then visible to all others.
 *
 * At rest, between calls of the library: the table grants what a TLB holds. A cached translation
 * that may be written without a walk is marked dirty in the table.
 */
#ifndef GHOST_TLB_H
#define GHOST_TLB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/access.h"
#include "mm/addr.h"
#include "mm/hal.h"

#include "hw_walk.h"

struct ghost_entry {
	unsigned cpu;   /* whose it is */
	bool table;     /* an entry that leads to a table; otherwise a leaf */
	uint32_t tag;   /* of its address space */
	unsigned level; /* it covers MM_LEVEL_SIZE(level) bytes */
	mm_gpa_t gpa;   /* where they begin */
	mm_hpa_t hpa;   /* where it leads */
	enum mm_perm perm;
	bool dirty; /* leaf: the walk that filled it was a write, or the entry was dirty */
};

/* An address space that uses this TLB. */
struct ghost_space {
	uint32_t tag;
	struct hw_mmu mmu;
};

#define GHOST_SPACES 4

struct ghost_tlb {
	unsigned cpus;
	struct ghost_entry *entries;
	size_t count;
	size_t capacity; /* of the array */
	size_t limit;    /* replace one at random beyond this; 0: none */
	uint64_t random;
	struct ghost_space spaces[GHOST_SPACES];
	size_t space_count;
};

void ghost_tlb_init(struct ghost_tlb *tlb, unsigned cpus, size_t limit);
void ghost_tlb_fini(struct ghost_tlb *tlb);

/* Announces an address space; forgets it and fails if the TLB still holds entries of it. */
void ghost_tlb_watch(struct ghost_tlb *tlb, uint32_t tag, const struct hw_mmu *mmu);
void ghost_tlb_unwatch(struct ghost_tlb *tlb, uint32_t tag);

/* The request reaches this CPU. */
void ghost_tlb_flush(struct ghost_tlb *tlb, unsigned cpu, const struct mm_flush *request);
/* The block is about to be given away: nothing in any TLB may lead to it. */
void ghost_tlb_check_free(const struct ghost_tlb *tlb, mm_hpa_t frame, unsigned order);

void ghost_tlb_check_coherent(const struct ghost_tlb *tlb);
void ghost_tlb_check_at_rest(const struct ghost_tlb *tlb);

/* One access of a guest's CPU, A/D updates included. */
struct hw_result ghost_tlb_access(struct ghost_tlb *tlb, unsigned cpu, uint32_t tag, mm_gpa_t gpa,
                                  enum mm_perm access);

#endif
