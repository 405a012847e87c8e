/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * The version of the library. This file is its only source: the makefile, the packages and the
 * names of the shared library are made of it. docs/library.md says what a version promises.
 */
#ifndef MM_VERSION_H
#define MM_VERSION_H

#include <stdint.h>

#include "mm/compiler.h"

MM_BEGIN_DECLS

#define MM_VERSION_MAJOR 1 /**< changes when a program has to be compiled again, or changed */
#define MM_VERSION_MINOR 0 /**< changes when something is added */
#define MM_VERSION_PATCH 0 /**< changes when something is corrected */

/** A version as one number, which grows with the version. Each part is below 256. */
#define MM_VERSION_NUMBER(major, minor, patch)                                                     \
	((uint32_t)(major) << 16 | (uint32_t)(minor) << 8 | (uint32_t)(patch))

/** The version of the headers that a program is compiled with. */
#define MM_VERSION MM_VERSION_NUMBER(MM_VERSION_MAJOR, MM_VERSION_MINOR, MM_VERSION_PATCH)

/** [any] The version of the library that the program runs with: the MM_VERSION of its build. It may
 * be a later one than the program's if the library is shared. Cannot fail. */
uint32_t mm_version(void);

MM_END_DECLS

#endif
