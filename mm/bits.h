/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bits and fields of hardware words, and bytes. Not for users of the library.
 *
 * A field is named by its mask, and the mask alone says where it lies:
 * FIELD_GET(EPTP_LEVELS, eptp), FIELD_PREP(EPTP_LEVELS, 3).
 */
#ifndef MM_BITS_H
#define MM_BITS_H

#include <stdint.h>

#define BIT(n) (UINT64_C(1) << (n))
/* Bits hi down to lo, both included, as the manuals write [hi:lo]. */
#define GENMASK(hi, lo) ((~UINT64_C(0) >> (63 - (hi))) & (~UINT64_C(0) << (lo)))

#define FIELD_LOW(mask)       ((mask) & (~(mask) + 1))
#define FIELD_GET(mask, word) (((uint64_t)(word) & (mask)) / FIELD_LOW(mask))
#define FIELD_PREP(mask, val) (((uint64_t)(val)*FIELD_LOW(mask)) & (mask))
#define FIELD_FITS(mask, val) ((uint64_t)(val) <= (mask) / FIELD_LOW(mask))

/* Index of the lowest and of the highest set bit; undefined for 0, as the instructions are. */
#define mm_ctz64(x) ((unsigned)__builtin_ctzll(x))
#define mm_fls64(x) (63U - (unsigned)__builtin_clzll(x))

/* The low `bits` bits of a value (1 to 64). Above them: copies of their highest bit, or zeros. */
static inline int64_t mm_sign_extend(uint64_t value, uint64_t bits)
{
	return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

static inline uint64_t mm_zero_extend(uint64_t value, uint64_t bits)
{
	return value << (64 - bits) >> (64 - bits);
}

/* Copies bytes between places that may overlap. The image provides memmove() and the like, which
 * the compiler calls too. */
#define mm_move_bytes(to, from, bytes) ((void)__builtin_memmove(to, from, bytes))

#endif
