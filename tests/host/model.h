/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The address space as it ought to be: a flat array with one element per page, against which any
 * sequence of operations is held. No tables, no areas, no leaves: what a reader of aspace.h
 * would expect, and nothing else.
 *
 * An operation is data, decided without looking at the state, so a sequence can be replayed,
 * shortened, or enumerated. model_apply() makes it on both sides and compares answers, contents
 * and counters; the HAL's ghosts watch meanwhile. After each, the hardware's walk of every page
 * that it concerns grants no more than the page's area permits, and the fast path of a fault agrees
 * with the slow path (fault_agree.h).
 *
 *	model.c           life, mapping, and what a guest and the hypervisor do to memory
 *	model_track.c     dirty logs, snapshots, harvests
 *	model_limits.c    calls with addresses and numbers at and beyond every limit
 *	model_around.c    model_apply(): refused frames, another CPU in between, features that meet
 *	model_check.c     the whole state by the hardware's walk; what a quota has to allow
 *	model_random.c    making operations, and printing them
 */
#ifndef MODEL_H
#define MODEL_H

#include "mm/dirty.h"
#include "mm/snapshot.h"

#include "guest.h"
#include "pairs.h"

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
	OP_HARVEST,
	OP_LIMITS,
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
	uint16_t n;    /* pages, all in one run of the universe; OP_LOG_COLLECT: 0 for all */
	uint16_t host; /* OP_MAP_LINEAR, OP_REPLACE_LINEAR, OP_REMAP: the first host page */

	uint8_t fail;      /* the HAL refuses this block from here; 0: none */
	bool dry;          /* and all after it */
	uint8_t meanwhile; /* before the HAL call of this number another CPU accesses: 0: none */
	uint8_t access;    /* one of R, W, X */
	uint16_t other;    /* the page */
};

/*
 * Where the pages lie: runs of page numbers; a run whose first is UINT64_MAX ends where the
 * format's space does. With `segments`, a run is one page of the model, which stands for all of
 * them: operations on areas take all, accesses the first; a run lies in one 2 MiB block. Runs that
 * follow each other without a hole are then one run to operations.
 */
struct universe {
	const char *name;
	struct {
		uint64_t first;
		unsigned pages;
	} runs[16];
	bool segments;
	unsigned max_leaf;
	unsigned host_pages;  /* for linear mappings: one block of so many, a power of two */
	unsigned quota;       /* frames beyond the root and a table of each level to 1; 0: none */
	bool look_everywhere; /* at every page after each operation */
	unsigned areas;       /* before the first operation: so many areas of one page each */
	struct hal_test_options hal;
};

#define MODEL_PAGES     34000
#define MODEL_HOST      1600
#define MODEL_SNAPSHOTS 2

struct model_page {
	uint8_t backend; /* 0: none; else 1 + enum mm_area_backend */
	uint8_t perm;
	bool present; /* alloc: has a frame; exact only in a universe without large leaves */
	bool written; /* since the log last looked */
	bool met;     /* became present since then */
	bool used;    /* hardware A/D: accessed since the marks were last cleared */
	bool dirtied; /* written since then */
	uint16_t host;
	uint8_t value[2]; /* its first byte and its last */
};

/* What another CPU did in the middle of an operation. */
struct model_other {
	bool ran;
	bool hit;      /* its access went through; otherwise it faulted, and waits */
	bool waits;    /* for the end of the operation, to have its fault resolved */
	bool reported; /* the operation reported the page that it accessed */
	enum mm_perm access;
};

struct model {
	struct guest *guest;
	const struct universe *universe;
	unsigned pages;
	uint64_t number[MODEL_PAGES]; /* page numbers */
	uint16_t weight[MODEL_PAGES]; /* pages that each stands for */
	struct model_page page[MODEL_PAGES];
	mm_hpa_t host;
	uint8_t host_value[MODEL_HOST][2];
	bool log_active, log_hardware, log_split;
	bool withheld_once; /* W may be missing from present pages until they are written */
	unsigned snapshots; /* taken and not dropped */
	bool snapshot_live[MODEL_SNAPSHOTS];
	bool may_need[MODEL_SNAPSHOTS]; /* frames for its restore: another has been restored since
	                                   it was taken, or areas have changed */
	struct mm_snapshot snapshot[MODEL_SNAPSHOTS];
	struct model_page saved[MODEL_SNAPSHOTS][MODEL_PAGES];
	uint64_t log_refusals; /* of the HAL, when the log began */
	uint32_t done;         /* features whose operations happened in this address space */

	/* Of the operation that is being made. */
	const struct model_op *op;
	struct model_other other;
	uint64_t used, need; /* frames under the quota: before it, and what it takes at most */
	uint32_t features;
	bool refused, failed; /* as its contract says; for want of a frame */
};

/* Counts pairs of features of all models of this process; never NULL. */
extern struct feature_table *model_features;

struct model *model_open(const struct geometry *geo, const struct universe *universe);
void model_close(struct model *m);

/* Does it on both sides. Fails the test (check_failed) on any difference. */
void model_apply(struct model *m, const struct model_op *op);
/* Compares every page by the hardware's walk, and all counters. */
void model_check(struct model *m);

/* Pages in a universe, as the model counts them. */
unsigned model_pages(const struct universe *universe);
/* A random operation. */
struct model_op model_random(const struct universe *universe, unsigned pages, struct rng *rng);
/* As C, for a failure report. */
void model_describe(const struct model_op *op, char *text, size_t size);

#endif
