/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compare-and-swaps that fail. Another CPU, or the hardware, changes the word in the moment before
 * the instruction that swaps it. That moment comes by chance when threads race; here the code is
 * stopped in it, so it comes each time.
 *
 * A story runs twice in children that begin alike: once to count the accesses to the word up to
 * the one that changes it, once with the other's change after the access before.
 */
#include "guest.h"
#include "step.h"

#include <string.h>

#include "mm/aspace_internal.h"
#include "mm/compiler.h"
#include "mm/dirty.h"
#include "mm/npt/change.h"
#include "mm/npt/history.h"
#include "mm/snapshot.h"

#define PAGE  700
#define BLOCK 512 /* pages, and where the block begins that PAGE is in */

static const struct mm_aspace_backing lazy = {0};

struct scene {
	struct guest *g;
	void *word;       /* that both write to */
	uint64_t before;  /* what it is before the code */
	uint64_t after;   /* what the code makes of it if nobody comes in between */
	uint64_t others;  /* what the other makes of it */
	uint64_t at;      /* the other comes at the look of this number */
	uint64_t looks;   /* so far */
	uint64_t changed; /* the first that finds the word changed */
	bool lost;        /* the other comes */
};

static void find_change(void *ctx)
{
	struct scene *s = ctx;
	uint64_t value = step_peek(s->word);

	if (value != s->before) {
		s->changed = s->looks;
		s->after = value;
		step_no_more();
	}
	s->looks++;
}

static void come_first(void *ctx)
{
	struct scene *s = ctx;

	if (s->looks++ != s->at)
		return;
	CHECK_EQ(step_peek(s->word), s->before);
	step_poke(s->word, s->others);
	step_no_more();
}

static void measure(struct scene *s, void (*code)(void *arg))
{
	s->before = *(volatile uint64_t *)s->word;
	s->looks = s->changed = 0;
	step_watch(code, s, s->word, find_change, s);
	CHECK(s->changed != 0);
}

static void lose(struct scene *s, void (*code)(void *arg))
{
	s->lost = true;
	s->at = s->changed - 1;
	s->looks = 0;
	step_watch(code, s, s->word, come_first, s);
	CHECK(s->looks > s->at);
}

/* --- two CPUs fault on one page --- */

static void fault_on_page(void *arg)
{
	struct scene *s = arg;
	enum mm_fault fault = mm_aspace_fault(&s->g->as, page(PAGE), MM_W);

	if (s->lost) {
		CHECK_EQ(fault, MM_FAULT_SPURIOUS);
		CHECK_EQ(*(volatile uint64_t *)s->word, s->others);
	}
}

static struct guest *guest_with_page(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, (struct hal_test_options){0});

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(PAGE, 8), MM_RW, lazy));
	guest_store(g, page(PAGE), 1);
	return g;
}

static void two_fault(struct guest *g)
{
	struct scene s = {.g = g, .word = mm_npt_walk(&g->as.npt, page(PAGE)).entry};

	measure(&s, fault_on_page);
	s.others = s.after;
	lose(&s, fault_on_page);
}

static void two_relax_one_leaf(const struct geometry *geo)
{
	struct guest *g = guest_with_page(geo);

	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, true));
	two_fault(g);
	mm_aspace_dirty_stop(&g->as);
	guest_close(g);
}

/* The snapshot is gone, so nothing is copied: the page gets W back. */
static void two_own_one_page(const struct geometry *geo)
{
	struct guest *g = guest_with_page(geo);
	struct mm_snapshot snapshot;

	CHECK_OK(mm_aspace_snapshot_take(&g->as, &snapshot));
	mm_aspace_snapshot_drop(&g->as, &snapshot);
	two_fault(g);
	guest_close(g);
}

/* --- two CPUs need the next frame of a snapshot's history --- */

static void record_change(void *arg)
{
	struct scene *s = arg;

	CHECK_EQ(mm_aspace_fault(&s->g->as, page(PAGE), MM_W), MM_FAULT_UNSHARED);
	if (s->lost)
		CHECK_EQ(*(volatile uint64_t *)s->word, s->others);
}

static void two_extend_one_history(const struct geometry *geo)
{
	struct guest *g = guest_with_page(geo);
	const struct mm_hal *hal = &g->hal->hal;
	struct scene s = {.g = g, .word = &g->as.npt.history.frames[1]};
	struct mm_snapshot snapshot;
	mm_hpa_t frame;

	CHECK_OK(mm_aspace_snapshot_take(&g->as, &snapshot));
	CHECK_EQ(hal->alloc(hal->ctx, 0, 1, &frame), 1);
	memset(hal_test_ptr(g->hal, frame), 0, MM_PAGE_SIZE);
	atomic_store(&g->as.npt.history.end, MM_NPT_HISTORY_PER); /* the first is full */
	measure(&s, record_change);
	s.others = frame.raw | (s.after & (MM_PAGE_SIZE - 1));
	lose(&s, record_change);
	atomic_store(&g->as.npt.history.end, 0);
	hal->free(hal->ctx, 0, 1, &frame);
	mm_aspace_snapshot_drop(&g->as, &snapshot);
	guest_close(g);
}

/* --- two CPUs charge one quota --- */

static void fault_and_charge(void *arg)
{
	struct scene *s = arg;

	CHECK_EQ(mm_aspace_fault(&s->g->as, page(PAGE), MM_W), MM_FAULT_MAPPED);
	/* Frames in use, this CPU's credit, and what the other has charged. */
	CHECK_EQ(*(volatile uint64_t *)s->word,
	         s->g->hal->in_use + (uint64_t)s->g->as.cpus[0].counts.credit + s->lost);
}

static void two_charge_one_quota(const struct geometry *geo)
{
	struct hal_test *hal = hal_test_open((struct hal_test_options){0});
	struct mm_aspace_config config = guest_config(geo, hal);

	config.quota = 2000;

	struct guest *g = guest_open_with(geo, hal, &config);
	struct scene s = {.g = g, .word = &g->as.npt.used};

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(PAGE, 8), MM_RW, lazy));
	measure(&s, fault_and_charge);
	s.others = s.before + 1;
	lose(&s, fault_and_charge);
	guest_close(g);
}

/* --- a CPU refills its credit while another adds up --- */

static void add_up(void *arg)
{
	struct scene *s = arg;

	CHECK_EQ(guest_stats(s->g).frames, 1);
}

static void refill_meanwhile(void *ctx)
{
	struct scene *s = ctx;

	step_poke(&s->g->as.cpus[1].counts.credit, s->looks++ == 0 ? UINT64_MAX : 0);
	if (s->looks > 1)
		step_no_more();
}

static void stats_meet_a_refill(const struct geometry *geo)
{
	struct guest *g = guest_with_page(geo);
	struct scene s = {.g = g};

	step_watch(add_up, &s, &g->as.npt.lent, refill_meanwhile, &s);
	CHECK(s.looks > 1);
	guest_close(g);
}

/* --- the hardware sets a mark --- */

struct marked {
	const char *name;
	void (*prepare)(struct guest *g);
	void (*run)(struct guest *g);
	bool large;
	bool dirty;      /* before */
	bool moves;      /* not a mark comes: the page gets another frame */
	bool mark_stays; /* in PAGE's leaf */
};

static struct mm_snapshot shared_snapshot;

static void start_log(struct guest *g)
{
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, false));
}

static void stop_log(struct guest *g)
{
	mm_aspace_dirty_stop(&g->as);
}

static void forbid_writes(struct guest *g)
{
	CHECK_OK(mm_aspace_protect(&g->as, pages(PAGE, 1), MM_R));
}

static void take_snapshot(struct guest *g)
{
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &shared_snapshot));
}

static void start_hardware_log(struct guest *g)
{
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_HARDWARE, false));
}

static void collect(struct guest *g)
{
	uint64_t bitmap[1] = {0};

	CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(PAGE, 1), bitmap));
	CHECK_EQ(bitmap[0], 1);
}

static void store(struct guest *g)
{
	CHECK_OK(mm_aspace_store(&g->as, page(PAGE), 8, 5));
}

static const struct marked marked[] = {
	{.name = "write-protect", .run = start_log},
	{.name = "allow", .prepare = start_log, .run = stop_log},
	{.name = "protect", .run = forbid_writes, .mark_stays = true},
	{.name = "snapshot", .run = take_snapshot},
	{.name = "collect", .prepare = start_hardware_log, .run = collect, .dirty = true},
	{.name = "store", .run = store, .mark_stays = true},
	{.name = "store to a page that moves", .run = store, .moves = true, .mark_stays = true},
	{.name = "split", .run = forbid_writes, .large = true, .mark_stays = true},
};

static bool has_marks(const struct geometry *geo)
{
	return geo->config.accessed_dirty;
}

/* Arm's dirty mark is the permission to write. */
static uint64_t marks_of(const struct mm_npt_format *f)
{
	return f->accessed | ((f->dirty & f->perm_mask) == 0 ? f->dirty : 0);
}

static const struct marked *current;

static void run_current(void *arg)
{
	struct scene *s = arg;
	struct mm_npt *npt = &s->g->as.npt;
	uint64_t marks = npt->format->accessed;

	current->run(s->g);
	if (!s->lost)
		return;

	struct mm_npt_slot slot = mm_npt_walk(npt, page(PAGE));

	CHECK(mm_npt_is_leaf(npt->format, slot.value, slot.level));
	if (current->mark_stays)
		CHECK_EQ(slot.value & marks, marks);
}

static void mark_comes_between(const struct geometry *geo)
{
	uint64_t marks = marks_of(geo->format);

	for (size_t i = 0; i < MM_ARRAY_SIZE(marked); i++) {
		struct guest *g = guest_open(geo, (struct hal_test_options){0});
		struct scene s = {.g = g};
		struct mm_aspace_backing backing = {.populate = true,
		                                    .max_leaf = marked[i].large ? 1 : 0};

		current = &marked[i];
		check_context("format=%s change=%s", geo->name, current->name);
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(BLOCK, 512), MM_RW, backing));
		guest_store(g, page(PAGE), 1);
		if (current->prepare)
			current->prepare(g);
		s.word = mm_npt_walk(&g->as.npt, page(PAGE)).entry;
		mm_npt_store(s.word, mm_npt_load(s.word) & ~marks);
		if (current->dirty)
			mm_npt_store(s.word, mm_npt_load(s.word) | geo->format->dirty);
		measure(&s, run_current);
		s.others = s.before | geo->format->accessed;
		if (current->moves)
			s.others = mm_npt_walk(&g->as.npt, page(PAGE + 1)).value & ~marks;
		lose(&s, run_current);
		mm_aspace_dirty_stop(&g->as);
		guest_close(g);
	}
}

/* --- a writer comes while a reader enters --- */

struct door {
	struct mm_lock lock;
	struct mm_lock_reader reader, shared;
	bool came;
};

static void enter_as_reader(void *arg)
{
	struct door *d = arg;

	mm_lock_read_wait(&d->lock, &d->reader);
	CHECK_EQ(atomic_load(&d->reader.reading), MM_LOCK_INSIDE);
	CHECK_EQ(atomic_load(&d->lock.writer), 0);
}

/* The field's word with its neighbours as they are. */
static uint64_t peek_field(const void *field, size_t size)
{
	uint64_t value = step_peek(field);

	return size == 8 ? value : value & ((UINT64_C(1) << 8 * size) - 1);
}

static void poke_field(void *field, size_t size, uint64_t value)
{
	uint64_t mask = size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;

	step_poke(field, (step_peek(field) & ~mask) | value);
}

static void write_lock_at_the_door(void *arg)
{
	struct door *d = arg;
	bool inside = peek_field(&d->reader.reading, sizeof(d->reader.reading)) == MM_LOCK_INSIDE;

	if (inside && !d->came) {
		poke_field(&d->lock.writer, sizeof(d->lock.writer), 1);
		d->came = true;
	} else if (!inside && d->came) {
		poke_field(&d->lock.writer, sizeof(d->lock.writer), 0);
		step_no_more();
	}
}

static void writer_comes_as_reader_enters(const struct geometry *geo)
{
	static const struct mm_hal hal;
	static struct door d;

	(void)geo;
	d = (struct door){.came = false};
	mm_lock_init(&d.lock, &hal, &d.reader, &d.shared);
	mm_lock_register(&d.lock, 0);
	step_watch(enter_as_reader, &d, &d.reader, write_lock_at_the_door, &d);
	CHECK(d.came);
}

static bool is_first(const struct geometry *geo)
{
	return geo == geometries;
}

int main(void)
{
	const struct geometry_test tests[] = {
		GEOMETRY_TEST(two_relax_one_leaf),
		GEOMETRY_TEST(two_own_one_page),
		GEOMETRY_TEST(two_extend_one_history),
		GEOMETRY_TEST(two_charge_one_quota),
		GEOMETRY_TEST(stats_meet_a_refill),
		GEOMETRY_TEST_IF(mark_comes_between, has_marks),
		GEOMETRY_TEST_IF(writer_comes_as_reader_enters, is_first),
	};

	return run_geometry_tests("lost_race", tests, MM_ARRAY_SIZE(tests));
}
