/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * Compiler extensions that Faultline uses, each named once.
 *
 * Everything here is understood by GCC and Clang alike, in C11 and later and in C++17 and later.
 * Code elsewhere uses these names and never an __attribute__ or a __builtin of its own; inline
 * assembly stays in the machine folders. Attributes are spelled with underscores, so that a program
 * may define `packed` or `noinline` as macros of its own before it includes this.
 */
#ifndef MM_COMPILER_H
#define MM_COMPILER_H

#include <stddef.h>
#include <stdint.h>

/** The caller must use the result, or the code does not compile. */
#define MM_MUST_CHECK    __attribute__((__warn_unused_result__))
#define MM_ALWAYS_INLINE inline __attribute__((__always_inline__)) /**< at -O0, too */
#define MM_NOINLINE      __attribute__((__noinline__))             /**< a function of its own */
#define MM_ALIGNED_TO(n) __attribute__((__aligned__(n)))           /**< n bytes */
#define MM_PACKED        __attribute__((__packed__))               /**< a struct without padding */
#define MM_SECTION(name) __attribute__((__section__(name)))        /**< where the linker puts it */
/** Argument f is a format, and its arguments begin with argument a. */
#define MM_PRINTF_LIKE(f, a) __attribute__((__format__(__printf__, f, a)))
#define MM_LIKELY(x)         __builtin_expect(!!(x), 1) /**< true in the usual case */
#define MM_UNLIKELY(x)       __builtin_expect(!!(x), 0) /**< false in the usual case */
#define MM_UNREACHABLE()     __builtin_unreachable()    /**< never executed */
#define MM_TRAP()            __builtin_trap()           /**< does not return */

/** The struct of this type that contains *ptr as its member. */
#define MM_CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
/** The number of elements of an array. */
#define MM_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*
 * The public headers are included by C++ as well. MM_ATOMIC(type) is the type of a struct's member
 * that the library reads and writes atomically. Only the library's own code accesses such a
 * member, so C++ sees the plain type, of which it needs only size and alignment. Both are the same:
 * mm/atomic.h asserts it for every target.
 */
#ifndef __cplusplus
/** The assertion of either language. */
#define MM_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
/** The type of a member that the library reads and writes atomically. */
#define MM_ATOMIC(type) _Atomic(type)
#define MM_BEGIN_DECLS  /**< begins the declarations of a header */
#define MM_END_DECLS    /**< ends them */
#else
#define MM_STATIC_ASSERT(condition, text) static_assert(condition, text)
#define MM_ATOMIC(type)                   type
#define MM_BEGIN_DECLS                    extern "C" {
#define MM_END_DECLS                      }
#endif

#endif
