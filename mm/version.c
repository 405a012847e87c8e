/* SPDX-License-Identifier: BSD-2-Clause */
/* The version of the library: see version.h. */
#include "mm/version.h"

uint32_t mm_version(void)
{
	return MM_VERSION;
}
