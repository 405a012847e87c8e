/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The start of the machine layer (arm_boot.h has what comes before), and how the machine identifies
 * itself.
 */
#include "machine.h"

#include "machine/aarch64/cpu.h"
#include "machine/aarch64/irq.h"
#include "vcpu.h"

const struct virt_ops *const virt_candidates[] = {&el2_ops, NULL};

void machine_init(const struct boot_info *info)
{
	(void)info;
	irq_init();
	cpu_init();
}

/* --- identification: MIDR_EL1, and whether the cycle counter follows the instructions --- */

SYSREG_READ(midr_el1, "midr_el1")

#define LOOP_TURNS 1000
#define LOOPS      16

static uint64_t measure_loop(void)
{
	uint64_t before = machine_cycles();

	for (unsigned i = 0; i < LOOP_TURNS; i++)
		__asm__ volatile("");
	return machine_cycles() - before;
}

/*
 * With -icount, PMCCNTR_EL0 in QEMU follows the instructions: the same loop always takes the same
 * time. Otherwise it follows the host's clock, and two loops differ. The answer has no meaning on a
 * real CPU. Only QEMU's is used.
 */
static bool counts_instructions(void)
{
	uint64_t first;

	(void)measure_loop(); /* the emulator translates it now */
	first = measure_loop();
	for (unsigned i = 1; i < LOOPS; i++) {
		if (measure_loop() != first)
			return false;
	}
	return first != 0;
}

void machine_read_signs(struct machine_signs *out)
{
	*out = (struct machine_signs){
		.kind = SIGNS_AARCH64, .midr = read_midr_el1(), .counted = counts_instructions()};
}
