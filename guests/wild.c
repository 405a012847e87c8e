/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses one address that is not mapped. Argument 0 = the address, 1 = WILD_*. Reports: 0 = the
 * guest was not killed.
 */
#include "guest.h"

#define WILD_READ  0
#define WILD_WRITE 1
#define WILD_FETCH 2

void guest_main(unsigned vcpu, const struct guest_info *info)
{
	uint64_t at = info->args[0];

	(void)vcpu;
	if (info->args[1] == WILD_READ)
		(void)read32(at);
	else if (info->args[1] == WILD_WRITE)
		write32(at, 1);
	else
		((void (*)(void))(uintptr_t)at)();
	guest_report(0, 1);
}
