/*
 * Tests on the target. A case is a name and a function; the function says what it expects, and
 * the first thing that is otherwise is printed with what was expected and what came.
 *
 *	static void hello(struct test *t)
 *	{
 *		EXPECT_EQ(t, run.vm.outcome, VM_EXITED);
 *	}
 */
#ifndef SUITE_TEST_H
#define SUITE_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/cmdline.h"
#include "kernel/host.h"
#include "mm/compiler.h"

/* One case as it runs. */
struct test {
	const char *name;
	const struct host *host;
	const struct cmdline *options;
	unsigned failures;
	const char *skip; /* why it cannot run here; set by test_skip() */
};

struct test_case {
	const char *name; /* dotted, stable: "lazy.read.64" */
	void (*run)(struct test *t, const void *data);
	const void *data; /* for cases that share a function */
};

struct test_suite {
	const struct test_case *cases;
	size_t count;
	/* Not NULL: selected by a pattern that begins so, and by no other. For what takes long. */
	const char *only_as;
};

/* How many cases of these suites the command line selects. */
unsigned test_count(const struct test_suite *const suites[], const struct cmdline *options);
/* Runs them in order, a TAP line each. */
void test_run(const struct test_suite *const suites[], const struct host *host,
              const struct cmdline *options);
/* Offers the names of all of them to a search that nearest_begin() started. */
struct nearest;
void test_nearest(const struct test_suite *const suites[], struct nearest *near);
/* Prints their names, one a line. */
void test_list(const struct test_suite *const suites[], const struct cmdline *options);

void test_fail(struct test *t, const char *file, int line, const char *format, ...)
	MM_PRINTF_LIKE(4, 5);
void test_skip(struct test *t, const char *why);

#define EXPECT(t, condition)                                                                       \
	do {                                                                                       \
		if (!(condition))                                                                  \
			test_fail(t, __FILE__, __LINE__, "expected %s", #condition);               \
	} while (0)

#define EXPECT_EQ(t, got, expected)                                                                \
	test_expect_eq(t, __FILE__, __LINE__, #got, (uint64_t)(got), (uint64_t)(expected))

bool test_expect_eq(struct test *t, const char *file, int line, const char *what, uint64_t got,
                    uint64_t expected);

#endif
