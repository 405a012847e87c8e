/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the model share: see model.h. */
#ifndef MODEL_INTERNAL_H
#define MODEL_INTERNAL_H

#include "model.h"

#define LAST_BYTE (MM_PAGE_SIZE - 1)

static inline mm_gpa_t model_gpa(const struct model *m, unsigned i)
{
	return mm_gpa_at(m->number[i] * MM_PAGE_SIZE);
}

/* Of n pages of the model. */
static inline struct mm_gpa_range model_range(const struct model *m, unsigned page, unsigned n)
{
	uint64_t last = m->number[page + n - 1] + m->weight[page + n - 1];

	return mm_gpa_range(model_gpa(m, page), (last - m->number[page]) * MM_PAGE_SIZE);
}

static inline bool small_leaves_only(const struct model *m)
{
	return m->universe->max_leaf == 0;
}

static inline bool has_marks(const struct model *m)
{
	return m->guest->geo->config.accessed_dirty;
}

static inline bool is_memory(const struct model_page *p)
{
	return p->backend != 0 && p->backend != 1 + MM_AREA_DEVICE;
}

/* The value of a page's first or last byte, wherever it is kept. */
uint8_t *value_of(struct model *m, unsigned i, unsigned which);

/* What an access to this page answers. */
enum mm_error page_error(const struct model_page *p, enum mm_perm access);

/* Compares an answer. True: the operation happened. A dry HAL is an excuse for MM_NO_MEMORY,
 * and a quota without room for all that it needs for MM_QUOTA. */
bool agreed(struct model *m, enum mm_error got, enum mm_error want, uint64_t refusals);

void note_present(struct model *m, unsigned i, bool write);
/* After an operation that ran out of frames half-way, as it may: which pages are there now? */
void look_which_are_present(struct model *m, unsigned first, unsigned n);

/* An access by the guest; the answer is compared. */
void apply_touch(struct model *m, const struct model_op *op);

void apply_harvest(struct model *m, const struct model_op *op);
void apply_limits(struct model *m, const struct model_op *op);
void apply_log_start(struct model *m, const struct model_op *op);
void apply_log_collect(struct model *m, const struct model_op *op);
void apply_snapshot(struct model *m, const struct model_op *op);
/* One operation, and nothing around it. */
void apply_op(struct model *m, const struct model_op *op);

/* The leaf that the hardware has for this page now, hidden ones aside: its level, or -1. */
int leaf_level_of(struct model *m, unsigned i);

/* At most how many frames does it take, if nothing goes wrong? UINT64_MAX: not known. */
uint64_t frames_needed(struct model *m, const struct model_op *op);

/* This page as the hardware sees it. */
void check_page(struct model *m, unsigned i);
/* Those that an operation concerned; all, if the universe says so. */
void check_after(struct model *m, const struct model_op *op);

#endif
