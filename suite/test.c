/* Selecting, running and reporting cases on the target: see test.h. */
#include "suite/test.h"

#include "frame.h"
#include "kernel/nearest.h"
#include "kernel/string.h"
#include "kernel/tap.h"
#include "log.h"
#include "suite/deviations.h"
#include "wait_limit.h"

/* After that many failures of one case, the rest says nothing new. */
#define FAILURES_SHOWN 8

static bool selected(const struct test_suite *suite, const struct test_case *c,
                     const struct cmdline *options)
{
	if (suite->only_as != NULL &&
	    memcmp(options->test, suite->only_as, strlen(suite->only_as)) != 0)
		return false;
	return options->test[0] == '\0' || glob_match(options->test, c->name);
}

unsigned test_count(const struct test_suite *const suites[], const struct cmdline *options)
{
	unsigned count = 0;

	for (; *suites != NULL; suites++) {
		for (size_t i = 0; i < (*suites)->count; i++)
			count += selected(*suites, &(*suites)->cases[i], options);
	}
	return count;
}

static void run_case(const struct test_case *c, const struct host *host,
                     const struct cmdline *options)
{
	struct test t = {.name = c->name, .host = host, .options = options};
	uint64_t free = frames_free();
	const char *reason, *wrong;
	enum tap_directive known = deviation(options->emulator, host, c->name, &reason);

	wait_case(c->name);
	if (known == TAP_SKIP)
		test_skip(&t, reason);
	else
		c->run(&t, c->data);
	wait_case(NULL);
	wrong = wait_complaint();
	if (wrong != NULL)
		test_fail(&t, __FILE__, __LINE__, "%s", wrong);
	if (t.failures == 0 && frames_free() != free)
		test_fail(&t, __FILE__, __LINE__, "%" PRIu64 " frames leaked",
		          free - frames_free());
	if (t.skip != NULL && t.failures == 0)
		tap_result(true, c->name, TAP_SKIP, t.skip);
	else
		tap_result(t.failures == 0, c->name, known, reason);
	if (t.failures != 0)
		log_line(LOG_QUIET, "rerun: test=%s seed=%" PRIu64, c->name, options->seed);
}

void test_run(const struct test_suite *const suites[], const struct host *host,
              const struct cmdline *options)
{
	for (; *suites != NULL; suites++) {
		for (size_t i = 0; i < (*suites)->count; i++) {
			if (selected(*suites, &(*suites)->cases[i], options))
				run_case(&(*suites)->cases[i], host, options);
		}
	}
}

void test_nearest(const struct test_suite *const suites[], struct nearest *near)
{
	for (; *suites != NULL; suites++) {
		for (size_t i = 0; i < (*suites)->count; i++)
			nearest_try_case(near, (*suites)->cases[i].name);
	}
}

void test_list(const struct test_suite *const suites[], const struct cmdline *options)
{
	for (; *suites != NULL; suites++) {
		for (size_t i = 0; i < (*suites)->count; i++) {
			if (selected(*suites, &(*suites)->cases[i], options))
				log_line(LOG_QUIET, "case %s", (*suites)->cases[i].name);
		}
	}
}

void test_fail(struct test *t, const char *file, int line, const char *format, ...)
{
	char text[200];
	va_list args;

	if (t->failures++ >= FAILURES_SHOWN)
		return;
	va_start(args, format);
	format_string_v(text, sizeof(text), format, args);
	va_end(args);
	log_line(LOG_QUIET, "failed %s at %s:%d: %s", t->name, file, line, text);
}

void test_skip(struct test *t, const char *why)
{
	t->skip = why;
}

bool test_expect_eq(struct test *t, const char *file, int line, const char *what, uint64_t got,
                    uint64_t expected)
{
	if (got == expected)
		return true;
	test_fail(t, file, line,
	          "%s: expected %" PRIu64 " (0x%" PRIx64 "), got %" PRIu64 " (0x%" PRIx64 ")", what,
	          expected, expected, got, got);
	return false;
}
