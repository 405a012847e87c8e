/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86/stage1.c, the software walk of a guest's own tables: each paging mode and page
 * size, the access rights of SDM vol. 3, 4.6.1 as a table, and tables that lead nowhere.
 */
#include "guest.h"
#include "machine/x86_64/bits.h"
#include "x86/stage1.h"

#define TABLES UINT64_C(0x10000) /* the root, and then a table per level */
#define PAGES  16U

#define P   BIT(0)
#define W   BIT(1)
#define U   BIT(2)
#define PS  BIT(7)
#define NX  BIT(63)
#define PWU (P | W | U)

struct tables {
	struct guest *guest;
	struct stage1 walk;
};

static void open_tables(struct tables *t, uint64_t cr4, uint64_t efer)
{
	const struct geometry *geo = geometries;

	while (!is_ept(geo))
		geo++;
	t->guest = guest_open(geo, (struct hal_test_options){0});
	CHECK_OK(mm_aspace_map_alloc(&t->guest->as,
	                             mm_gpa_range(mm_gpa_at(TABLES), PAGES * MM_PAGE_SIZE), MM_RW,
	                             (struct mm_aspace_backing){0}));
	t->walk = (struct stage1){
		.as = &t->guest->as,
		.cr0 = CR0_PE | CR0_PG,
		.cr3 = TABLES,
		.cr4 = cr4,
		.efer = efer,
	};
}

static void put(struct tables *t, unsigned table, unsigned index, unsigned size, uint64_t entry)
{
	CHECK_OK(mm_aspace_store(&t->guest->as,
	                         mm_gpa_at(TABLES + table * MM_PAGE_SIZE + index * size), size,
	                         entry));
}

static uint64_t at(unsigned table)
{
	return TABLES + table * MM_PAGE_SIZE;
}

static void expect(struct tables *t, uint64_t gva, enum mm_perm access, enum mm_error error,
                   uint64_t gpa)
{
	mm_gpa_t got = mm_gpa_at(0);

	CHECK_ERR(stage1_translate(&t->walk, mm_gva_at(gva), access, &got), error);
	if (error == MM_OK)
		CHECK_EQ(got.raw, gpa);
}

static void test_off(void **state)
{
	struct tables t;

	(void)state;
	open_tables(&t, 0, 0);
	t.walk.cr0 = CR0_PE;
	expect(&t, 0x12345678, MM_R, MM_OK, 0x12345678);
	expect(&t, 0x100000010, MM_X, MM_OK, 0x10);
	guest_close(t.guest);
}

static void test_32_bit(void **state)
{
	struct tables t;

	(void)state;
	open_tables(&t, CR4_PSE, 0);
	put(&t, 0, 1, 4, at(1) | PWU);
	put(&t, 1, 3, 4, 0xabcde000 | PWU);
	put(&t, 0, 2, 4, 0x00c00000 | 3 << 13 | PS | PWU); /* bits 33:32 of the page are 3 */
	expect(&t, 0x00403123, MM_W, MM_OK, 0xabcde123);
	expect(&t, 0x00812345, MM_R, MM_OK, 0x300c12345);
	expect(&t, 0x00404000, MM_R, MM_NOT_MAPPED, 0);
	expect(&t, 0x00000000, MM_R, MM_NOT_MAPPED, 0);
	guest_close(t.guest);
}

static void test_pae(void **state)
{
	struct tables t;

	(void)state;
	open_tables(&t, CR4_PAE, 0);
	put(&t, 0, 3, 8, at(1) | P); /* no permissions here, and none missed */
	put(&t, 1, 511, 8, at(2) | PWU);
	put(&t, 1, 510, 8, 0x40000000 | PS | PWU);
	put(&t, 2, 511, 8, 0x123456000 | PWU);
	expect(&t, 0xfffff010, MM_W, MM_OK, 0x123456010);
	expect(&t, 0xffdfffff, MM_W, MM_OK, 0x401fffff);
	expect(&t, 0x3fffffff, MM_R, MM_NOT_MAPPED, 0);
	guest_close(t.guest);
}

/* A table per level in a row, the last index of each, and a leaf at each level that has one. */
static void long_mode(uint64_t cr4, unsigned levels)
{
	struct tables t;

	open_tables(&t, CR4_PAE | cr4, EFER_LMA | EFER_LME);
	for (unsigned i = 0; i + 1 < levels; i++)
		put(&t, i, 511, 8, at(i + 1) | PWU);
	put(&t, levels - 1, 511, 8, 0x7000 | PWU);
	put(&t, levels - 2, 5, 8, 0x40000000 | PS | PWU);
	put(&t, levels - 3, 6, 8, 0x80000000 | PS | PWU);
	expect(&t, UINT64_C(0xfffffffffffff008), MM_W, MM_OK, 0x7008);
	expect(&t, UINT64_C(0xffffffffc0a12345), MM_W, MM_OK, 0x40012345);
	expect(&t, UINT64_C(0xffffff81b2345678), MM_W, MM_OK, 0x80000000 | 0x32345678);
	expect(&t, UINT64_C(0xffffffffffffe000), MM_W, MM_NOT_MAPPED, 0);
	/* Not canonical: one bit too few is set. */
	expect(&t, UINT64_C(0xfffffffffffff008) & ~BIT(57), MM_W, MM_NOT_MAPPED, 0);
	guest_close(t.guest);
}

static void test_4_levels(void **state)
{
	(void)state;
	long_mode(0, 4);
}

static void test_5_levels(void **state)
{
	(void)state;
	long_mode(CR4_LA57, 5);
}

static void test_rights(void **state)
{
	static const struct {
		uint64_t entry, cr0, cr4, efer;
		bool user, ac;
		enum mm_perm permitted;
	} rows[] = {
		/* Supervisor: writes need W only with CR0.WP, fetches no NX only with EFER.NXE. */
		{P, 0, 0, 0, false, false, MM_RWX},
		{P, CR0_WP, 0, 0, false, false, MM_RX},
		{P | W, CR0_WP, 0, 0, false, false, MM_RWX},
		{P | W | NX, CR0_WP, 0, EFER_NXE, false, false, MM_RW},
		/* Supervisor on user pages: SMEP, SMAP and RFLAGS.AC. */
		{PWU, CR0_WP, 0, 0, false, false, MM_RWX},
		{PWU, CR0_WP, CR4_SMEP, 0, false, false, MM_RW},
		{PWU, CR0_WP, CR4_SMAP, 0, false, false, MM_X},
		{PWU, CR0_WP, CR4_SMAP, 0, false, true, MM_RWX},
		{P | W, CR0_WP, CR4_SMEP | CR4_SMAP, 0, false, false, MM_RWX},
		/* User. */
		{P | W, 0, 0, 0, true, false, MM_NONE},
		{P | U, 0, 0, 0, true, false, MM_RX},
		{PWU, 0, CR4_SMEP | CR4_SMAP, 0, true, false, MM_RWX},
		{PWU | NX, 0, 0, EFER_NXE, true, false, MM_RW},
	};
	static const enum mm_perm accesses[] = {MM_R, MM_W, MM_X};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* The bits on the leaf, with all permitted above; and the other way round. */
		for (unsigned where = 0; where < 4; where++) {
			struct tables t;

			check_context("row=%zu level=%u", i, where);
			open_tables(&t, CR4_PAE | rows[i].cr4, EFER_LMA | rows[i].efer);
			t.walk.cr0 |= rows[i].cr0;
			t.walk.user = rows[i].user;
			t.walk.access_user = rows[i].ac;
			for (unsigned l = 0; l < 4; l++)
				put(&t, l, 0, 8,
				    (l == 3 ? 0x5000 : at(l + 1)) |
				            (l == where ? rows[i].entry : PWU));
			for (unsigned a = 0; a < 3; a++)
				expect(&t, 0x10, accesses[a],
				       mm_permits(rows[i].permitted, accesses[a]) ? MM_OK
				                                                  : MM_DENIED,
				       0x5010);
			guest_close(t.guest);
		}
	}
}

/* What the guest gets for an access that its tables refuse: SDM vol. 3, 4.7. */
static void test_faults(void **state)
{
	static const struct {
		uint64_t address, entry, cr4, efer;
		bool user;
		enum mm_perm access;
		enum stage1_fault fault;
		uint32_t code;
	} rows[] = {
		{0x10, PWU, 0, 0, false, MM_W, STAGE1_NO_FAULT, 0},
		{0x10, W, 0, 0, false, MM_R, STAGE1_PAGE_FAULT, 0},
		{0x10, W, 0, 0, true, MM_W, STAGE1_PAGE_FAULT, 0x6},
		{0x10, P, 0, 0, false, MM_W, STAGE1_PAGE_FAULT, 0x3},
		{0x10, P | W, 0, 0, true, MM_R, STAGE1_PAGE_FAULT, 0x5},
		{0x10, PWU | NX, 0, 0, false, MM_R, STAGE1_PAGE_FAULT, 0x9},
		{0x10, PWU | NX, 0, EFER_NXE, true, MM_X, STAGE1_PAGE_FAULT, 0x15},
		{0x10, PWU, CR4_SMEP, 0, false, MM_X, STAGE1_PAGE_FAULT, 0x11},
		{0x10, 0, 0, 0, false, MM_X, STAGE1_PAGE_FAULT, 0},
		{UINT64_C(1) << 62, PWU, 0, 0, false, MM_R, STAGE1_NOT_CANONICAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tables t;
		uint32_t code = 0;

		check_context("row=%zu", i);
		open_tables(&t, CR4_PAE | rows[i].cr4, EFER_LMA | rows[i].efer);
		t.walk.cr0 |= CR0_WP;
		t.walk.user = rows[i].user;
		for (unsigned l = 0; l < 4; l++)
			put(&t, l, 0, 8, l == 3 ? 0x5000 | rows[i].entry : at(l + 1) | PWU);
		CHECK_EQ(stage1_fault(&t.walk, mm_gva_at(rows[i].address), rows[i].access, &code),
		         rows[i].fault);
		CHECK_EQ(code, rows[i].code);
		/* A table that is not in guest memory. */
		t.walk.cr3 = 0x9999000;
		if (rows[i].fault != STAGE1_NOT_CANONICAL)
			CHECK_EQ(stage1_fault(&t.walk, mm_gva_at(0x10), MM_R, &code),
			         STAGE1_NO_FAULT);
		guest_close(t.guest);
	}
}

/* Tables outside of guest memory, in nothing, or that are themselves: errors, no end of it. */
static void test_wild_tables(void **state)
{
	struct tables t;

	(void)state;
	open_tables(&t, CR4_PAE, EFER_LMA);
	put(&t, 0, 0, 8, UINT64_C(0x7777000) | PWU);
	expect(&t, 0, MM_R, MM_NOT_MAPPED, 0);
	put(&t, 0, 0, 8, GENMASK(51, 12) | PWU);
	expect(&t, 0, MM_R, MM_OUT_OF_RANGE, 0);
	put(&t, 0, 0, 8, at(0) | PWU);
	expect(&t, 0, MM_R, MM_OK, at(0));
	t.walk.cr3 = 0x9999000;
	expect(&t, 0, MM_R, MM_NOT_MAPPED, 0);
	guest_close(t.guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off),         cmocka_unit_test(test_32_bit),
		cmocka_unit_test(test_pae),         cmocka_unit_test(test_4_levels),
		cmocka_unit_test(test_5_levels),    cmocka_unit_test(test_rights),
		cmocka_unit_test(test_wild_tables), cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
