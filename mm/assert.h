/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks of the library's own invariants, and of how the caller's code uses it. Never of values
 * that a guest or a configuration can choose.
 *
 * MM_ASSERT: compiled in where MM_DEBUG is defined (the host tests), which define
 * mm_assert_failed().
 *
 * MM_REQUIRE: compiled in always, for the few invariants without which the library would write to
 * memory that is not its own. Where MM_DEBUG is defined, it fails as MM_ASSERT does. Elsewhere it
 * calls mm_hal.panic with the place and the condition; if that is NULL or returns, it executes an
 * instruction that traps. The check costs a comparison and a branch that is not taken.
 */
#ifndef MM_ASSERT_H
#define MM_ASSERT_H

#include "mm/compiler.h"

struct mm_hal;

#ifdef MM_DEBUG
_Noreturn void mm_assert_failed(const char *file, int line, const char *condition);
#define MM_ASSERT(condition)                                                                       \
	((condition) ? (void)0 : mm_assert_failed(__FILE__, __LINE__, #condition))
#define MM_REQUIRE(hal, condition) ((void)(hal), MM_ASSERT(condition))
#else
#define MM_ASSERT(condition) ((void)sizeof(condition))
#define MM_REQUIRE(hal, condition)                                                                 \
	(MM_LIKELY(condition) ? (void)0 : mm_panic(hal, __FILE__, __LINE__, #condition))
#endif

/* Stops by mm_hal.panic, or by a trap. */
_Noreturn void mm_panic(const struct mm_hal *hal, const char *file, int line,
                        const char *condition);

#endif
