/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses and ranges as text, for logs and reports: "GPA:0x40001000",
 * "GPA:0x40000000..0x4fffffff". A range is printed with its last byte, which exists even when it
 * ends at 2^64.
 */
#include "mm/addr.h"

/* Appends text at *at; the last byte of the buffer stays for the NUL. */
static void append(char *buf, size_t size, size_t *at, const char *text)
{
	for (; *text; text++, (*at)++) {
		if (*at + 1 < size)
			buf[*at] = *text;
	}
}

static void append_hex(char *buf, size_t size, size_t *at, uint64_t value)
{
	char digits[] = "0x0000000000000000";
	unsigned shift = 60;
	unsigned n = 2;

	while (shift > 0 && value >> shift == 0)
		shift -= 4;
	for (;; shift -= 4) {
		digits[n++] = "0123456789abcdef"[(value >> shift) & 0xf];
		if (shift == 0)
			break;
	}
	digits[n] = '\0';
	append(buf, size, at, digits);
}

static void finish(char *buf, size_t size, size_t at)
{
	if (size > 0)
		buf[at < size ? at : size - 1] = '\0';
}

size_t mm_addr_format(char *buf, size_t size, const char *kind, uint64_t addr)
{
	size_t at = 0;
	append(buf, size, &at, kind);
	append(buf, size, &at, ":");
	append_hex(buf, size, &at, addr);
	finish(buf, size, at);
	return at;
}

size_t mm_addr_format_range(char *buf, size_t size, const char *kind, uint64_t start,
                            uint64_t bytes)
{
	size_t at = 0;
	append(buf, size, &at, kind);
	append(buf, size, &at, ":");
	append_hex(buf, size, &at, start);
	append(buf, size, &at, "..");
	if (bytes > 0)
		append_hex(buf, size, &at, start + (bytes - 1));
	finish(buf, size, at);
	return at;
}
