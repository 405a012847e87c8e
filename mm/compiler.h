/*
 * The compiler extensions that Faultline uses, each named once.
 *
 * Everything here is understood by GCC and Clang alike. Code elsewhere uses these names and
 * never an __attribute__ or a __builtin of its own; inline assembly stays in the machine folders.
 */
#ifndef MM_COMPILER_H
#define MM_COMPILER_H

#include <stdint.h>

/* The result says whether the call did anything: a caller that drops it does not compile. */
#define MM_MUST_CHECK        __attribute__((warn_unused_result))
#define MM_ALWAYS_INLINE     inline __attribute__((always_inline))
#define MM_NOINLINE          __attribute__((noinline))
#define MM_ALIGNED_TO(n)     __attribute__((aligned(n)))
#define MM_PACKED            __attribute__((packed))
#define MM_SECTION(name)     __attribute__((section(name)))
#define MM_PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define MM_LIKELY(x)         __builtin_expect(!!(x), 1)
#define MM_UNLIKELY(x)       __builtin_expect(!!(x), 0)
#define MM_UNREACHABLE()     __builtin_unreachable()

/*
 * The order of an atomic load whose value is an address that is then followed. A load never
 * passes the load that its address came from, on any machine here, so it need not cost a fence
 * per level of a walk; ThreadSanitizer does not follow addresses and is told more.
 */
#if defined(__SANITIZE_THREAD__)
#define MM_ORDER_DEPENDENT memory_order_acquire
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MM_ORDER_DEPENDENT memory_order_acquire
#endif
#endif
#ifndef MM_ORDER_DEPENDENT
#define MM_ORDER_DEPENDENT memory_order_relaxed
#endif

/* Index of the lowest and of the highest set bit; undefined for 0, as the instructions are. */
#define mm_ctz64(x) ((unsigned)__builtin_ctzll(x))
#define mm_fls64(x) (63U - (unsigned)__builtin_clzll(x))

/* Copies bytes between places that may overlap. The image gives memmove and its like, which the
 * compiler calls of its own accord as well. */
#define mm_move_bytes(to, from, bytes) ((void)__builtin_memmove(to, from, bytes))

#define MM_CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define MM_ARRAY_SIZE(a)                   (sizeof(a) / sizeof((a)[0]))

#endif
