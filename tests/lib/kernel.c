/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stranger's kernel, to be linked with the library and never run. It brings what the library asks
 * for: the four functions of memory that a compiler calls of its own accord, and a HAL.
 */
#include "mm/aspace.h"

void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *at, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
void kernel_main(void);

void *memcpy(void *to, const void *from, size_t bytes)
{
	return memmove(to, from, bytes);
}

void *memmove(void *to, const void *from, size_t bytes)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	for (size_t i = 0; i < bytes; i++)
		t[t < f ? i : bytes - 1 - i] = f[t < f ? i : bytes - 1 - i];
	return to;
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

static size_t no_frames(void *ctx, unsigned order, size_t n, mm_hpa_t out[])
{
	(void)ctx, (void)order, (void)n, (void)out;
	return 0;
}

static void no_release(void *ctx, unsigned order, size_t n, const mm_hpa_t in[])
{
	(void)ctx, (void)order, (void)n, (void)in;
}

static void no_flush(void *ctx, const struct mm_flush *request)
{
	(void)ctx, (void)request;
}

static struct mm_aspace as;
static struct mm_aspace_config config;

void kernel_main(void)
{
	config.format = &mm_npt_ept;
	config.hal.alloc = no_frames;
	config.hal.free = no_release;
	config.hal.flush = no_flush;
	while (mm_aspace_init(&as, &config) == MM_OK &&
	       mm_aspace_fault(&as, mm_gpa_at(0), MM_R) == MM_FAULT_MAPPED)
		;
}
