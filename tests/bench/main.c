/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints one line per workload: name, median, floor, per what, as `bench.py` reads it.
 *
 *	bench ROUNDS            every workload, ROUNDS times in turn; medians
 *	bench NAME              one workload once, for callgrind: prints its operations
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ROUNDS 101

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *values, unsigned n)
{
	qsort(values, n, sizeof(*values), ascending);
	return values[n / 2];
}

static double measure(void (*run)(struct timer *t))
{
	struct timer t = {0};
	run(&t);
	return t.total / (double)t.ops;
}

static void run_all(unsigned rounds)
{
	static double took[64][MAX_ROUNDS], floors[64][MAX_ROUNDS];
	for (unsigned r = 0; r < rounds; r++) {
		for (size_t i = 0; i < workload_count; i++) {
			if (workloads[i].floor)
				floors[i][r] = measure(workloads[i].floor);
			took[i][r] = measure(workloads[i].run);
		}
	}
	for (size_t i = 0; i < workload_count; i++) {
		const struct workload *w = &workloads[i];
		double floor = w->floor ? median(floors[i], rounds) : 0;
		printf("%s\t%s\t%s\t%.3f\t%.3f\t%.3f\t%.3f\t%u\n", w->name, w->what,
		       w->unit ? w->unit : "ns", median(took[i], rounds), floor, w->reach,
		       w->reach_floor, w->instructions);
	}
}

static int run_one(const char *name)
{
	for (size_t i = 0; i < workload_count; i++) {
		struct timer t = {0};
		if (strcmp(workloads[i].name, name) != 0)
			continue;
		workloads[i].run(&t);
		printf("%llu\n", (unsigned long long)t.ops);
		return 0;
	}
	fprintf(stderr, "no workload of that name: %s\n", name);
	return 2;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 9;
	pool_open();
	if (rounds == 0)
		return run_one(argv[1]);
	run_all(rounds < MAX_ROUNDS ? rounds : MAX_ROUNDS);
	return 0;
}
