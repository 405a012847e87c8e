/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of small integers whose lowest member is found in a few steps: a bitmap, a second bitmap of
 * the non-zero words of the first one, and so on up to a single word.
 *
 *	level 1   word 0: bit i says that word i below is not zero
 *	level 0   word i: bit j says that 64 * i + j is a member
 *
 * The caller owns the words and holds a lock. Five levels hold 2^30 members.
 */
#ifndef KERNEL_BIT_TREE_H
#define KERNEL_BIT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/bits.h"
#include "mm/compiler.h"

#define BIT_TREE_LEVELS 5

struct bit_tree {
	uint64_t *words[BIT_TREE_LEVELS]; /* words[levels - 1] is the single top word */
	unsigned levels;
	uint64_t count; /* members are in 0 to count - 1 */
};

/* The number of words of all levels for `count` possible members, at least 1. */
static inline size_t bit_tree_words(uint64_t count)
{
	size_t total = 0;
	uint64_t words = count;

	do {
		words = words / 64 + (words % 64 != 0);
		total += words != 0 ? words : 1;
	} while (words > 1);
	return total;
}

/* Makes an empty set in `memory`: bit_tree_words(count) words, which are zero. */
static inline void bit_tree_init(struct bit_tree *tree, uint64_t count, uint64_t *memory)
{
	uint64_t words = count;

	tree->levels = 0;
	tree->count = count;
	do {
		words = words / 64 + (words % 64 != 0);
		tree->words[tree->levels++] = memory;
		memory += words;
	} while (words > 1);
}

static inline bool bit_tree_has(const struct bit_tree *tree, uint64_t member)
{
	return member < tree->count && (tree->words[0][member / 64] & BIT(member % 64)) != 0;
}

/* The next level needs a bit only if the word below was zero. */
static inline void bit_tree_add(struct bit_tree *tree, uint64_t member)
{
	for (unsigned level = 0; level < tree->levels; level++) {
		uint64_t *word = &tree->words[level][member / 64];
		bool was_empty = *word == 0;

		*word |= BIT(member % 64);
		if (!was_empty)
			break;
		member /= 64;
	}
}

static inline void bit_tree_remove(struct bit_tree *tree, uint64_t member)
{
	for (unsigned level = 0; level < tree->levels; level++) {
		uint64_t *word = &tree->words[level][member / 64];

		*word &= ~BIT(member % 64);
		if (*word != 0)
			break;
		member /= 64;
	}
}

static inline bool bit_tree_empty(const struct bit_tree *tree)
{
	return tree->words[tree->levels - 1][0] == 0;
}

/* The lowest member of a set that is not empty. */
static inline uint64_t bit_tree_lowest(const struct bit_tree *tree)
{
	uint64_t at = 0;

	for (unsigned level = tree->levels; level-- > 0;)
		at = at * 64 + mm_ctz64(tree->words[level][at]);
	return at;
}

#endif
