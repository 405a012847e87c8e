/*
 * Entries, bit by bit. Golden values are worked out from the manuals, and cite them; the walkers
 * in hw_walk.c then hold every permission, memory type and level against the same manuals.
 */
#include "guest.h"

#include <stdlib.h>
#include <string.h>

#include "mm/bits.h"
#include "mm/compiler.h"
#include "mm/npt/entry.h"

static const struct hal_test_options plain = {0};

/* --- c21: golden values --- */

struct golden {
	const char *geometry;
	unsigned level;
	enum mm_perm perm;
	enum mm_memtype type;
	uint64_t host;
	uint64_t entry; /* without software's own bits */
};

static const struct golden golden[] = {
	/* SDM vol. 3C table 29-7 (4 KiB): R=1 W=2 X=4, type 6 (WB) in 5:3 = 0x30, ignore-PAT 0x40.
         */
	{"ept4", 0, MM_RWX, MM_NORMAL, 0x12345000, 0x12345077},
	{"ept4", 0, MM_R, MM_NORMAL, 0x12345000, 0x12345071},
	{"ept4", 0, MM_X, MM_NORMAL, 0x12345000, 0x12345074},
	{"ept4", 0, MM_RW, MM_DEVICE, 0x12345000, 0x12345043},    /* type 0 (UC) */
	{"ept4", 0, MM_RX, MM_NONCACHED, 0x12345000, 0x1234504d}, /* type 1 (WC) */
	/* Table 29-6 (2 MiB), 29-4 (1 GiB): bit 7. */
	{"ept4", 1, MM_RW, MM_NORMAL, 0x40000000, 0x400000f3},
	{"ept4", 2, MM_RWX, MM_DEVICE, 0x40000000, 0x400000c7},
	/* APM vol. 2, 5.3.3 and 15.25: P=1 W=2 U=4, PCD 0x10, PWT 0x8, NX bit 63, PS 0x80. */
	{"amd4", 0, MM_RWX, MM_NORMAL, 0x12345000, 0x12345007},
	{"amd4", 0, MM_R, MM_NORMAL, 0x12345000, 0x8000000012345005},
	{"amd4", 0, MM_RX, MM_DEVICE, 0x12345000, 0x1234501d},
	{"amd4", 1, MM_RW, MM_NORMAL, 0x40000000, 0x8000000040000087},
	{"amd4", 2, MM_RWX, MM_NONCACHED, 0x40000000, 0x40000097},
	/* Without hardware's help A (0x20) and D (0x40) are there from the start. */
	{"amd5", 0, MM_RWX, MM_NORMAL, 0x12345000, 0x12345067},
	/* DDI 0487 D8.3.1.2: page 0b11, MemAttr 0b1111 in 5:2 = 0x3c, S2AP 0xc0, SH inner 0x300,
         * AF 0x400, XN bit 54. */
	{"ipa40", 0, MM_RWX, MM_NORMAL, 0x12345000, 0x123457ff},
	{"ipa40", 0, MM_R, MM_NORMAL, 0x12345000, 0x4000001234577f},
	{"ipa40", 0, MM_RW, MM_DEVICE, 0x12345000, 0x400000123454c3},
	{"ipa40", 0, MM_X, MM_NORMAL, 0x12345000, 0x1234573f},
	{"ipa40", 0, MM_W, MM_NORMAL, 0x12345000, 0x400000123457bf},
	/* Block 0b01; Normal non-cacheable is MemAttr 0b0101. */
	{"ipa40", 1, MM_RWX, MM_NORMAL, 0x40000000, 0x400007fd},
	{"ipa40", 2, MM_RX, MM_NONCACHED, 0x40000000, 0x40000455},
	/* D8.3.1.1 with DS: bits 51:50 of the address in 9:8. */
	{"ipa52", 0, MM_RWX, MM_NORMAL, UINT64_C(0xc000012345000), 0x123457ff},
	{"ipa52", 3, MM_RWX, MM_NORMAL, UINT64_C(0x4008000000000), 0x80000005fd},
	/* Privileged manual, "Sv39", Svpbmt: V=1 R=2 W=4 X=8 U=0x10, PPN << 10, NC 1<<61, IO 2<<61.
         */
	{"sv39x4", 0, MM_RWX, MM_NORMAL, 0x12345000, 0x48d141f},
	{"sv39x4", 0, MM_R, MM_NORMAL, 0x12345000, 0x48d1413},
	{"sv39x4", 0, MM_X, MM_DEVICE, 0x12345000, 0x40000000048d1419},
	{"sv39x4", 1, MM_RW, MM_NONCACHED, 0x40000000, 0x2000000010000017},
	{"sv39x4", 2, MM_RX, MM_NORMAL, 0x40000000, 0x1000001b},
	/* Without Svadu: A 0x40 and D 0x80 from the start. */
	{"sv48x4", 0, MM_RW, MM_NORMAL, 0x12345000, 0x48d14d7},
	{"sv48x4", 3, MM_RWX, MM_NORMAL, 0x8000000000, 0x20000000df},
};

/* The raw entry that decides about gpa. */
static uint64_t raw_entry(struct guest *g, gpa_t gpa, enum mm_perm access)
{
	struct hw_result r = guest_walk(g, gpa, access);
	CHECK_EQ(r.outcome, HW_OK);
	return r.entry;
}

static void c21_golden_entries(const struct geometry *geo)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(golden); i++) {
		const struct golden *c = &golden[i];
		if (strcmp(c->geometry, geo->name) != 0)
			continue;
		struct guest *g = guest_open(geo, plain);
		check_context("format=%s level=%u perm=%s type=%s", geo->name, c->level,
		              mm_perm_name(c->perm), mm_memtype_name(c->type));
		struct gpa_range range = gpa_range(gpa_at(0), MM_LEVEL_SIZE(c->level));
		CHECK_OK(aspace_map_linear(&g->as, range, hpa_at(c->host), c->perm, c->type,
		                           c->level));
		enum mm_perm access = c->perm & MM_R ? MM_R : c->perm & MM_W ? MM_W : MM_X;
		CHECK_EQ(raw_entry(g, gpa_at(0), access), c->entry);
		guest_close(g);
	}
}

/* A table entry, for each format: the root's first, after one page is mapped. */
static void c21_golden_table_entries(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	CHECK_OK(aspace_map_linear(&g->as, pages(0, 1), hpa_at(0), MM_RWX, MM_NORMAL, 0));
	struct hw_result r = guest_walk(g, gpa_at(0), MM_R);
	uint64_t entry = *(uint64_t *)hal_test_ptr(g->hal, aspace_root(&g->as));
	uint64_t table = r.tables[1].raw;
	if (is_ept(geo)) /* SDM table 29-2: R W X, 7:3 reserved */
		CHECK_EQ(entry, table | 7);
	else if (is_amd(geo)) /* APM 5.3.3: P W U */
		CHECK_EQ(entry & ~BIT(5), table | 7);
	else if (is_riscv(geo)) /* V alone: "for non-leaf PTEs D, A and U are reserved" */
		CHECK_EQ(entry, (table >> 2) | 1);
	else /* DDI 0487 D8.3.1: 0b11, stage 2 tables have no attributes */
		CHECK_EQ(entry, table | 3);
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
				hpa_t host = hpa_at((UINT64_C(1) << geo->config.hpa_bits) - size);
				struct aspace_translation t;
				check_context("format=%s level=%u perm=%s type=%s", geo->name,
				              level, mm_perm_name((enum mm_perm)perm),
				              mm_memtype_name((enum mm_memtype)type));
				enum mm_error can =
					npt_can_express(geo->format, &geo->config, level,
				                        (enum mm_perm)perm, (enum mm_memtype)type);
				CHECK_ERR(aspace_map_linear(&g->as, gpa_range(gpa_at(0), size),
				                            host, (enum mm_perm)perm,
				                            (enum mm_memtype)type, level),
				          can);
				for (unsigned access = 1; can == MM_OK && access < 8; access *= 2) {
					struct hw_result r = guest_walk(g, gpa_at(size - 1),
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
					CHECK_OK(aspace_translate(&g->as, gpa_at(0), &t));
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
	CHECK(hpa_is_aligned(aspace_root(&g->as), bytes < MM_PAGE_SIZE ? MM_PAGE_SIZE : bytes));
	CHECK_BYTES(hal_test_ptr(g->hal, aspace_root(&g->as)), 0, frames * MM_PAGE_SIZE);
	CHECK_EQ(guest_stats(g).tables, frames);
	if (is_riscv(geo)) /* "the root page table ... 16 KiB and must be aligned to 16 KiB" */
		CHECK_EQ(frames, 4);
	/* Each quarter of the space is reached through its own part of the root. */
	uint64_t quarter = UINT64_C(1) << (npt_gpa_bits(&geo->config) - 2);
	for (unsigned i = 0; i < 4; i++) {
		gpa_t at = gpa_at(i * quarter);
		CHECK_OK(aspace_map_alloc(&g->as, gpa_range(at, MM_PAGE_SIZE), MM_RW,
		                          (struct aspace_backing){0}));
		guest_store(g, at, (uint8_t)(i + 1));
	}
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(guest_load(g, gpa_at(i * quarter)), i + 1);
	guest_close(g);
}

/* --- c23: what cannot be expressed --- */

static void c23_inexpressible_permissions_are_refused(const struct geometry *geo)
{
	const struct npt_config *config = &geo->config;
	struct npt_config plainer = *config;
	plainer.execute_only = false;
	for (unsigned perm = 0; perm < MM_PERM_SETS; perm++) {
		enum mm_perm p = (enum mm_perm)perm;
		bool write_only = (perm & MM_RW) == MM_W;
		check_context("format=%s perm=%s", geo->name, mm_perm_name(p));
		enum mm_error want = MM_OK;
		/* Arm alone has write-only pages (S2AP = 0b10); AMD reads whatever is present. */
		if (write_only && !is_arm(geo))
			want = MM_UNSUPPORTED;
		if (p == MM_X && !config->execute_only)
			want = MM_UNSUPPORTED;
		CHECK_ERR(npt_can_express(geo->format, config, 0, p, MM_NORMAL), want);
		if (p == MM_X)
			CHECK_ERR(npt_can_express(geo->format, &plainer, 0, p, MM_NORMAL),
			          MM_UNSUPPORTED);
	}
	CHECK_ERR(npt_can_express(geo->format, config, config->max_leaf + 1, MM_R, MM_NORMAL),
	          MM_UNSUPPORTED);
	CHECK_ERR(npt_can_express(geo->format, config, 0, (enum mm_perm)8, MM_NORMAL),
	          MM_UNSUPPORTED);
	CHECK_ERR(npt_can_express(geo->format, config, 0, MM_R, MM_MEMTYPES), MM_UNSUPPORTED);
	plainer.fixed_memtype = true;
	CHECK_ERR(npt_can_express(geo->format, &plainer, 0, MM_R, MM_NORMAL), MM_OK);
	CHECK_ERR(npt_can_express(geo->format, &plainer, 0, MM_R, MM_DEVICE), MM_UNSUPPORTED);
}

/* --- c24: nobody faults for ever (guest_touch() would say so) --- */

static void c24_a_mapped_page_can_be_used(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	for (unsigned perm = 1; perm < MM_PERM_SETS; perm++) {
		if (!guest_can(g, (enum mm_perm)perm))
			continue;
		CHECK_OK(aspace_map_alloc(&g->as, pages(perm, 1), (enum mm_perm)perm,
		                          (struct aspace_backing){.populate = true}));
		for (unsigned access = 1; access < 8; access *= 2) {
			if (perm & access)
				EXPECT_TOUCH(g, page(perm), (enum mm_perm)access, TOUCH_HIT);
		}
	}
	guest_close(g);
}

/* --- configurations --- */

static enum mm_error with(const struct geometry *geo, struct npt_config config)
{
	return npt_config_check(geo->format, &config);
}

static void configurations_are_held_against_the_format(const struct geometry *geo)
{
	const struct npt_config good = geo->config;
	struct npt_config c;
	CHECK_OK(with(geo, good));
#define REFUSED(field, value)                                                                      \
	do {                                                                                       \
		c = good;                                                                          \
		c.field = (value);                                                                 \
		CHECK_ERR(with(geo, c), MM_UNSUPPORTED);                                           \
	} while (0)
	REFUSED(levels, 0);
	REFUSED(levels, 1);
	REFUSED(levels, 6);
	REFUSED(root_bits, 0);
	REFUSED(root_bits, 14);
	REFUSED(root_bits, UINT32_MAX);
	REFUSED(hpa_bits, 0);
	REFUSED(hpa_bits, 12);
	REFUSED(hpa_bits, 57);
	REFUSED(max_leaf, 5);
	REFUSED(max_leaf, good.levels);
	/* The largest leaf fits into physical memory. */
	REFUSED(hpa_bits, MM_LEVEL_SHIFT(good.max_leaf) - 1);
#undef REFUSED
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
	if (is_amd(geo)) {
		c = good;
		c.execute_only = true;
		CHECK_ERR(with(geo, c), MM_UNSUPPORTED);
	}
	/* And an address space says the same. */
	struct hal_test *hal = hal_test_open(plain);
	struct aspace_config config = guest_config(geo, hal);
	struct aspace *as = aligned_alloc(64, sizeof(*as));
	config.npt.levels = 7;
	CHECK_ERR(aspace_init(as, &config), MM_UNSUPPORTED);
	config = guest_config(geo, hal);
	hal_test_fail_after(hal, 1);
	CHECK_ERR(aspace_init(as, &config), MM_NO_MEMORY);
	hal_test_fail_after(hal, 0);
	config.quota = (UINT64_C(1) << npt_root_order(&geo->config)) - 1;
	CHECK_ERR(aspace_init(as, &config), MM_QUOTA);
	CHECK_EQ(hal->in_use, 0);
	free(as);
	hal_test_close(hal);
}

static void names(const struct geometry *geo)
{
	const char *want = is_ept(geo)                  ? "ept"
	                   : is_amd(geo)                ? "amd"
	                   : is_riscv(geo)              ? "gstage"
	                   : geo->format == &npt_stage2 ? "stage2"
	                                                : "stage2-lpa2";
	CHECK_TEXT(npt_format_name(geo->format), want);
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
		GEOMETRY_TEST(names),
	};
	return run_geometry_tests("format", tests, MM_ARRAY_SIZE(tests));
}
