/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RISC-V G-stage tables: privileged manual, "Two-Stage Address Translation", on the entries of
 * Sv39, Sv48 and Sv57. The x4 modes widen the root by two bits: 2048 entries, 16 KiB.
 *
 *	 63 62  61 60     54 53                10 9    8  7  6  5  4  3  2  1  0
 *	+--+------+---------+--------------------+--+--+--+--+--+--+--+--+--+--+
 *	| N| PBMT | reserved| PPN = address >> 12|SH|OW| D| A| G| U| X| W| R| V|
 *	+--+------+---------+--------------------+--+--+--+--+--+--+--+--+--+--+
 *
 * A valid entry with R = W = X = 0 points to a table, at every level. Any level may hold a leaf.
 * Every G-stage access is a user access: an access to a leaf without U always faults. In tables D,
 * A and U are reserved. The memory type is Svpbmt's. A machine without it has MM_NORMAL only.
 */
#include "mm/npt/entry.h"

#define G_V      BIT(0)
#define G_R      BIT(1)
#define G_W      BIT(2)
#define G_X      BIT(3)
#define G_U      BIT(4)
#define G_A      BIT(6)
#define G_D      BIT(7)
#define G_OWNED  BIT(8) /* RSW */
#define G_SHARED BIT(9)
#define G_PPN    GENMASK(53, 10)
#define G_PBMT   GENMASK(62, 61)
#define G_N      BIT(63)

#define G_RESERVED GENMASK(60, 54)

/* "Svpbmt": 0 as the physical memory attributes say, 1 non-cacheable, 2 I/O. */
#define G_PMA FIELD_PREP(G_PBMT, 0)
#define G_NC  FIELD_PREP(G_PBMT, 1)
#define G_IO  FIELD_PREP(G_PBMT, 2)

#define G_LEAF (G_V | G_U)

#define G_GATHER BIT(60) /* 1, 2, 3 -> 61, 62, 63 */

#define G_FIELDS(op)                                                                               \
	(G_V op G_R op G_W op G_X op G_U op G_A op G_D op G_OWNED op G_SHARED op G_PPN op G_PBMT   \
	         op G_N)
_Static_assert(G_FIELDS(+) == G_FIELDS(|), "no bit belongs to two fields");
_Static_assert((G_FIELDS(|) & MM_NPT_MARKS) == 0, "the marks lie outside every field");
_Static_assert(MM_NPT_GATHERED(G_R, G_GATHER) == MM_R && MM_NPT_GATHERED(G_W, G_GATHER) == MM_W &&
                       MM_NPT_GATHERED(G_X, G_GATHER) == MM_X,
               "the order of MM_NPT_READ_RWX");

const struct mm_npt_format mm_npt_gstage = {
	.name = "gstage",
	.page_shift = 12,
	.index_bits = 9,
	.entry_bytes = 8,
	.min_levels = 3,
	.max_levels = 5,
	.min_root_bits = 11,
	.max_root_bits = 11,
	.max_gpa_bits = 59,
	.max_hpa_bits = 56,
	.max_leaf = 4,

	/* "Memory-Management Fence Instructions": an implementation may cache that an entry is
         * invalid, and need not notice by itself that one was relaxed. */
	.caches_absent = true,
	.keeps_refused = true,

	.present = G_V,
	.table = G_V,
	.table_mask = G_V | G_R | G_W | G_X,
	.table_value = G_V,
	.leaf = {G_LEAF, G_LEAF, G_LEAF, G_LEAF, G_LEAF},

	.pa_shift = 2,
	.pa_mask = G_PPN,

	/* W without R is reserved. */
	.perm =
		{
			[MM_NONE] = 0,
			[MM_R] = G_R,
			[MM_W] = MM_NPT_INEXPRESSIBLE,
			[MM_RW] = G_R | G_W,
			[MM_X] = G_X,
			[MM_RX] = G_R | G_X,
			[MM_WX] = MM_NPT_INEXPRESSIBLE,
			[MM_RWX] = G_R | G_W | G_X,
		},
	.perm_mask = G_R | G_W | G_X,
	.perm_bits = G_R | G_W | G_X,
	.perm_gather = G_GATHER,
	.perm_read = MM_NPT_READ_RWX,

	.memtype = {[MM_NORMAL] = G_PMA, [MM_NONCACHED] = G_NC, [MM_DEVICE] = G_IO},
	.memtype_mask = G_PBMT,

	.accessed = G_A,
	.dirty = G_D,
	.preset = G_A | G_D,

	.owned = G_OWNED,
	.shared = G_SHARED,

	/* "Sv39": 60:54; N without Svnapot; in a table also PBMT, D, A and U. */
	.leaf_reserved = G_N | G_RESERVED,
	.table_reserved = G_N | G_RESERVED | G_PBMT | G_D | G_A | G_U,
};
