/* SPDX-License-Identifier: BSD-2-Clause */
/* Code that a payload writes. */
#include "guest.h"

/* RET (to x30): Arm ARM C6.2.254. */
#define INSN_RET UINT32_C(0xd65f03c0)

/* Arm ARM D17.2.34: CTR_EL0 gives the line sizes as log2 of the number of words. */
#define CTR_IMINLINE(ctr) ((ctr)&0xf)
#define CTR_DMINLINE(ctr) ((ctr) >> 16 & 0xf)
#define WORD_BYTES        UINT64_C(4)

size_t guest_put_return(void *at)
{
	*(uint32_t *)at = INSN_RET;
	return sizeof(uint32_t);
}

/* Arm ARM B2.7.4.2: clean the data, wait, invalidate the instructions, wait. */
void guest_sync_code(const void *start, size_t bytes)
{
	uint64_t from = (uint64_t)(uintptr_t)start, end = from + bytes;
	uint64_t ctr, dline, iline;

	__asm__("mrs %0, ctr_el0" : "=r"(ctr));
	dline = WORD_BYTES << CTR_DMINLINE(ctr);
	iline = WORD_BYTES << CTR_IMINLINE(ctr);
	for (uint64_t at = from & ~(dline - 1); at < end; at += dline)
		__asm__ volatile("dc cvau, %0" : : "r"(at) : "memory");
	__asm__ volatile("dsb ish" : : : "memory");
	for (uint64_t at = from & ~(iline - 1); at < end; at += iline)
		__asm__ volatile("ic ivau, %0" : : "r"(at) : "memory");
	__asm__ volatile("dsb ish\n\tisb" : : : "memory");
}
