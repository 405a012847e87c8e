/* What the machine says of itself: the M-mode identification registers, by way of the firmware. */
#include "machine.h"
#include "machine/riscv64/sbi.h"

static uint64_t ask(enum sbi_function function)
{
	struct sbi_result result = sbi_call(SBI_BASE, function, 0, 0, 0, 0, 0);

	return result.error == SBI_SUCCESS ? (uint64_t)result.value : 0;
}

void machine_read_signs(struct machine_signs *out)
{
	*out = (struct machine_signs){
		.kind = SIGNS_RISCV64,
		.mvendorid = ask(SBI_BASE_MVENDORID),
		.marchid = ask(SBI_BASE_MARCHID),
		.mimpid = ask(SBI_BASE_MIMPID),
	};
}
