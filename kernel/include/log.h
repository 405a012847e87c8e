/*
 * The serial log. Everything the hypervisor says goes through here: TAP lines by tap.h, and
 * comment lines "# subject key=value ..." by log_line().
 *
 * A line is composed whole and written under a lock, so lines of several CPUs never mix.
 */
#ifndef LOG_H
#define LOG_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/compiler.h"

/* How a uint64_t is printed: "%016" PRIx64. `long` has 32 bits on one of the targets. */
#if __STDC_HOSTED__
#include <inttypes.h>
#else
#define PRIu64 __UINT64_FMTu__
#define PRIx64 __UINT64_FMTx__
#define PRId64 __INT64_FMTd__
#endif

enum log_level {
	LOG_QUIET,  /* results only */
	LOG_INFO,   /* machine, VMs, tables: the default */
	LOG_FAULTS, /* a line per nested fault as well */
	LOG_EXITS,  /* a line per exit of any kind */
};

extern enum log_level log_level;

/* "# " + text + newline, if `level` is at most log_level. */
void log_line(enum log_level level, const char *format, ...) MM_PRINTF_LIKE(2, 3);
/* Text and newline as they are, whatever the level: for TAP. */
void log_raw(const char *format, ...) MM_PRINTF_LIKE(1, 2);

/* Formats into buf: never more than `size` bytes with the NUL; answers the length it would have.
 * %d %i %u %x %X %o %c %s %p %% with l, ll, z, h, hh, width, precision, '-', '0', '#', '+', '*'. */
int format_string(char *buf, size_t size, const char *format, ...) MM_PRINTF_LIKE(3, 4);
int format_string_v(char *buf, size_t size, const char *format, va_list args);

/* Our own mistake, or a host trap: says so, prints "Bail out!" and the verdict, powers off. */
_Noreturn void panic(const char *format, ...) MM_PRINTF_LIKE(1, 2);

/* If set, panic() calls it once the log is its own, before "Bail out!". */
extern void (*panic_report)(void);

#define ASSERT(condition)                                                                          \
	do {                                                                                       \
		if (MM_UNLIKELY(!(condition)))                                                     \
			panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition);      \
	} while (0)

#endif
