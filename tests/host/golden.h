/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the manuals say of each format, one file per format: golden_ept.c and its like. Each has the
 * shapes that machines have, golden entries, a decoder of raw entries for hw_walk.c, and the
 * registers with which tests/oracle walks the same tables.
 *
 * A new format is one such file, and one name in geometry.c.
 */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "geometry.h"
#include "hw_walk.h"

#include "tests/oracle/oracle.h"

/* What one entry means to the hardware. */
struct hw_entry {
	enum hw_outcome outcome; /* HW_OK, or why it cannot be used whatever the access */
	bool leaf;
	enum mm_perm perm; /* of a table entry: what it leaves of what is below */
	enum mm_memtype memtype;
	unsigned shareability;
	bool ignore_pat;
	mm_hpa_t next;
	uint64_t accessed, dirty; /* bits that hardware sets in it; 0 if none */
	bool flags_by_software;   /* A (or D, for a write) is clear, and software has to set it */
	bool flags_first;         /* that fault has priority over one of permission */
};

/* An entry as the library has to write it for one leaf. */
struct golden_entry {
	const char *geometry;
	unsigned level;
	enum mm_perm perm;
	enum mm_memtype type;
	uint64_t host;
	uint64_t entry; /* without software's own bits */
};

#define GOLDEN_PERM(perm) (1U << (perm))

struct golden_format {
	const struct mm_npt_format *format;
	const char *name; /* mm_npt_format_name() */

	const struct geometry *geometries;
	size_t geometry_count;

	const struct golden_entry *entries;
	size_t entry_count;

	unsigned perms; /* GOLDEN_PERM() of each set that a leaf can have; MM_X: execute_only */

	bool break_before_make; /* a leaf that changes its size is absent in between, with a flush
	                         */
	bool caches_absent;     /* a TLB may hold that a translation is absent */

	/* An entry that points to the table at `pa` is (pa >> table_shift) | table_bits. Hardware
	 * may have set table_accessed. */
	uint64_t table_bits, table_accessed;
	unsigned table_shift;

	/* What this entry means to the hardware of mmu->config. */
	struct hw_entry (*decode)(const struct hw_mmu *mmu, uint64_t entry, unsigned level,
	                          enum mm_perm access);
	unsigned max_hpa_bits; /* of the widest machine */

	/* The same walk by tests/oracle. NULL: it has no walker for this format. */
	struct oracle_walk (*oracle)(const struct hw_mmu *mmu, const struct oracle_memory *memory,
	                             uint64_t gpa, enum oracle_access access);
};

/* Fails the test if no file here has this format. */
const struct golden_format *golden_of(const struct mm_npt_format *format);

/* --- for the decoders --- */

static inline struct hw_entry entry_bad(enum hw_outcome outcome)
{
	return (struct hw_entry){.outcome = outcome};
}

/* Not aligned, or not all of it below 2^hpa_bits. A leaf can be larger than physical memory. */
static inline bool address_bad(const struct hw_mmu *mmu, uint64_t address, unsigned level,
                               bool leaf)
{
	uint64_t unit = leaf ? MM_LEVEL_SIZE(level) : MM_PAGE_SIZE;
	return (address & (unit - 1)) || (address | (unit - 1)) >> mmu->config.hpa_bits;
}

#endif
