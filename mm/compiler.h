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
#define must_check        __attribute__((warn_unused_result))
#define always_inline     inline __attribute__((always_inline))
#define noinline          __attribute__((noinline))
#define aligned_to(n)     __attribute__((aligned(n)))
#define packed            __attribute__((packed))
#define section(name)     __attribute__((section(name)))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
#define likely(x)         __builtin_expect(!!(x), 1)
#define unlikely(x)       __builtin_expect(!!(x), 0)
#define unreachable()     __builtin_unreachable()

/*
 * The order of an atomic load whose value is an address that is then followed. A load never
 * passes the load that its address came from, on any machine here, so it need not cost a fence
 * per level of a walk; ThreadSanitizer does not follow addresses and is told more.
 */
#if defined(__SANITIZE_THREAD__)
#define memory_order_dependent memory_order_acquire
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define memory_order_dependent memory_order_acquire
#endif
#endif
#ifndef memory_order_dependent
#define memory_order_dependent memory_order_relaxed
#endif

/* Index of the lowest and of the highest set bit; undefined for 0, as the instructions are. */
#define ctz64(x) ((unsigned)__builtin_ctzll(x))
#define fls64(x) (63U - (unsigned)__builtin_clzll(x))

/* Copies bytes between places that may overlap. The image gives memmove and its like, which the
 * compiler calls of its own accord as well. */
#define move_bytes(to, from, bytes) ((void)__builtin_memmove(to, from, bytes))

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define ARRAY_SIZE(a)                   (sizeof(a) / sizeof((a)[0]))

#endif
