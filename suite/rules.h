/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of the manuals that generated cases test: suite_case.rules, docs/rules/. */
#ifndef SUITE_RULES_H
#define SUITE_RULES_H

#define SUITE_RULES_TEXT 256

/* The rules of a generated case, by its name, for suite_case.rules. NULL: none. Valid until the
 * next call. */
const char *suite_generated_rules(const char *name);

#endif
