/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations of the model: making random ones, and printing them. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/compiler.h"

struct weight {
	enum model_kind kind;
	unsigned weight;
};

/* Per mille. */
static const struct weight weights[] = {
	{OP_MAP_LAZY, 80},      {OP_MAP_POPULATE, 20},
	{OP_MAP_LINEAR, 25},    {OP_MAP_DEVICE, 10},
	{OP_REPLACE_LAZY, 10},  {OP_REPLACE_POPULATE, 8},
	{OP_REPLACE_LINEAR, 8}, {OP_REPLACE_DEVICE, 4},
	{OP_REMAP, 15},         {OP_UNMAP, 97},
	{OP_PROTECT, 110},      {OP_TOUCH, 307},
	{OP_READ, 80},          {OP_WRITE, 90},
	{OP_TRANSLATE, 80},     {OP_HARVEST, 14},
	{OP_LIMITS, 2},         {OP_LOG_START, 4},
	{OP_LOG_COLLECT, 6},    {OP_LOG_STOP, 8},
	{OP_SNAPSHOT_TAKE, 4},  {OP_SNAPSHOT_RESTORE, 6},
	{OP_SNAPSHOT_DROP, 10}, {OP_CLEAR, 2},
};

/* The same where areas are few: more of what makes features meet. */
static const struct weight meetings[] = {
	{OP_MAP_LAZY, 30},       {OP_MAP_POPULATE, 60},
	{OP_MAP_LINEAR, 50},     {OP_MAP_DEVICE, 10},
	{OP_REPLACE_LAZY, 15},   {OP_REPLACE_POPULATE, 15},
	{OP_REPLACE_LINEAR, 15}, {OP_REPLACE_DEVICE, 8},
	{OP_REMAP, 30},          {OP_UNMAP, 40},
	{OP_PROTECT, 140},       {OP_TOUCH, 250},
	{OP_READ, 40},           {OP_WRITE, 60},
	{OP_TRANSLATE, 20},      {OP_HARVEST, 40},
	{OP_LIMITS, 2},          {OP_LOG_START, 20},
	{OP_LOG_COLLECT, 30},    {OP_LOG_STOP, 25},
	{OP_SNAPSHOT_TAKE, 25},  {OP_SNAPSHOT_RESTORE, 25},
	{OP_SNAPSHOT_DROP, 48},  {OP_CLEAR, 2},
};

/* The same where areas are very many: what puts some in the place of others. */
static const struct weight crowds[] = {
	{OP_MAP_LAZY, 100},      {OP_MAP_POPULATE, 5},
	{OP_MAP_LINEAR, 20},     {OP_MAP_DEVICE, 40},
	{OP_REPLACE_LAZY, 300},  {OP_REPLACE_POPULATE, 5},
	{OP_REPLACE_LINEAR, 50}, {OP_REPLACE_DEVICE, 150},
	{OP_REMAP, 20},          {OP_UNMAP, 60},
	{OP_PROTECT, 150},       {OP_TOUCH, 50},
	{OP_READ, 10},           {OP_WRITE, 10},
	{OP_TRANSLATE, 10},      {OP_HARVEST, 2},
	{OP_LIMITS, 1},          {OP_LOG_START, 4},
	{OP_LOG_COLLECT, 1},     {OP_LOG_STOP, 8},
	{OP_SNAPSHOT_TAKE, 1},   {OP_SNAPSHOT_RESTORE, 1},
	{OP_SNAPSHOT_DROP, 2},   {OP_CLEAR, 0},
};

static enum model_kind random_kind(const struct universe *u, struct rng *rng)
{
	uint64_t at = rng_below(rng, 1000);
	const struct weight *w = u->segments ? meetings : u->areas ? crowds : weights;
	_Static_assert(sizeof(weights) == sizeof(meetings) && sizeof(weights) == sizeof(crowds),
	               "one entry for each kind");

	for (size_t i = 0; i < MM_ARRAY_SIZE(weights); i++) {
		if (at < w[i].weight)
			return w[i].kind;
		at -= w[i].weight;
	}
	return OP_TOUCH;
}

/* Pages left from here to the end of the run. */
static unsigned left_in_run(const struct universe *u, unsigned page)
{
	unsigned end = 0, n = 1;

	for (unsigned r = 0; r < MM_ARRAY_SIZE(u->runs) && !u->segments; r++) {
		end += u->runs[r].pages;
		if (page < end)
			return end - page;
	}
	while (u->segments && page + 1 < MM_ARRAY_SIZE(u->runs) &&
	       u->runs[page + 1].first == u->runs[page].first + u->runs[page].pages) {
		page++;
		n++;
	}
	return n;
}

/* Pages of memory from one of the model's on. */
static unsigned span_of(const struct universe *u, unsigned page, unsigned n)
{
	unsigned span = n;

	for (unsigned i = page; u->segments && i < page + n; i++)
		span += u->runs[i].pages - 1;
	return span;
}

static void choose_host(const struct universe *u, struct model_op *op, uint64_t bits)
{
	while (op->n > 1 && span_of(u, op->page, op->n) > u->host_pages)
		op->n--;

	unsigned span = span_of(u, op->page, op->n);
	unsigned room = u->host_pages - span;

	op->host = (uint16_t)(bits % (room + 1U));
	if (u->segments && bits & 0x300) { /* so that large leaves fit, mostly */
		unsigned like = u->runs[op->page].first % 512;
		op->host = (uint16_t)(like <= room ? like : 0);
	} else if (u->max_leaf && bits & 0x40) {
		op->host = 0;
	}
}

/* What goes on around it: seldom where operations are many and plain. */
static void choose_surroundings(const struct universe *u, unsigned pages, struct model_op *op,
                                struct rng *rng)
{
	uint64_t bits = rng_next(rng);
	unsigned often = u->segments ? 3 : 63;

	if (u->areas)
		return;
	if ((bits & often) == 0) {
		op->fail = (uint8_t)(1 + (bits >> 8) % ((bits >> 12) & 3 ? 2 : 40));
		op->dry = bits >> 16 & 1;
	}
	if ((bits >> 20 & often) == 0) {
		op->meanwhile = (uint8_t)(1 + (bits >> 28) % 4);
		op->access = (uint8_t)(1U << (bits >> 32) % 3);
		op->other = (uint16_t)((bits >> 40) % pages);
	}
}

struct model_op model_random(const struct universe *universe, unsigned pages, struct rng *rng)
{
	struct model_op op = {.kind = (uint8_t)random_kind(universe, rng)};
	uint64_t bits = rng_next(rng);
	op.page = (uint16_t)(bits % pages);
	if (universe->areas && bits >> 62) /* mostly where others have been before */
		op.page = (uint16_t)(bits % 600);
	bits /= pages;
	unsigned most = left_in_run(universe, op.page);
	unsigned longest = bits & 7 ? 5 : bits & 0x38 ? 40 : most;
	op.n = (uint16_t)(1 + (bits >> 8) % longest);
	if (universe->areas && bits & 0x80)
		op.n = 1;
	op.n = op.n > most ? (uint16_t)most : op.n;
	op.value = (uint8_t)(1 + (bits >> 20) % 255);
	op.perm = (bits >> 30) & 3 ? (uint8_t)((bits >> 32) & 7) : MM_RW;
	if (op.kind == OP_TOUCH)
		op.perm = (uint8_t)(1U << (bits >> 32) % 3);
	if (op.kind == OP_MAP_LINEAR || op.kind == OP_REPLACE_LINEAR || op.kind == OP_REMAP)
		choose_host(universe, &op, bits >> 40);
	else
		op.host = (uint16_t)((bits >> 40) & 3);
	if (op.kind == OP_LOG_COLLECT && bits >> 42 & 1)
		op.n = 0;
	choose_surroundings(universe, pages, &op, rng);
	return op;
}

void model_describe(const struct model_op *op, char *text, size_t size)
{
	static const char *const names[OP_KINDS] = {
		[OP_MAP_LAZY] = "map_lazy",
		[OP_MAP_POPULATE] = "map_populate",
		[OP_MAP_LINEAR] = "map_linear",
		[OP_MAP_DEVICE] = "map_device",
		[OP_REPLACE_LAZY] = "replace_lazy",
		[OP_REPLACE_POPULATE] = "replace_populate",
		[OP_REPLACE_LINEAR] = "replace_linear",
		[OP_REPLACE_DEVICE] = "replace_device",
		[OP_REMAP] = "remap",
		[OP_UNMAP] = "unmap",
		[OP_PROTECT] = "protect",
		[OP_TOUCH] = "touch",
		[OP_READ] = "read",
		[OP_WRITE] = "write",
		[OP_TRANSLATE] = "translate",
		[OP_HARVEST] = "harvest",
		[OP_LIMITS] = "limits",
		[OP_LOG_START] = "log_start",
		[OP_LOG_COLLECT] = "log_collect",
		[OP_LOG_STOP] = "log_stop",
		[OP_SNAPSHOT_TAKE] = "snapshot_take",
		[OP_SNAPSHOT_RESTORE] = "snapshot_restore",
		[OP_SNAPSHOT_DROP] = "snapshot_drop",
		[OP_CLEAR] = "clear",
	};
	int used = snprintf(text, size, "%s page=%u n=%u perm=%s(%u) value=%u host=%u",
	                    names[op->kind], op->page, op->n, mm_perm_name((enum mm_perm)op->perm),
	                    op->perm, op->value, op->host);
	if (op->fail)
		used += snprintf(text + used, size - (size_t)used, " fail=%u%s", op->fail,
		                 op->dry ? " dry" : "");
	if (op->meanwhile)
		snprintf(text + used, size - (size_t)used, " meanwhile=%u access=%s other=%u",
		         op->meanwhile, mm_perm_name((enum mm_perm)op->access), op->other);
}
