/* SPDX-License-Identifier: BSD-2-Clause */
/* Code that a payload writes. */
#include "guest.h"

/* c.jr ra: unprivileged manual, 16.4. */
#define INSN_RET UINT16_C(0x8082)

size_t guest_put_return(void *at)
{
	*(uint16_t *)at = INSN_RET;
	return sizeof(uint16_t);
}
