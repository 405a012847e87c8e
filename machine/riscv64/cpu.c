/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One hart by itself: its number, its own page table, and the registers that it needs before it
 * does anything else. The log uses this file, so nothing here may log.
 */
#include "machine/riscv64/cpu.h"

#include "machine/riscv64/csr.h"
#include "machine/riscv64/timer.h"
#include "machine/riscv64/trap.h"
#include "machine/riscv64/zero.h"
#include "mm/addr.h"

const char machine_arch[] = "riscv64";

unsigned cpus_up = 1;

unsigned machine_cpu_count(void)
{
	return cpus_up;
}

unsigned machine_cpu_index(void)
{
	return this_cpu()->index;
}

void machine_relax(void)
{
	/* PAUSE, a hint: FENCE with an empty successor set (Zihintpause). */
	__asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010" ::: "memory");
}

/* --- the hypervisor's own address translation --- */

/*
 * Virtual = physical, and satp is not bare: QEMU 7.2 reports a wrong fault when an hlv faults while
 * satp is bare. Sv39, which every hart with the hypervisor extension has. Each entry of the root
 * maps 1 GiB of the lower 256 GiB. The upper half, for negative addresses, is not mapped.
 */
#define ROOT_ENTRIES 512
#define LOWER_HALF   256

static uint64_t root[ROOT_ENTRIES] MM_ALIGNED_TO(4096);

void cpu_build_page_table(void)
{
	for (uint64_t i = 0; i < LOWER_HALF; i++)
		root[i] = FIELD_PREP(PTE_PPN, (i * MM_LEVEL_SIZE(2)) >> MM_PAGE_SHIFT) | PTE_V |
		          PTE_R | PTE_W | PTE_X | PTE_G | PTE_A | PTE_D;
}

static void load_page_table(void)
{
	csr_write(satp, FIELD_PREP(ATP_MODE, ATP_SV39) |
	                        FIELD_PREP(ATP_PPN, (uint64_t)(uintptr_t)root >> MM_PAGE_SHIFT));
	__asm__ volatile("sfence.vma" ::: "memory");
}

void cpu_init(void)
{
	csr_write(stvec, (uint64_t)(uintptr_t)host_trap);
	csr_write(sscratch, 0);
	/* Interrupts end a guest's run or a WFI. The hypervisor itself never takes one. */
	csr_clear(sstatus, SSTATUS_SIE);
	csr_write(sie, INTERRUPT_SOFTWARE | INTERRUPT_TIMER);
	load_page_table();
	timer_init();
	zero_try();
}

/* --- memory --- */

/* A hart may keep in its TLB that an entry is invalid. The library answers the fault that follows
 * with a flush. The page-table walkers of other harts see stores without a fence. */
void (*const machine_publish)(void *ctx) = NULL;
