/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the page-table formats promise of a single entry, for every host address and every state of
 * the bits that are the hardware's or software's: `make proofs`, by tests/proofs/bits.py.
 *
 * Each function answers true, whatever its arguments, or the library is wrong. The formats are
 * included as they are, so that their constants are visible to the compiler; one instance is made for each
 * format, level, permission set, memory type, and with and without hardware's marks.
 */
#include "mm/npt/amd.c"
#include "mm/npt/ept.c"
#include "mm/npt/format.c"
#include "mm/npt/gstage.c"
#include "mm/npt/stage2.c"

#include "mm/npt/change.h"

#define PROVE(name, ...) bool prove_##name(__VA_ARGS__)

/* What the manuals reserve as zero in a present leaf, apart from its address field; bits that
 * hardware ignores are not here. EPT: SDM tables 29-3, 29-5, 29-7 reserve nothing else. AMD: APM
 * 5.4 and PAT, which Faultline leaves 0. Stage 2: DDI 0487 D8.3.2, bits 11, 50:48 (LPA2: 50), 52.
 * G-stage: 60:54, and N. */
#define RESERVED_ept         UINT64_C(0)
#define RESERVED_amd         UINT64_C(0)
#define RESERVED_stage2      (BIT(11) | GENMASK(50, 48) | BIT(52))
#define RESERVED_stage2_lpa2 (BIT(11) | BIT(50) | BIT(52))
#define RESERVED_gstage      (GENMASK(60, 54) | BIT(63))

/* Address fields, and what is reserved where an entry points to a table. */
#define ADDRESS_ept         GENMASK(51, 12)
#define ADDRESS_amd         GENMASK(51, 12)
#define ADDRESS_stage2      GENMASK(47, 12)
#define ADDRESS_stage2_lpa2 (GENMASK(49, 12) | GENMASK(9, 8))
#define ADDRESS_gstage      GENMASK(53, 10)

#define TABLE_RESERVED_ept         GENMASK(7, 3)
#define TABLE_RESERVED_amd         BIT(7)
#define TABLE_RESERVED_stage2      GENMASK(50, 48)
#define TABLE_RESERVED_stage2_lpa2 BIT(50)
#define TABLE_RESERVED_gstage      (GENMASK(63, 54) | GENMASK(7, 6) | BIT(4))

/* One leaf, as it may stand in a table. */
struct leaf {
	const struct mm_npt_format *format;
	struct mm_npt_config config;
	unsigned level;
	enum mm_perm perm;
	enum mm_memtype type;
	mm_hpa_t pa;
	uint64_t entry;
};

static inline bool expressible(const struct leaf *l, enum mm_perm perm)
{
	return mm_npt_can_express(l->format, &l->config, l->level, perm, l->type) == MM_OK;
}

/* `soft`: is it the library's, is it shared? `marks`: what hardware has set since. False: no
 * leaf of this level lies at this address. */
static MM_ALWAYS_INLINE bool make_leaf(struct leaf *l, uint64_t pa, uint64_t soft, uint64_t marks)
{
	const struct mm_npt_format *f = l->format;

	l->config.max_leaf = f->max_leaf;
	l->config.execute_only = f->perm[MM_X] != MM_NPT_INEXPRESSIBLE;
	l->pa = mm_hpa_at(pa);
	if (pa >> f->max_hpa_bits != 0 || !mm_is_aligned(pa, MM_LEVEL_SIZE(l->level)))
		return false;

	uint64_t attr = mm_npt_leaf_attr(f, &l->config, l->perm, l->type);

	l->entry = mm_npt_with_pa(f, mm_npt_leaf_entry(f, l->level, attr, l->perm), l->pa) |
	           (soft & (f->owned | f->shared));
	/* Hardware marks what it may use, and as written what it may write. */
	if (l->config.accessed_dirty && l->perm != MM_NONE)
		l->entry |= marks & (f->accessed | ((l->perm & MM_W) ? f->dirty : 0));
	return true;
}

static MM_ALWAYS_INLINE bool reads_as(const struct leaf *l, uint64_t entry, unsigned level,
                                      enum mm_perm perm)
{
	const struct mm_npt_format *f = l->format;
	uint64_t perm_bits = mm_npt_perm_bits(f, &l->config);

	return mm_npt_is_leaf(f, entry, level) && mm_npt_present(f, entry) == (perm != MM_NONE) &&
	       (!mm_npt_present(f, entry) || !mm_npt_is_table(f, entry, level)) &&
	       !mm_npt_is_frozen(f, entry) && mm_npt_decode_pa(f, entry).raw == l->pa.raw &&
	       mm_npt_entry_perm(f, perm_bits, entry) == perm && mm_npt_entry_memtype(f, entry) == l->type;
}

/* What was put in is read back; hardware finds the address where it looks, and zero where it
 * insists on zero. */
static MM_ALWAYS_INLINE bool leaf_is_read_back(struct leaf *l, uint64_t pa, uint64_t soft,
                                               uint64_t marks, uint64_t field, uint64_t reserved)
{
	const struct mm_npt_format *f = l->format;

	if (!make_leaf(l, pa, soft, marks))
		return true;
	if (!expressible(l, l->perm))
		return false;
	bool software = (l->entry & (f->owned | f->shared)) == (soft & (f->owned | f->shared));
	bool clean = !mm_npt_present(f, l->entry) || (l->entry & reserved) == 0;
	bool address = ((l->entry ^ mm_npt_flip_bits(f, l->entry)) & field) == mm_npt_encode_pa(f, l->pa);
	return reads_as(l, l->entry, l->level, l->perm) && software && clean && address;
}

/* With other permissions it maps the same, with the same attributes, and stays as dirty as it
 * was; by way of none at all, it comes back the same. */
static MM_ALWAYS_INLINE bool leaf_survives_protect(struct leaf *l, bool copied, uint64_t pa,
                                                   uint64_t soft, uint64_t marks)
{
	const struct mm_npt_format *f = l->format;
	bool good = true;

	if (!make_leaf(l, pa, (soft & f->owned) | (copied ? f->shared : 0), marks))
		return true;
	struct mm_npt npt = {.format = f, .config = l->config};
#pragma clang loop unroll(full)
	for (unsigned p = 0; p < MM_PERM_SETS; p++) {
		enum mm_perm perm = (enum mm_perm)p;
		enum mm_perm left = (enum mm_perm)(copied ? p & ~(unsigned)MM_W : p);
		if (!expressible(l, perm) || !expressible(l, left))
			continue;
		uint64_t changed = mm_npt_with_perm(&npt, l->entry, l->level, perm);
		uint64_t parked = mm_npt_with_perm(&npt, l->entry, l->level, MM_NONE);
		good &= reads_as(l, changed, l->level, left);
		good &= (changed & (f->owned | f->shared)) == (l->entry & (f->owned | f->shared));
		if (l->config.accessed_dirty && mm_npt_entry_dirty(f, l->entry))
			good &= mm_npt_entry_dirty(f, changed);
		good &= mm_npt_with_perm(&npt, parked, l->level, perm) == changed;
	}
	return good;
}

/* Spelled as a smaller leaf it reads the same, and back it is the same entry. */
static MM_ALWAYS_INLINE bool leaf_changes_level(struct leaf *l, uint64_t pa, uint64_t soft,
                                                uint64_t marks)
{
	const struct mm_npt_format *f = l->format;
	bool good = true;

	if (!make_leaf(l, pa, soft, marks))
		return true;
#pragma clang loop unroll(full)
	for (unsigned to = 0; to < l->level; to++) {
		uint64_t small = mm_npt_at_level(f, l->entry, l->level, to);
		good &= reads_as(l, small, to, l->perm);
		good &= mm_npt_at_level(f, small, to, l->level) == l->entry;
	}
	return good;
}

/* The address of a table is read back, unlinked or not. The entry is never taken for a leaf. */
static inline bool table_is_read_back(const struct mm_npt_format *f, uint64_t pa, uint64_t field,
                                      uint64_t reserved)
{
	if (pa >> f->max_hpa_bits != 0 || !mm_is_aligned(pa, MM_PAGE_SIZE))
		return true;
	uint64_t entry = mm_npt_table_entry(f, mm_hpa_at(pa));
	uint64_t unlinked = mm_npt_mark(f, entry, MM_NPT_UNLINKED);
	return mm_npt_present(f, entry) && mm_npt_points_to_table(f, entry) &&
	       !mm_npt_is_leaf(f, entry, 1) && mm_npt_decode_pa(f, entry).raw == pa &&
	       (entry & field) == mm_npt_encode_pa(f, mm_hpa_at(pa)) && (entry & reserved) == 0 &&
	       !mm_npt_present(f, unlinked) && !mm_npt_is_leaf(f, unlinked, 1) && !mm_npt_is_frozen(f, unlinked) &&
	       mm_npt_decode_pa(f, unlinked).raw == pa;
}

/* What is absent is neither leaf nor table nor frozen; and of the sets of permissions just these
 * can be asked for (a bit each), at no level beyond the largest leaf's. */
static inline bool rest_is_refused(const struct mm_npt_format *f, unsigned perms)
{
	struct leaf l = {.format = f, .level = f->max_leaf};

	l.config.max_leaf = f->max_leaf;
	l.config.execute_only = f->perm[MM_X] != MM_NPT_INEXPRESSIBLE;
	for (unsigned p = 0; p < MM_PERM_SETS; p++) {
		if (expressible(&l, (enum mm_perm)p) != ((perms >> p & 1) != 0))
			return false;
	}
	l.level++;
	for (unsigned p = 0; p < MM_PERM_SETS; p++) {
		if (expressible(&l, (enum mm_perm)p))
			return false;
	}
	return !mm_npt_present(f, 0) && !mm_npt_is_leaf(f, 0, 1) && !mm_npt_is_table(f, 0, 1) &&
	       !mm_npt_is_frozen(f, 0);
}

/* --- the instances --- */

#define LEAF(f, l, p, t, h)                                                                        \
	(&(struct leaf){.format = &mm_npt_##f,                                                        \
	                .level = l,                                                                \
	                .perm = (enum mm_perm)p,                                                   \
	                .type = (enum mm_memtype)t,                                                \
	                .config = {.accessed_dirty = h}})

#define LEAVES(f, l, p, t, h)                                                                      \
	PROVE(leaf_##f##_level##l##_perm##p##_type##t##_marks##h, uint64_t pa, uint64_t soft,      \
	      uint64_t marks)                                                                      \
	{                                                                                          \
		return leaf_is_read_back(LEAF(f, l, p, t, h), pa, soft, marks, ADDRESS_##f,        \
		                         RESERVED_##f);                                            \
	}                                                                                          \
	PROVE(protect_##f##_level##l##_perm##p##_type##t##_marks##h, uint64_t pa, uint64_t soft,   \
	      uint64_t marks)                                                                      \
	{                                                                                          \
		return leaf_survives_protect(LEAF(f, l, p, t, h), false, pa, soft, marks);         \
	}                                                                                          \
	PROVE(copied_##f##_level##l##_perm##p##_type##t##_marks##h, uint64_t pa, uint64_t soft,    \
	      uint64_t marks)                                                                      \
	{                                                                                          \
		return leaf_survives_protect(LEAF(f, l, p, t, h), true, pa, soft, marks);          \
	}

#define LARGE(f, l, p, t, h)                                                                       \
	LEAVES(f, l, p, t, h)                                                                      \
	PROVE(level_##f##_level##l##_perm##p##_type##t##_marks##h, uint64_t pa, uint64_t soft,     \
	      uint64_t marks)                                                                      \
	{                                                                                          \
		return leaf_changes_level(LEAF(f, l, p, t, h), pa, soft, marks);                   \
	}
#define EACH_MARKS(X, f, l, p, t) X(f, l, p, t, 0) X(f, l, p, t, 1)
#define EACH_TYPE(X, f, l, p)                                                                      \
	EACH_MARKS(X, f, l, p, 0) EACH_MARKS(X, f, l, p, 1) EACH_MARKS(X, f, l, p, 2)

/* The sets of permissions that a format can express, as mm/access.h numbers them. */
#define PERMS_ept(X, f, l)                                                                         \
	EACH_TYPE(X, f, l, 0)                                                                      \
	EACH_TYPE(X, f, l, 1)                                                                      \
	EACH_TYPE(X, f, l, 3) EACH_TYPE(X, f, l, 4) EACH_TYPE(X, f, l, 5) EACH_TYPE(X, f, l, 7)
#define PERMS_amd(X, f, l)                                                                         \
	EACH_TYPE(X, f, l, 0)                                                                      \
	EACH_TYPE(X, f, l, 1) EACH_TYPE(X, f, l, 3) EACH_TYPE(X, f, l, 5) EACH_TYPE(X, f, l, 7)
#define PERMS_stage2(X, f, l) PERMS_ept(X, f, l) EACH_TYPE(X, f, l, 2) EACH_TYPE(X, f, l, 6)
#define PERMS_stage2_lpa2     PERMS_stage2
#define PERMS_gstage          PERMS_ept

#define EACH_LEVEL_2(f) PERMS_##f(LEAVES, f, 0) PERMS_##f(LARGE, f, 1) PERMS_##f(LARGE, f, 2)
#define EACH_LEVEL_3(f) EACH_LEVEL_2(f) PERMS_##f(LARGE, f, 3)
#define EACH_LEVEL_4(f) EACH_LEVEL_3(f) PERMS_##f(LARGE, f, 4)

#define FORMAT(f, largest, perms)                                                                  \
	EACH_LEVEL_##largest(f) PROVE(table_##f, uint64_t pa)                                      \
	{                                                                                          \
		return table_is_read_back(&mm_npt_##f, pa, ADDRESS_##f, TABLE_RESERVED_##f);          \
	}                                                                                          \
	PROVE(rest_##f, void)                                                                      \
	{                                                                                          \
		return rest_is_refused(&mm_npt_##f, perms);                                           \
	}

FORMAT(ept, 2, 0xbb)
FORMAT(amd, 2, 0xab)
FORMAT(stage2, 2, 0xff)
FORMAT(stage2_lpa2, 3, 0xff)
FORMAT(gstage, 4, 0xbb)
