/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C's atomics, for the files of the library that read and write MM_ATOMIC() members. Not for users
 * of the library.
 */
#ifndef MM_ATOMIC_H
#define MM_ATOMIC_H

#include <stdatomic.h>
#include <stdint.h>

#include "mm/compiler.h"

/* C++ sees the plain type in the place of the atomic one: see MM_ATOMIC(). */
#define MM_ASSERT_PLAIN_LAYOUT(type)                                                               \
	MM_STATIC_ASSERT(sizeof(_Atomic(type)) == sizeof(type) &&                                  \
	                         _Alignof(_Atomic(type)) == _Alignof(type),                        \
	                 "C++ sees the layout that C sees")

MM_ASSERT_PLAIN_LAYOUT(uint32_t);
MM_ASSERT_PLAIN_LAYOUT(uint64_t);
MM_ASSERT_PLAIN_LAYOUT(int64_t);
MM_ASSERT_PLAIN_LAYOUT(uintptr_t);
MM_ASSERT_PLAIN_LAYOUT(void *);

#endif
