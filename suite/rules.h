/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of the manuals that cases without suite_case.rules test: docs/rules/. */
#ifndef SUITE_RULES_H
#define SUITE_RULES_H

#define SUITE_RULES_TEXT 256

/* The rules of a generated case, by its name, for suite_case.rules. NULL: none. Valid until the
 * next call. */
const char *suite_rules_by_name(const char *name);

#endif
