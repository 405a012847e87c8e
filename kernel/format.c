/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatting as by printf(), into a bounded buffer: integers, characters and strings, with flags,
 * width, precision and length. No floating point. Pure; a host test compares it with the C library.
 *
 * An unknown conversion is copied to the buffer, so that the mistake is visible in the log.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"

/* The output. `length` also counts the characters beyond the end of the buffer. */
struct sink {
	char *buf;
	size_t size;
	size_t length;
};

struct spec {
	bool left, zero, alternate, plus, space;
	int width;
	int precision; /* -1: not given */
	char length;   /* 'H' hh, 'h', 0, 'l', 'L' ll, 'z' */
	char kind;
};

static void put(struct sink *sink, char c)
{
	if (sink->length + 1 < sink->size)
		sink->buf[sink->length] = c;
	sink->length++;
}

static void put_n(struct sink *sink, char c, int n)
{
	while (n-- > 0)
		put(sink, c);
}

/* Text of `n` characters, padded to the width with spaces. */
static void put_text(struct sink *sink, const struct spec *spec, const char *text, int n)
{
	if (!spec->left)
		put_n(sink, ' ', spec->width - n);
	for (int i = 0; i < n; i++)
		put(sink, text[i]);
	if (spec->left)
		put_n(sink, ' ', spec->width - n);
}

static unsigned base_of(char kind)
{
	if (kind == 'x' || kind == 'X' || kind == 'p')
		return 16;
	return kind == 'o' ? 8 : 10;
}

/* The prefix of the digits: "-", "+", "0x" or nothing. */
static const char *sign_of(const struct spec *spec, bool negative, uint64_t value)
{
	if (negative)
		return "-";
	if (spec->kind == 'd' && spec->plus)
		return "+";
	if (spec->kind == 'd' && spec->space)
		return " ";
	if (spec->kind == 'p' || (spec->kind == 'x' && spec->alternate && value != 0))
		return "0x";
	if (spec->kind == 'X' && spec->alternate && value != 0)
		return "0X";
	return "";
}

static int text_length(const char *text, int most)
{
	int n = 0;

	while ((most < 0 || n < most) && text[n] != '\0')
		n++;
	return n;
}

static void put_number(struct sink *sink, const struct spec *spec, uint64_t value, bool negative)
{
	const char *digits = spec->kind == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	const char *sign = sign_of(spec, negative, value);
	unsigned base = base_of(spec->kind);
	char text[24]; /* 2^64 has 22 octal digits */
	int n = 0, zeros, pad;

	for (uint64_t rest = value; rest != 0; rest /= base)
		text[n++] = digits[rest % base];

	zeros = (spec->precision < 0 ? 1 : spec->precision) - n;
	if (spec->kind == 'o' && spec->alternate && zeros <= 0)
		zeros = 1;
	pad = spec->width - n - text_length(sign, -1) - (zeros > 0 ? zeros : 0);
	if (spec->zero && !spec->left && spec->precision < 0 && pad > 0) {
		zeros = (zeros > 0 ? zeros : 0) + pad;
		pad = 0;
	}
	if (!spec->left)
		put_n(sink, ' ', pad);
	while (*sign != '\0')
		put(sink, *sign++);
	put_n(sink, '0', zeros);
	while (n > 0)
		put(sink, text[--n]);
	if (spec->left)
		put_n(sink, ' ', pad);
}

/* va_list may be an array type. A struct around it can be passed by pointer. */
struct arguments {
	va_list list;
};

static uint64_t next_unsigned(struct arguments *args, char length)
{
	switch (length) {
	case 'H':
		return (unsigned char)va_arg(args->list, unsigned);
	case 'h':
		return (unsigned short)va_arg(args->list, unsigned);
	case 'l':
		return va_arg(args->list, unsigned long);
	case 'L':
		return va_arg(args->list, unsigned long long);
	case 'z':
		return va_arg(args->list, size_t);
	default:
		return va_arg(args->list, unsigned);
	}
}

static int64_t next_signed(struct arguments *args, char length)
{
	switch (length) {
	case 'H':
		return (signed char)va_arg(args->list, int);
	case 'h':
		return (short)va_arg(args->list, int);
	case 'l':
		return va_arg(args->list, long);
	case 'L':
		return va_arg(args->list, long long);
	case 'z':
		return va_arg(args->list, ptrdiff_t);
	default:
		return va_arg(args->list, int);
	}
}

/* A number in the format, or the next argument for '*'. */
static int read_count(const char **format, struct arguments *args)
{
	int n = 0;

	if (**format == '*') {
		++*format;
		return va_arg(args->list, int);
	}
	while (**format >= '0' && **format <= '9') {
		if (n < 100000) /* a larger width is not useful, and n must not overflow */
			n = n * 10 + (**format - '0');
		++*format;
	}
	return n;
}

static bool read_flag(struct spec *spec, char c)
{
	switch (c) {
	case '-':
		return spec->left = true;
	case '0':
		return spec->zero = true;
	case '#':
		return spec->alternate = true;
	case '+':
		return spec->plus = true;
	case ' ':
		return spec->space = true;
	default:
		return false;
	}
}

static char read_length(const char **format)
{
	char c = **format;

	if (c != 'h' && c != 'l' && c != 'z')
		return 0;
	++*format;
	if (c == 'z' || **format != c)
		return c;
	++*format;
	return c == 'h' ? 'H' : 'L';
}

/* Reads what follows a '%'. */
static struct spec read_spec(const char **format, struct arguments *args)
{
	struct spec spec = {.precision = -1};

	while (read_flag(&spec, **format))
		++*format;
	spec.width = read_count(format, args);
	if (spec.width < 0) {
		spec.left = true;
		spec.width = spec.width < -100000 ? 100000 : -spec.width;
	}
	if (**format == '.') {
		++*format;
		spec.precision = read_count(format, args);
	}
	spec.length = read_length(format);
	spec.kind = **format;
	if (spec.kind == 'i')
		spec.kind = 'd';
	if (spec.kind != '\0')
		++*format;
	return spec;
}

static void put_string(struct sink *sink, const struct spec *spec, const char *text)
{
	if (text == NULL)
		text = "(null)";
	put_text(sink, spec, text, text_length(text, spec->precision));
}

static void put_argument(struct sink *sink, const struct spec *spec, struct arguments *args)
{
	int64_t number;
	char c;

	switch (spec->kind) {
	case 'd':
		number = next_signed(args, spec->length);
		put_number(sink, spec, number < 0 ? -(uint64_t)number : (uint64_t)number,
		           number < 0);
		break;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		put_number(sink, spec, next_unsigned(args, spec->length), false);
		break;
	case 'p':
		put_number(sink, spec, (uint64_t)(uintptr_t)va_arg(args->list, void *), false);
		break;
	case 'c':
		c = (char)va_arg(args->list, int);
		put_text(sink, spec, &c, 1);
		break;
	case 's':
		put_string(sink, spec, va_arg(args->list, const char *));
		break;
	case '%':
	case '\0':
		put(sink, '%');
		break;
	default:
		put(sink, '%');
		put(sink, spec->kind);
	}
}

int format_string_v(char *buf, size_t size, const char *format, va_list args)
{
	struct sink sink = {.buf = buf, .size = size};
	struct arguments taken;

	va_copy(taken.list, args);
	while (*format != '\0') {
		if (*format != '%') {
			put(&sink, *format++);
			continue;
		}
		format++;
		struct spec spec = read_spec(&format, &taken);
		put_argument(&sink, &spec, &taken);
	}
	va_end(taken.list);
	if (size != 0)
		buf[sink.length < size ? sink.length : size - 1] = '\0';
	return (int)sink.length;
}

int format_string(char *buf, size_t size, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = format_string_v(buf, size, format, args);
	va_end(args);
	return length;
}
