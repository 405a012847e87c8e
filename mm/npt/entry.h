/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a format is described (struct mm_npt_format), and how an entry is made and read by that
 * description. For the walker and the format files. Callers of the library need npt_format.h only.
 *
 * An entry is in one of these states:
 *
 *	0          absent
 *	table      present, points to a table one level down
 *	leaf       present, maps MM_LEVEL_SIZE(level) bytes
 *	parked     not present, keeps the frame and attributes of a leaf: a page without any
 *	           permission, or one that is being unmapped, before the flush
 *	unlinked   not present, keeps the address of a table: a subtree that is being unmapped, or
 *	           that is not yet linked
 *	frozen     not present for a moment: another CPU is replacing it; read it again
 *
 * Hardware ignores all other bits of an entry that is not present (EPT: bits 2:0 are clear; the
 * others: bit 0 is clear). So the marks of the last three states may lie in bits that are reserved
 * in present entries. They lie above every address field and below NX and N.
 *
 * Processors affected by L1TF (CVE-2018-3646) do not ignore the address in an EPT entry that is not
 * present: they load from it speculatively, if that line is in the L1 data cache. Therefore a
 * format may invert the address in such entries (mm_npt_format.absent_flip). The highest address
 *bit of the machine is then set. No cacheable memory may lie there: all of it has to lie below
 * 2^(hpa_bits - 1). Linux does the same in its own tables (pgtable-invert.h). KVM sets the five
 * highest bits that the cache uses instead (shadow_nonpresent_or_rsvd_mask), and moves the bits
 * that were there. Inverting keeps all bits at any width, 52 included, and does not depend on the
 * cache.
 */
#ifndef MM_NPT_ENTRY_H
#define MM_NPT_ENTRY_H

#include "mm/assert.h"
#include "mm/bits.h"
#include "mm/npt_format.h"

/* Marks of entries that are not present. */
#define MM_NPT_PARKED   BIT(58)
#define MM_NPT_UNLINKED BIT(59)
#define MM_NPT_FROZEN   BIT(60)
#define MM_NPT_MARKS    (MM_NPT_PARKED | MM_NPT_UNLINKED | MM_NPT_FROZEN)

#define MM_NPT_INEXPRESSIBLE UINT64_MAX

/*
 * All facts about one format. Each format is one file that defines one of these: ept.c, amd.c,
 * stage2.c (two formats), gstage.c. No other file of mm/ contains a bit of a format.
 *
 * The file states by _Static_assert that its fields do not overlap. mm_npt_config_check() checks
 * the numbers of this struct again before the first table is built, so a description that
 * contradicts itself is refused, and not only by the compiler.
 */
struct mm_npt_format {
	const char *name;

	/* Geometry that the walker is compiled for. Other values are refused: docs/formats.md. */
	uint8_t page_shift;  /* MM_PAGE_SHIFT */
	uint8_t index_bits;  /* per level below the root: MM_NPT_INDEX_BITS */
	uint8_t entry_bytes; /* 8 */

	/* Limits for struct mm_npt_config. */
	uint8_t min_levels, max_levels;
	uint8_t min_root_bits, max_root_bits;
	uint8_t max_gpa_bits, max_hpa_bits;
	uint8_t max_leaf; /* level of the largest leaf */

	/* The manual demands invalid -> flush -> new where a leaf changes its size. Where it
	 * changes its address, coherence demands it of every format: see mm_npt_replace_leaf(). */
	bool break_before_make;
	/* A TLB may hold that a translation is absent, until it is flushed. */
	bool caches_absent;
	/* A TLB may go on refusing an access after its entry was relaxed, until it is flushed.
	 * Where false, the faulting access itself drops the TLB entry that it hit. */
	bool keeps_refused;

	/* Kinds of entries. */
	uint64_t present;                 /* present: (entry & present) != 0 */
	uint64_t table;                   /* all bits of an entry that points to a table */
	uint64_t table_mask;              /* above level 0: table if (entry & table_mask) == ... */
	uint64_t table_value;             /* ...this; any other present entry is a leaf */
	uint64_t leaf[MM_NPT_MAX_LEVELS]; /* bits that make an entry of this level a leaf */

	/* Host address to entry:
	 * ((hpa >> pa_shift) & pa_mask) | ((hpa >> high_shift) & high_mask) */
	unsigned pa_shift;
	unsigned high_shift;
	uint64_t pa_mask;
	uint64_t high_mask;

	/* Address bits that are inverted in an entry that is not present, or 0. */
	uint64_t absent_flip;

	/* Permissions, encoded: the bits of a leaf for each set of R, W and X. MM_NPT_INEXPRESSIBLE
	 * where the format has no such leaf. A leaf of MM_NONE is parked instead. */
	uint64_t perm[MM_PERM_SETS];
	uint64_t perm_mask; /* every bit that perm[] or `writable` uses */
	/* Permissions, decoded: perm_bits are the three bits that say what is permitted. The
	 * product with perm_gather has them in bits 63:61, in any order. perm_read[] has the set
	 * that these three bits stand for, whether a bit permits or forbids. */
	uint64_t perm_bits;
	uint64_t perm_gather;
	uint8_t perm_read[MM_PERM_SETS];

	uint64_t memtype[MM_MEMTYPES];
	uint64_t memtype_mask;

	/* Marks that hardware sets. Both are 0 in a format without such marks. */
	uint64_t accessed, dirty;
	/* Bits that are set from the start where hardware does not update them, so that no access
	 * faults because one is clear. */
	uint64_t preset;
	/* With hardware updates, the bit that makes a leaf writable instead of `dirty`, where
	 * `dirty` is itself a permission bit (Arm's DBM); else 0. */
	uint64_t writable;

	/* Bits of a leaf that belong to software. */
	uint64_t owned;  /* the frame is the library's own, and is freed with the leaf. Ignored by
	                    hardware in entries that point to tables too: mm_npt_written() */
	uint64_t shared; /* a snapshot may hold the same frame: copy before writing */
	uint64_t soft_dirty; /* keeps `dirty` where a lost permission would take it; or 0 */

	/* Bits that the manual reserves as 0 in a present leaf and in an entry that points to a
	 * table, apart from address bits beyond the machine's width. */
	uint64_t leaf_reserved;
	uint64_t table_reserved;
};

/* perm_read[] for bits in the order R, W, X: where all three permit, and where X forbids. */
#define MM_NPT_READ_RWX                                                                            \
	{                                                                                          \
		MM_NONE, MM_R, MM_W, MM_RW, MM_X, MM_RX, MM_WX, MM_RWX                             \
	}
#define MM_NPT_READ_RW_XN                                                                          \
	{                                                                                          \
		MM_X, MM_RX, MM_WX, MM_RWX, MM_NONE, MM_R, MM_W, MM_RW                             \
	}

/* What perm_gather brings together: the index into perm_read[]. */
#define MM_NPT_GATHERED(bits, gather) (((bits) * (gather)) >> 61)

/* --- states --- */

static inline bool mm_npt_present(const struct mm_npt_format *f, uint64_t entry)
{
	return (entry & f->present) != 0;
}

/* For entries above level 0: an entry of level 0 points to no table. */
static inline bool mm_npt_points_to_table(const struct mm_npt_format *f, uint64_t entry)
{
	return (entry & f->table_mask) == f->table_value;
}

static inline bool mm_npt_is_table(const struct mm_npt_format *f, uint64_t entry, unsigned level)
{
	return level > 0 && mm_npt_points_to_table(f, entry);
}

/* A leaf, present or parked. */
static inline bool mm_npt_is_leaf(const struct mm_npt_format *f, uint64_t entry, unsigned level)
{
	if (mm_npt_present(f, entry))
		return !mm_npt_is_table(f, entry, level);
	return (entry & MM_NPT_PARKED) != 0;
}

static inline bool mm_npt_is_frozen(const struct mm_npt_format *f, uint64_t entry)
{
	return !mm_npt_present(f, entry) && (entry & MM_NPT_FROZEN) != 0;
}

/* --- addresses --- */

/* Address bits that are inverted in this entry, which is not 0. */
static inline uint64_t mm_npt_flip_bits(const struct mm_npt_format *f, uint64_t entry)
{
	return mm_npt_present(f, entry) ? 0 : f->absent_flip;
}

static inline uint64_t mm_npt_encode_pa(const struct mm_npt_format *f, mm_hpa_t pa)
{
	return ((pa.raw >> f->pa_shift) & f->pa_mask) | ((pa.raw >> f->high_shift) & f->high_mask);
}

static inline mm_hpa_t mm_npt_decode_pa(const struct mm_npt_format *f, uint64_t entry)
{
	entry ^= mm_npt_flip_bits(f, entry);
	return mm_hpa_at(((entry & f->pa_mask) << f->pa_shift) |
	                 ((entry & f->high_mask) << f->high_shift));
}

/* Do two entries have the same address? */
static inline bool mm_npt_same_pa(const struct mm_npt_format *f, uint64_t a, uint64_t b)
{
	uint64_t differ = a ^ b ^ mm_npt_flip_bits(f, a) ^ mm_npt_flip_bits(f, b);

	return (differ & (f->pa_mask | f->high_mask)) == 0;
}

/* The same entry with the address `pa`. */
static inline uint64_t mm_npt_with_pa(const struct mm_npt_format *f, uint64_t entry, mm_hpa_t pa)
{
	uint64_t field = mm_npt_encode_pa(f, pa) ^ mm_npt_flip_bits(f, entry);

	return (entry & ~(f->pa_mask | f->high_mask)) | field;
}

/* The same entry, not present, with one of the three marks. It has its address already, which is
 * inverted here if the format requires that. */
static inline uint64_t mm_npt_mark(const struct mm_npt_format *f, uint64_t entry, uint64_t mark)
{
	uint64_t flip = mm_npt_present(f, entry) ? f->absent_flip : 0;

	return ((entry ^ flip) & ~f->present) | mark;
}

/* The reverse for an entry that is not present: without the mark, and with `bits`, which make it
 * present. */
static inline uint64_t mm_npt_unmark(const struct mm_npt_format *f, uint64_t entry, uint64_t mark,
                                     uint64_t bits)
{
	return ((entry ^ f->absent_flip) & ~mark) | bits;
}

static inline uint64_t mm_npt_table_entry(const struct mm_npt_format *f, mm_hpa_t table)
{
	return mm_npt_encode_pa(f, table) | f->table;
}

/* --- attributes --- */

/* A permission set as bits of a present leaf. `perm` is not MM_NONE and can be expressed. */
static inline uint64_t mm_npt_encode_perm(const struct mm_npt_format *f, bool hardware_dirty,
                                          enum mm_perm perm)
{
	uint64_t bits = f->perm[perm];
	bool as_writable = hardware_dirty && f->writable != 0 && (perm & MM_W) != 0;

	return as_writable ? (bits & ~f->dirty) | f->writable : bits;
}

/* All bits of a leaf but its address and the bits of its level. Computed before a loop. */
static inline uint64_t mm_npt_leaf_attr(const struct mm_npt_format *f,
                                        const struct mm_npt_config *config, enum mm_perm perm,
                                        enum mm_memtype type)
{
	uint64_t attr = f->memtype[type] | (config->accessed_dirty ? 0 : f->preset);

	return perm == MM_NONE ? attr : attr | mm_npt_encode_perm(f, config->accessed_dirty, perm);
}

/* The permissions that a leaf of this level may have: see mm_npt_config.no_large_exec. */
static inline enum mm_perm mm_npt_leaf_perm(const struct mm_npt_config *config, unsigned level,
                                            enum mm_perm perm)
{
	bool withheld = config->no_large_exec && level > 0;

	return withheld ? (enum mm_perm)((unsigned)perm & ~(unsigned)MM_X) : perm;
}

/* A leaf of this level with these attributes. If `perm` is MM_NONE it is parked. It has no address
 * yet: mm_npt_with_pa(). */
static inline uint64_t mm_npt_leaf_entry(const struct mm_npt_format *f, unsigned level,
                                         uint64_t attr, enum mm_perm perm)
{
	uint64_t entry = attr | f->leaf[level];

	return perm == MM_NONE ? (entry & ~f->present) | MM_NPT_PARKED : entry;
}

/* The leaf with the bits of another level. It stays present, or not present. */
static inline uint64_t mm_npt_at_level(const struct mm_npt_format *f, uint64_t leaf, unsigned from,
                                       unsigned to)
{
	return (leaf & ~(f->leaf[from] & ~f->present)) | (f->leaf[to] & ~f->present);
}

/* The format's perm_bits as this configuration uses them. */
static inline uint64_t mm_npt_perm_bits(const struct mm_npt_format *f,
                                        const struct mm_npt_config *config)
{
	bool as_writable = config->accessed_dirty && f->writable != 0;

	return as_writable ? (f->perm_bits & ~f->dirty) | f->writable : f->perm_bits;
}

/* `perm_bits`: mm_npt_perm_bits(). */
static inline enum mm_perm mm_npt_present_perm(const struct mm_npt_format *f, uint64_t perm_bits,
                                               uint64_t entry)
{
	return (enum mm_perm)f->perm_read[MM_NPT_GATHERED(entry & perm_bits, f->perm_gather)];
}

static inline enum mm_perm mm_npt_entry_perm(const struct mm_npt_format *f, uint64_t perm_bits,
                                             uint64_t entry)
{
	return mm_npt_present(f, entry) ? mm_npt_present_perm(f, perm_bits, entry) : MM_NONE;
}

static inline enum mm_memtype mm_npt_entry_memtype(const struct mm_npt_format *f, uint64_t entry)
{
	unsigned type = 0;

	while (type + 1 < MM_MEMTYPES && (entry & f->memtype_mask) != f->memtype[type])
		type++;
	return (enum mm_memtype)type;
}

static inline bool mm_npt_entry_dirty(const struct mm_npt_format *f, uint64_t entry)
{
	return (entry & (f->dirty | f->soft_dirty)) != 0;
}

#endif
