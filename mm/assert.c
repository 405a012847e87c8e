/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens when MM_REQUIRE() does not hold: see assert.h.
 */
#include "mm/assert.h"

#include "mm/hal.h"

void mm_panic(const struct mm_hal *hal, const char *file, int line, const char *condition)
{
	if (hal->panic)
		hal->panic(hal->ctx, file, line, condition);
	MM_TRAP();
}
