/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of the hypervisor without a guest, in the image itself: text and memory functions, the
 * command line, names of emulators, and sets of bits. The host tests know them in more detail.
 */
#include "kernel/bit_tree.h"
#include "kernel/cmdline.h"
#include "kernel/emulator.h"
#include "kernel/nearest.h"
#include "kernel/string.h"
#include "log.h"
#include "suite/payload.h"

static void expect_text(struct suite_run *run, const char *got, const char *expected)
{
	if (strcmp(got, expected) != 0)
		suite_fail(run, "expected \"%.80s\", got \"%.80s\"", expected, got);
}

/* --- formatting --- */

#define FORMATS(expected, ...)                                                                     \
	do {                                                                                       \
		int n = format_string(text, sizeof(text), __VA_ARGS__);                            \
		expect_text(run, text, expected);                                                  \
		EXPECT_EQ(run, n, strlen(expected));                                               \
	} while (0)

static void format(struct suite_run *run, const void *data)
{
	char text[128];

	(void)data;
	FORMATS("plain % text", "plain %% text");
	FORMATS("-5 7 4000000000", "%d %i %u", -5, 7, 4000000000U);
	FORMATS("[   42|42   |00042|+42| 42]", "[%5d|%-5d|%05d|%+d|% d]", 42, 42, 42, 42, 42);
	FORMATS("[  -42|-42  |-0042|-42]", "[%5d|%-5d|%05d|%+d]", -42, -42, -42, -42);
	FORMATS("ff FF 0xff 0XFF 0 10 010", "%x %X %#x %#X %#x %o %#o", 255, 255, 255, 255, 0, 8,
	        8);
	FORMATS("-3 -300 -1 18446744073709551615", "%hhd %hd %ld %zu", (signed char)-3, (short)-300,
	        -1L, (size_t)-1);
	FORMATS("fedcba9876543210 18446744073709551615 -9223372036854775808",
	        "%" PRIx64 " %" PRIu64 " %" PRId64, UINT64_C(0xfedcba9876543210), UINT64_MAX,
	        INT64_MIN);
	FORMATS("0000000000001234|0x0000000000001234|", "%016" PRIx64 "|%#018" PRIx64 "|",
	        UINT64_C(0x1234), UINT64_C(0x1234));
	FORMATS("00042|   00042|00042   ||", "%.5d|%8.5d|%-8.5d|%.0d|", 42, 42, 42, 0);
	FORMATS("abc|       abc|abc       |ab|        ab", "%s|%10s|%-10s|%.2s|%10.2s", "abc",
	        "abc", "abc", "abc", "abc");
	FORMATS("a|  b|c  |", "%c|%3c|%-3c|", 'a', 'b', 'c');
	FORMATS("    1|1    |xy|3     ", "%*d|%-*d|%.*s|%*d", 5, 1, 5, 1, 2, "xyz", -6, 3);
}

/* A buffer that is too small: the text is cut, and the length is that of the whole text. */
static void format_bounds(struct suite_run *run, const void *data)
{
	char text[12];

	(void)data;
	for (size_t size = 0; size < sizeof(text); size++) {
		memset(text, '#', sizeof(text));
		EXPECT_EQ(run, format_string(text, size, "%s", "0123456789"), 10);
		for (size_t i = size; i < sizeof(text); i++)
			EXPECT_EQ(run, text[i], '#');
		if (size != 0)
			EXPECT_EQ(run, strlen(text), size - 1);
	}
}

/* --- memory and strings --- */

#define BYTES 80U

static void fill(uint8_t *at, unsigned seed)
{
	for (unsigned i = 0; i < BYTES; i++)
		at[i] = (uint8_t)(seed + 37 * i + i / 7);
}

/* Each offset within 16 bytes, each length up to 40, overlapping in both directions. */
static void memory(struct suite_run *run, const void *data)
{
	_Alignas(16) static uint8_t from[BYTES], to[BYTES], before[BYTES];

	(void)data;
	for (unsigned at = 0; at < 16 * 16 * 40 && run->complaints == 0; at++) {
		unsigned source = at % 16, target = at / 16 % 16, n = at / 256;
		bool copied = true, moved = true, set = true;

		/* memset() takes an int, and uses its low byte. */
		volatile int wide = 0x1a5;

		fill(from, 1);
		fill(to, 99);
		fill(before, 99);
		memcpy(to + target, from + source, n);
		for (unsigned i = 0; i < BYTES; i++)
			copied = copied &&
			         to[i] == (i - target < n ? from[source + i - target] : before[i]);
		memcpy(before, from, BYTES);
		memmove(from + target, from + source, n);
		for (unsigned i = 0; i < BYTES; i++)
			moved = moved && from[i] == (i - target < n ? before[source + i - target]
			                                            : before[i]);
		fill(to, 99);
		fill(before, 99);
		memset(to + target, wide, n);
		for (unsigned i = 0; i < BYTES; i++)
			set = set && to[i] == (i - target < n ? 0xa5 : before[i]);
		if (!copied || !moved || !set)
			suite_fail(run, "%u bytes from offset %u to %u: copy %d, move %d, set %d",
			           n, source, target, copied, moved, set);
	}
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void compare(struct suite_run *run, const void *data)
{
	static const struct {
		const char *a, *b;
		int order;
	} rows[] = {
		{"", "", 0},
		{"a", "", 1},
		{"", "a", -1},
		{"abc", "abc", 0},
		{"abc", "abd", -1},
		{"abd", "abc", 1},
		{"abc", "abcd", -1},
		{"abcd", "abc", 1},
		{"\x80", "a", 1},
		{"a", "\xff", -1},
		{"a\x80", "az", 1},
		{"xbc", "abd", 1},
		{"abcdefghi", "abcdefghj", -1},
	};
	_Alignas(8) uint8_t a[24] = {0}, b[24] = {0};

	(void)data;
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(run, sign(strcmp(rows[i].a, rows[i].b)), rows[i].order);
		EXPECT_EQ(run, strnlen(rows[i].a, 3),
		          strlen(rows[i].a) < 3 ? strlen(rows[i].a) : 3);
	}
	for (unsigned at = 0; at < sizeof(a); at++) {
		for (unsigned n = 0; n <= sizeof(a); n++) {
			b[at] = 0x80;
			a[at] = 1;
			EXPECT_EQ(run, sign(memcmp(a, b, n)), at < n ? -1 : 0);
			EXPECT_EQ(run, sign(memcmp(b, a, n)), at < n ? 1 : 0);
			a[at] = b[at] = 0;
		}
	}
}

/* --- the command line --- */

static void cmdline(struct suite_run *run, const void *data)
{
	static struct cmdline c;
	char error[CMDLINE_ERROR] = "";

	(void)data;
	EXPECT(run, cmdline_parse("test=a.*,b guest=hello mem=64M\tseed=0x1F  smp=4 log=faults "
	                          "exit=halt repeat=3 emulator=qemu-7.2 list\r\n",
	                          &c, error));
	expect_text(run, c.test, "a.*,b");
	expect_text(run, c.guest, "hello");
	expect_text(run, c.emulator, "qemu-7.2");
	EXPECT_EQ(run, c.mem, MIB(64));
	EXPECT_EQ(run, c.seed, 0x1f);
	EXPECT_EQ(run, c.smp, 4);
	EXPECT_EQ(run, c.repeat, 3);
	EXPECT_EQ(run, c.log, LOG_FAULTS);
	EXPECT(run, c.halt && c.list);
	EXPECT(run, cmdline_parse("", &c, error));
	EXPECT(run, c.test[0] == '\0' && c.guest[0] == '\0' && !c.halt && !c.list);
	EXPECT(run, c.mem == 0 && c.seed == 1 && c.smp == 0 && c.repeat == 1 && c.log == LOG_INFO);
	EXPECT(run, cmdline_parse("mem=2g seed=18446744073709551615 log=quiet", &c, error));
	EXPECT(run, c.mem == GIB(2) && c.seed == UINT64_MAX && c.log == LOG_QUIET);
	EXPECT(run, cmdline_parse("mem=18014398509481983K log=exits exit=off", &c, error));
	EXPECT(run, c.mem == UINT64_MAX - 1023 && c.log == LOG_EXITS && !c.halt);
}

static void cmdline_refused(struct suite_run *run, const void *data)
{
	static const struct {
		const char *line, *error;
	} rows[] = {
		{"foo=1", "'foo=1': unknown key"},
		{"gest=lazy", "'gest=lazy': unknown key; did you mean 'guest'?"},
		{"log=fault",
	         "'log=fault': not quiet, info, faults or exits; did you mean 'faults'?"},
		{"seed=1 nonsense", "'nonsense': unknown key"},
		{"test=", "'test=': nothing after '='"},
		{"mem=1M mem=2M", "'mem=2M': given twice"},
		{"mem=18446744073709551616", "'mem=18446744073709551616': too large a number"},
		{"mem=18014398509481984K", "'mem=18014398509481984K': too large a size"},
		{"mem=0", "'mem=0': out of range"},
		{"mem=K", "'mem=K': no number"},
		{"mem=12q", "'mem=12q': not a number"},
		{"seed=1a", "'seed=1a': not a number"},
		{"seed=0x1g", "'seed=0x1g': not a number"},
		{"seed=0x10000000000000000", "'seed=0x10000000000000000': too large a number"},
		{"smp=0", "'smp=0': out of range"},
		{"smp=1025", "'smp=1025': out of range"},
		{"exit=maybe", "'exit=maybe': not off or halt"},
		{"list=1", "'list=1': takes no value"},
	};
	static struct cmdline c;

	(void)data;
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		char error[CMDLINE_ERROR] = "";

		if (cmdline_parse(rows[i].line, &c, error))
			suite_fail(run, "\"%s\" is accepted", rows[i].line);
		expect_text(run, error, rows[i].error);
	}
}

static void globs(struct suite_run *run, const void *data)
{
	static const struct {
		const char *pattern, *text;
		bool matches, may; /* the whole text, its beginning */
	} rows[] = {
		{"", "", true, true},
		{"", "a", false, false},
		{"*", "", true, true},
		{"*", "anything", true, true},
		{"a*b?d", "axxbbcd", true, true},
		{"a*b?d", "axxbbc", false, true},
		{"lazy.*", "lazy.read", true, true},
		{"lazy.*", "lazy", false, true},
		{"*.x.*.y", "a.x.b.x.y", true, true},
		{"*.x.*.y", "a.x.y", false, true},
		{"a?", "a", false, true},
		{"**", "ab", true, true},
		{"a**", "a", true, true},
		{"?b", "ab", true, true},
		{"b*", "ab", false, false},
		{"lazy", "lazy.", false, false},
		{"*a*a*a*a*b", "aaaaaaaaaaaaaaaaaa", false, true},
	};
	char part[CMDLINE_TEST];
	const char *list = "a.*,,b";

	(void)data;
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		if (glob_match(rows[i].pattern, rows[i].text) != rows[i].matches ||
		    glob_may_match(rows[i].pattern, rows[i].text) != rows[i].may)
			suite_fail(run, "\"%s\" and \"%s\"", rows[i].pattern, rows[i].text);
	}
	EXPECT(run, glob_next(&list, part));
	expect_text(run, part, "a.*");
	EXPECT(run, glob_next(&list, part));
	expect_text(run, part, "");
	EXPECT(run, glob_next(&list, part));
	expect_text(run, part, "b");
	EXPECT(run, !glob_next(&list, part));
}

/* --- names --- */

static void nearest(struct suite_run *run, const void *data)
{
	static const struct {
		const char *word, *best;
	} rows[] = {
		{"lazy", "lazy"},
		{"LAZY", "lazy"},
		{"lzay", "lazy"},
		{"lay", "lazy"},
		{"llazy", "lazy"},
		{"lxxy", "lazy"},
		{"xxxy", ""},
		{"", ""},
		{"protecte", "protect"},
		{"portetc", "protect"},
		{"prxxxct", "protect"},
		{"pxxxxxt", ""},
	};
	struct nearest n;

	(void)data;
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		nearest_begin(&n, rows[i].word, strlen(rows[i].word));
		nearest_try(&n, "protect");
		nearest_try(&n, "lazy");
		nearest_try(&n, "");
		expect_text(run, n.best, rows[i].best);
	}
	expect_text(run, nearest_text(&n), "");
	/* Among equally near ones, the one with the same first letter; then the first. */
	nearest_begin(&n, "abcdef", 6);
	nearest_try(&n, "xbcdef");
	nearest_try(&n, "abcdex");
	nearest_try(&n, "abcdey");
	expect_text(run, nearest_text(&n), "; did you mean 'abcdex'?");
}

static void emulators(struct suite_run *run, const void *data)
{
	static const struct {
		const char *emulator, *from, *to;
		bool in;
	} rows[] = {
		{"qemu-7.2.22", "7.2", "7.2", true},
		{"qemu-7.20.1", "7.2", "7.2", false},
		{"qemu-7.1.99", "7.2", "7.2", false},
		{"qemu-7.2.22", "7.2.22", "7.2.22", true},
		{"qemu-7.2.22", "7.2.23", "", false},
		{"qemu-7.2.22", "", "7.2.21", false},
		{"qemu-7.2.22", "", "", true},
		{"qemu-10.0.2", "7.2", "9", false},
		{"qemu-10.0.2", "7.2", "", true},
		{"qemu-9", "7.2", "9.0.0", true},
		{"qemu-8.0.0-rc1", "8", "8", true},
		{"qemu", "7.2", "7.2", true},
		{"qemu-10.0.2,thread=single", "10", "10.0.2", true},
		{"qemu-10.0.2,thread=single", "10.0.3", "", false},
		{"qemu,thread=single", "10", "", true},
		{"qemuq-7.2", "", "", false},
		{"qem", "", "", false},
		{"bochs-2.7", "", "", false},
	};

	(void)data;
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		if (emulator_in_range(rows[i].emulator, "qemu", rows[i].from, rows[i].to) !=
		    rows[i].in)
			suite_fail(run, "%s in [%s, %s]", rows[i].emulator, rows[i].from,
			           rows[i].to);
	}
	EXPECT(run, emulator_runs_cpus_in_turn("qemu-7.2", 1));
	EXPECT(run, !emulator_runs_cpus_in_turn("qemu-7.2", 2));
	EXPECT(run, emulator_runs_cpus_in_turn("qemu-7.2,thread=single", 2));
	EXPECT(run, !emulator_runs_cpus_in_turn("none", 2));
}

/* --- the log --- */

static void levels(struct suite_run *run, const void *data)
{
	enum log_level before = log_level;
	char text[64];

	(void)data;
	/* A diverted log has all lines up to LOG_INFO, and others by their level. */
	for (enum log_level set = LOG_QUIET; set <= LOG_EXITS; set++) {
		for (enum log_level level = LOG_QUIET; level <= LOG_EXITS; level++) {
			bool shown = level <= set || level <= LOG_INFO;

			log_level = set;
			log_divert(text, sizeof(text));
			log_line(level, "line %u\x7f\x01", (unsigned)level);
			log_divert(NULL, 0);
			log_level = before;
			EXPECT_EQ(run, strlen(text), shown ? 11 : 0);
			EXPECT(run, !shown || memcmp(text, "# line ", 7) == 0);
			EXPECT(run, !shown || memcmp(text + 8, "\?\?\n", 4) == 0);
		}
	}
}

/* --- sets of bits --- */

static const uint16_t members[] = {8191, 4096, 4095, 64, 63, 8190, 128, 1, 0, 5000};

static void add_members(struct suite_run *run, struct bit_tree *tree)
{
	unsigned least = 8192;

	for (unsigned i = 0; i < MM_ARRAY_SIZE(members); i++) {
		EXPECT(run, !bit_tree_has(tree, members[i]));
		bit_tree_add(tree, members[i]);
		least = members[i] < least ? members[i] : least;
		EXPECT(run, bit_tree_has(tree, members[i]) && !bit_tree_empty(tree));
		EXPECT_EQ(run, bit_tree_lowest(tree), least);
	}
}

static void remove_members(struct suite_run *run, struct bit_tree *tree)
{
	for (unsigned left = MM_ARRAY_SIZE(members); left > 0; left--) {
		uint64_t lowest = bit_tree_lowest(tree);

		bit_tree_remove(tree, lowest);
		EXPECT(run, !bit_tree_has(tree, lowest));
		EXPECT_EQ(run, bit_tree_empty(tree), left == 1);
		EXPECT(run, left == 1 || bit_tree_lowest(tree) > lowest);
	}
}

/* The lowest member, after each change, in a set of three levels. */
static void bit_trees(struct suite_run *run, const void *data)
{
	static uint64_t words[200];
	struct bit_tree tree;

	(void)data;
	memset(words, 0, sizeof(words));
	EXPECT(run, bit_tree_words(8192) <= MM_ARRAY_SIZE(words));
	bit_tree_init(&tree, 8192, words);
	EXPECT(run, bit_tree_empty(&tree));
	for (unsigned round = 0; round < 2; round++) {
		add_members(run, &tree);
		EXPECT(run, !bit_tree_has(&tree, 8192) && !bit_tree_has(&tree, 2));
		remove_members(run, &tree);
	}
	for (unsigned i = 0; i < MM_ARRAY_SIZE(words); i++)
		EXPECT_EQ(run, words[i], 0);
}

static const struct suite_case cases[] = {
	{.name = "pure.format", .run = format},
	{.name = "pure.format.bounds", .run = format_bounds},
	{.name = "pure.memory", .run = memory},
	{.name = "pure.compare", .run = compare},
	{.name = "pure.cmdline", .run = cmdline},
	{.name = "pure.cmdline.refused", .run = cmdline_refused},
	{.name = "pure.globs", .run = globs},
	{.name = "pure.nearest", .run = nearest},
	{.name = "pure.emulators", .run = emulators},
	{.name = "pure.log", .run = levels},
	{.name = "pure.bit-trees", .run = bit_trees},
};

const struct suite_subject suite_pure = {
	.name = "pure",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
