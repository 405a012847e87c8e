/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The encodings of aarch64.h, one in each 4 bytes. Assembled for Arm, and linked into the host's
 * test as bytes.
 */
#define CELL(text)         __asm__(text);
#define ONE(text, ...)     CELL(text)
#define INDEX(text, ...)   CELL(text)
#define PAIR(text, ...)    CELL(text)
#define LITERAL(text, ...) CELL(text)
#define REFUSED(text, ...) CELL(text)

#include "aarch64.h"
