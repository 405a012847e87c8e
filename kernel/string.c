/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The four memory functions that the compiler may call by itself (struct copies, initialisers), and
 * the string functions that the hypervisor uses.
 *
 * With -ffreestanding the compiler does not replace the loops below by calls of the same functions.
 * Words are copied where both pointers have the same alignment. Frames are cleared by
 * machine_zero().
 */
#include "kernel/string.h"

#include <stdbool.h>
#include <stdint.h>

#include "mm/compiler.h"

#define WORD sizeof(uint64_t)

/* Are both aligned to words when the first one is? */
static bool co_aligned(const void *a, const void *b)
{
	return (((uintptr_t)a ^ (uintptr_t)b) & (WORD - 1)) == 0;
}

static bool word_aligned(const void *p)
{
	return ((uintptr_t)p & (WORD - 1)) == 0;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	uint8_t *d = to;
	const uint8_t *s = from;

	if (co_aligned(d, s)) {
		for (; n != 0 && !word_aligned(d); n--)
			*d++ = *s++;
		for (; n >= WORD; n -= WORD, d += WORD, s += WORD)
			*(uint64_t *)(void *)d = *(const uint64_t *)(const void *)s;
	}
	while (n-- != 0)
		*d++ = *s++;
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	uint8_t *d = to;
	const uint8_t *s = from;

	if (d == s)
		return to;
	/* memcpy() copies upwards, so `to` may overlap the part that it has read. */
	if ((uintptr_t)d - (uintptr_t)s >= n)
		return memcpy(to, from, n);
	while (n-- != 0)
		d[n] = s[n];
	return to;
}

/* Unrolled, because page tables are cleared by memset(). */
static inline void set_8_words(uint64_t *to, uint64_t word)
{
	to[0] = word;
	to[1] = word;
	to[2] = word;
	to[3] = word;
	to[4] = word;
	to[5] = word;
	to[6] = word;
	to[7] = word;
}

void *memset(void *to, int byte, size_t n)
{
	uint8_t *d = to;
	uint64_t word = (uint8_t)byte * UINT64_C(0x0101010101010101);

	for (; n != 0 && !word_aligned(d); n--)
		*d++ = (uint8_t)byte;
	for (; n >= 8 * WORD; n -= 8 * WORD, d += 8 * WORD)
		set_8_words((uint64_t *)(void *)d, word);
	for (; n >= WORD; n -= WORD, d += WORD)
		*(uint64_t *)(void *)d = word;
	while (n-- != 0)
		*d++ = (uint8_t)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n != 0; n--, x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n] != '\0')
		n++;
	return n;
}

size_t strnlen(const char *s, size_t most)
{
	size_t n = 0;

	while (n < most && s[n] != '\0')
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b)
		a++, b++;
	return (uint8_t)*a - (uint8_t)*b;
}
