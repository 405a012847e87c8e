/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mm/assert.h"

/* cmocka's own: keeps a message until the test's result has been printed, as TAP wants it. The
 * library exports it, its header leaves it out. */
void cm_print_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

static _Thread_local char context[160];
static bool in_child;

void check_in_child(void)
{
	in_child = true;
}

void check_context(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(context, sizeof(context), format, args);
	va_end(args);
}

void check_failed(const char *file, int line, const char *format, ...)
{
	char message[512];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (in_child) {
		fprintf(stderr, "%s:%d: [%s] %s\n", file, line, context, message);
		_exit(1);
	}
	cm_print_error("%s:%d: [%s] %s\n", file, line, context, message);
	_fail(file, line);
	__builtin_unreachable();
}

static _Thread_local jmp_buf *stop;
static _Thread_local const char *stopped_by;

const char *check_stopped(void (*call)(void *ctx), void *ctx)
{
	jmp_buf here;
	stopped_by = NULL;
	stop = &here;
	if (setjmp(here) == 0)
		call(ctx);
	stop = NULL;
	return stopped_by;
}

/* The library's own assertions fail the test, too, unless it expects one. */
void mm_assert_failed(const char *file, int line, const char *condition)
{
	if (stop) {
		stopped_by = condition;
		longjmp(*stop, 1);
	}
	check_failed(file, line, "library assertion: %s", condition);
}

void check_equal(uint64_t got, uint64_t expected, const char *expression, const char *file,
                 int line)
{
	if (got != expected)
		check_failed(file, line, "%s: expected %llu (0x%llx), got %llu (0x%llx)",
		             expression, (unsigned long long)expected, (unsigned long long)expected,
		             (unsigned long long)got, (unsigned long long)got);
}

void check_error(enum mm_error got, enum mm_error expected, const char *expression,
                 const char *file, int line)
{
	if (got != expected)
		check_failed(file, line, "%s: expected '%s', got '%s'", expression,
		             mm_error_name(expected), mm_error_name(got));
}

void check_text(const char *got, const char *expected, const char *file, int line)
{
	if (strcmp(got, expected) != 0)
		check_failed(file, line, "expected \"%s\", got \"%s\"", expected, got);
}

void check_bytes(const void *at, uint8_t value, size_t bytes, const char *file, int line)
{
	const uint8_t *byte = at;
	for (size_t i = 0; i < bytes; i++) {
		if (byte[i] != value)
			check_failed(file, line, "byte %zu: expected 0x%02x, got 0x%02x", i, value,
			             byte[i]);
	}
}

/* Line by line, so that whoever listens hears of a failure at once. */
__attribute__((constructor)) static void speak_tap(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	setvbuf(stdout, NULL, _IOLBF, 0);
}

struct rng rng_seeded(uint64_t seed)
{
	/* splitmix64's step, so that neighbouring seeds give unlike sequences, and never state 0 */
	seed += UINT64_C(0x9e3779b97f4a7c15);
	seed = (seed ^ (seed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	seed = (seed ^ (seed >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (struct rng){(seed ^ (seed >> 31)) | 1};
}

uint64_t rng_next(struct rng *rng)
{
	uint64_t x = rng->state;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	rng->state = x;
	return x * UINT64_C(0x2545f4914f6cdd1d);
}
