/*
 * The registers that every hart needs set before it does anything for the hypervisor.
 */
#include "machine/riscv64/cpu.h"
#include "machine/riscv64/csr.h"
#include "machine/riscv64/paging.h"
#include "machine/riscv64/timer.h"
#include "machine/riscv64/trap.h"

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
