/*
 * Bits and fields of hardware words. A field is named by its mask, and the mask alone says
 * where it lies: FIELD_GET(EPTP_LEVELS, eptp), FIELD_PREP(EPTP_LEVELS, 3).
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

#endif
