/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes to a page, makes it read-only, reads it, and writes again. The guest must be killed for
 * the second write.
 *
 * Reports: 0 = the value read back, 1 = the error of the protect call; 2 is never reported.
 */
#include "guest.h"

#define PERM_R 1 /* enum mm_perm's bits: R 1, W 2, X 4 */

void guest_main(unsigned vcpu, const struct guest_info *info)
{
	uint64_t at = info->arena_base;

	(void)vcpu;
	write64(at + 8, 0x600d);
	guest_report(1, guest_call(GUEST_PROTECT, at, 4096, PERM_R).error);
	guest_report(0, read64(at + 8));
	write64(at + 16, 0xbad);
	guest_report(2, 1);
}
