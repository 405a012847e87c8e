/* SPDX-License-Identifier: BSD-2-Clause */
/* See bounds.h. */
#include "suite/bounds.h"

#include "mm/addr.h"
#include "mm/compiler.h"

#define GIB_SHIFT 30U

static bool power(size_t index, uint64_t *value)
{
	if (index >= 64U * 3U)
		return false;
	*value = (UINT64_C(1) << index / 3) + index % 3 - 1;
	return true;
}

static bool edge(const struct bounds *b, size_t index, uint64_t *value)
{
	uint64_t limit = UINT64_C(1) << b->limit_bits;
	const uint64_t edges[] = {
		UINT64_MAX,
		mm_align_down(UINT64_MAX, 8),
		mm_align_down(UINT64_MAX, MM_PAGE_SIZE),
		limit - 1,
		limit,
		limit + 1,
		limit - 8,
		limit - MM_PAGE_SIZE,
		limit + MM_PAGE_SIZE,
	};

	if (index >= MM_ARRAY_SIZE(edges))
		return false;
	*value = edges[index];
	return true;
}

/* The GiB whose number is all ones in that many bits; then the GiB before it, the GiB after it, and
 * its last page. */
static bool gib_of_ones(size_t index, uint64_t *value)
{
	static const uint8_t bits[] = {8, 16, 31, 32, 34};
	uint64_t gib;

	if (index / 4 >= MM_ARRAY_SIZE(bits))
		return false;
	gib = (UINT64_C(1) << bits[index / 4]) - 1;
	switch (index % 4) {
	case 0:
		*value = gib << GIB_SHIFT;
		break;
	case 1:
		*value = (gib - 1) << GIB_SHIFT;
		break;
	case 2:
		*value = (gib + 1) << GIB_SHIFT;
		break;
	default:
		*value = (gib << GIB_SHIFT) + (UINT64_C(1) << GIB_SHIFT) - MM_PAGE_SIZE;
	}
	return true;
}

static bool alias(const struct bounds *b, size_t index, uint64_t *value)
{
	unsigned flips = 64 - GIB_SHIFT;

	if (index / flips >= b->slots)
		return false;
	*value = b->first + (index / flips << GIB_SHIFT);
	*value ^= UINT64_C(1) << (GIB_SHIFT + index % flips);
	return true;
}

bool bounds_value(const struct bounds *b, size_t index, uint64_t *value)
{
	const size_t powers = 64U * 3U, edges = 9, ones = 20;

	if (index < powers)
		return power(index, value);
	index -= powers;
	if (index < edges)
		return edge(b, index, value);
	index -= edges;
	if (index < ones)
		return gib_of_ones(index, value);
	return alias(b, index - ones, value);
}
