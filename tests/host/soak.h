/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What runs that may take hours have in common: settings from the environment, and a word now
 * and then on how far they are. They speak as TAP's comments, and only if SOAK is set.
 */
#ifndef SOAK_H
#define SOAK_H

#include <stdint.h>

/* The number in this environment variable; without it, `otherwise`. */
uint64_t soak_setting(const char *name, uint64_t otherwise);

struct soak {
	char what[48];
	uint64_t of;          /* operations to do */
	double started, said; /* seconds */
};

/* Begins `of` operations of what the format says. */
struct soak soak_begin(uint64_t of, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* After some: every half minute a line with the rate and the time to go. */
void soak_tell(struct soak *soak, uint64_t done);
/* After all: a line with how many there were, and how long it took. */
void soak_end(const struct soak *soak, uint64_t done);

#endif
