/* SPDX-License-Identifier: BSD-2-Clause */
/* The check of a range that a caller gives, for all files of struct mm_aspace. */
#include "mm/aspace_internal.h"

enum mm_error mm_aspace_check_range(const struct mm_aspace *as, struct mm_gpa_range range)
{
	if (!mm_gpa_range_valid(range))
		return MM_INVALID;
	if (!mm_gpa_range_is_aligned(range, MM_PAGE_SIZE))
		return MM_MISALIGNED;
	return mm_gpa_range_covers(as->limits, range) ? MM_OK : MM_OUT_OF_RANGE;
}
