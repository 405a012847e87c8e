/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the valid word that is nearest to a mistyped one, for messages. Pure. */
#ifndef KERNEL_NEAREST_H
#define KERNEL_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

#define NEAREST_WORD 64

struct nearest {
	char word[NEAREST_WORD]; /* the mistyped word in lower case, cut if it is longer */
	char best[NEAREST_WORD]; /* the nearest candidate so far; "": none is near */
	unsigned limit;          /* twice the distance: a candidate must be nearer */
};

/* Starts a search for a word of `length` characters, which need not be NUL-terminated. */
void nearest_begin(struct nearest *n, const char *word, size_t length);

/*
 * Offers one candidate. Its distance is the number of characters to insert, delete or replace, plus
 * the number of neighbours to swap. Up to a third of the word may differ. Case is ignored. Among
 * equally near candidates, one with the same first letter is preferred, then the first one.
 */
void nearest_try(struct nearest *n, const char *candidate);

/* Offers the name of a case. If the mistyped word is a pattern, the candidate is the first part of
 * the name with ".*". */
void nearest_try_case(struct nearest *n, const char *name);

/* "; did you mean 'word'?", or "" if nothing was near. Valid until the next call. */
const char *nearest_text(const struct nearest *n);

#endif
