/* The other harts: see smp.c. */
#ifndef MACHINE_RISCV64_SMP_H
#define MACHINE_RISCV64_SMP_H

#include <stdbool.h>
#include <stdint.h>

#include "boot_info.h"
#include "machine/riscv64/cpu.h"

/* Remembers which harts there are. */
void smp_init(const struct boot_info *info);

/* Takes the software interrupt that is pending on this hart, if one is. */
void smp_take_kick(void);

/* In start.S: where the firmware starts a hart, with a1 = its struct cpu. */
void secondary_start(void);
extern struct cpu *_Atomic smp_starting;
/* Called by it, on the hart's own stack. */
_Noreturn void secondary_main(struct cpu *cpu);

/* A set of harts as SBI calls take it: bit n is hart base + n. */
struct hart_mask {
	uint64_t mask;
	uint64_t base;
};

/* Asks `wanted` of every hart that is up, but not this one, and calls fn for masks that together
 * name those it wants. */
void smp_for_others(bool (*wanted)(struct cpu *cpu, void *arg),
                    void (*fn)(struct hart_mask harts, void *arg), void *arg);

#endif
