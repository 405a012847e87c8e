/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel extended page tables: Intel SDM vol. 3C, 29.3.2 "EPT Translation Mechanism" and tables
 * 29-1 to 29-7 (formats of the EPT paging-structure entries).
 *
 *	 63        54 53 52 51           12 11 10  9  8  7  6  5   3  2  1  0
 *	+------------+--+--+---------------+--+--+--+--+--+--+------+--+--+--+
 *	|  ignored   |SH|OW|    address    |     | D| A|PS|IP|  MT  | X| W| R|
 *	+------------+--+--+---------------+--+--+--+--+--+--+------+--+--+--+
 *
 * An entry is present if any of R, W, X is set. Bit 7 makes a leaf of an entry at the 2 MiB and
 * 1 GiB levels. Bits 6 (ignore the guest's PAT) and 5:3 (memory type) mean something in leaves
 * only and are reserved in tables. A and D are used if EPTP bit 6 is set.
 */
#include "mm/npt/entry.h"

#define EPT_R      BIT(0)
#define EPT_W      BIT(1)
#define EPT_X      BIT(2)
#define EPT_MT     GENMASK(5, 3)
#define EPT_IPAT   BIT(6)
#define EPT_PS     BIT(7)
#define EPT_A      BIT(8)
#define EPT_D      BIT(9)
#define EPT_ADDR   GENMASK(51, 12)
#define EPT_OWNED  BIT(52) /* 52 and 53 are ignored in every entry */
#define EPT_SHARED BIT(53)

/* SDM 12.11.2.1, memory type encodings. IPAT: the guest's PAT is ignored. */
#define EPT_UC (FIELD_PREP(EPT_MT, 0) | EPT_IPAT)
#define EPT_WC (FIELD_PREP(EPT_MT, 1) | EPT_IPAT)
#define EPT_WB (FIELD_PREP(EPT_MT, 6) | EPT_IPAT)

#define EPT_GATHER BIT(61) /* 0, 1, 2 -> 61, 62, 63 */

#define EPT_FIELDS(op)                                                                             \
	(EPT_R op EPT_W op EPT_X op EPT_MT op EPT_IPAT op EPT_PS op EPT_A op EPT_D op EPT_ADDR op  \
	         EPT_OWNED op EPT_SHARED)
_Static_assert(EPT_FIELDS(+) == EPT_FIELDS(|), "no bit belongs to two fields");
_Static_assert((EPT_FIELDS(|) & MM_NPT_MARKS) == 0, "the marks lie outside every field");
_Static_assert(MM_NPT_GATHERED(EPT_R, EPT_GATHER) == MM_R &&
                       MM_NPT_GATHERED(EPT_W, EPT_GATHER) == MM_W &&
                       MM_NPT_GATHERED(EPT_X, EPT_GATHER) == MM_X,
               "the order of MM_NPT_READ_RWX");

const struct mm_npt_format mm_npt_ept = {
	.name = "ept",
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

	.present = EPT_R | EPT_W | EPT_X,
	.table = EPT_R | EPT_W | EPT_X,
	.table_mask = EPT_PS | EPT_R | EPT_W | EPT_X,
	.table_value = EPT_R | EPT_W | EPT_X,
	.leaf = {0, EPT_PS, EPT_PS},

	.pa_mask = EPT_ADDR,
	.absent_flip = EPT_ADDR, /* L1TF */

	/* SDM 29.3.3.1: W without R is an EPT misconfiguration, X alone is one unless
         * IA32_VMX_EPT_VPID_CAP bit 0 allows it. */
	.perm =
		{
			[MM_NONE] = 0,
			[MM_R] = EPT_R,
			[MM_W] = MM_NPT_INEXPRESSIBLE,
			[MM_RW] = EPT_R | EPT_W,
			[MM_X] = EPT_X,
			[MM_RX] = EPT_R | EPT_X,
			[MM_WX] = MM_NPT_INEXPRESSIBLE,
			[MM_RWX] = EPT_R | EPT_W | EPT_X,
		},
	.perm_mask = EPT_R | EPT_W | EPT_X,
	.perm_bits = EPT_R | EPT_W | EPT_X,
	.perm_gather = EPT_GATHER,
	.perm_read = MM_NPT_READ_RWX,

	.memtype = {[MM_NORMAL] = EPT_WB, [MM_NONCACHED] = EPT_WC, [MM_DEVICE] = EPT_UC},
	.memtype_mask = EPT_MT | EPT_IPAT,

	.accessed = EPT_A,
	.dirty = EPT_D,

	.owned = EPT_OWNED,
	.shared = EPT_SHARED,

	/* Tables 29-2 to 29-4: 7:3 where an entry points to a table. A leaf has no reserved bit but
         * in its address. */
	.table_reserved = EPT_PS | EPT_IPAT | EPT_MT,
};
