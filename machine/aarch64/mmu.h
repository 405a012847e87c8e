/* The hypervisor's own stage-1 translation at EL2. */
#ifndef MACHINE_AARCH64_MMU_H
#define MACHINE_AARCH64_MMU_H

#include <stdint.h>

/* What a CPU loads to share the map: entry.S reads it with the MMU still off. */
struct mmu_registers {
	uint64_t mair;
	uint64_t tcr;
	uint64_t ttbr;
	uint64_t sctlr;
};

extern struct mmu_registers mmu_registers;

#endif
