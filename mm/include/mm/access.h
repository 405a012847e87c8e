/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * What an access is, what an area permits, and what kind of memory it maps: the words that
 * areas, page-table formats and faults share.
 */
#ifndef MM_ACCESS_H
#define MM_ACCESS_H

#include <stdbool.h>

#include "mm/compiler.h"

MM_BEGIN_DECLS

/** A set of permissions, and, with exactly one bit set, the kind of an access. */
enum mm_perm {
	MM_NONE = 0,
	MM_R = 1,
	MM_W = 2,
	MM_X = 4,
	MM_RW = MM_R | MM_W,
	MM_RX = MM_R | MM_X,
	MM_WX = MM_W | MM_X,
	MM_RWX = MM_R | MM_W | MM_X,
};

#define MM_PERM_SETS 8 /**< the number of sets: enum mm_perm is below this */

/** Memory types, by what a guest may see of them. How each format spells it is data. */
enum mm_memtype {
	MM_NORMAL,    /**< write-back cacheable RAM */
	MM_NONCACHED, /**< write-combining or Normal non-cacheable */
	MM_DEVICE,    /**< uncached, strongly ordered: passed-through registers */
	MM_MEMTYPES,  /**< their number */
};

/** [any] Does `held` have every permission of `wanted`? */
static inline bool mm_permits(enum mm_perm held, enum mm_perm wanted)
{
	return ((unsigned)wanted & ~(unsigned)held) == 0;
}

/** [any] "rw-", always three characters: for logs. Out-of-range sets give "???". A constant string.
 */
const char *mm_perm_name(enum mm_perm perm);
/** [any] "normal", "noncached", "device": for logs. Other values give "???". A constant string. */
const char *mm_memtype_name(enum mm_memtype type);

MM_END_DECLS

#endif
