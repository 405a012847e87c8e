/*
 * Start-up of the machine layer: what the device tree says of the console, the timer and the
 * instruction set, and each hart's own registers.
 */
#include "machine.h"

#include "boot_info.h"
#include "fdt.h"
#include "kernel/riscv64/console.h"
#include "kernel/riscv64/cpu.h"
#include "kernel/riscv64/csr.h"
#include "kernel/riscv64/isa.h"
#include "kernel/riscv64/paging.h"
#include "kernel/riscv64/power.h"
#include "kernel/riscv64/smp.h"
#include "kernel/riscv64/timer.h"
#include "kernel/riscv64/trap.h"
#include "vcpu.h"

const char machine_arch[] = "riscv64";

const struct virt_ops *const virt_candidates[] = {&hext_ops, NULL};

/* Walkers may keep that an entry is absent: the library answers the fault that follows with a
 * flush. Stores reach the walkers of other harts without a fence. */
void (*const machine_publish)(void *ctx) = NULL;

void cpu_init(void)
{
	csr_write(stvec, (uint64_t)(uintptr_t)host_trap);
	csr_write(sscratch, 0);
	/* Interrupts end a guest's run or a wfi; the hypervisor itself never takes one. */
	csr_clear(sstatus, SSTATUS_SIE);
	csr_write(sie, INTERRUPT_SOFTWARE | INTERRUPT_TIMER);
	paging_enable();
	timer_init();
}

void machine_init(const struct boot_info *info)
{
	struct fdt fdt;

	paging_build();
	/* Without a device tree there is still the SBI console to say so on. */
	if (info->fdt != NULL && fdt_open(&fdt, info->fdt, UINT32_MAX) == FDT_OK) {
		console_init(&fdt);
		power_init(&fdt);
		timer_read_frequency(&fdt);
		isa_init(&fdt, info->boot_cpu);
	}
	smp_init(info);
	cpu_init();
}

unsigned machine_cpu_index(void)
{
	return this_cpu()->index;
}

void machine_relax(void)
{
	/* PAUSE, which is a hint: FENCE with an empty successor set (Zihintpause). */
	__asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010" ::: "memory");
}
