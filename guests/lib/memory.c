/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory functions that a compiler may call implicitly. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int byte, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	uint8_t *d = to;
	const uint8_t *s = from;

	while (n-- != 0)
		*d++ = *s++;
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	uint8_t *d = to;

	while (n-- != 0)
		*d++ = (uint8_t)byte;
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	uint8_t *d = to;
	const uint8_t *s = from;

	if ((uintptr_t)d - (uintptr_t)s >= n)
		return memcpy(to, from, n);
	while (n-- != 0)
		d[n] = s[n];
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
