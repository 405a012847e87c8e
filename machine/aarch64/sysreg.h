/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System registers by name: read_hcr_el2(), write_hcr_el2(). The compiler does not move memory
 * accesses across a write. The caller adds the barriers (isb, dsb) that the CPU needs.
 */
#ifndef MACHINE_AARCH64_SYSREG_H
#define MACHINE_AARCH64_SYSREG_H

#include <stdint.h>

#include "mm/bits.h"

/* `spelling` is its name for the assembler, or S<op0>_<op1>_<Cn>_<Cm>_<op2>. */
#define SYSREG_READ(name, spelling)                                                                \
	static inline uint64_t read_##name(void)                                                   \
	{                                                                                          \
		uint64_t value;                                                                    \
		__asm__ volatile("mrs %0, " spelling : "=r"(value));                               \
		return value;                                                                      \
	}

#define SYSREG_WRITE(name, spelling)                                                               \
	static inline void write_##name(uint64_t value)                                            \
	{                                                                                          \
		__asm__ volatile("msr " spelling ", %0" : : "r"(value) : "memory");                \
	}

#define SYSREG(name, spelling)                                                                     \
	SYSREG_READ(name, spelling)                                                                \
	SYSREG_WRITE(name, spelling)

static inline void isb(void)
{
	__asm__ volatile("isb" : : : "memory");
}

static inline void dsb_ish(void)
{
	__asm__ volatile("dsb ish" : : : "memory");
}

static inline void dsb_ishst(void)
{
	__asm__ volatile("dsb ishst" : : : "memory");
}

static inline void dsb_sy(void)
{
	__asm__ volatile("dsb sy" : : : "memory");
}

#endif
