/* SPDX-License-Identifier: BSD-2-Clause */
/* Loops for ever and never exits. */
#include "guest.h"

void guest_main(unsigned vcpu, const struct guest_info *info)
{
	volatile uint64_t turns = 0;

	(void)vcpu;
	(void)info;
	for (;;)
		turns++;
}
