/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds its own page tables in the lazy arena, turns stage 1 on, and accesses pages through them.
 * From then on every access is translated twice.
 *
 * Arguments: 1 = bytes from one page to the next, 2 = pages, 3 = offset of the tables.
 * Reports: 0 = pages, 1 = words that were wrong, 2 = bytes of tables written, 3 = nested faults
 * while the tables were written, 4 = while the pages were accessed.
 */
#include "guest.h"

static uint64_t faults(void)
{
	return guest_call(GUEST_FAULTS, 0, 0, 0).value;
}

void guest_main(unsigned vcpu, const struct guest_info *info)
{
	uint64_t stride = info->args[1], count = info->args[2];
	uint64_t start = faults(), middle, wrong = 0, bytes;

	(void)vcpu;
	bytes = guest_stage1_on(info->arena_base + info->args[3], info->arena_base, stride * count);
	middle = faults();
	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = info->arena_base + i * stride;

		wrong += read64(at) != 0;
		write64(at, ~at);
		wrong += read64(at) != ~at;
	}
	guest_report(4, faults() - middle);
	guest_report(3, middle - start);
	guest_report(2, bytes);
	guest_report(1, wrong);
	guest_report(0, count);
}
