/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A writer of flattened device trees, good and bad, for the tests of their reader: tokens, nodes
 * and properties are put one after the other (Devicetree Specification, chapter 5).
 */
#ifndef FDT_WRITER_H
#define FDT_WRITER_H

#include <stdint.h>
#include <string.h>

#include "check.h"
#include "fdt.h"
#include "mm/compiler.h"

#define HEADER 40
#define ROOM   16384

struct tree {
	uint8_t structure[ROOM / 2];
	uint32_t structure_size;
	char strings[ROOM / 4];
	uint32_t strings_size;
	uint64_t reservations[16];
	uint32_t reservation_count; /* pairs, the end's not counted */
	uint8_t blob[ROOM];
	uint32_t size;
};

static inline void put32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static inline void token(struct tree *t, uint32_t value)
{
	put32(t->structure + t->structure_size, value);
	t->structure_size += 4;
}

static inline void bytes(struct tree *t, const void *data, uint32_t length)
{
	memcpy(t->structure + t->structure_size, data, length);
	t->structure_size += (length + 3) & ~3U;
}

static inline void begin(struct tree *t, const char *name)
{
	token(t, 1);
	bytes(t, name, (uint32_t)strlen(name) + 1);
}

static inline void end(struct tree *t)
{
	token(t, 2);
}

static inline void property(struct tree *t, const char *name, const void *data, uint32_t length)
{
	token(t, 3);
	token(t, length);
	token(t, t->strings_size);
	strcpy(t->strings + t->strings_size, name);
	t->strings_size += (uint32_t)strlen(name) + 1;
	bytes(t, data, length);
}

static inline void text(struct tree *t, const char *name, const char *value)
{
	property(t, name, value, (uint32_t)strlen(value) + 1);
}

/* Up to six cells. */
static inline void cells(struct tree *t, const char *name, unsigned count, const uint32_t *values)
{
	uint8_t data[24];

	for (unsigned i = 0; i < count; i++)
		put32(data + 4 * i, values[i]);
	property(t, name, data, 4 * count);
}

#define CELLS(t, name, ...)                                                                        \
	cells(t, name, sizeof((uint32_t[]){__VA_ARGS__}) / 4, (uint32_t[]){__VA_ARGS__})

/* Puts the blocks together: header, reservations, structure, strings. */
static inline void finish(struct tree *t)
{
	uint32_t reservations = HEADER, structure, strings;

	for (uint32_t i = 0; i < 2 * t->reservation_count; i++) {
		put32(t->blob + HEADER + 8 * i, (uint32_t)(t->reservations[i] >> 32));
		put32(t->blob + HEADER + 8 * i + 4, (uint32_t)t->reservations[i]);
	}
	structure = reservations + 16 * (t->reservation_count + 1);
	strings = structure + t->structure_size;
	t->size = strings + t->strings_size;
	memcpy(t->blob + structure, t->structure, t->structure_size);
	memcpy(t->blob + strings, t->strings, t->strings_size);
	put32(t->blob, 0xd00dfeed);
	put32(t->blob + 4, t->size);
	put32(t->blob + 8, structure);
	put32(t->blob + 12, strings);
	put32(t->blob + 16, reservations);
	put32(t->blob + 20, 17);
	put32(t->blob + 24, 16);
	put32(t->blob + 32, t->strings_size);
	put32(t->blob + 36, t->structure_size);
}

#endif
