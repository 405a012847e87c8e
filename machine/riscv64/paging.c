/*
 * One table of 1 GiB leaves, which every hart loads.
 */
#include "machine/riscv64/paging.h"

#include <stdint.h>

#include "machine/riscv64/csr.h"
#include "mm/addr.h"

/*
 * Sv39, which every hart with the hypervisor extension has. Each entry of the root maps 1 GiB
 * of the lower 256 GiB; the upper half is for negative addresses, which nobody here uses.
 */
#define ROOT_ENTRIES 512
#define LOWER_HALF   256

static uint64_t root[ROOT_ENTRIES] MM_ALIGNED_TO(4096);

void paging_build(void)
{
	for (uint64_t i = 0; i < LOWER_HALF; i++)
		root[i] = FIELD_PREP(PTE_PPN, (i * MM_LEVEL_SIZE(2)) >> MM_PAGE_SHIFT) | PTE_V |
		          PTE_R | PTE_W | PTE_X | PTE_G | PTE_A | PTE_D;
}

void paging_enable(void)
{
	csr_write(satp, FIELD_PREP(ATP_MODE, ATP_SV39) |
	                        FIELD_PREP(ATP_PPN, (uint64_t)(uintptr_t)root >> MM_PAGE_SHIFT));
	__asm__ volatile("sfence.vma" ::: "memory");
}
