/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest payload: prints a line and checks its start values. Exits with status 0, or with the
 * number of the first value that differs from guests/abi.h.
 *
 * Reports: 0 = vCPUs, 1 = RAM bytes, 2 = seed.
 */
#include "guest.h"

static uint64_t zeroed[64];

void guest_main(unsigned vcpu, const struct guest_info *info)
{
	if (vcpu != 0)
		guest_exit(1);
	if (info->abi != GUEST_ABI)
		guest_exit(2);
	for (unsigned i = 0; i < 64; i++) {
		if (zeroed[i] != 0)
			guest_exit(3);
	}
	guest_print("hello from a guest");
	guest_report(0, info->vcpus);
	guest_report(1, info->ram_bytes);
	guest_report(2, info->seed);
}
