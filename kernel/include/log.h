/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The serial log: TAP lines (tap.h), and comment lines "# subject key=value ..." by log_line().
 * A line is formatted completely and then written under a lock, so the lines of several CPUs do not
 * mix.
 */
#ifndef LOG_H
#define LOG_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/compiler.h"

/* To print a uint64_t: "%016" PRIx64. `long` has 32 bits on x86-64 here (Microsoft ABI). */
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
	LOG_FAULTS, /* also a line per nested fault */
	LOG_EXITS,  /* also a line per exit of any kind */
};

extern enum log_level log_level;

/* "# " + text + newline, if `level` is at most log_level. */
void log_line(enum log_level level, const char *format, ...) MM_PRINTF_LIKE(2, 3);
/* Text and newline without a prefix, whatever the level: for TAP. */
void log_raw(const char *format, ...) MM_PRINTF_LIKE(1, 2);

/* From here on the log, with everything up to LOG_INFO, goes into text[] and not to the console,
 * for tests of what is logged. What does not fit is lost. NULL: back to the console; so does a
 * panic. */
void log_divert(char *text, size_t size);

/* Formats into buf, at most `size` bytes with the NUL. Answers the length of the full text.
 * %d %i %u %x %X %o %c %s %p %% with l, ll, z, h, hh, width, precision, '-', '0', '#', '+', '*'. */
int format_string(char *buf, size_t size, const char *format, ...) MM_PRINTF_LIKE(3, 4);
int format_string_v(char *buf, size_t size, const char *format, va_list args);

/* For a defect of the hypervisor, or a trap that it took: logs "Bail out!" and the verdict, and
 * powers off. */
_Noreturn void panic(const char *format, ...) MM_PRINTF_LIKE(1, 2);

/* If set, panic() calls it before "Bail out!", when no other CPU writes to the log. */
extern void (*panic_report)(void);

#define ASSERT(condition)                                                                          \
	do {                                                                                       \
		if (MM_UNLIKELY(!(condition)))                                                     \
			panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition);      \
	} while (0)

#endif
