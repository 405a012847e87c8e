/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arm stage 2 translation tables, 4 KiB granule: Arm ARM (DDI 0487) D8.3 "Translation table
 * descriptor formats" and D8.4 "Memory access control", stage 2 parts. Two formats: up to 48
 * bits of address, and with VTCR_EL2.DS (FEAT_LPA2) up to 52.
 *
 *	 63   58 57 56 55 54  53 52  51  50 49       12 11 10 9   8 7   6 5     2 1  0
 *	+-------+--+--+--+-----+---+---+--+------------+--+--+-----+-----+-------+--+--+
 *	|ignored|SD|SH|OW| XN  |Cnt|DBM|  |  address   |  |AF| SH  |S2AP |MemAttr| T| V|
 *	+-------+--+--+--+-----+---+---+--+------------+--+--+-----+-----+-------+--+--+
 *
 * Bits 1:0 are 0b11 for a table and for a 4 KiB page, 0b01 for a block. The address ends at
 * bit 47; with DS at bit 49, and bits 9:8 are address bits 51:50 (shareability then comes from
 * VTCR_EL2). Bits 58:55 belong to software.
 *
 * With VTCR_EL2.HD, a leaf with DBM and without S2AP[1] is writable and clean, and the hardware
 * sets S2AP[1] at the first write (D8.4.7): the dirty mark is a permission bit.
 */
#include "mm/npt/entry.h"

#define S2_VALID      BIT(0)
#define S2_TYPE       BIT(1) /* table, or page at the last level */
#define S2_MEMATTR    GENMASK(5, 2)
#define S2_S2AP_R     BIT(6)
#define S2_S2AP_W     BIT(7)
#define S2_SH         GENMASK(9, 8)
#define S2_AF         BIT(10)
#define S2_ADDR       GENMASK(47, 12)
#define S2_DBM        BIT(51)
#define S2_XN         GENMASK(54, 53)
#define S2_XN_ALL     BIT(54) /* XN = 0b10: not executable at EL1 and EL0 */
#define S2_OWNED      BIT(55)
#define S2_SHARED     BIT(56)
#define S2_SOFT_DIRTY BIT(57)

/* D8.5.5, stage 2 memory attributes with HCR_EL2.FWB = 0. */
#define S2_NORMAL_WB     FIELD_PREP(S2_MEMATTR, 0xf)
#define S2_NORMAL_NC     FIELD_PREP(S2_MEMATTR, 0x5)
#define S2_DEVICE_nGnRnE FIELD_PREP(S2_MEMATTR, 0x0)
#define S2_INNER         FIELD_PREP(S2_SH, 3) /* inner shareable; NC and Device: always outer */

#define LPA2_ADDR GENMASK(49, 12)
#define LPA2_HIGH GENMASK(9, 8)

/* S2AP 6, 7 -> 61, 62; XN 54 -> 63; where DBM stands for S2AP[1], 51 -> 62. */
#define S2_GATHER (BIT(55) | BIT(9) | BIT(11))

#define S2_FIELDS(op)                                                                              \
	(S2_VALID op S2_TYPE op S2_MEMATTR op S2_S2AP_R op S2_S2AP_W op S2_SH op S2_AF op S2_DBM   \
	         op S2_XN op S2_OWNED op S2_SHARED op S2_SOFT_DIRTY)
_Static_assert(S2_FIELDS(+) == S2_FIELDS(|), "no bit belongs to two fields");
_Static_assert((S2_FIELDS(|) & S2_ADDR) == 0, "attributes lie outside the address");
_Static_assert((S2_FIELDS(|) & LPA2_ADDR) == 0, "attributes lie outside the address");
_Static_assert((LPA2_HIGH & S2_FIELDS(|) & ~S2_SH) == 0, "with DS, they take the place of SH");
_Static_assert((S2_FIELDS(|) & MM_NPT_MARKS) == 0, "the marks lie outside every field");
_Static_assert(MM_NPT_GATHERED(S2_S2AP_R, S2_GATHER) == MM_R &&
                       MM_NPT_GATHERED(S2_S2AP_W, S2_GATHER) == MM_W &&
                       MM_NPT_GATHERED(S2_DBM, S2_GATHER) == MM_W &&
                       MM_NPT_GATHERED(S2_XN_ALL, S2_GATHER) == MM_X,
               "the order of MM_NPT_READ_RW_XN");

/* All that does not depend on DS. */
#define S2_COMMON                                                                                  \
	.page_shift = 12, .index_bits = 9, .entry_bytes = 8, .min_root_bits = 1,                   \
	.max_root_bits = 13, /* 16 concatenated tables */                                          \
		.break_before_make = true, .keeps_refused = true,                                  \
                                                                                                   \
	.present = S2_VALID, .table = S2_VALID | S2_TYPE, .table_mask = S2_VALID | S2_TYPE,        \
	.table_value = S2_VALID | S2_TYPE,                                                         \
	.leaf = {S2_VALID | S2_TYPE, S2_VALID, S2_VALID, S2_VALID},                                \
                                                                                                   \
	.perm =                                                                                    \
		{                                                                                  \
			[MM_NONE] = S2_XN_ALL,                                                     \
			[MM_R] = S2_S2AP_R | S2_XN_ALL,                                            \
			[MM_W] = S2_S2AP_W | S2_XN_ALL,                                            \
			[MM_RW] = S2_S2AP_R | S2_S2AP_W | S2_XN_ALL,                               \
			[MM_X] = 0,                                                                \
			[MM_RX] = S2_S2AP_R,                                                       \
			[MM_WX] = S2_S2AP_W,                                                       \
			[MM_RWX] = S2_S2AP_R | S2_S2AP_W,                                          \
	},                                                                                         \
	.perm_mask = S2_S2AP_R | S2_S2AP_W | S2_XN | S2_DBM,                                       \
	.perm_bits = S2_S2AP_R | S2_S2AP_W | S2_XN_ALL, .perm_gather = S2_GATHER,                  \
	.perm_read = MM_NPT_READ_RW_XN,                                                            \
                                                                                                   \
	.accessed = S2_AF, .dirty = S2_S2AP_W, .preset = S2_AF, .writable = S2_DBM,                \
                                                                                                   \
	.owned = S2_OWNED, .shared = S2_SHARED, .soft_dirty = S2_SOFT_DIRTY

const struct mm_npt_format mm_npt_stage2 = {
	.name = "stage2",
	.min_levels = 2,
	.max_levels = 4,
	.max_gpa_bits = 48,
	.max_hpa_bits = 48,
	.max_leaf = 2,

	.pa_mask = S2_ADDR,
	.leaf_reserved = BIT(11) | GENMASK(50, 48), /* D8.3.2 */
	.table_reserved = GENMASK(50, 48),

	.memtype =
		{
			[MM_NORMAL] = S2_NORMAL_WB | S2_INNER,
			[MM_NONCACHED] = S2_NORMAL_NC,
			[MM_DEVICE] = S2_DEVICE_nGnRnE,
		},
	.memtype_mask = S2_MEMATTR | S2_SH,

	S2_COMMON,
};

const struct mm_npt_format mm_npt_stage2_lpa2 = {
	.name = "stage2-lpa2",
	.min_levels = 3,
	.max_levels = 5,
	.max_gpa_bits = 52,
	.max_hpa_bits = 52,
	.max_leaf = 3, /* DS adds 512 GiB blocks */

	.pa_mask = LPA2_ADDR,
	.high_shift = 42,
	.high_mask = LPA2_HIGH,
	.leaf_reserved = BIT(11) | BIT(50),
	.table_reserved = BIT(50),

	.memtype =
		{
			[MM_NORMAL] = S2_NORMAL_WB,
			[MM_NONCACHED] = S2_NORMAL_NC,
			[MM_DEVICE] = S2_DEVICE_nGnRnE,
		},
	.memtype_mask = S2_MEMATTR,

	S2_COMMON,
};
