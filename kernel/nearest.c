/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Edit distance by dynamic programming: row i holds the distances of the first i characters of the
 * word to each prefix of the candidate. scripts/suggest.sh has the same rule.
 */
#include "kernel/nearest.h"

#include "kernel/string.h"
#include "log.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

void nearest_begin(struct nearest *n, const char *word, size_t length)
{
	*n = (struct nearest){.best = ""};
	if (length > NEAREST_WORD - 1)
		length = NEAREST_WORD - 1;
	for (size_t i = 0; i < length; i++)
		n->word[i] = lower(word[i]);
	n->limit = (unsigned)(length + 2) / 3 + 1;
	if (n->limit > length)
		n->limit = (unsigned)length;
	n->limit *= 2;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned rows[3][NEAREST_WORD] = {0};
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_length; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned *oldest = before;

		before = above;
		above = row;
		row = oldest;
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			char c = lower(b[j - 1]);
			unsigned replaced = above[j - 1] + (a[i - 1] != c);

			row[j] = least(replaced, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == lower(b[j - 2]) && a[i - 2] == c)
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return row[b_length];
}

void nearest_try(struct nearest *n, const char *candidate)
{
	size_t length = strlen(candidate);
	unsigned d;

	if (length >= NEAREST_WORD)
		return;
	/* Twice the distance, plus 1 if the first letter differs. */
	d = 2 * distance(n->word, strlen(n->word), candidate, length) +
	    (n->word[0] != lower(candidate[0]));
	if (d < n->limit) {
		n->limit = d;
		memcpy(n->best, candidate, length + 1);
	}
}

static bool is_pattern(const char *text)
{
	while (*text != '\0' && *text != '*' && *text != '?')
		text++;
	return *text != '\0';
}

void nearest_try_case(struct nearest *near, const char *name)
{
	char group[NEAREST_WORD];
	int length = 0;

	if (!is_pattern(near->word)) {
		nearest_try(near, name);
		return;
	}
	while (name[length] != '\0' && name[length] != '.')
		length++;
	format_string(group, sizeof(group), "%.*s.*", length, name);
	nearest_try(near, group);
}

const char *nearest_text(const struct nearest *n)
{
	static char text[NEAREST_WORD + 32];

	if (n->best[0] == '\0')
		return "";
	format_string(text, sizeof(text), "; did you mean '%s'?", n->best);
	return text;
}
