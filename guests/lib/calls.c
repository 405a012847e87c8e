/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypercalls that a payload makes by name. */
#include "guest.h"

_Noreturn void guest_exit(uint64_t status)
{
	for (;;)
		(void)guest_call(GUEST_EXIT, status, 0, 0);
}

void guest_print(const char *text)
{
	uint64_t bytes = 0;

	while (text[bytes] != '\0')
		bytes++;
	(void)guest_call(GUEST_PRINT, (uint64_t)(uintptr_t)text, bytes, 0);
}

void guest_report(unsigned key, uint64_t value)
{
	(void)guest_call(GUEST_REPORT, key, value, 0);
}
