/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What small.c needs where there is no C library: the four functions that the library calls, and
 * memory that is handed out once. tests/lib/start_*.S add putchar() and the start.
 */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *at, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
void *malloc(size_t bytes);
void free(void *at);

void *memmove(void *to, const void *from, size_t bytes)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	for (size_t i = 0; i < bytes; i++)
		t[t < f ? i : bytes - 1 - i] = f[t < f ? i : bytes - 1 - i];
	return to;
}

void *memcpy(void *to, const void *from, size_t bytes)
{
	return memmove(to, from, bytes);
}

void *memset(void *at, int value, size_t bytes)
{
	unsigned char *a = at;

	for (size_t i = 0; i < bytes; i++)
		a[i] = (unsigned char)value;
	return at;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const unsigned char *x = a, *y = b;

	for (size_t i = 0; i < bytes; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

static _Alignas(16) unsigned char memory[1 << 20];
static size_t used;

void *malloc(size_t bytes)
{
	size_t rounded = (bytes + 15) & ~(size_t)15;

	if (rounded > sizeof(memory) - used)
		return NULL;
	used += rounded;
	return &memory[used - rounded];
}

void free(void *at)
{
	(void)at;
}
