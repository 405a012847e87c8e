/* SPDX-License-Identifier: BSD-2-Clause */
/* Text in and text out: the log's formatting beside libc's, the command line, globs. */
#include "check.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "kernel/cmdline.h"
#include "kernel/nearest.h"
#include "log.h"
#include "mm/compiler.h"

/* --- formatting --- */

/* Both ways, into a buffer that may be too small: the same text and the same length. */
#define CHECK_FORMAT(size, ...)                                                                    \
	do {                                                                                       \
		char ours[256], theirs[256];                                                       \
		int n = format_string(ours, size, __VA_ARGS__);                                    \
		CHECK_EQ(n, snprintf(theirs, size, __VA_ARGS__));                                  \
		CHECK_TEXT(ours, theirs);                                                          \
	} while (0)

static void formats_as_libc(void **state)
{
	(void)state;
	CHECK_FORMAT(256, "plain %% text");
	CHECK_FORMAT(256, "%d %i %u", -5, 7, 4000000000U);
	CHECK_FORMAT(256, "[%5d|%-5d|%05d|%+d|% d]", 42, 42, 42, 42, 42);
	CHECK_FORMAT(256, "%x %X %#x %#X %#x %o %#o", 255, 255, 255, 255, 0, 8, 8);
	CHECK_FORMAT(256, "%hhd %hd %ld %lld %zu", (signed char)-3, (short)-300, -1L, LLONG_MIN,
	             (size_t)-1);
	CHECK_FORMAT(256, "%016lx|%#018lx|%-18lx|", 0x1234UL, 0x1234UL, 0x1234UL);
	CHECK_FORMAT(256, "%.5d|%8.5d|%-8.5d|%.0d|", 42, 42, 42, 0);
	CHECK_FORMAT(256, "%s|%10s|%-10s|%.2s|%10.2s", "abc", "abc", "abc", "abc", "abc");
	CHECK_FORMAT(256, "%c|%3c|%-3c|", 'a', 'b', 'c');
	CHECK_FORMAT(256, "%p", (void *)0x1234);
	CHECK_FORMAT(256, "%*d|%-*d|%.*s|%*d", 5, 1, 5, 1, 2, "xyz", -6, 3);
	CHECK_FORMAT(256, "%" PRIx64 " %" PRIu64 " %" PRId64, UINT64_MAX, UINT64_MAX, INT64_MIN);
}

static void never_writes_beyond_the_buffer(void **state)
{
	char buf[8];

	(void)state;
	for (size_t size = 0; size < sizeof(buf); size++) {
		memset(buf, '#', sizeof(buf));
		CHECK_EQ(format_string(buf, size, "%s", "0123456789"), 10);
		for (size_t i = size; i < sizeof(buf); i++)
			CHECK_EQ(buf[i], '#');
		if (size != 0)
			CHECK_EQ(strlen(buf), size - 1);
	}
}

static void unknown_conversions_show(void **state)
{
	const char *volatile unknown = "%y|%", *volatile missing = "%s";
	char buf[32];

	(void)state;
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wformat-security"
#pragma clang diagnostic ignored "-Wformat-nonliteral"
	format_string(buf, sizeof(buf), unknown);
	CHECK_TEXT(buf, "%y|%");
	format_string(buf, sizeof(buf), missing, (char *)NULL);
	CHECK_TEXT(buf, "(null)");
#pragma clang diagnostic pop
}

/* --- the command line --- */

static struct cmdline parse(const char *line)
{
	char error[CMDLINE_ERROR] = "";
	struct cmdline out;

	check_context("'%s'", line);
	if (!cmdline_parse(line, &out, error))
		check_failed(__FILE__, __LINE__, "refused: %s", error);
	return out;
}

static void every_key_is_read(void **state)
{
	struct cmdline c = parse("test=a.* guest=hello mem=64M\tseed=0x1F  smp=4 log=faults "
	                         "exit=halt repeat=3 list\r\n");

	(void)state;
	CHECK_TEXT(c.test, "a.*");
	CHECK_TEXT(c.guest, "hello");
	CHECK_EQ(c.mem, 64 << 20);
	CHECK_EQ(c.seed, 0x1f);
	CHECK_EQ(c.smp, 4);
	CHECK_EQ(c.log, LOG_FAULTS);
	CHECK(c.halt);
	CHECK_EQ(c.repeat, 3);
	CHECK(c.list);
}

static void defaults(void **state)
{
	struct cmdline c = parse("");

	(void)state;
	CHECK_TEXT(c.test, "");
	CHECK_TEXT(c.guest, "");
	CHECK_EQ(c.mem, 0);
	CHECK_EQ(c.seed, 1);
	CHECK_EQ(c.repeat, 1);
	CHECK_EQ(c.log, LOG_INFO);
	CHECK(!c.halt && !c.list);
	CHECK_EQ(parse("mem=18014398509481983K").mem, UINT64_MAX - 1023);
	CHECK_EQ(parse("seed=18446744073709551615").seed, UINT64_MAX);
	CHECK_EQ(parse("mem=4096").mem, 4096);
	CHECK_EQ(parse("mem=2g").mem, UINT64_C(2) << 30);
}

static void bad_words_are_refused(void **state)
{
	static const struct {
		const char *line;
		const char *error;
	} rows[] = {
		{"foo=1", "'foo=1': unknown key"},
		{"Test=x", "'Test=x': unknown key; did you mean 'test'?"},
		{"gest=lazy", "'gest=lazy': unknown key; did you mean 'guest'?"},
		{"sedd=1", "'sedd=1': unknown key; did you mean 'seed'?"},
		{"sm", "'sm': unknown key; did you mean 'smp'?"},
		{"geomtery=sv39x4", "'geomtery=sv39x4': unknown key; did you mean 'geometry'?"},
		{"log=fault",
	         "'log=fault': not quiet, info, faults or exits; did you mean 'faults'?"},
		{"exit=hlat", "'exit=hlat': not off or halt; did you mean 'halt'?"},
		{"=", "'=': unknown key"},
		{"seed=1 nonsense", "'nonsense': unknown key"},
		{"test", "'test': nothing after '='"},
		{"test=", "'test=': nothing after '='"},
		{"mem=1M mem=2M", "'mem=2M': given twice"},
		{"guest=a guest=a", "'guest=a': given twice"},
		{"mem=18446744073709551616", "'mem=18446744073709551616': too large a number"},
		{"mem=18014398509481984K", "'mem=18014398509481984K': too large a size"},
		{"mem=17179869184G", "'mem=17179869184G': too large a size"},
		{"mem=0", "'mem=0': out of range"},
		{"mem=K", "'mem=K': no number"},
		{"mem=12q", "'mem=12q': not a number"},
		{"mem=-1", "'mem=-1': not a number"},
		{"seed=0x", "'seed=0x': not a number"},
		{"seed=0x10000000000000000", "'seed=0x10000000000000000': too large a number"},
		{"smp=0", "'smp=0': out of range"},
		{"smp=1025", "'smp=1025': out of range"},
		{"repeat=0", "'repeat=0': out of range"},
		{"log=loud", "'log=loud': not quiet, info, faults or exits"},
		{"exit=maybe", "'exit=maybe': not off or halt"},
		{"list=1", "'list=1': takes no value"},
	};

	(void)state;
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		char error[CMDLINE_ERROR] = "";
		struct cmdline out;

		check_context("'%s'", rows[i].line);
		CHECK(!cmdline_parse(rows[i].line, &out, error));
		CHECK_TEXT(error, rows[i].error);
	}
}

/* By edit distance; a third of the word may differ. */
static void the_nearest_word(void **state)
{
	static const struct {
		const char *word, *best;
	} rows[] = {
		{"lazy", "lazy"},
		{"LAZY", "lazy"},
		{"lzay", "lazy"},
		{"lay", "lazy"},
		{"llazy", "lazy"},
		{"laze", "lazy"},
		{"lxxy", "lazy"},
		{"xxxy", ""},
		{"", ""},
		{"x", ""},
		{"protecte", "protect"},
		{"portetc", "protect"},
		{"prxxxct", "protect"},
		{"pxxxxxt", ""},
		{"hello,world", ""},
	};
	char longest[200];
	struct nearest n;

	(void)state;
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		check_context("'%s'", rows[i].word);
		nearest_begin(&n, rows[i].word, strlen(rows[i].word));
		nearest_try(&n, "protect");
		nearest_try(&n, "lazy");
		nearest_try(&n, "");
		CHECK_TEXT(n.best, rows[i].best);
	}
	/* Longer than is compared: cut, and never read beyond. */
	memset(longest, 'a', sizeof(longest));
	nearest_begin(&n, longest, sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	nearest_try(&n, longest);
	CHECK_TEXT(nearest_text(&n), "");
	longest[NEAREST_WORD - 1] = '\0';
	nearest_try(&n, longest);
	CHECK_TEXT(n.best, longest);
}

static void long_words_are_refused(void **state)
{
	char line[CMDLINE_TEST + 6], error[CMDLINE_ERROR];
	struct cmdline out;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "test=", 5);
	line[sizeof(line) - 1] = '\0';
	CHECK(!cmdline_parse(line, &out, error));
	CHECK(strstr(error, "': too long") != NULL);
	line[5 + CMDLINE_TEST - 1] = '\0';
	CHECK(cmdline_parse(line, &out, error));
	CHECK_EQ(strlen(out.test), CMDLINE_TEST - 1);
	memcpy(line, "guest=", 6);
	CHECK(!cmdline_parse(line, &out, error));
	line[6 + CMDLINE_WORD - 1] = '\0';
	CHECK(cmdline_parse(line, &out, error));
	CHECK_EQ(strlen(out.guest), CMDLINE_WORD - 1);
}

static void random_lines(void **state)
{
	static const char alphabet[] = "abeghilmnoprstuxGKM0123456789=*. \t";
	struct rng rng = rng_seeded(26);

	(void)state;
	for (int round = 0; round < 200000; round++) {
		char line[40], error[CMDLINE_ERROR];
		struct cmdline out;
		size_t length = rng_below(&rng, sizeof(line));

		for (size_t i = 0; i < length; i++)
			line[i] = alphabet[rng_below(&rng, sizeof(alphabet) - 1)];
		line[length] = '\0';
		error[0] = '\0';
		if (!cmdline_parse(line, &out, error))
			CHECK(error[0] != '\0');
	}
}

static void globs(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} rows[] = {
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "anything", true},
		{"a*b?d", "axxbbcd", true},
		{"a*b?d", "axxbbc", false},
		{"lazy.*", "lazy.read", true},
		{"lazy.*", "lazy", false},
		{"*.x.*.y", "a.x.b.x.y", true},
		{"*.x.*.y", "a.x.y", false},
		{"a?", "a", false},
		{"**", "ab", true},
		{"*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
	};

	(void)state;
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		check_context("%s ~ %s", rows[i].pattern, rows[i].text);
		CHECK_EQ(glob_match(rows[i].pattern, rows[i].text), rows[i].matches);
	}
}

static void lists_of_globs(void **state)
{
	static const struct {
		const char *list, *parts[4];
	} rows[] = {
		{"", {""}},        {"a", {"a"}},      {"a.*,b", {"a.*", "b"}},  {",", {"", ""}},
		{"a,", {"a", ""}}, {",a", {"", "a"}}, {"a,,b", {"a", "", "b"}},
	};
	char part[CMDLINE_TEST], longest[2 * CMDLINE_TEST];

	(void)state;
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		const char *list = rows[i].list;
		size_t n = 0;

		check_context("%s", rows[i].list);
		for (; glob_next(&list, part); n++)
			CHECK_TEXT(part, rows[i].parts[n]);
		CHECK(n < 4 && rows[i].parts[n] == NULL);
	}
	memset(longest, 'a', sizeof(longest));
	memcpy(&longest[sizeof(longest) - 3], ",b", 3);
	const char *list = longest;
	CHECK(glob_next(&list, part));
	CHECK_EQ(strlen(part), CMDLINE_TEST - 1);
	CHECK(glob_next(&list, part));
	CHECK_TEXT(part, "b");
	CHECK(!glob_next(&list, part));
}

/* Never false for the beginning of what matches; false where no text can match. */
static void patterns_that_may_match(void **state)
{
	static const struct {
		const char *pattern, *start;
		bool may;
	} rows[] = {
		{"*", "atomic.", true},        {"bench.*", "atomic.", false},
		{"atomic.*", "atomic.", true}, {"atomic", "atomic.", false},
		{"a*", "atomic.", true},       {"atomic.x", "atomic.", true},
		{"a?omic*", "atomic.", true},  {"*.x", "atomic.", true},
		{"", "atomic.", false},        {"", "", true},
		{"atom?c.*", "atomic.", true}, {"b*", "atomic.", false},
	};

	(void)state;
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		check_context("%s ~ %s", rows[i].pattern, rows[i].start);
		CHECK_EQ(glob_may_match(rows[i].pattern, rows[i].start), rows[i].may);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_as_libc),
		cmocka_unit_test(never_writes_beyond_the_buffer),
		cmocka_unit_test(unknown_conversions_show),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(defaults),
		cmocka_unit_test(bad_words_are_refused),
		cmocka_unit_test(the_nearest_word),
		cmocka_unit_test(long_words_are_refused),
		cmocka_unit_test(random_lines),
		cmocka_unit_test(globs),
		cmocka_unit_test(lists_of_globs),
		cmocka_unit_test(patterns_that_may_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
