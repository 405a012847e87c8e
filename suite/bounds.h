/*
 * Boundary values, made by a rule: what a hostile guest passes where a number is expected. They
 * are the edges of every field and cache key that a guest-physical address or a length goes
 * through, not a list of known mistakes.
 */
#ifndef SUITE_BOUNDS_H
#define SUITE_BOUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Some values come twice. */
#define BOUNDS_MAX 512U

/*
 * Value number `index`: 2^k - 1, 2^k, 2^k + 1 for all k; all ones, as a byte and as a page;
 * the first address beyond 2^limit_bits and its neighbours; addresses whose number of a GiB is
 * all ones in 8, 16, 31, 32 and 34 bits, and their neighbours; and `slots` addresses, 1 GiB
 * apart from `first` on, each with every single bit above bit 29 flipped. False: there are no
 * more.
 */
struct bounds {
	unsigned limit_bits;
	uint64_t first;
	unsigned slots;
};

bool bounds_value(const struct bounds *b, size_t index, uint64_t *value);

#endif
