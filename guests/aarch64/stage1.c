/* SPDX-License-Identifier: BSD-2-Clause */
/* VMSAv8-64 stage 1, 4 KiB granule, 39 bits of address, for guests/lib/stage1.c. Arm ARM D8.3. */
#include "lib/stage1.h"

#define DESC_TABLE   UINT64_C(0x3) /* valid; at the last level, a page */
#define DESC_NORMAL  (UINT64_C(0) << 2)
#define DESC_DEVICE  (UINT64_C(1) << 2)
#define DESC_SH      (UINT64_C(3) << 8)
#define DESC_AF      (UINT64_C(1) << 10)
#define DESC_XN      (UINT64_C(3) << 53)
#define DESC_ADDRESS UINT64_C(0xfffffffff000)

/* MAIR_EL1: attribute 0 is Normal write-back, attribute 1 Device-nGnRE. */
#define MAIR UINT64_C(0x04ff)

/* TCR_EL1: T0SZ 25, walks are write-back and inner shareable, no TTBR1, 48-bit outputs. */
#define TCR_T0SZ  UINT64_C(25)
#define TCR_WALKS (UINT64_C(1) << 8 | UINT64_C(1) << 10 | UINT64_C(3) << 12)
#define TCR_EPD1  (UINT64_C(1) << 23)

/* ID_AA64MMFR0_EL1.PARange and TCR_EL1.IPS have the same encoding up to 48 bits. */
#define PARANGE     UINT64_C(0xf)
#define PARANGE_48  UINT64_C(5)
#define IPS_SHIFT   32
#define SCTLR_M_C_I (UINT64_C(1) << 0 | UINT64_C(1) << 2 | UINT64_C(1) << 12)

const unsigned stage1_root_level = 2; /* level 1 in the manual */

uint64_t stage1_table(uint64_t table)
{
	return table | DESC_TABLE;
}

uint64_t stage1_leaf(uint64_t page, enum stage1_kind kind)
{
	uint64_t type = kind == STAGE1_DEVICE ? DESC_DEVICE | DESC_XN : DESC_NORMAL | DESC_SH;

	return page | type | DESC_AF | DESC_TABLE;
}

uint64_t stage1_target(uint64_t entry)
{
	return entry & DESC_ADDRESS;
}

void stage1_load(uint64_t root)
{
	uint64_t mmfr0, sctlr, ips;

	__asm__ volatile("mrs %0, id_aa64mmfr0_el1" : "=r"(mmfr0));
	ips = (mmfr0 & PARANGE) < PARANGE_48 ? mmfr0 & PARANGE : PARANGE_48;
	__asm__ volatile("msr mair_el1, %0" : : "r"(MAIR));
	__asm__ volatile("msr tcr_el1, %0"
	                 :
	                 : "r"(TCR_T0SZ | TCR_WALKS | TCR_EPD1 | ips << IPS_SHIFT));
	__asm__ volatile("msr ttbr0_el1, %0" : : "r"(root));
	__asm__ volatile("dsb ish\n\tisb\n\ttlbi vmalle1\n\tdsb nsh\n\tisb" : : : "memory");
	__asm__ volatile("mrs %0, sctlr_el1" : "=r"(sctlr));
	__asm__ volatile("msr sctlr_el1, %0\n\tisb" : : "r"(sctlr | SCTLR_M_C_I) : "memory");
}
