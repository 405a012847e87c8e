/* What the machine says of itself: MIDR_EL1, and whether its time is that of the instructions. */
#include "machine.h"
#include "machine/aarch64/sysreg.h"

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
 * Where PMCCNTR_EL0 follows the instructions, the same loop takes the same time whenever it runs.
 * QEMU's emulated counter follows the host's clock otherwise, and no two loops are the same. A real
 * CPU may answer either way: this is looked at only in what is known to be QEMU.
 */
static bool counts_instructions(void)
{
	uint64_t first;

	(void)measure_loop(); /* translates it */
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
