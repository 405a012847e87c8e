/* What the machine says of itself: MIDR_EL1. */
#include "machine.h"
#include "machine/aarch64/sysreg.h"

SYSREG_READ(midr_el1, "midr_el1")

void machine_read_signs(struct machine_signs *out)
{
	*out = (struct machine_signs){.kind = SIGNS_AARCH64, .midr = read_midr_el1()};
}
