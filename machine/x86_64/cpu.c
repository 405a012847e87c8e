/* What every part of the hypervisor asks of the CPU it runs on. Calls nothing. */
#include "machine/x86_64/cpu.h"

#include "machine.h"
#include "machine/x86_64/desc.h"

/* Each CPU has a TSS of its own, so its task register tells it from the others. */
unsigned machine_cpu_index(void)
{
	uint32_t tr;

	__asm__ volatile("str %0" : "=r"(tr));
	return (tr - SELECTOR_TSS) / TSS_DESC_SIZE;
}

void machine_relax(void)
{
	cpu_pause();
}
