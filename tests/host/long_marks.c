/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own accesses leave the marks that a guest's would (accessed, dirty), while
 * faults on other CPUs change the same entries. Here another CPU splits the large leaf between
 * any two instructions of an access. Afterwards the table's entry stays as it was linked, since A
 * and D are reserved there (RISC-V privileged manual, "Two-Stage Address Translation"), and the
 * marks are in the small leaf.
 */
#include "guest.h"
#include "step.h"

#include "mm/compiler.h"
#include "mm/npt/change.h"

#define FIRST 512 /* pages: where the large leaf begins */
#define PAGE  700 /* the one that is accessed */

struct scene {
	struct guest *g;
	enum mm_perm access;
	_Atomic uint64_t *entry; /* of the large leaf */
	uint64_t leaf;           /* what it said at first */
	mm_hpa_t table;          /* that the other CPU puts there */
	uint64_t at;             /* before the instruction of this number; UINT64_MAX: never */
	uint64_t instructions;   /* seen so far */
	uint64_t marked;         /* the first of them that finds the marks in the entry */
};

static _Atomic uint64_t *table_of(const struct scene *s)
{
	return hal_test_ptr(s->g->hal, s->table);
}

static void access_page(void *arg)
{
	struct scene *s = arg;
	uint64_t value = 0;

	if (s->access == MM_W)
		CHECK_OK(mm_aspace_store(&s->g->as, page(PAGE), 8, 5));
	else
		CHECK_OK(mm_aspace_load(&s->g->as, page(PAGE), 8, &value));
}

/* The other CPU: a split as mm_npt_split_leaf() makes it, all of it at once. */
static void split_leaf(void *arg)
{
	struct scene *s = arg;
	struct mm_npt *npt = &s->g->as.npt;
	uint64_t value = mm_npt_load(s->entry);
	uint64_t now = s->instructions++;

	if (s->at == UINT64_MAX && value != s->leaf && now < s->marked)
		s->marked = now;
	if (now != s->at)
		return;
	mm_npt_fill_split(npt, table_of(s), value, 0);
	mm_npt_store(s->entry, mm_npt_table_entry(npt->format, s->table));
	step_no_more();
}

static void check_marks(const struct scene *s, uint64_t leaf)
{
	const struct mm_npt_format *f = s->g->geo->format;
	uint64_t marks = f->accessed | (s->access == MM_W ? f->dirty : 0);

	CHECK_EQ(leaf & marks, marks);
	if ((f->dirty & f->perm_mask) == 0 && s->access != MM_W)
		CHECK_EQ(leaf & f->dirty, s->leaf & f->dirty);
}

/* More instructions than there are from the walk to the mark; and those after it. */
#define BEFORE 100
#define AFTER  8

static void try_everywhere(struct scene *s)
{
	const struct mm_npt_format *f = s->g->geo->format;

	s->at = UINT64_MAX;
	s->instructions = 0;
	s->marked = UINT64_MAX;
	step_through(access_page, s, split_leaf, s);
	check_marks(s, mm_npt_load(s->entry));
	CHECK(s->marked > BEFORE && s->marked < UINT64_MAX - AFTER);

	for (s->at = s->marked - BEFORE; s->at < s->marked + AFTER; s->at++) {
		mm_npt_store(s->entry, s->leaf);
		s->instructions = 0;
		check_context("format=%s access=%s before instruction %llu", s->g->geo->name,
		              mm_perm_name(s->access), (unsigned long long)s->at);
		step_through(access_page, s, split_leaf, s);
		CHECK_EQ(mm_npt_load(s->entry), mm_npt_table_entry(f, s->table));
		check_marks(s, mm_npt_load(&table_of(s)[PAGE - FIRST]));
	}
	mm_npt_store(s->entry, s->leaf);
}

static bool has_marks(const struct geometry *geo)
{
	return geo->config.accessed_dirty;
}

static void marks_go_to_leaves_alone(const struct geometry *geo)
{
	static const enum mm_perm accesses[] = {MM_R, MM_W};
	const struct mm_aspace_backing large = {.populate = true, .max_leaf = 1};
	struct guest *g = guest_open(geo, (struct hal_test_options){.shared = true});
	const struct mm_hal *hal = &g->hal->hal;
	struct scene s = {.g = g};

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(FIRST, 512), MM_RWX, large));
	s.entry = mm_npt_walk(&g->as.npt, page(PAGE)).entry;
	s.leaf = mm_npt_load(s.entry);
	CHECK(mm_npt_is_leaf(geo->format, s.leaf, 1));
	CHECK_EQ(hal->alloc(hal->ctx, 0, 1, &s.table), 1);
	for (size_t i = 0; i < MM_ARRAY_SIZE(accesses); i++) {
		s.access = accesses[i];
		try_everywhere(&s);
	}
	hal->free(hal->ctx, 0, 1, &s.table);
	guest_close(g);
}

int main(void)
{
	const struct geometry_test tests[] = {
		GEOMETRY_TEST_IF(marks_go_to_leaves_alone, has_marks),
	};

	return run_geometry_tests("marks", tests, MM_ARRAY_SIZE(tests));
}
