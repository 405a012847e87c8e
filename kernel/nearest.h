/* The valid word that is nearest to a mistyped one, for messages. Pure. */
#ifndef KERNEL_NEAREST_H
#define KERNEL_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

#define NEAREST_WORD 64

struct nearest {
	char word[NEAREST_WORD]; /* what was typed, cut if longer, in lower case */
	char best[NEAREST_WORD]; /* the nearest candidate so far; "" if none is near */
	unsigned limit;          /* a candidate has to be nearer than that: twice the distance */
};

/* Starts a search for a word of `length` characters, which need not be NUL-terminated. */
void nearest_begin(struct nearest *n, const char *word, size_t length);

/*
 * Offers one candidate. Its distance is the number of characters to insert, delete or replace, and
 * of neighbours to swap. A third of the word may differ. Case does not count. Of candidates that
 * are equally near, one with the same first letter is taken, then the first one.
 */
void nearest_try(struct nearest *n, const char *candidate);

/* The same for the dotted name of a case. Where the word is a pattern, the candidate is the name's
 * first word with ".*". */
void nearest_try_case(struct nearest *n, const char *name);

/* "; did you mean 'word'?", or "" if nothing was near. Valid until the next call. */
const char *nearest_text(const struct nearest *n);

#endif
