/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line: bootargs of the device tree, or on UEFI the load options or a file. It has
 * words of the form key=value, separated by blanks. An unknown word is an error, because a mistyped
 * test must not pass.
 */
#ifndef KERNEL_CMDLINE_H
#define KERNEL_CMDLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "log.h"
#include "mm/compiler.h"

#define CMDLINE_WORD 64
#define CMDLINE_TEST 512 /* test= is a list */

struct cmdline {
	char test[CMDLINE_TEST];     /* test=GLOB[,GLOB]...: which cases; "" if not given */
	char guest[CMDLINE_WORD];    /* guest=NAME: one guest alone; "" if not given */
	char emulator[CMDLINE_WORD]; /* emulator=NAME-VERSION that this runs in, none, or auto: by
	                                the machine's identification; "": auto */
	char geometry[CMDLINE_WORD]; /* geometry=NAME of the suite's nested tables; "": the first
	                                one with enough GPA bits */
	uint64_t mem;                /* mem=SIZE[K|M|G]: the guest's RAM in bytes; 0 if not given */
	uint64_t seed;               /* seed=N; 1 if not given */
	unsigned smp;                /* smp=N: CPUs to use at most; 0 if not given */
	unsigned repeat;             /* repeat=N: run the selected cases N times; 1 if not given */
	enum log_level log;          /* log=quiet|info|faults|exits */
	bool halt;                   /* exit=halt: halt at the end; exit=off: power off */
	bool list;                   /* list: print the names of the cases, run none */
};

#define CMDLINE_ERROR 192

/* False: `error` has the word that is wrong, and the reason. */
bool cmdline_parse(const char *text, struct cmdline *out, char error[CMDLINE_ERROR]) MM_MUST_CHECK;

/* Does `text` match a pattern of '*' (any run of characters) and '?' (any one)? */
bool glob_match(const char *pattern, const char *text);
/* Is there a text that begins with `start` and matches? */
bool glob_may_match(const char *pattern, const char *start);
/* The next pattern of a list separated by commas; `*list` is then the rest, or NULL after the last
 * one. False if there is none. A longer pattern than CMDLINE_TEST is cut. */
bool glob_next(const char **list, char pattern[CMDLINE_TEST]);

#endif
