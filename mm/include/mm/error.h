/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * The errors of the library. A function that can fail returns one of these, and is MM_MUST_CHECK.
 * If the result is not MM_OK, nothing has changed (docs/design.md: "Prepare, commit, flush,
 * release").
 */
#ifndef MM_ERROR_H
#define MM_ERROR_H

#include "mm/compiler.h"

MM_BEGIN_DECLS

/** What went wrong. */
enum mm_error {
	MM_OK = 0,
	MM_INVALID = -1,    /**< an argument that is never valid: a zero length, an unknown flag */
	MM_MISALIGNED = -2, /**< address or size is not a multiple of the granule */
	MM_OUT_OF_RANGE = -3, /**< beyond the address space, the format's or the machine's width */
	MM_EXISTS = -4,       /**< something is mapped (or registered) there already */
	MM_NOT_MAPPED = -5,   /**< nothing is mapped (or registered) there */
	MM_DENIED = -6,       /**< the area's permissions forbid the access */
	MM_NO_MEMORY = -7,    /**< the HAL has no frame */
	MM_QUOTA = -8,        /**< the address space has used up its frames */
	MM_UNSUPPORTED = -9,  /**< the format or this machine cannot express it */
	MM_IS_DEVICE = -10,   /**< the range belongs to an emulated device: ask the bus */
	MM_BUSY = -11,        /**< not now: a snapshot or a dirty log is active */
	MM_NEEDS_FRAME = -12, /**< the caller has to supply a frame first (supply.h) */
};

/** [any] "not mapped", never NULL: for logs. A constant string. */
const char *mm_error_name(enum mm_error err);

MM_END_DECLS

#endif
