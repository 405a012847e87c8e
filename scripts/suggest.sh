#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Prints the candidate that is most similar to a mistyped word, or nothing if none is similar.
#
# The measure is the edit distance: characters inserted, deleted, replaced, or two neighbours
# swapped. A third of the word may differ. If two candidates have the same distance, an equal first
# letter decides. kernel/nearest.c has the same rule for the image's command line.
#
# usage: scripts/suggest.sh WORD CANDIDATE...
[ $# -ge 1 ] || {
	echo 'usage: scripts/suggest.sh WORD CANDIDATE...' >&2
	exit 2
}
exec awk '
	function least(a, b) { return a < b ? a : b }
	function distance(a, b,    i, j, d, cost) {
		for (i = 0; i <= length(a); i++)
			d[i, 0] = i
		for (j = 0; j <= length(b); j++)
			d[0, j] = j
		for (i = 1; i <= length(a); i++)
			for (j = 1; j <= length(b); j++) {
				cost = substr(a, i, 1) != substr(b, j, 1)
				d[i, j] = least(d[i - 1, j - 1] + cost,
				                least(d[i - 1, j], d[i, j - 1]) + 1)
				if (i > 1 && j > 1 && substr(a, i, 1) == substr(b, j - 1, 1) &&
				    substr(a, i - 1, 1) == substr(b, j, 1))
					d[i, j] = least(d[i, j], d[i - 2, j - 2] + 1)
			}
		return d[length(a), length(b)]
	}
	BEGIN {
		word = tolower(ARGV[1])
		near = 2 * (int((length(word) + 2) / 3) + 1)
		for (k = 2; k < ARGC; k++) {
			d = 2 * distance(word, tolower(ARGV[k]))
			d += substr(word, 1, 1) != tolower(substr(ARGV[k], 1, 1))
			if (d < near && d < 2 * length(word)) {
				near = d
				best = ARGV[k]
			}
		}
		if (best != "")
			print best
	}' "$@"
