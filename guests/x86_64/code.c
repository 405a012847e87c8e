/* SPDX-License-Identifier: BSD-2-Clause */
/* Code that a payload writes. */
#include "guest.h"

#define INSN_RET 0xc3

size_t guest_put_return(void *at)
{
	*(uint8_t *)at = INSN_RET;
	return sizeof(uint8_t);
}
