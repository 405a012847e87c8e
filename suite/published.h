/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Published defects of other projects, as cases: docs/published.md lists them. A case may bring its
 * own code, which is written to guest memory before the guest starts:
 *
 *	CODE   a function, with one argument and one result, that the agent calls
 *	USER   code that the function may run in user mode
 *	SPACE  memory for both
 */
#ifndef SUITE_PUBLISHED_H
#define SUITE_PUBLISHED_H

#include "suite/suite.h"

#define CODE  (ARENA + 256 * PAGE)
#define USER  (CODE + PAGE)
#define SPACE (CODE + 2 * PAGE)
#define PLACE POPULATED(CODE, 16 * PAGE, MM_RWX)

/* Text of a function or of user code: the bytes from start to end. */
struct published_text {
	const uint8_t *start;
	const uint8_t *end;
};

/* suite_case.data: what published_put() writes. */
struct published {
	struct published_text code; /* to CODE */
	struct published_text user; /* to USER */
};

/* The text of a function, defined by PUBLISHED_TEXT in the file of the architecture. */
#define TEXT(name)                                                                                 \
	{                                                                                          \
		name, name##_end                                                                   \
	}
#define CODE_OF(name)                                                                              \
	&(const struct published)                                                                  \
	{                                                                                          \
		.code = TEXT(name)                                                                 \
	}
#define USER_OF(name, text)                                                                        \
	&(const struct published)                                                                  \
	{                                                                                          \
		.code = TEXT(name), .user = TEXT(text)                                             \
	}

/* Calls the function at CODE. */
#define CALL_CODE(argument, expected)                                                              \
	{                                                                                          \
		OP(CALL_AT, .addr = CODE, .value = (argument)), .value = (expected)                \
	}
#define CALL_CODE_TRAPS(argument, what)                                                            \
	{                                                                                          \
		OP(CALL_AT, .addr = CODE, .value = (argument)), .trap = (what)                     \
	}

/* suite_case.ready: writes the case's code to guest memory. */
bool published_put(struct suite_run *run);

#endif
