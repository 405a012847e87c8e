/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stranger's source file: the names that kernels define for themselves, before the library's
 * headers (macros that the headers must not trip over) and after them (names that the headers must
 * not have taken). Compiles as C and as C++. headers.t defines ALL, which includes every header.
 */
#define packed        __attribute__((packed))
#define noinline      __attribute__((noinline))
#define always_inline inline __attribute__((always_inline))
#define section(name) __attribute__((section(name)))
#define aligned(n)    __attribute__((aligned(n)))
#define unused        __attribute__((unused))
#define noreturn      __attribute__((noreturn))
#define must_check    __attribute__((warn_unused_result))
#define format(f, a)  __attribute__((format(printf, f, a)))
#define warn_unused_result
#define visibility                      1
#define likely(x)                       (x)
#define unlikely(x)                     (x)
#define PAGE_SHIFT                      12
#define PAGE_SIZE                       4096
#define PAGE_MASK                       (~4095UL)
#define BIT(n)                          (1UL << (n))
#define GENMASK(h, l)                   ((~0UL << (l)) & (~0UL >> (63 - (h))))
#define FIELD_GET(m, v)                 ((v) & (m))
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define ARRAY_SIZE(a)                   (sizeof(a) / sizeof((a)[0]))
#define ALIGN_UP(x, a)                  (((x) + (a)-1) & ~((a)-1))
#define min(a, b)                       ((a) < (b) ? (a) : (b))
#define max(a, b)                       ((a) > (b) ? (a) : (b))
#define swap(a, b)                      ((void)0)
#define barrier()                       ((void)0)
#define assert(x)                       ((void)(x))

#include ALL

#undef packed
#undef noinline
#undef always_inline
#undef section
#undef aligned
#undef unused
#undef likely
#undef unlikely
#undef PAGE_SHIFT
#undef PAGE_SIZE
#undef BIT
#undef GENMASK
#undef FIELD_GET
#undef container_of
#undef ARRAY_SIZE
#undef min
#undef max

/* What is free is free for functions, variables, types and constants alike. */
enum stranger {
	PAGE_SHIFT = 13,
	PAGE_SIZE = 8192,
	BIT = 1,
	GENMASK,
	FIELD_GET,
	FIELD_PREP,
	ARRAY_SIZE,
	ADDR_TEXT,
};

struct packed {
	int section, noinline, always_inline, aligned, unused;
};

struct list {
	struct list *next;
};

static inline int likely(int x)
{
	return x;
}

static inline int unlikely(int x)
{
	return x;
}

static inline int container_of(int x)
{
	return x;
}

static inline int min(int a, int b)
{
	return a < b ? a : b;
}

static inline int max(int a, int b)
{
	return a > b ? a : b;
}

/* Generic names that a library likes to take. */
static inline int addr_format(struct packed p)
{
	return p.section + likely(1) + unlikely(1) + container_of(1) + min(1, 2) + max(1, 2);
}

int stranger(struct list *list);
int stranger(struct list *list)
{
	const struct packed p = {1, 2, 3, 4, 5};

	return addr_format(p) + (list->next ? (int)ADDR_TEXT : (int)PAGE_SIZE);
}
