/*
 * The address space as it ought to be: a flat array with one element per page, against which any
 * sequence of operations is held. No tables, no areas, no leaves: what a reader of aspace.h
 * would expect, and nothing else.
 *
 * An operation is data, decided without looking at the state, so a sequence can be replayed,
 * shortened, or enumerated. model_apply() makes it on both sides and compares answers, contents
 * and counters; the HAL's ghosts watch meanwhile.
 */
#ifndef MODEL_H
#define MODEL_H

#include "mm/dirty.h"
#include "mm/snapshot.h"

#include "guest.h"

enum model_kind {
	OP_MAP_LAZY,
	OP_MAP_POPULATE,
	OP_MAP_LINEAR,
	OP_MAP_DEVICE,
	OP_REPLACE_LAZY, /* as the map ones, in the place of what is there */
	OP_REPLACE_POPULATE,
	OP_REPLACE_LINEAR,
	OP_REPLACE_DEVICE,
	OP_REMAP,
	OP_UNMAP,
	OP_PROTECT,
	OP_TOUCH,
	OP_READ,
	OP_WRITE,
	OP_TRANSLATE,
	OP_LOG_START,
	OP_LOG_COLLECT,
	OP_LOG_STOP,
	OP_SNAPSHOT_TAKE,
	OP_SNAPSHOT_RESTORE,
	OP_SNAPSHOT_DROP,
	OP_CLEAR,
	OP_KINDS,
};

struct model_op {
	uint8_t kind;
	uint8_t perm;  /* a set; for OP_TOUCH one of R, W, X; a mode for OP_LOG_START */
	uint8_t value; /* what is written; which snapshot */
	uint16_t page; /* index in the universe */
	uint16_t n;    /* pages, all in one run of the universe */
	uint16_t host; /* OP_MAP_LINEAR, OP_REPLACE_LINEAR, OP_REMAP: the first host page */
};

/* Where the pages lie: runs of page numbers; in the last one the format's space ends. */
struct universe {
	const char *name;
	struct {
		uint64_t first; /* page number; UINT64_MAX: the run ends where the format does */
		unsigned pages;
	} runs[4];
	unsigned max_leaf;
	unsigned host_pages; /* for linear mappings: one block of so many, a power of two */
	struct hal_test_options hal;
};

#define MODEL_PAGES     1600
#define MODEL_SNAPSHOTS 2

struct model_page {
	uint8_t backend; /* 0: none; else 1 + enum area_backend */
	uint8_t perm;
	bool present; /* alloc: has a frame; kept only in a universe without large leaves */
	bool written; /* since the log last looked */
	bool met;     /* became present since then */
	uint16_t host;
	uint8_t value[2]; /* its first byte and its last */
};

struct model {
	struct guest *guest;
	const struct universe *universe;
	unsigned pages;
	uint64_t number[MODEL_PAGES]; /* page numbers */
	struct model_page page[MODEL_PAGES];
	hpa_t host;
	uint8_t host_value[MODEL_PAGES][2];
	bool log_active, log_hardware;
	bool withheld_once; /* W may be missing from present pages until they are written */
	unsigned snapshots; /* taken and not dropped */
	bool snapshot_live[MODEL_SNAPSHOTS];
	struct snapshot snapshot[MODEL_SNAPSHOTS];
	struct model_page saved[MODEL_SNAPSHOTS][MODEL_PAGES];
};

struct model *model_open(const struct geometry *geo, const struct universe *universe);
void model_close(struct model *m);

/* Does it on both sides. Fails the test (check_failed) on any difference. */
void model_apply(struct model *m, const struct model_op *op);
/* Compares every page by the hardware's walk, and all counters. */
void model_check(struct model *m);

/* A random operation. */
struct model_op model_random(const struct universe *universe, unsigned pages, struct rng *rng);
/* As C, for a failure report. */
void model_describe(const struct model_op *op, char *text, size_t size);

#endif
