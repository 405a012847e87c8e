/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries, bit by bit, beside the golden values of golden_ept.c and its like. hw_walk.c then
 * decodes every permission, memory type and level by the same manuals. And what is no format, or no
 * configuration of one, is refused.
 */
#include "golden.h"
#include "guest.h"

#include <stdlib.h>
#include <string.h>

#include "mm/bits.h"
#include "mm/compiler.h"
#include "mm/npt/entry.h"

static const struct hal_test_options plain = {0};

/* --- c21: golden values --- */

/* The raw entry that decides about gpa. */
static uint64_t raw_entry(struct guest *g, mm_gpa_t gpa, enum mm_perm access)
{
	struct hw_result r = guest_walk(g, gpa, access);
	CHECK_EQ(r.outcome, HW_OK);
	return r.entry;
}

static void c21_golden_entries(const struct geometry *geo)
{
	const struct golden_format *golden = golden_of(geo->format);

	for (size_t i = 0; i < golden->entry_count; i++) {
		const struct golden_entry *c = &golden->entries[i];
		if (strcmp(c->geometry, geo->name) != 0)
			continue;
		struct guest *g = guest_open(geo, plain);
		check_context("format=%s level=%u perm=%s type=%s", geo->name, c->level,
		              mm_perm_name(c->perm), mm_memtype_name(c->type));
		struct mm_gpa_range range = mm_gpa_range(mm_gpa_at(0), MM_LEVEL_SIZE(c->level));
		CHECK_OK(mm_aspace_map_linear(&g->as, range, mm_hpa_at(c->host), c->perm, c->type,
		                              c->level));
		enum mm_perm access = c->perm & MM_R ? MM_R : c->perm & MM_W ? MM_W : MM_X;
		CHECK_EQ(raw_entry(g, mm_gpa_at(0), access), c->entry);
		guest_close(g);
	}
}

/* A table entry, for each format: the root's first, after one page is mapped. */
static void c21_golden_table_entries(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(0, 1), mm_hpa_at(0), MM_RWX, MM_NORMAL, 0));
	struct hw_result r = guest_walk(g, mm_gpa_at(0), MM_R);
	uint64_t entry = *(uint64_t *)hal_test_ptr(g->hal, mm_aspace_root(&g->as));
	uint64_t table = r.tables[1].raw;
	const struct golden_format *golden = golden_of(geo->format);

	CHECK_EQ(entry & ~golden->table_accessed,
	         table >> golden->table_shift | golden->table_bits);
	guest_close(g);
}

/* Everything the format can express, at every level: decoded by the hardware's walker and by
 * the library, it is what was asked for. */
static void c21_round_trip(const struct geometry *geo)
{
	for (unsigned level = 0; level <= geo->config.max_leaf; level++)
		for (unsigned perm = 1; perm < MM_PERM_SETS; perm++)
			for (unsigned type = 0; type < MM_MEMTYPES; type++) {
				struct guest *g = guest_open(geo, plain);
				uint64_t size = MM_LEVEL_SIZE(level);
				mm_hpa_t host =
					mm_hpa_at((UINT64_C(1) << geo->config.hpa_bits) - size);
				struct mm_aspace_translation t;
				check_context("format=%s level=%u perm=%s type=%s", geo->name,
				              level, mm_perm_name((enum mm_perm)perm),
				              mm_memtype_name((enum mm_memtype)type));
				enum mm_error can = mm_npt_can_express(geo->format, &geo->config,
				                                       level, (enum mm_perm)perm,
				                                       (enum mm_memtype)type);
				CHECK_ERR(mm_aspace_map_linear(
						  &g->as, mm_gpa_range(mm_gpa_at(0), size), host,
						  (enum mm_perm)perm, (enum mm_memtype)type, level),
				          can);
				for (unsigned access = 1; can == MM_OK && access < 8; access *= 2) {
					struct hw_result r = guest_walk(g, mm_gpa_at(size - 1),
					                                (enum mm_perm)access);
					CHECK_EQ(r.outcome, perm & access ? HW_OK : HW_PERMISSION);
					CHECK_EQ(r.perm, perm);
					CHECK_EQ(r.level, level);
					if (r.outcome == HW_OK) {
						CHECK_EQ(r.memtype, type);
						CHECK_EQ(r.ignore_pat, is_ept(geo));
						/* Inner, or for NC and Device any. */
						CHECK(!is_arm(geo) || type != MM_NORMAL ||
						      r.shareability == 3);
						CHECK_EQ(r.hpa.raw, host.raw + size - 1);
					}
				}
				if (can == MM_OK) {
					CHECK_OK(mm_aspace_translate(&g->as, mm_gpa_at(0), &t));
					CHECK_EQ(t.perm, perm);
					CHECK_EQ(t.memtype, type);
					CHECK_EQ(t.page_size, size);
					CHECK_EQ(t.hpa.raw, host.raw);
				}
				guest_close(g);
			}
}

/* --- c19: the root --- */

static void c19_the_root_has_its_size_and_alignment(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	uint64_t bytes = UINT64_C(8) << geo->config.root_bits;
	uint64_t frames = bytes < MM_PAGE_SIZE ? 1 : bytes / MM_PAGE_SIZE;
	CHECK_EQ(g->hal->in_use, frames);
	CHECK(mm_hpa_is_aligned(mm_aspace_root(&g->as),
	                        bytes < MM_PAGE_SIZE ? MM_PAGE_SIZE : bytes));
	CHECK_BYTES(hal_test_ptr(g->hal, mm_aspace_root(&g->as)), 0, frames * MM_PAGE_SIZE);
	CHECK_EQ(guest_stats(g).tables, frames);
	if (is_riscv(geo)) /* "the root page table ... 16 KiB and must be aligned to 16 KiB" */
		CHECK_EQ(frames, 4);
	/* Each quarter of the space is reached through its own part of the root. */
	uint64_t quarter = UINT64_C(1) << (mm_npt_gpa_bits(&geo->config) - 2);
	for (unsigned i = 0; i < 4; i++) {
		mm_gpa_t at = mm_gpa_at(i * quarter);
		CHECK_OK(mm_aspace_map_alloc(&g->as, mm_gpa_range(at, MM_PAGE_SIZE), MM_RW,
		                             (struct mm_aspace_backing){0}));
		guest_store(g, at, (uint8_t)(i + 1));
	}
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(guest_load(g, mm_gpa_at(i * quarter)), i + 1);
	guest_close(g);
}

/* --- c23: what cannot be expressed --- */

static void c23_inexpressible_permissions_are_refused(const struct geometry *geo)
{
	const struct mm_npt_config *config = &geo->config;
	struct mm_npt_config plainer = *config;
	plainer.execute_only = false;
	for (unsigned perm = 0; perm < MM_PERM_SETS; perm++) {
		enum mm_perm p = (enum mm_perm)perm;
		check_context("format=%s perm=%s", geo->name, mm_perm_name(p));
		enum mm_error want = MM_OK;
		if (p != MM_NONE && (golden_of(geo->format)->perms & GOLDEN_PERM(p)) == 0)
			want = MM_UNSUPPORTED;
		if (p == MM_X && !config->execute_only)
			want = MM_UNSUPPORTED;
		CHECK_ERR(mm_npt_can_express(geo->format, config, 0, p, MM_NORMAL), want);
		if (p == MM_X)
			CHECK_ERR(mm_npt_can_express(geo->format, &plainer, 0, p, MM_NORMAL),
			          MM_UNSUPPORTED);
	}
	CHECK_ERR(mm_npt_can_express(geo->format, config, config->max_leaf + 1, MM_R, MM_NORMAL),
	          MM_UNSUPPORTED);
	CHECK_ERR(mm_npt_can_express(geo->format, config, 0, (enum mm_perm)8, MM_NORMAL),
	          MM_UNSUPPORTED);
	CHECK_ERR(mm_npt_can_express(geo->format, config, 0, MM_R, MM_MEMTYPES), MM_UNSUPPORTED);
	plainer.fixed_memtype = true;
	CHECK_ERR(mm_npt_can_express(geo->format, &plainer, 0, MM_R, MM_NORMAL), MM_OK);
	CHECK_ERR(mm_npt_can_express(geo->format, &plainer, 0, MM_R, MM_DEVICE), MM_UNSUPPORTED);
}

/* --- c24: nobody faults for ever (guest_touch() would say so) --- */

static void c24_a_mapped_page_can_be_used(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	for (unsigned perm = 1; perm < MM_PERM_SETS; perm++) {
		if (!guest_can(g, (enum mm_perm)perm))
			continue;
		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(perm, 1), (enum mm_perm)perm,
		                             (struct mm_aspace_backing){.populate = true}));
		for (unsigned access = 1; access < 8; access *= 2) {
			if (perm & access)
				EXPECT_TOUCH(g, page(perm), (enum mm_perm)access, TOUCH_HIT);
		}
	}
	guest_close(g);
}

/* --- configurations --- */

static enum mm_error with(const struct geometry *geo, struct mm_npt_config config)
{
	return mm_npt_config_check(geo->format, &config);
}

static void configurations_are_held_against_the_format(const struct geometry *geo)
{
	const struct mm_npt_config good = geo->config;
	struct mm_npt_config c;
	CHECK_OK(with(geo, good));
#define NOT_HERE(field, value)                                                                     \
	do {                                                                                       \
		c = good;                                                                          \
		c.field = (value);                                                                 \
		CHECK_ERR(with(geo, c), MM_UNSUPPORTED);                                           \
	} while (0)
	NOT_HERE(levels, 0);
	NOT_HERE(levels, 1);
	NOT_HERE(levels, 6);
	NOT_HERE(root_bits, 0);
	NOT_HERE(root_bits, 14);
	NOT_HERE(root_bits, UINT32_MAX);
	NOT_HERE(hpa_bits, 0);
	NOT_HERE(hpa_bits, 12);
	NOT_HERE(hpa_bits, 57);
	NOT_HERE(max_leaf, 5);
	NOT_HERE(max_leaf, good.levels);
	/* The largest leaf fits into physical memory. */
	NOT_HERE(hpa_bits, MM_LEVEL_SHIFT(good.max_leaf) - 1);
#undef NOT_HERE
	c = good;
	c.hpa_bits = MM_LEVEL_SHIFT(good.max_leaf);
	CHECK_OK(with(geo, c));
	c.hpa_bits--;
	c.max_leaf--;
	CHECK_OK(with(geo, c));
	if (!is_arm(geo)) {
		c = good;
		c.root_bits = good.root_bits == 9 ? 11 : 9;
		CHECK_ERR(with(geo, c), MM_UNSUPPORTED);
	}
	if ((golden_of(geo->format)->perms & GOLDEN_PERM(MM_X)) == 0) {
		c = good;
		c.execute_only = true;
		CHECK_ERR(with(geo, c), MM_UNSUPPORTED);
	}
	/* And an address space says the same. */
	struct hal_test *hal = hal_test_open(plain);
	struct mm_aspace_config config = guest_config(geo, hal);
	struct mm_aspace *as = aligned_alloc(64, sizeof(*as));
	config.npt.levels = 7;
	CHECK_ERR(mm_aspace_init(as, &config), MM_UNSUPPORTED);
	config = guest_config(geo, hal);
	hal_test_fail_after(hal, 1);
	CHECK_ERR(mm_aspace_init(as, &config), MM_NO_MEMORY);
	hal_test_fail_after(hal, 0);
	config.quota = (UINT64_C(1) << mm_npt_root_order(&geo->config)) - 1;
	CHECK_ERR(mm_aspace_init(as, &config), MM_QUOTA);
	CHECK_EQ(hal->in_use, 0);
	free(as);
	hal_test_close(hal);
}

/* --- what is no format --- */

/* Refused by the check, and by both calls that build a table, which take no frame. */
static void refused(const struct geometry *geo, const struct mm_npt_format *format,
                    const char *what)
{
	struct hal_test *hal = hal_test_open(plain);
	struct mm_aspace_config config = guest_config(geo, hal);
	struct mm_aspace *as = aligned_alloc(64, sizeof(*as));
	struct mm_npt *npt = aligned_alloc(64, sizeof(*npt));

	check_context("format=%s with %s", geo->name, what);
	config.format = format;
	CHECK_ERR(mm_npt_config_check(format, &geo->config), MM_UNSUPPORTED);
	CHECK_ERR(mm_npt_init(npt, format, &geo->config, &config.hal, 0, UINT64_MAX),
	          MM_UNSUPPORTED);
	CHECK_ERR(mm_aspace_init(as, &config), format ? MM_UNSUPPORTED : MM_INVALID);
	CHECK_EQ(hal->in_use, 0);
	free(npt);
	free(as);
	hal_test_close(hal);
}

/* The format of the geometry, but for one field. */
#define REFUSED(field, value)                                                                      \
	do {                                                                                       \
		struct mm_npt_format f = *geo->format;                                             \
		f.field = (value);                                                                 \
		refused(geo, &f, #field " = " #value);                                             \
	} while (0)

static void unknown_geometries_are_refused(const struct geometry *geo)
{
	refused(geo, NULL, "no description");
	REFUSED(name, NULL);
	/* LoongArch with pages of 16 KiB: 2048 entries of 8 bytes. Sv32x4: 1024 of 4 bytes. */
	REFUSED(page_shift, 14);
	REFUSED(index_bits, 11);
	REFUSED(entry_bytes, 4);
	REFUSED(min_levels, 1);
	REFUSED(min_levels, f.max_levels + 1);
	REFUSED(max_levels, 6);
	REFUSED(max_levels, 0);
	REFUSED(min_root_bits, 0);
	REFUSED(min_root_bits, f.max_root_bits + 1);
	REFUSED(max_root_bits, 0);
	REFUSED(max_root_bits, 14);
	REFUSED(max_gpa_bits, 12);
	REFUSED(max_gpa_bits, 60);
	REFUSED(max_hpa_bits, 12);
	REFUSED(max_hpa_bits, 64);
	REFUSED(max_leaf, f.max_levels);
}

static void descriptions_that_contradict_themselves_are_refused(const struct geometry *geo)
{
	const struct mm_npt_format *good = geo->format;

	/* The address field has not one bit for each address bit. */
	REFUSED(max_hpa_bits, f.max_hpa_bits - 1);
	REFUSED(pa_mask, f.pa_mask >> 1);
	REFUSED(pa_shift, f.pa_shift + 1);
	REFUSED(high_mask, f.high_mask | f.pa_mask);
	REFUSED(absent_flip, f.present);
	/* A bit has two meanings. */
	REFUSED(present, f.present | BIT(20));
	REFUSED(leaf[1], f.leaf[1] | BIT(20));
	REFUSED(accessed, BIT(20));
	REFUSED(owned, BIT(20));
	REFUSED(owned, f.present);
	REFUSED(owned, MM_NPT_PARKED);
	REFUSED(owned, 0);
	REFUSED(owned, f.owned | BIT(57) | BIT(56));
	REFUSED(owned, f.shared);
	REFUSED(shared, 0);
	REFUSED(soft_dirty, f.owned);
	REFUSED(memtype_mask, f.memtype_mask | f.perm_mask);
	REFUSED(writable, f.owned);
	REFUSED(writable, f.memtype_mask);
	if (good->accessed != 0) {
		REFUSED(accessed, 0);
		REFUSED(dirty, 0);
	}
	/* Absent, table and leaf cannot be told apart. */
	REFUSED(present, 0);
	REFUSED(table, 0);
	REFUSED(table_value, 0);
	REFUSED(table_mask, 0);
	REFUSED(leaf[1], 0);
	REFUSED(table_reserved, f.table);
	REFUSED(leaf_reserved, f.perm_mask);
	REFUSED(leaf_reserved, f.leaf[1]);
	/* Permissions are not read as they were written. */
	REFUSED(perm[MM_RW], f.perm[MM_R]);
	REFUSED(perm[MM_R], f.perm[MM_R] | f.owned);
	REFUSED(perm_bits, 0);
	REFUSED(perm_gather, 0);
	if (good->leaf[0] != 0) /* EPT's present bits are permissions */
		REFUSED(leaf[0], 0);
	if (good->writable != 0) /* read well without hardware updates, and wrongly with them */
		REFUSED(perm_gather, f.perm_gather & ~BIT(11));
	REFUSED(perm_read[MM_NPT_GATHERED((f.leaf[0] | f.perm[MM_RW]) & f.perm_bits,
	                                  f.perm_gather)],
	        MM_R);
	/* Memory types: outside their field, or the same. */
	REFUSED(memtype[MM_DEVICE], f.present);
	REFUSED(memtype[MM_DEVICE], f.memtype[MM_NORMAL]);

	struct mm_npt_format f = *good;

	for (unsigned perm = 0; perm < MM_PERM_SETS; perm++)
		f.perm[perm] = MM_NPT_INEXPRESSIBLE;
	refused(geo, &f, "no permissions");
}

/* A format may be one whose hardware sets no marks. Then no configuration may ask for them. */
static void a_format_may_have_no_marks(const struct geometry *geo)
{
	struct mm_npt_format f = *geo->format;
	struct mm_npt_config config = geo->config;

	f.accessed = f.dirty = f.writable = f.soft_dirty = 0;
	config.accessed_dirty = false;
	CHECK_OK(mm_npt_config_check(&f, &config));
	config.accessed_dirty = true;
	CHECK_ERR(mm_npt_config_check(&f, &config), MM_UNSUPPORTED);
}

static void names(const struct geometry *geo)
{
	CHECK_TEXT(mm_npt_format_name(geo->format), golden_of(geo->format)->name);
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST(c21_golden_entries),
		GEOMETRY_TEST(c21_golden_table_entries),
		GEOMETRY_TEST(c21_round_trip),
		GEOMETRY_TEST(c19_the_root_has_its_size_and_alignment),
		GEOMETRY_TEST(c23_inexpressible_permissions_are_refused),
		GEOMETRY_TEST(c24_a_mapped_page_can_be_used),
		GEOMETRY_TEST(configurations_are_held_against_the_format),
		GEOMETRY_TEST(unknown_geometries_are_refused),
		GEOMETRY_TEST(descriptions_that_contradict_themselves_are_refused),
		GEOMETRY_TEST(a_format_may_have_no_marks),
		GEOMETRY_TEST(names),
	};
	return run_geometry_tests("format", tests, MM_ARRAY_SIZE(tests));
}
