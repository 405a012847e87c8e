/* SPDX-License-Identifier: BSD-2-Clause */
/* Four levels that replace the tables of start.S, for guests/lib/stage1.c. SDM vol. 3, 4.5. */
#include "lib/stage1.h"

/* P, W, A and D set: no walk has to write to an entry. */
#define PTE_TABLE   UINT64_C(0x23)
#define PTE_LEAF    UINT64_C(0x63)
#define PTE_ADDRESS UINT64_C(0x000ffffffffff000)

const unsigned stage1_root_level = 3;

uint64_t stage1_table(uint64_t table)
{
	return table | PTE_TABLE;
}

uint64_t stage1_leaf(uint64_t page, enum stage1_kind kind)
{
	(void)kind; /* an emulated device is never cached */
	return page | PTE_LEAF;
}

uint64_t stage1_target(uint64_t entry)
{
	return entry & PTE_ADDRESS;
}

void stage1_load(uint64_t root)
{
	__asm__ volatile("movq %0, %%cr3" : : "r"(root) : "memory");
}
