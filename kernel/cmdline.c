/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line's parser: a table of keys, each with the function that reads its value. Pure.
 */
#include "kernel/cmdline.h"

#include "kernel/nearest.h"
#include "kernel/string.h"

/* A word of the line, or a part of it. Not NUL-terminated. */
struct slice {
	const char *text;
	size_t length;
};

typedef const char *(*reader)(struct cmdline *out, struct slice value);

static bool is(struct slice word, const char *text)
{
	return strlen(text) == word.length && memcmp(word.text, text, word.length) == 0;
}

/* --- numbers --- */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* The whole slice is a number, decimal or hexadecimal with 0x. NULL, or what is wrong. */
static const char *read_number(struct slice s, uint64_t *out)
{
	unsigned base = 10;
	uint64_t n = 0;

	if (s.length > 2 && s.text[0] == '0' && (s.text[1] == 'x' || s.text[1] == 'X')) {
		base = 16;
		s.text += 2, s.length -= 2;
	}
	if (s.length == 0)
		return "no number";
	for (size_t i = 0; i < s.length; i++) {
		unsigned digit = (unsigned)digit_of(s.text[i]);

		if (digit >= base)
			return "not a number";
		if (n > (UINT64_MAX - digit) / base)
			return "too large a number";
		n = n * base + digit;
	}
	*out = n;
	return NULL;
}

static unsigned unit_shift(char c)
{
	switch (c) {
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	default:
		return 0;
	}
}

static const char *read_size(struct slice s, uint64_t *out)
{
	unsigned shift = s.length != 0 ? unit_shift(s.text[s.length - 1]) : 0;
	const char *error;
	uint64_t n;

	if (shift != 0)
		s.length--;
	error = read_number(s, &n);
	if (error != NULL)
		return error;
	if (n > UINT64_MAX >> shift)
		return "too large a size";
	*out = n << shift;
	return NULL;
}

static const char *read_count(struct slice s, unsigned most, unsigned *out)
{
	uint64_t n;
	const char *error = read_number(s, &n);

	if (error != NULL)
		return error;
	if (n == 0 || n > most)
		return "out of range";
	*out = (unsigned)n;
	return NULL;
}

static const char *read_text(struct slice s, char *out, size_t size)
{
	if (s.length == 0)
		return "nothing after '='";
	if (s.length >= size)
		return "too long";
	memcpy(out, s.text, s.length);
	out[s.length] = '\0';
	return NULL;
}

static const char *read_word(struct slice s, char out[CMDLINE_WORD])
{
	return read_text(s, out, CMDLINE_WORD);
}

/* --- keys --- */

static const char *read_test(struct cmdline *out, struct slice value)
{
	return read_text(value, out->test, sizeof(out->test));
}

static const char *read_guest(struct cmdline *out, struct slice value)
{
	return read_word(value, out->guest);
}

static const char *read_emulator(struct cmdline *out, struct slice value)
{
	return read_word(value, out->emulator);
}

static const char *read_geometry(struct cmdline *out, struct slice value)
{
	return read_word(value, out->geometry);
}

static const char *read_mem(struct cmdline *out, struct slice value)
{
	const char *error = read_size(value, &out->mem);

	if (error == NULL && out->mem == 0)
		error = "out of range";
	return error;
}

static const char *read_seed(struct cmdline *out, struct slice value)
{
	return read_number(value, &out->seed);
}

static const char *read_smp(struct cmdline *out, struct slice value)
{
	return read_count(value, 1024, &out->smp);
}

static const char *read_repeat(struct cmdline *out, struct slice value)
{
	return read_count(value, 1000000, &out->repeat);
}

static const char *const log_levels[] = {
	[LOG_QUIET] = "quiet",
	[LOG_INFO] = "info",
	[LOG_FAULTS] = "faults",
	[LOG_EXITS] = "exits",
	NULL,
};

static const char *read_log(struct cmdline *out, struct slice value)
{
	for (size_t i = 0; log_levels[i] != NULL; i++) {
		if (is(value, log_levels[i])) {
			out->log = (enum log_level)i;
			return NULL;
		}
	}
	return "not quiet, info, faults or exits";
}

static const char *const exits[] = {"off", "halt", NULL};

static const char *read_exit(struct cmdline *out, struct slice value)
{
	out->halt = is(value, "halt");
	return out->halt || is(value, "off") ? NULL : "not off or halt";
}

static const char *read_list(struct cmdline *out, struct slice value)
{
	out->list = true;
	return value.length == 0 ? NULL : "takes no value";
}

static const struct {
	const char *name;
	reader read;
	const char *const *values; /* all valid values, up to a NULL; NULL: there is no list */
} keys[] = {
	{"test", read_test, NULL},         {"guest", read_guest, NULL},
	{"mem", read_mem, NULL},           {"seed", read_seed, NULL},
	{"smp", read_smp, NULL},           {"log", read_log, log_levels},
	{"exit", read_exit, exits},        {"repeat", read_repeat, NULL},
	{"list", read_list, NULL},         {"emulator", read_emulator, NULL},
	{"geometry", read_geometry, NULL},
};

/* --- words --- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice next_word(const char **text)
{
	struct slice word;

	while (is_blank(**text))
		++*text;
	word.text = *text;
	while (**text != '\0' && !is_blank(**text))
		++*text;
	word.length = (size_t)(*text - word.text);
	return word;
}

static size_t find_key(struct slice name)
{
	size_t i = 0;

	while (i < MM_ARRAY_SIZE(keys) && !is(name, keys[i].name))
		i++;
	return i;
}

static void nearest_key(struct nearest *near, struct slice name)
{
	nearest_begin(near, name.text, name.length);
	for (size_t i = 0; i < MM_ARRAY_SIZE(keys); i++)
		nearest_try(near, keys[i].name);
}

static void nearest_value(struct nearest *near, struct slice value, const char *const *values)
{
	nearest_begin(near, value.text, value.length);
	for (; values != NULL && *values != NULL; values++)
		nearest_try(near, *values);
}

/* Parses one word. `seen` has a bit for each key of the words before. NULL, or what is wrong; then
 * `near` has the nearest valid word. */
static const char *parse_word(struct cmdline *out, struct slice word, unsigned *seen,
                              struct nearest *near)
{
	struct slice name = word, value = {word.text + word.length, 0};
	const char *equals = word.text;
	const char *wrong;
	size_t key;

	nearest_begin(near, "", 0);
	while (equals < word.text + word.length && *equals != '=')
		equals++;
	name.length = (size_t)(equals - word.text);
	if (name.length < word.length)
		value = (struct slice){equals + 1, word.length - name.length - 1};

	key = find_key(name);
	if (key == MM_ARRAY_SIZE(keys)) {
		nearest_key(near, name);
		return "unknown key";
	}
	if (*seen & 1U << key)
		return "given twice";
	*seen |= 1U << key;
	wrong = keys[key].read(out, value);
	if (wrong != NULL)
		nearest_value(near, value, keys[key].values);
	return wrong;
}

bool cmdline_parse(const char *text, struct cmdline *out, char error[CMDLINE_ERROR])
{
	unsigned seen = 0;

	*out = (struct cmdline){.seed = 1, .repeat = 1, .log = LOG_INFO};
	for (;;) {
		struct slice word = next_word(&text);
		struct nearest near;
		const char *wrong;

		if (word.length == 0)
			return true;
		wrong = parse_word(out, word, &seen, &near);
		if (wrong != NULL) {
			int shown = word.length < 60 ? (int)word.length : 60;

			format_string(error, CMDLINE_ERROR, "'%.*s': %s%s", shown, word.text, wrong,
			              nearest_text(&near));
			return false;
		}
	}
}

bool glob_next(const char **list, char pattern[CMDLINE_TEST])
{
	const char *text = *list;
	size_t length = 0;

	if (text == NULL)
		return false;
	for (; *text != '\0' && *text != ','; text++) {
		if (length < CMDLINE_TEST - 1)
			pattern[length++] = *text;
	}
	pattern[length] = '\0';
	*list = *text == ',' ? text + 1 : NULL;
	return true;
}

bool glob_may_match(const char *pattern, const char *start)
{
	while (*start != '\0' && (*pattern == '?' || *pattern == *start))
		pattern++, start++;
	return *start == '\0' || *pattern == '*';
}

bool glob_match(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;

	/* After a mismatch, the last '*' matches one character more, and the rest is compared
	 * again. */
	while (*text != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			resume = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++, text++;
		} else if (star != NULL) {
			pattern = star + 1;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
