/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stranger's kernel, to be linked with the library and never run. It brings a HAL. bare.c has the
 * four functions that the library calls.
 */
#include "mm/aspace.h"

void kernel_main(void);

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
