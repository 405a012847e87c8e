/*
 * What the log itself needs of a CPU; so nothing here may log.
 */
#include "machine/riscv64/cpu.h"

#include "machine.h"

const char machine_arch[] = "riscv64";

unsigned machine_cpu_index(void)
{
	return this_cpu()->index;
}

void machine_relax(void)
{
	/* PAUSE, which is a hint: FENCE with an empty successor set (Zihintpause). */
	__asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010" ::: "memory");
}
