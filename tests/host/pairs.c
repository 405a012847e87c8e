/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting which features have met: see pairs.h. */
#include "pairs.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const names[FEATURES] = {
	[F_SNAPSHOT] = "snapshot",
	[F_DROPPED] = "dropped",
	[F_LOG_PERM] = "log-perm",
	[F_LOG_HW] = "log-hw",
	[F_QUOTA] = "quota",
	[F_LARGE] = "large",
	[F_PROTECT] = "protect",
	[F_REPLACE] = "replace",
	[F_REMAP] = "remap",
	[F_HARVEST] = "harvest",
	[F_LINEAR] = "linear",
	[F_DEVICE] = "device",
	[F_AD] = "ad",
	[F_CONCURRENT] = "others",
	[F_NO_MEMORY] = "no-memory",
};

void features_count(struct feature_table *table, uint32_t operations, uint32_t states, bool refused)
{
	uint64_t(*cells)[FEATURES] = refused ? table->refused : table->happened;

	for (uint32_t ops = operations; ops != 0; ops &= ops - 1) {
		unsigned op = (unsigned)__builtin_ctz(ops);
		uint32_t met = states | (operations & ~FEATURE(op));

		for (; met != 0; met &= met - 1)
			cells[op][__builtin_ctz(met)]++;
	}
}

void features_add(struct feature_table *sum, const struct feature_table *part)
{
	for (unsigned op = 0; op < FEATURES; op++) {
		for (unsigned state = 0; state < FEATURES; state++) {
			sum->happened[op][state] += part->happened[op][state];
			sum->refused[op][state] += part->refused[op][state];
		}
	}
}

static const struct feature_rule *rule_of(const struct feature_rule *rules, size_t n, unsigned op,
                                          unsigned state)
{
	for (size_t i = 0; i < n; i++) {
		if ((rules[i].operation == op || rules[i].operation == FEATURES) &&
		    (rules[i].states & FEATURE(state)) != 0)
			return &rules[i];
	}
	return NULL;
}

/* What is wrong with this cell, or NULL. */
static const char *complaint(uint64_t happened, uint64_t refused, const struct feature_rule *rule)
{
	if (!rule)
		return happened == 0 ? "never happened" : NULL;
	if (happened != 0)
		return "happened, and the rule says that it cannot";
	return rule->refused_alone && refused == 0 ? "never asked for" : NULL;
}

unsigned features_report(const struct feature_table *table, uint32_t rows,
                         const struct feature_rule *rules, size_t n)
{
	unsigned wrong = 0;

	printf("# pairs: operation: state=happened/refused ...\n");
	for (unsigned op = 0; op < FEATURES; op++) {
		if ((rows & FEATURE(op)) == 0)
			continue;
		printf("# pairs %s:", names[op]);
		for (unsigned state = 0; state < FEATURES; state++) {
			uint64_t happened = table->happened[op][state];
			uint64_t refused = table->refused[op][state];
			const struct feature_rule *rule = rule_of(rules, n, op, state);
			const char *what = op == state ? NULL : complaint(happened, refused, rule);

			if (op != state)
				printf(" %s=%" PRIu64 "/%" PRIu64, names[state], happened, refused);
			if (what) {
				fprintf(stderr, "# pairs: %s beside %s: %s%s%s\n", names[op],
				        names[state], what, rule ? ": " : "",
				        rule ? rule->reason : "");
				wrong++;
			}
		}
		printf("\n");
	}
	for (size_t i = 0; i < n; i++) {
		printf("# pairs exempt %s beside",
		       rules[i].operation == FEATURES ? "anything" : names[rules[i].operation]);
		for (unsigned state = 0; state < FEATURES; state++) {
			if ((rules[i].states & FEATURE(state)) != 0)
				printf(" %s", names[state]);
		}
		printf(": %s%s\n", rules[i].refused_alone ? "refused, " : "", rules[i].reason);
	}
	fflush(stdout);
	return wrong;
}
