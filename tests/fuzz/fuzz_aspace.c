/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes as a sequence of operations on an address space, against the model. The first byte
 * chooses the geometry and the universe; each operation takes eight bytes more.
 */
#include <stdint.h>
#include <string.h>

#include "mm/compiler.h"
#include "model.h"

#define OP_BYTES 8
#define MAX_OPS  200

static const struct universe universes[] = {
	{.name = "small",
         .runs = {{504, 16}, {0x40000 - 8, 16}, {UINT64_MAX, 8}},
         .host_pages = 16,
         .hal = {.frames = 128, .no_blocks = true}},
	{.name = "large",
         .runs = {{508, 4 + 512 + 4}},
         .max_leaf = 1,
         .host_pages = 512,
         .hal = {.frames = 2048, .no_zero = true}},
};

static struct model_op op_of(const uint8_t *bytes, const struct model *m)
{
	const struct universe *u = m->universe;
	struct model_op op = {.kind = (uint8_t)(bytes[0] % OP_KINDS)};
	uint16_t page, n;
	memcpy(&page, &bytes[2], sizeof(page));
	memcpy(&n, &bytes[4], sizeof(n));
	op.perm = bytes[1] % MM_PERM_SETS;
	op.page = (uint16_t)(page % m->pages);
	op.value = bytes[6];
	unsigned most = 1;
	while (op.page + most < m->pages && m->number[op.page + most] == m->number[op.page] + most)
		most++;
	op.n = (uint16_t)(1 + n % most);
	if (op.kind == OP_TOUCH)
		op.perm = (uint8_t)(1U << bytes[1] % 3);
	if (op.kind == OP_MAP_LINEAR || op.kind == OP_REPLACE_LINEAR || op.kind == OP_REMAP) {
		op.n = op.n > u->host_pages ? (uint16_t)u->host_pages : op.n;
		op.host = (uint16_t)(bytes[7] % (u->host_pages - op.n + 1U));
	} else {
		op.host = bytes[7] & 3;
	}
	return op;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	check_in_child(); /* a difference ends the process: libFuzzer keeps the input */
	const struct geometry *geo = &geometries[data[0] % geometry_count];
	struct model *m = model_open(geo, &universes[data[0] / 128]);
	check_context("format=%s", geo->name);
	size_t at = 1;
	for (unsigned i = 0; i < MAX_OPS && at + OP_BYTES <= size; i++, at += OP_BYTES) {
		const struct model_op op = op_of(&data[at], m);
		model_apply(m, &op);
	}
	model_check(m);
	model_close(m);
	return 0;
}
