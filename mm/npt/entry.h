/*
 * What struct npt_format holds, and how an entry is made of it and read by it. For the walker
 * and the five format files; callers of the library need format.h alone.
 *
 * An entry is in one of these states, told apart without knowing the format's details:
 *
 *	0          absent
 *	table      present, points to a table one level down
 *	leaf       present, maps MM_LEVEL_SIZE(level) bytes
 *	parked     not present, but keeps a leaf's frame and attributes: a page that the guest
 *	           may not touch at all, or one on its way out, before the flush
 *	cut        not present, but keeps a table's address: a subtree on its way out
 *	frozen     not present for a moment: somebody is replacing it; ask again
 *
 * Every architecture ignores all bits of an entry that is not present (EPT: bits 2:0 clear; the
 * others: bit 0 clear), so the marks of the last three may lie where the hardware has reserved
 * bits in present entries. They lie above every address and below NX and N.
 *
 * Some processors do not ignore them altogether. Those affected by L1TF (CVE-2018-3646) load by
 * speculation from the address in an EPT entry that is not present, if that line is in the L1 data
 * cache. So a format may want the address inverted in its entries that are not present
 * (npt_format.absent_flip): the highest address bit of the machine is then set, and no cacheable
 * memory lies there, provided that all of it lies in the lower half of the address space, below
 * 2^(hpa_bits - 1). Linux inverts and demands the same of its own tables (arch/x86/include/asm/
 * pgtable-invert.h). KVM sets the five highest bits that the cache knows instead
 * (shadow_nonpresent_or_rsvd_mask), and moves those that were there up. Inverting loses nothing at
 * any width, 52 bits included, and needs no knowledge of the cache.
 */
#ifndef MM_NPT_ENTRY_H
#define MM_NPT_ENTRY_H

#include "mm/assert.h"
#include "mm/bits.h"
#include "mm/npt/format.h"

#define NPT_PARKED BIT(58)
#define NPT_CUT    BIT(59)
#define NPT_FROZEN BIT(60)

#define NPT_INEXPRESSIBLE UINT64_MAX

struct npt_format {
	const char *name;

	/* What a configuration may choose from. */
	uint8_t min_levels, max_levels;
	uint8_t min_root_bits, max_root_bits;
	uint8_t max_gpa_bits, max_hpa_bits;
	uint8_t max_leaf; /* level of the largest leaf */

	/* The manual demands invalid -> flush -> new where a leaf changes its size. Where it
	 * changes its address, coherence demands it of every format: see npt_replace_leaf(). */
	bool break_before_make;
	/* A TLB may hold that a translation is absent, until it is flushed. */
	bool caches_absent;
	/* A TLB may go on refusing an access after its entry was relaxed, until it is flushed.
	 * Where false, the faulting access itself drops what it hit. */
	bool keeps_refused;

	uint64_t present;              /* (entry & present) != 0 */
	uint64_t table;                /* all bits of an entry that points to a table */
	uint64_t table_mask;           /* above level 0: table if (entry & table_mask) == ... */
	uint64_t table_value;          /* ...this; a present entry that is none is a leaf */
	uint64_t leaf[NPT_MAX_LEVELS]; /* bits that make an entry of this level a leaf */

	/* Host address to entry: ((hpa >> pa_shift) & pa_mask) | ((hpa >> high_shift) & high_mask)
	 */
	unsigned pa_shift;
	unsigned high_shift;
	uint64_t pa_mask;
	uint64_t high_mask;

	/* Address bits that are inverted in an entry that is not present, or 0. */
	uint64_t absent_flip;

	/* Permissions. Three bits of an entry tell R, W and X; a multiplication by perm_gather
	 * carries them to bits 61, 62 and 63, in this order, and nothing else there. */
	uint64_t perm[MM_PERM_SETS]; /* or NPT_INEXPRESSIBLE; perm[MM_NONE] is parked instead */
	uint64_t perm_mask;          /* every bit that perm[] or `writable` uses */
	uint64_t perm_r, perm_w, perm_x;
	uint64_t perm_gather;
	unsigned perm_flip; /* MM_X where the bit forbids instead of permitting */

	uint64_t memtype[MM_MEMTYPES];
	uint64_t memtype_mask;

	/* Marks that hardware sets; 0 in both: the format has none. */
	uint64_t accessed, dirty;
	/* Without hardware updates: set from the start, so that no access faults for their sake. */
	uint64_t preset;
	/* With hardware updates, what makes a leaf writable instead of `dirty`, where `dirty` is
	 * itself a permission bit (Arm's DBM); else 0. */
	uint64_t writable;

	/* Software's own bits of a leaf. */
	uint64_t owned;      /* the frame is the library's, to be freed with the leaf */
	uint64_t shared;     /* a snapshot may hold the same frame: copy before writing */
	uint64_t soft_dirty; /* keeps `dirty` where a lost permission would take it; or 0 */
};

/* --- states --- */

static inline bool npt_present(const struct npt_format *f, uint64_t entry)
{
	return (entry & f->present) != 0;
}

/* At level 0 there are no tables: the walker does not ask there. */
static inline bool npt_points_to_table(const struct npt_format *f, uint64_t entry)
{
	return (entry & f->table_mask) == f->table_value;
}

static inline bool npt_is_table(const struct npt_format *f, uint64_t entry, unsigned level)
{
	return level > 0 && npt_points_to_table(f, entry);
}

/* A leaf that holds a frame, whether the guest may touch it or not. */
static inline bool npt_is_leaf(const struct npt_format *f, uint64_t entry, unsigned level)
{
	if (npt_present(f, entry))
		return !npt_is_table(f, entry, level);
	return (entry & NPT_PARKED) != 0;
}

static inline bool npt_is_frozen(const struct npt_format *f, uint64_t entry)
{
	return !npt_present(f, entry) && (entry & NPT_FROZEN) != 0;
}

/* --- addresses --- */

/* Address bits that are inverted in this entry, which is not 0. */
static inline uint64_t npt_flip(const struct npt_format *f, uint64_t entry)
{
	return npt_present(f, entry) ? 0 : f->absent_flip;
}

static inline uint64_t npt_encode_pa(const struct npt_format *f, hpa_t pa)
{
	return ((pa.raw >> f->pa_shift) & f->pa_mask) | ((pa.raw >> f->high_shift) & f->high_mask);
}

static inline hpa_t npt_decode_pa(const struct npt_format *f, uint64_t entry)
{
	entry ^= npt_flip(f, entry);
	return hpa_at(((entry & f->pa_mask) << f->pa_shift) |
	              ((entry & f->high_mask) << f->high_shift));
}

/* The same entry, leading to `pa`. */
static inline uint64_t npt_with_pa(const struct npt_format *f, uint64_t entry, hpa_t pa)
{
	uint64_t field = npt_encode_pa(f, pa) ^ npt_flip(f, entry);

	return (entry & ~(f->pa_mask | f->high_mask)) | field;
}

/* The same entry, not present, with one of the three marks. It has its address already. */
static inline uint64_t npt_mark(const struct npt_format *f, uint64_t entry, uint64_t mark)
{
	uint64_t flip = npt_present(f, entry) ? f->absent_flip : 0;

	return ((entry ^ flip) & ~f->present) | mark;
}

/* An entry that is not present, without its mark and with these bits, which make it present. */
static inline uint64_t npt_unmark(const struct npt_format *f, uint64_t entry, uint64_t mark,
                                  uint64_t bits)
{
	return ((entry ^ f->absent_flip) & ~mark) | bits;
}

static inline uint64_t npt_table_entry(const struct npt_format *f, hpa_t table)
{
	return npt_encode_pa(f, table) | f->table;
}

/* --- attributes --- */

/* A permission set as bits of a present leaf. `perm` is not MM_NONE and can be expressed. */
static inline uint64_t npt_perm_bits(const struct npt_format *f, bool hardware_dirty,
                                     enum mm_perm perm)
{
	uint64_t bits = f->perm[perm];
	bool as_writable = hardware_dirty && f->writable != 0 && (perm & MM_W) != 0;

	return as_writable ? (bits & ~f->dirty) | f->writable : bits;
}

/* Everything of a leaf but its address and the bits of its level: hoisted out of loops. */
static inline uint64_t npt_leaf_attr(const struct npt_format *f, const struct npt_config *config,
                                     enum mm_perm perm, enum mm_memtype type)
{
	uint64_t attr = f->memtype[type] | (config->accessed_dirty ? 0 : f->preset);

	return perm == MM_NONE ? attr : attr | npt_perm_bits(f, config->accessed_dirty, perm);
}

/* What a leaf of this level gets of these permissions: see npt_config.no_large_exec. */
static inline enum mm_perm npt_leaf_perm(const struct npt_config *config, unsigned level,
                                         enum mm_perm perm)
{
	bool withheld = config->no_large_exec && level > 0;

	return withheld ? (enum mm_perm)((unsigned)perm & ~(unsigned)MM_X) : perm;
}

/* A leaf of this level: of attr, and present unless `perm` is MM_NONE. It has no address yet:
 * npt_with_pa(). */
static inline uint64_t npt_leaf_entry(const struct npt_format *f, unsigned level, uint64_t attr,
                                      enum mm_perm perm)
{
	uint64_t entry = attr | f->leaf[level];

	return perm == MM_NONE ? (entry & ~f->present) | NPT_PARKED : entry;
}

/* A leaf's bits as another level spells them. Whether it is present stays. */
static inline uint64_t npt_at_level(const struct npt_format *f, uint64_t leaf, unsigned from,
                                    unsigned to)
{
	return (leaf & ~(f->leaf[from] & ~f->present)) | (f->leaf[to] & ~f->present);
}

/* The bits that tell R, W and X: with hardware updates, what makes a leaf writable differs. */
static inline uint64_t npt_perm_tells(const struct npt_format *f, const struct npt_config *config)
{
	bool as_writable = config->accessed_dirty && f->writable != 0;

	return f->perm_r | (as_writable ? f->writable : f->perm_w) | f->perm_x;
}

/* `tells`: npt_perm_tells(). */
static inline enum mm_perm npt_present_perm(const struct npt_format *f, uint64_t tells,
                                            uint64_t entry)
{
	return (enum mm_perm)((unsigned)(((entry & tells) * f->perm_gather) >> 61) ^ f->perm_flip);
}

static inline enum mm_perm npt_entry_perm(const struct npt_format *f, uint64_t tells,
                                          uint64_t entry)
{
	return npt_present(f, entry) ? npt_present_perm(f, tells, entry) : MM_NONE;
}

static inline enum mm_memtype npt_entry_memtype(const struct npt_format *f, uint64_t entry)
{
	unsigned type = 0;

	while (type + 1 < MM_MEMTYPES && (entry & f->memtype_mask) != f->memtype[type])
		type++;
	return (enum mm_memtype)type;
}

static inline bool npt_entry_dirty(const struct npt_format *f, uint64_t entry)
{
	return (entry & (f->dirty | f->soft_dirty)) != 0;
}

#endif
