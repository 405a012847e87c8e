/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both walkers, hw_walk() and tests/oracle, on single entries: rows of raw entries beside what the
 * manual says of them. Here are the cases in which random tables cannot tell who is right: the
 * priority of faults, memory types that the library never writes, leaves larger than the memory.
 */
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

#include "geometry.h"

#include "mm/compiler.h"

/* The root is anywhere in the 1 GiB from here. The tables below it lie at 0x2000, 0x3000, ... and
 * all entries of a table are the same. */
#define ROOT UINT64_C(0x40000000)

struct row {
	const char *name;
	const char *geometry;
	unsigned hpa_bits; /* 0: the geometry's */
	bool fixed_memtype;
	uint64_t gpa;
	uint64_t words[MM_NPT_MAX_LEVELS]; /* the root's first */
	enum mm_perm access;
	enum hw_outcome outcome;
	/* HW_OK */
	enum mm_memtype memtype;
	unsigned shareability;
	bool ignore_pat, clean;
};

/* The library has no name for it: write-through, write-protected, mixed. */
#define OTHER MM_MEMTYPES

/* clang-format off */
static const struct row rows[] = {
	/* Arm ARM D8.15: translation, address size, access flag, permission. S2AP is 7:6, AF 10. */
	{"no AF, no W", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x537f}, MM_W, HW_ACCESS_FLAG},
	{"no AF, XN", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x400000000053ff}, MM_X, HW_ACCESS_FLAG},
	{"no AF, nothing permitted", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x4000000000533f}, MM_R, HW_ACCESS_FLAG},
	{"no AF, no W, 2m", "ipa40", 0, 0, 0, {0x2003, 0x40037d}, MM_W, HW_ACCESS_FLAG},
	{"no AF, W", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x53ff}, MM_W, HW_ACCESS_FLAG},
	{"AF, no W", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x577f}, MM_W, HW_PERMISSION},
	{"no AF, beyond 44 bits", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x10000000537f}, MM_W, HW_MISCONFIG},
	/* D8.5.1: with VTCR_EL2.HA the walk sets AF, and the permission decides. */
	{"HA, no AF, no W", "ipa48", 0, 0, 0, {0x2003, 0x3003, 0x4003, 0x537f}, MM_W, HW_PERMISSION},
	/* RISC-V: permission is step 6, A and D are step 9. */
	{"no A, no W", "sv48x4", 0, 0, 0, {0x801, 0xc01, 0x1001, 0x1413}, MM_W, HW_PERMISSION},
	{"no A", "sv48x4", 0, 0, 0, {0x801, 0xc01, 0x1001, 0x1413}, MM_R, HW_ACCESS_FLAG},
	{"no D, write", "sv48x4", 0, 0, 0, {0x801, 0xc01, 0x1001, 0x1457}, MM_W, HW_ACCESS_FLAG},
	{"no D, read", "sv48x4", 0, 0, 0, {0x801, 0xc01, 0x1001, 0x1457}, MM_R, HW_OK},

	/* "Svpbmt": PBMT is 62:61. Without the extension these bits are reserved. */
	{"pbmt nc", "sv39x4", 0, 0, 0, {0x801, 0xc01, 0x20000000000014df}, MM_R, HW_OK, MM_NONCACHED},
	{"pbmt io", "sv39x4", 0, 0, 0, {0x801, 0xc01, 0x40000000000014df}, MM_R, HW_OK, MM_DEVICE},
	{"pbmt 3", "sv39x4", 0, 0, 0, {0x801, 0xc01, 0x60000000000014df}, MM_R, HW_MISCONFIG},
	{"pbmt nc, in a table", "sv39x4", 0, 0, 0, {0x801, 0x2000000000000c01, 0x14df}, MM_R, HW_MISCONFIG},
	{"no svpbmt, 0", "sv39x4", 0, 1, 0, {0x801, 0xc01, 0x14df}, MM_R, HW_OK, MM_NORMAL},
	{"no svpbmt, nc", "sv39x4", 0, 1, 0, {0x801, 0xc01, 0x20000000000014df}, MM_R, HW_MISCONFIG},
	{"no svpbmt, io", "sv39x4", 0, 1, 0, {0x801, 0xc01, 0x40000000000014df}, MM_R, HW_MISCONFIG},
	{"no svpbmt, 3", "sv39x4", 0, 1, 0, {0x801, 0xc01, 0x60000000000014df}, MM_R, HW_MISCONFIG},
	{"no svpbmt, io, no W", "sv39x4", 0, 1, 0, {0x801, 0xc01, 0x40000000000014d3}, MM_W, HW_MISCONFIG},
	{"no svpbmt, nc, in a table", "sv39x4", 0, 1, 0, {0x801, 0x2000000000000c01, 0x14df}, MM_R, HW_MISCONFIG},

	/* APM vol. 2, 7.8: the PAT after reset. PWT is 3, PCD 4, PAT 7, or 12 in large leaves. */
	{"pat 0, wb", "amd4", 0, 0, 0, {0x2027, 0x3027, 0x4027, 0x5067}, MM_R, HW_OK, MM_NORMAL},
	{"pat 1, wt", "amd4", 0, 0, 0, {0x2027, 0x3027, 0x4027, 0x506f}, MM_R, HW_OK, OTHER},
	{"pat 2, uc-", "amd4", 0, 0, 0, {0x2027, 0x3027, 0x4027, 0x5077}, MM_R, HW_OK, MM_NONCACHED},
	{"pat 3, uc", "amd4", 0, 0, 0, {0x2027, 0x3027, 0x4027, 0x507f}, MM_R, HW_OK, MM_DEVICE},
	{"pat 4, wb", "amd4", 0, 0, 0, {0x2027, 0x3027, 0x4027, 0x50e7}, MM_R, HW_OK, MM_NORMAL},
	{"pat 5, wt", "amd4", 0, 0, 0, {0x2027, 0x3027, 0x4027, 0x50ef}, MM_R, HW_OK, OTHER},
	{"pat 6, uc-", "amd4", 0, 0, 0, {0x2027, 0x3027, 0x4027, 0x50f7}, MM_R, HW_OK, MM_NONCACHED},
	{"pat 7, uc", "amd4", 0, 0, 0, {0x2027, 0x3027, 0x4027, 0x50ff}, MM_R, HW_OK, MM_DEVICE},
	{"2m pat 3", "amd4", 0, 0, 0, {0x2027, 0x3027, 0x4000ff}, MM_R, HW_OK, MM_DEVICE},
	{"2m pat 4", "amd4", 0, 0, 0, {0x2027, 0x3027, 0x4010e7}, MM_R, HW_OK, MM_NORMAL},
	{"1g pat 7", "amd4", 0, 0, 0, {0x2027, 0x400010ff}, MM_R, HW_OK, MM_DEVICE},

	/* SDM vol. 3C, 29.3.7.2: type in 5:3, ignore-PAT 6. */
	{"uc", "ept4", 0, 0, 0, {0x2007, 0x3007, 0x4007, 0x5307}, MM_R, HW_OK, MM_DEVICE},
	{"wc", "ept4", 0, 0, 0, {0x2007, 0x3007, 0x4007, 0x530f}, MM_R, HW_OK, MM_NONCACHED},
	{"wt", "ept4", 0, 0, 0, {0x2007, 0x3007, 0x4007, 0x5327}, MM_R, HW_OK, OTHER},
	{"wp", "ept4", 0, 0, 0, {0x2007, 0x3007, 0x4007, 0x532f}, MM_R, HW_OK, OTHER},
	{"wb", "ept4", 0, 0, 0, {0x2007, 0x3007, 0x4007, 0x5337}, MM_R, HW_OK, MM_NORMAL},
	{"wb, ignore pat", "ept4", 0, 0, 0, {0x2007, 0x3007, 0x4007, 0x5377}, MM_R, HW_OK, MM_NORMAL, .ignore_pat = true},
	{"uc, ignore pat, 2m", "ept4", 0, 0, 0, {0x2007, 0x3007, 0x4003c7}, MM_R, HW_OK, MM_DEVICE, .ignore_pat = true},

	/* Arm ARM D8.6.5: MemAttr 5:2, outer and inner. D8.6.2: SH 9:8. */
	{"nGnRnE", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x57c3}, MM_R, HW_OK, MM_DEVICE, 3},
	{"GRE", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x57cf}, MM_R, HW_OK, MM_DEVICE, 3},
	{"outer NC, inner 0", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x57d3}, MM_R, HW_MISCONFIG},
	{"NC", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x57d7}, MM_R, HW_OK, MM_NONCACHED, 3},
	{"outer NC, inner WT", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x57db}, MM_R, HW_OK, OTHER, 3},
	{"outer WT, inner 0", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x57e3}, MM_R, HW_MISCONFIG},
	{"WT", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x57eb}, MM_R, HW_OK, OTHER, 3},
	{"outer WB, inner 0", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x57f3}, MM_R, HW_MISCONFIG},
	{"outer WB, inner NC", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x57f7}, MM_R, HW_OK, OTHER, 3},
	{"WB", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x57ff}, MM_R, HW_OK, MM_NORMAL, 3},
	{"WB, not shareable", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x54ff}, MM_R, HW_OK, MM_NORMAL, 0},
	{"WB, SH reserved", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x55ff}, MM_R, HW_MISCONFIG},
	{"WB, outer shareable", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x56ff}, MM_R, HW_OK, MM_NORMAL, 2},
	{"NC, SH ignored", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x55d7}, MM_R, HW_OK, MM_NONCACHED, 1},
	{"Device, SH ignored", "ipa40", 0, 0, 0, {0x2003, 0x3003, 0x55c3}, MM_R, HW_OK, MM_DEVICE, 1},
	/* With DS these bits are the address's, and VTCR_EL2.SH0 decides. */
	{"WB, DS", "ipa52c", 0, 0, 0, {0x2003, 0x3003, 0x4003, 0x55ff}, MM_R, HW_OK, MM_NORMAL, 3},

	/* A leaf that does not lie in physical memory: sv57x4's are of up to 2^48 bytes. */
	{"2^48 of 2^50", "sv57x4", 50, 0, 0x800000000000, {0xdf}, MM_R, HW_OK},
	{"2^48 of 2^48", "sv57x4", 48, 0, 0x800000000000, {0xdf}, MM_R, HW_OK},
	{"2^48 of 2^47", "sv57x4", 47, 0, 0x800000000000, {0xdf}, MM_R, HW_MISCONFIG},
	{"2^48 of 2^47, its first byte", "sv57x4", 47, 0, 0, {0xdf}, MM_R, HW_MISCONFIG},
	{"2^48 of 2^40", "sv57x4", 40, 0, 0x10000000000, {0xdf}, MM_W, HW_MISCONFIG},
	{"2^39 of 2^39", "sv48x4", 39, 0, 0x4000000000, {0xdf}, MM_R, HW_OK},
	{"2^39 of 2^38", "sv48x4", 38, 0, 0x4000000000, {0xdf}, MM_R, HW_MISCONFIG},
	{"2^39 of 2^38, no A", "sv48x4", 38, 0, 0x4000000000, {0x9f}, MM_R, HW_MISCONFIG},
	{"2^39 of 2^38, no W", "sv48x4", 38, 0, 0x4000000000, {0xdb}, MM_W, HW_MISCONFIG},
	{"page beyond 2^40", "sv39x4", 40, 0, 0, {0x801, 0xc01, 0x400000000df}, MM_R, HW_MISCONFIG},
	{"table beyond 2^40", "sv39x4", 40, 0, 0, {0x801, 0x40000000c01}, MM_R, HW_MISCONFIG},
	{"2^39 of 2^40", "ipa52c", 40, 0, 0x4000000000, {0x4fd}, MM_R, HW_OK, MM_NORMAL, 3},
	{"2^39 of 2^36", "ipa52c", 36, 0, 0x4000000000, {0x4fd}, MM_R, HW_MISCONFIG},
	{"2^39 of 2^36, its first byte", "ipa52c", 36, 0, 0, {0x4fd}, MM_R, HW_MISCONFIG},

	/* Would a write change the leaf? Only where hardware sets D. */
	{"ept clean", "ept4", 0, 0, 0, {0x2007, 0x3007, 0x4007, 0x5137}, MM_R, HW_OK, .clean = true},
	{"ept without A and D", "ept4-old", 0, 0, 0, {0x2007, 0x3007, 0x4007, 0x5037}, MM_R, HW_OK},
	{"amd clean", "amd4", 0, 0, 0, {0x2027, 0x3027, 0x4027, 0x5027}, MM_R, HW_OK, .clean = true},
	{"arm clean", "ipa48", 0, 0, 0, {0x2003, 0x3003, 0x4003, 0x800000000577f}, MM_R, HW_OK, MM_NORMAL, 3, .clean = true},
	{"arm dirty", "ipa48", 0, 0, 0, {0x2003, 0x3003, 0x4003, 0x80000000057ff}, MM_R, HW_OK, MM_NORMAL, 3},
	{"arm, no DBM", "ipa48", 0, 0, 0, {0x2003, 0x3003, 0x4003, 0x577f}, MM_R, HW_OK, MM_NORMAL, 3},
	{"riscv clean", "sv39x4", 0, 0, 0, {0x801, 0xc01, 0x145f}, MM_R, HW_OK, .clean = true},
};
/* clang-format on */

struct tables {
	_Atomic uint64_t words[MM_NPT_MAX_LEVELS];
};

static void *memory(void *ctx, mm_hpa_t pa)
{
	struct tables *t = ctx;
	uint64_t depth = pa.raw >= ROOT ? 0 : (pa.raw >> 12) - 1;

	CHECK(depth < MM_NPT_MAX_LEVELS);
	return &t->words[depth];
}

static const struct geometry *geometry_named(const char *name)
{
	for (size_t i = 0; i < geometry_count; i++) {
		if (strcmp(geometries[i].name, name) == 0)
			return &geometries[i];
	}
	check_failed(__FILE__, __LINE__, "no geometry %s", name);
}

static void check_result(const struct row *row, const struct hw_result *r)
{
	CHECK_TEXT(hw_outcome_name(r->outcome), hw_outcome_name(row->outcome));
	if (row->outcome != HW_OK)
		return;
	CHECK_EQ(r->memtype, row->memtype);
	CHECK_EQ(r->shareability, row->shareability);
	CHECK_EQ(r->ignore_pat, row->ignore_pat);
	CHECK_EQ(r->dirty, !row->clean);
}

static void run_row(void **state)
{
	const struct row *row = *state;
	const struct geometry *geo = geometry_named(row->geometry);
	struct tables t = {0};
	struct hw_mmu mmu = {geo->format, geo->config, mm_hpa_at(ROOT), memory, &t};
	struct hw_result first, second;
	struct oracle_walk walk;
	char text[1024];

	check_context("row=%s geometry=%s", row->name, row->geometry);
	mmu.config.fixed_memtype = row->fixed_memtype;
	if (row->hpa_bits)
		mmu.config.hpa_bits = row->hpa_bits;
	for (unsigned i = 0; i < MM_NPT_MAX_LEVELS; i++)
		t.words[i] = row->words[i];
	walk = oracle_walk_mmu(&mmu, mm_gpa_at(row->gpa), row->access);
	second = oracle_to_hw(&mmu, &walk, row->access, false);
	if (!oracle_compare(&mmu, mm_gpa_at(row->gpa), row->access, false, &first, text,
	                    sizeof(text)))
		check_failed(__FILE__, __LINE__, "%s", text);
	check_context("row=%s geometry=%s walker=hw_walk", row->name, row->geometry);
	check_result(row, &first);
	check_context("row=%s geometry=%s walker=oracle", row->name, row->geometry);
	check_result(row, &second);
}

int main(void)
{
	static struct CMUnitTest tests[MM_ARRAY_SIZE(rows)];

	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++)
		tests[i] = (struct CMUnitTest){rows[i].name, run_row, NULL, NULL,
		                               (void *)(uintptr_t)&rows[i]};
	return cmocka_run_group_tests_name("oracle_both", tests, NULL, NULL);
}
