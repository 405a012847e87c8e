/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recording the changes of faults, on many CPUs at once. A CPU takes a position by one atomic
 * addition, and links a frame for it by one compare-and-swap. Only [exclusive] calls read the
 * history.
 */
#include "mm/npt/history.h"

#include "mm/npt/frames.h"
#include "mm/npt/walk.h"

#define HAVE BIT(0) /* set in each place that holds a frame: its address may be 0 */

static _Atomic uint64_t *frame_at(const struct mm_npt *npt, uint64_t have)
{
	return mm_npt_table_at(npt, mm_hpa_at(have & ~HAVE));
}

/* The frame whose address this place holds. Takes one if there is none; NULL: none is free. */
static _Atomic uint64_t *need_frame(struct mm_npt *npt, struct mm_npt_counts *counts,
                                    _Atomic uint64_t *place)
{
	uint64_t have = atomic_load_explicit(place, MM_NPT_ORDER_DEPENDENT);
	mm_hpa_t frame;

	if (MM_LIKELY(have != 0))
		return frame_at(npt, have);
	if (mm_npt_take(npt, 0, 1, &frame) != MM_OK)
		return NULL;
	mm_npt_clear_table(npt, frame, 0);
	if (!mm_npt_swap_absent(place, &have, frame.raw | HAVE)) {
		mm_npt_give(npt, 0, 1, &frame);
		return frame_at(npt, have);
	}
	mm_npt_count(&counts->tables, 1);
	return mm_npt_table_at(npt, frame);
}

static unsigned frame_number(uint64_t position)
{
	return (unsigned)(position / MM_NPT_HISTORY_PER % MM_NPT_HISTORY_FRAMES);
}

void mm_npt_history_record(struct mm_npt *npt, struct mm_npt_counts *counts, mm_gpa_t gpa,
                           unsigned level)
{
	struct mm_npt_history *h = &npt->history;
	_Atomic uint64_t *frame = NULL;

	if (MM_LIKELY(!npt->copies) || atomic_load_explicit(&h->lost, memory_order_relaxed))
		return;

	uint64_t position = atomic_fetch_add_explicit(&h->end, 1, memory_order_relaxed);
	unsigned number = frame_number(position);

	/* The frame that holds the start is not reused: it goes back as a whole. */
	if (position - mm_align_down(h->start, MM_NPT_HISTORY_PER) < MM_NPT_HISTORY_ENTRIES) {
		_Atomic uint64_t *places = h->frames;

		if (number >= MM_NPT_HISTORY_DIRECT) {
			places = need_frame(npt, counts, &h->frames[MM_NPT_HISTORY_DIRECT]);
			number -= MM_NPT_HISTORY_DIRECT;
		}
		frame = places ? need_frame(npt, counts, &places[number]) : NULL;
	}
	if (frame)
		mm_npt_store(&frame[position % MM_NPT_HISTORY_PER],
		             mm_gpa_align_down(gpa, MM_PAGE_SIZE).raw | level);
	else
		atomic_store_explicit(&h->lost, true, memory_order_relaxed);
}

/* --- exclusive --- */

/* The place that holds the address of frame `number`. NULL: the list of places has no frame. */
static _Atomic uint64_t *place_of(const struct mm_npt *npt, unsigned number)
{
	const struct mm_npt_history *h = &npt->history;
	uint64_t more = h->frames[MM_NPT_HISTORY_DIRECT];

	if (number < MM_NPT_HISTORY_DIRECT)
		return (_Atomic uint64_t *)&h->frames[number];
	return more != 0 ? &frame_at(npt, more)[number - MM_NPT_HISTORY_DIRECT] : NULL;
}

static void give_place(struct mm_npt *npt, _Atomic uint64_t *place)
{
	uint64_t have = place ? mm_npt_load(place) : 0;
	mm_hpa_t frame = mm_hpa_at(have & ~HAVE);

	if (have == 0)
		return;
	mm_npt_store(place, 0);
	mm_npt_give(npt, 0, 1, &frame);
	mm_npt_count(&npt->counts.tables, -1);
}

const _Atomic uint64_t *mm_npt_history_frame(const struct mm_npt *npt, uint64_t position)
{
	return frame_at(npt, mm_npt_load(place_of(npt, frame_number(position))));
}

/* Gives back the frames of all positions before `to`, and makes `to` the start. */
static void begin_at(struct mm_npt *npt, uint64_t to)
{
	struct mm_npt_history *h = &npt->history;
	uint64_t first = h->start / MM_NPT_HISTORY_PER;
	uint64_t frames = mm_u64_min(to / MM_NPT_HISTORY_PER - first, MM_NPT_HISTORY_FRAMES);

	for (uint64_t i = 0; i < frames; i++)
		give_place(npt, place_of(npt, (unsigned)((first + i) % MM_NPT_HISTORY_FRAMES)));
	h->start = to;
}

/* An empty history starts at 0 again, so that a short history stays in its first frame. */
static void begin_again(struct mm_npt *npt)
{
	struct mm_npt_history *h = &npt->history;
	uint64_t end = mm_npt_history_end(npt);

	if (end > MM_NPT_HISTORY_PER || h->start >= MM_NPT_HISTORY_PER)
		begin_at(npt, mm_align_up(end, MM_NPT_HISTORY_PER));
	h->start = 0;
	atomic_store_explicit(&h->end, 0, memory_order_relaxed);
	for (struct mm_npt *copy = npt->copies; copy; copy = copy->next_copy)
		copy->position = 0;
}

void mm_npt_history_open(struct mm_npt *npt)
{
	__builtin_memset(&npt->history, 0, sizeof(npt->history));
	(void)!need_frame(npt, &npt->counts, &npt->history.frames[0]);
}

void mm_npt_history_close(struct mm_npt *npt)
{
	begin_at(npt, mm_align_up(mm_npt_history_end(npt), MM_NPT_HISTORY_PER));
	give_place(npt, &npt->history.frames[0]);
	give_place(npt, &npt->history.frames[MM_NPT_HISTORY_DIRECT]);
	__builtin_memset(&npt->history, 0, sizeof(npt->history));
}

void mm_npt_history_settle(struct mm_npt *npt)
{
	struct mm_npt_history *h = &npt->history;

	if (!atomic_load_explicit(&h->lost, memory_order_relaxed))
		return;
	for (struct mm_npt *copy = npt->copies; copy; copy = copy->next_copy)
		copy->exact = false;
	begin_again(npt);
	atomic_store_explicit(&h->lost, false, memory_order_relaxed);
}

/* The exact copy whose position is the lowest, or NULL. */
static struct mm_npt *last_in_line(const struct mm_npt *npt)
{
	struct mm_npt *last = NULL;

	for (struct mm_npt *copy = npt->copies; copy; copy = copy->next_copy) {
		if (copy->exact && (!last || copy->position < last->position))
			last = copy;
	}
	return last;
}

void mm_npt_history_trim(struct mm_npt *npt)
{
	uint64_t end = mm_npt_history_end(npt);
	struct mm_npt *last = last_in_line(npt);

	/* Half of the ring stays free for the changes until the next [exclusive] call. */
	while (last && end - last->position > MM_NPT_HISTORY_ENTRIES / 2) {
		last->exact = false;
		last = last_in_line(npt);
	}
	if (!last || last->position == end)
		begin_again(npt);
	else
		begin_at(npt, last->position);
}
