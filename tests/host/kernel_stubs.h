/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine and the log, as far as kernel/'s pure parts call them: for host tests. */
#ifndef KERNEL_STUBS_H
#define KERNEL_STUBS_H

#include <setjmp.h>
#include <stdint.h>

/* The last line that was logged, without "# "; "" if none since stubs_clear(). */
extern char stubs_log[400];
extern unsigned stubs_lines;
void stubs_clear(void);

/* Is a panic expected? Then panic() returns to here, once. */
extern jmp_buf *stubs_panic;

/* What machine_ticks() answered last; and what it moves on by itself with each call, usually 0. */
extern uint64_t stubs_ticks, stubs_ticks_step;

#endif
