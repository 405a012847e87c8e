/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code for a guest, to run from any address: it sets the registers to known values, stores 8 bytes
 * to its argument, and then loops for ever. For reports on a guest that is killed there. One per
 * architecture: suite/<arch>/known.c.
 */
#ifndef SUITE_KNOWN_H
#define SUITE_KNOWN_H

#include <stddef.h>
#include <stdint.h>

/* The value of register number n. */
#define KNOWN_BASE 0x8000400020001000
#define KNOWN_STEP 0x0101010101010101
#define KNOWN(n)   (UINT64_C(KNOWN_BASE) + (n)*UINT64_C(KNOWN_STEP))

struct known_register {
	const char *name; /* in the report */
	uint64_t value;
};

struct known_code {
	const uint8_t *start;
	const uint8_t *store; /* the store */
	const uint8_t *loop;  /* the branch to itself */
	const uint8_t *end;
	const char *argument; /* the register with the argument */
	const struct known_register *registers;
	size_t count;
};

extern const struct known_code suite_known;

#endif
