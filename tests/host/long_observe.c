/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What another CPU can see while the library works: the hardware's walk is made between any two
 * instructions of each operation, and has to find the old state or the new one. In between there
 * may be nothing, where the new state is nothing, where the architecture demands it (Arm's
 * break-before-make, DDI 0487 D8.14), where a page gets another frame, or where small leaves become
 * a large one, since their table goes back: with a flush between the break and the make. Who faults
 * then finds the page again.
 *
 * And the order of things: what is lost is flushed before the call returns and before a frame
 * goes back, what is new is published.
 */
#include "guest.h"
#include "step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mm/compiler.h"
#include "mm/snapshot.h"

/* --- what was seen of one address --- */

struct sight {
	bool present;
	mm_hpa_t hpa;
	unsigned level;
	enum mm_perm perm;
	size_t events; /* of the HAL's trace, before it was seen */
};

#define SIGHTS 16

struct watch {
	mm_gpa_t gpa;
	struct sight sights[SIGHTS];
	unsigned count;
	bool misconfigured;
	bool leaks;
};

#define WATCHES 8

struct observer {
	struct guest *g;
	struct watch watches[WATCHES];
	unsigned count;
};

/* R, W or X, whichever the walk gets furthest with: all that it permits is in the answer. */
static struct hw_result look_up(struct guest *g, mm_gpa_t gpa)
{
	struct hw_result r = guest_walk(g, gpa, MM_R);
	if (r.outcome == HW_PERMISSION)
		r = guest_walk(g, gpa, r.perm & MM_W ? MM_W : MM_X);
	return r;
}

static void look(void *ctx)
{
	struct observer *o = ctx;
	for (unsigned i = 0; i < o->count; i++) {
		struct watch *w = &o->watches[i];
		struct hw_result r = look_up(o->g, w->gpa);
		struct sight now = {.present = r.outcome == HW_OK};
		if (now.present) {
			now.hpa = r.hpa;
			now.level = r.level;
			now.perm = r.perm;
		}
		now.events = o->g->hal->event_count;
		w->misconfigured |= r.outcome == HW_MISCONFIG;
		/* L1TF: an entry that is not present holds no address of cacheable memory. */
		w->leaks |=
			is_ept(o->g->geo) && r.outcome == HW_NOT_PRESENT && r.entry != 0 &&
			(r.entry & UINT64_C(0xffffffffff000)) >> (o->g->geo->config.hpa_bits - 1) ==
				0;
		const struct sight *last = w->count ? &w->sights[w->count - 1] : NULL;
		if (last && last->present == now.present && last->hpa.raw == now.hpa.raw &&
		    last->level == now.level && last->perm == now.perm)
			continue;
		CHECK(w->count < SIGHTS);
		w->sights[w->count++] = now;
	}
}

/* --- what it has to be --- */

static void describe(const struct watch *w, char *text, size_t size)
{
	size_t used = 0;
	for (unsigned i = 0; i < w->count && used < size; i++) {
		const struct sight *s = &w->sights[i];
		if (s->present)
			used += (size_t)snprintf(text + used, size - used, " 0x%llx/L%u/%s",
			                         (unsigned long long)s->hpa.raw, s->level,
			                         mm_perm_name(s->perm));
		else
			used += (size_t)snprintf(text + used, size - used, " absent");
	}
}

static bool flush_covers(const struct hal_event *e, mm_gpa_t gpa)
{
	return e->kind == HAL_FLUSH && (e->flush.all || mm_gpa_range_contains(e->flush.range, gpa));
}

/* Is there such an event among those from `from` up to (not including) `to`? */
static bool has_event(const struct hal_test *hal, size_t from, size_t to, enum hal_event_kind kind,
                      mm_gpa_t gpa)
{
	for (size_t i = from; i < to; i++) {
		const struct hal_event *e = &hal->events[i];
		if (e->kind == kind && (kind != HAL_FLUSH || flush_covers(e, gpa)))
			return true;
	}
	return false;
}

static bool same_target(const struct sight *a, const struct sight *b)
{
	return a->present == b->present && a->hpa.raw == b->hpa.raw && a->perm == b->perm;
}

static void check_step(const struct observer *o, const struct watch *w, unsigned i)
{
	const struct sight *first = &w->sights[0], *final = &w->sights[w->count - 1];
	const struct sight *was = &w->sights[i - 1], *is = &w->sights[i];
	const struct hal_test *hal = o->g->hal;
	bool breaks = needs_break(o->g->geo);
	const char *wrong = NULL;

	if (is->present && !same_target(is, first) && !same_target(is, final))
		wrong = "a state that is neither old nor new";
	else if (!is->present && final->present && first->present && !breaks &&
	         final->level <= first->level && final->hpa.raw == first->hpa.raw)
		wrong = "absent in between";
	else if (breaks && was->present && is->present && was->level != is->level)
		wrong = "size changed without a break";
	else if (was->present && is->present && was->hpa.raw != is->hpa.raw)
		wrong = "address changed without a break";
	else if (!was->present && is->present && i >= 2 && w->sights[i - 2].present &&
	         !has_event(hal, was->events, is->events, HAL_FLUSH, w->gpa))
		wrong = "made before the break was flushed";
	else if (was->present &&
	         (!is->present || was->perm & ~is->perm || was->hpa.raw != is->hpa.raw) &&
	         !has_event(hal, is->events, hal->event_count, HAL_FLUSH, w->gpa))
		wrong = "taken away, and never flushed";
	else if (!was->present && is->present &&
	         !has_event(hal, is->events, hal->event_count, HAL_PUBLISH, w->gpa) &&
	         !has_event(hal, is->events, hal->event_count, HAL_FLUSH, w->gpa))
		wrong = "made present, and never published";
	if (wrong) {
		char text[400] = "";
		describe(w, text, sizeof(text));
		check_failed(__FILE__, __LINE__, "gpa 0x%llx: %s:%s",
		             (unsigned long long)w->gpa.raw, wrong, text);
	}
}

/* No frame goes back before a flush, if anything was taken away at all. */
static void check_frees(const struct observer *o, bool taken)
{
	const struct hal_test *hal = o->g->hal;
	bool flushed = false;
	CHECK(hal->event_count <= HAL_EVENTS);
	for (size_t i = 0; taken && i < hal->event_count; i++) {
		flushed |= hal->events[i].kind == HAL_FLUSH;
		if (hal->events[i].kind == HAL_FREE && !flushed)
			check_failed(__FILE__, __LINE__, "frame 0x%llx is free before any flush",
			             (unsigned long long)hal->events[i].frame.raw);
	}
}

static void judge(const struct observer *o)
{
	bool taken = false;
	for (unsigned i = 0; i < o->count; i++) {
		const struct watch *w = &o->watches[i];
		CHECK(w->count > 0);
		CHECK(!w->misconfigured);
		CHECK(!w->leaks);
		for (unsigned s = 1; s < w->count; s++)
			check_step(o, w, s);
		taken |= w->sights[0].present && !w->sights[w->count - 1].present;
	}
	check_frees(o, taken);
}

/* --- the operations --- */

/* Pages 500 to 2000: small pages up to 511, large leaves from 512 and 1024, as far as mapped. */
enum {
	FIRST = 500,
	LARGE = 512,
	COUNT = 12 + 2 * 512
};

struct operation {
	const char *name;
	void (*prepare)(struct guest *g);
	void (*run)(void *guest);
	unsigned watch[WATCHES]; /* page numbers, 0 ends */
	bool long_one;           /* tens of thousands of instructions */
};

static void map_lazy(struct guest *g)
{
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(FIRST, COUNT), MM_RW,
	                             (struct mm_aspace_backing){.max_leaf = 1}));
}

static void map_all(struct guest *g)
{
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(FIRST, COUNT), MM_RW,
	                             (struct mm_aspace_backing){.populate = true, .max_leaf = 1}));
}

static void map_small(struct guest *g)
{
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(505, 14), MM_RW,
	                             (struct mm_aspace_backing){.populate = true}));
}

static void map_some_hidden(struct guest *g)
{
	map_small(g);
	CHECK_OK(mm_aspace_protect(&g->as, pages(508, 8), MM_NONE));
}

static void map_all_and_split(struct guest *g)
{
	map_all(g);
	CHECK_OK(mm_aspace_protect(&g->as, pages(600, 100), MM_R));
}

static struct mm_snapshot snapshot;

static void map_and_share(struct guest *g)
{
	map_small(g);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &snapshot));
}

static void map_share_and_write(struct guest *g)
{
	map_and_share(g);
	CHECK_EQ(mm_aspace_fault(&g->as, page(510), MM_W), MM_FAULT_UNSHARED);
}

static void nothing(struct guest *g)
{
	(void)g;
}

static void run_fault_small(void *guest)
{
	struct guest *g = guest;
	CHECK_EQ(mm_aspace_fault(&g->as, page(503), MM_W), MM_FAULT_MAPPED);
}

static void run_fault_large(void *guest)
{
	struct guest *g = guest;
	CHECK_EQ(mm_aspace_fault(&g->as, page(600), MM_R), MM_FAULT_MAPPED);
}

static void run_map_linear(void *guest)
{
	struct guest *g = guest;
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(FIRST, COUNT), mm_hpa_at(0x401f4000), MM_RX,
	                              MM_NORMAL, 1));
}

static void run_map_populated(void *guest)
{
	map_small(guest);
}

static void run_unmap(void *guest)
{
	struct guest *g = guest;
	CHECK_OK(mm_aspace_unmap(&g->as, pages(FIRST, COUNT)));
}

static void run_unmap_part(void *guest)
{
	struct guest *g = guest;
	CHECK_OK(mm_aspace_unmap(&g->as, pages(506, 200)));
}

static void run_protect_down(void *guest)
{
	struct guest *g = guest;
	CHECK_OK(mm_aspace_protect(&g->as, pages(505, 14), MM_R));
}

static void run_protect_up(void *guest)
{
	struct guest *g = guest;
	CHECK_OK(mm_aspace_protect(&g->as, pages(505, 14), MM_RWX));
}

static void run_protect_none(void *guest)
{
	struct guest *g = guest;
	CHECK_OK(mm_aspace_protect(&g->as, pages(505, 14), MM_NONE));
}

static void run_protect_back(void *guest)
{
	struct guest *g = guest;
	CHECK_OK(mm_aspace_protect(&g->as, pages(505, 14), MM_RW));
}

static void run_protect_part(void *guest)
{
	struct guest *g = guest;
	CHECK_OK(mm_aspace_protect(&g->as, pages(600, 100), MM_R));
}

static void run_protect_merge(void *guest)
{
	struct guest *g = guest;
	CHECK_OK(mm_aspace_protect(&g->as, pages(600, 100), MM_RW));
}

static void run_failing_map(void *guest)
{
	struct guest *g = guest;
	hal_test_fail_after(g->hal, 8);
	CHECK_ERR(mm_aspace_map_alloc(&g->as, pages(FIRST, 20), MM_RW,
	                              (struct mm_aspace_backing){.populate = true}),
	          MM_NO_MEMORY);
}

static void run_clear(void *guest)
{
	struct guest *g = guest;
	mm_aspace_clear(&g->as);
}

static void run_copy_on_write(void *guest)
{
	struct guest *g = guest;
	CHECK_EQ(mm_aspace_fault(&g->as, page(510), MM_W), MM_FAULT_UNSHARED);
}

static void run_restore(void *guest)
{
	struct guest *g = guest;
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &snapshot));
}

static const struct operation operations[] = {
	{"fault-small", map_lazy, run_fault_small, {503, 504, 511}},
	{"fault-large", map_lazy, run_fault_large, {512, 600, 1023, 1024, 511}},
	{"map-linear", nothing, run_map_linear, {500, 511, 512, 800, 1535, 1536}},
	{"map-populated", nothing, run_map_populated, {504, 505, 511, 512, 518, 519}},
	{"failing-map", nothing, run_failing_map, {500, 511, 512, 519}, true},
	{"unmap", map_all, run_unmap, {500, 511, 512, 800, 1535}, true},
	{"unmap-part", map_all, run_unmap_part, {505, 506, 512, 705, 706, 1023, 1024}, true},
	{"protect-down", map_small, run_protect_down, {505, 511, 512, 518}},
	{"protect-up", map_small, run_protect_up, {505, 511, 512, 518}},
	{"protect-none", map_small, run_protect_none, {505, 511, 512, 518}},
	{"protect-back", map_some_hidden, run_protect_back, {505, 508, 512, 515, 518}},
	{"protect-part", map_all, run_protect_part, {599, 600, 699, 700, 512, 1023}},
	{"protect-merge", map_all_and_split, run_protect_merge, {599, 600, 699, 700, 1023}},
	{"copy-on-write", map_and_share, run_copy_on_write, {509, 510, 511}},
	{"restore", map_share_and_write, run_restore, {509, 510, 511}, true},
	{"clear", map_all, run_clear, {500, 511, 512, 800, 1535}, true},
};

/* One geometry of each format; and long operations on the four architectures alone. */
static bool is_typical(const struct geometry *geo)
{
	static const char *const names[] = {"ept4", "amd4", "ipa40", "ipa52c", "sv39x4"};
	for (size_t i = 0; i < MM_ARRAY_SIZE(names); i++) {
		if (strcmp(geo->name, names[i]) == 0)
			return true;
	}
	return false;
}

static void c20_old_or_new_at_every_instruction(const struct geometry *geo)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(operations); i++) {
		const struct operation *op = &operations[i];
		if (op->long_one && geo->format == &mm_npt_stage2_lpa2)
			continue;
		struct guest *g = guest_open(geo, (struct hal_test_options){.shared = true});
		struct observer o = {.g = g};
		check_context("format=%s operation=%s", geo->name, op->name);
		op->prepare(g);
		for (unsigned w = 0; w < WATCHES && op->watch[w]; w++)
			o.watches[o.count++].gpa = page(op->watch[w]);
		hal_test_trace(g->hal);
		step_through(op->run, g, look, &o);
		judge(&o);
		guest_abandon(g);
	}
}

/* A long memset is one instruction that steps once per byte: have libc write words instead. */
static void prefer_plain_memset(char **argv)
{
	if (getenv("GLIBC_TUNABLES"))
		return;
	setenv("GLIBC_TUNABLES", "glibc.cpu.x86_rep_stosb_threshold=1000000", 1);
	execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
	(void)argc;
	prefer_plain_memset(argv);
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST_IF(c20_old_or_new_at_every_instruction, is_typical),
	};
	return run_geometry_tests("observe", tests, MM_ARRAY_SIZE(tests));
}
