/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assertions for host tests: a failure names the file and line, what was being tested (a format,
 * a seed: check_context), the expression, what was expected and what was got.
 *
 * On top of cmocka, whose own assertions print bare numbers.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants the above and setjmp.h before it. */
#include <setjmp.h>

#include <cmocka.h>

#include "mm/error.h"

/* What is being tested, for failure messages: "format=ept4 seed=7". Per thread. */
void check_context(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* In a forked child: a failure prints, and ends the child with status 1. */
void check_in_child(void);

_Noreturn void check_failed(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A failed assertion of the library: fails the test, or ends check_stopped(). */
_Noreturn void mm_assert_failed(const char *file, int line, const char *condition);

/* Calls call(ctx). The text of the library's assertion or panic that stopped it, NULL if none did.
 */
const char *check_stopped(void (*call)(void *ctx), void *ctx);

void check_equal(uint64_t got, uint64_t expected, const char *expression, const char *file,
                 int line);
void check_error(enum mm_error got, enum mm_error expected, const char *expression,
                 const char *file, int line);
void check_text(const char *got, const char *expected, const char *file, int line);
/* Every byte of `at` is `value`. */
void check_bytes(const void *at, uint8_t value, size_t bytes, const char *file, int line);

#define CHECK_EQ(got, expected)                                                                    \
	check_equal((uint64_t)(got), (uint64_t)(expected), #got, __FILE__, __LINE__)
#define CHECK_ERR(call, expected)     check_error(call, expected, #call, __FILE__, __LINE__)
#define CHECK_OK(call)                check_error(call, MM_OK, #call, __FILE__, __LINE__)
#define CHECK_TEXT(got, expected)     check_text(got, expected, __FILE__, __LINE__)
#define CHECK_BYTES(at, value, bytes) check_bytes(at, value, bytes, __FILE__, __LINE__)
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			check_failed(__FILE__, __LINE__, "%s is false", #condition);               \
	} while (0)

/* xorshift64*: the same numbers for the same seed everywhere. */
struct rng {
	uint64_t state;
};

struct rng rng_seeded(uint64_t seed);
uint64_t rng_next(struct rng *rng);
/* Below n, which is not 0. */
static inline uint64_t rng_below(struct rng *rng, uint64_t n)
{
	return rng_next(rng) % n;
}

#endif
