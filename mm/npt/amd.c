/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD nested paging: APM vol. 2, 15.25 "Nested Paging", on the long-mode page tables of 5.3.
 *
 *	 63 62     54 53 52 51           12 11  9  8  7  6  5  4   3   2  1  0
 *	+--+---------+--+--+---------------+-----+--+--+--+--+---+---+--+--+--+
 *	|NX|   avl   |SH|OW|    address    | avl | G|PS| D| A|PCD|PWT| U| W| P|
 *	+--+---------+--+--+---------------+-----+--+--+--+--+---+---+--+--+--+
 *
 * The nested walk counts as a user access (15.25.5), so U must be set at every level. Every present
 * entry permits reading. The host's EFER.NXE must be set for NX not to be
 * reserved. A and D are always set by hardware, in memory as in any long-mode table. AMD's
 * processors are not affected by L1TF: entries that are not present keep their address as it is.
 */
#include "mm/npt/entry.h"

#define AMD_P      BIT(0)
#define AMD_W      BIT(1)
#define AMD_U      BIT(2)
#define AMD_PWT    BIT(3)
#define AMD_PCD    BIT(4)
#define AMD_A      BIT(5)
#define AMD_D      BIT(6)
#define AMD_PS     BIT(7)
#define AMD_ADDR   GENMASK(51, 12)
#define AMD_OWNED  BIT(52) /* 52 and 53 are available to software */
#define AMD_SHARED BIT(53)
#define AMD_NX     BIT(63)

/* The memory type is entry PAT:PCD:PWT of the host's PAT (15.25.8), as it stands after reset:
 * 0 write-back, 2 UC- (which a guest's write-combining overrides), 3 UC. PAT itself is never
 * set: it is bit 7 in a 4 KiB leaf and bit 12 in larger ones. */
#define AMD_WB       UINT64_C(0)
#define AMD_UC_MINUS AMD_PCD
#define AMD_UC       (AMD_PCD | AMD_PWT)

#define AMD_GATHER (BIT(61) | BIT(0)) /* 0, 1 -> 61, 62; 63 stays */

#define AMD_FIELDS(op)                                                                             \
	(AMD_P op AMD_W op AMD_U op AMD_PWT op AMD_PCD op AMD_A op AMD_D op AMD_PS op AMD_ADDR op  \
	         AMD_OWNED op AMD_SHARED op AMD_NX)
_Static_assert(AMD_FIELDS(+) == AMD_FIELDS(|), "no bit belongs to two fields");
_Static_assert((AMD_FIELDS(|) & MM_NPT_MARKS) == 0, "the marks lie outside every field");
_Static_assert(MM_NPT_GATHERED(AMD_P, AMD_GATHER) == MM_R &&
                       MM_NPT_GATHERED(AMD_W, AMD_GATHER) == MM_W &&
                       MM_NPT_GATHERED(AMD_NX, AMD_GATHER) == MM_X,
               "the order of MM_NPT_READ_RW_XN");

const struct mm_npt_format mm_npt_amd = {
	.name = "amd",
	.page_shift = 12,
	.index_bits = 9,
	.entry_bytes = 8,
	.min_levels = 4,
	.max_levels = 5,
	.min_root_bits = 9,
	.max_root_bits = 9,
	.max_gpa_bits = 57,
	.max_hpa_bits = 52,
	.max_leaf = 2,

	.present = AMD_P,
	.table = AMD_P | AMD_W | AMD_U,
	.table_mask = AMD_P | AMD_PS,
	.table_value = AMD_P,
	.leaf = {AMD_P | AMD_U, AMD_P | AMD_U | AMD_PS, AMD_P | AMD_U | AMD_PS},

	.pa_mask = AMD_ADDR,

	.perm =
		{
			[MM_NONE] = AMD_NX,
			[MM_R] = AMD_NX,
			[MM_W] = MM_NPT_INEXPRESSIBLE,
			[MM_RW] = AMD_W | AMD_NX,
			[MM_X] = MM_NPT_INEXPRESSIBLE,
			[MM_RX] = 0,
			[MM_WX] = MM_NPT_INEXPRESSIBLE,
			[MM_RWX] = AMD_W,
		},
	.perm_mask = AMD_W | AMD_NX,
	.perm_bits = AMD_P | AMD_W | AMD_NX,
	.perm_gather = AMD_GATHER,
	.perm_read = MM_NPT_READ_RW_XN,

	.memtype = {[MM_NORMAL] = AMD_WB, [MM_NONCACHED] = AMD_UC_MINUS, [MM_DEVICE] = AMD_UC},
	.memtype_mask = AMD_PCD | AMD_PWT,

	.accessed = AMD_A,
	.dirty = AMD_D,
	.preset = AMD_A | AMD_D,

	.owned = AMD_OWNED,
	.shared = AMD_SHARED,

	.table_reserved = AMD_PS,
};
