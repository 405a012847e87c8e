/* SPDX-License-Identifier: BSD-2-Clause */
/* Sv39, for guests/lib/stage1.c. Privileged manual, 4.4. */
#include "lib/stage1.h"

#define MM_PAGE_SHIFT 12
#define SATP_SV39     (UINT64_C(8) << 60)
#define PTE_PPN_LOW   10

/* V, R, W, X, A, D: for supervisor mode, in which a payload runs. */
#define PTE_TABLE UINT64_C(0x01)
#define PTE_LEAF  UINT64_C(0xcf)

const unsigned stage1_root_level = 2;

uint64_t stage1_table(uint64_t table)
{
	return table >> MM_PAGE_SHIFT << PTE_PPN_LOW | PTE_TABLE;
}

uint64_t stage1_leaf(uint64_t page, enum stage1_kind kind)
{
	(void)kind; /* the machine defines the memory types */
	return page >> MM_PAGE_SHIFT << PTE_PPN_LOW | PTE_LEAF;
}

uint64_t stage1_target(uint64_t entry)
{
	return entry >> PTE_PPN_LOW << MM_PAGE_SHIFT;
}

void stage1_load(uint64_t root)
{
	uint64_t satp = SATP_SV39 | root >> MM_PAGE_SHIFT;

	__asm__ volatile("sfence.vma\n\tcsrw satp, %0\n\tsfence.vma" : : "r"(satp) : "memory");
}
