/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/oracle/ept.c against golden rows: Intel SDM vol. 3C, 29.3, tables 29-1 to 29-7.
 */
#include "oracle_golden.h"

/* Indices: PML5 5, PML4 1, PDPT 2, PD 3, PT 4; offset 0xabc. */
static const struct golden_path path4 = {0x0000008080604abc, 4, {0x1008, 0x2010, 0x3018, 0x4020}};
static const struct golden_path path5 = {
	0x0005008080604abc, 5, {0x9028, 0x1008, 0x2010, 0x3018, 0x4020}};

enum {
	FULL,  /* every capability, 46 bits, A/D off */
	FLAGS, /* the same, A/D on */
	OLD,   /* 4 KiB pages alone, no execute-only, 40 bits */
	FIVE,  /* 5 levels, 52 bits, A/D on */
};

static const struct oracle_ept machines[] = {
	[FULL] = {0x101e, 46, true, true, true, false, true},
	[FLAGS] = {0x105e, 46, true, true, true, false, true},
	[OLD] = {0x101e, 40, false, false, false, false, false},
	[FIVE] = {0x9066, 52, true, true, true, true, true},
};

static struct oracle_walk walk(unsigned machine, const struct oracle_memory *memory, uint64_t gpa,
                               enum oracle_access access)
{
	return oracle_ept_walk(&machines[machine], memory, gpa, access);
}

#define BAD  ORACLE_RESERVED, 49
#define NONE ORACLE_ABSENT, 48

/* clang-format off */
static const struct golden rows4[] = {
	/* Pages of three sizes. */
	{"4k rwx", FULL, {0x2007, 0x3007, 0x4007, 0x123456789037}, 'r', .shift = 12, .pa = 0x123456789abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"2m rwx", FULL, {0x2007, 0x3007, 0x1234566000b7}, 'r', .shift = 21, .pa = 0x123456604abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"1g rwx", FULL, {0x2007, 0x1234400000b7}, 'r', .shift = 30, .pa = 0x123440604abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"4k bit 7 ignored", FULL, {0x2007, 0x3007, 0x4007, 0x1234567890b7}, 'x', .shift = 12, .pa = 0x123456789abc, .perm = "rwx", .memtype = ORACLE_WB},
	/* Memory types; 2, 3 and 7 are reserved; bit 6 (IPAT) is beside them. */
	{"type 0", FULL, {0x2007, 0x3007, 0x4007, 0x5007}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_UC},
	{"type 1", FULL, {0x2007, 0x3007, 0x4007, 0x500f}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WC},
	{"type 2", FULL, {0x2007, 0x3007, 0x4007, 0x5017}, 'r', BAD, .shift = 12},
	{"type 3", FULL, {0x2007, 0x3007, 0x4007, 0x501f}, 'r', BAD, .shift = 12},
	{"type 4", FULL, {0x2007, 0x3007, 0x4007, 0x5027}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WT},
	{"type 5", FULL, {0x2007, 0x3007, 0x4007, 0x502f}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WP},
	{"type 6", FULL, {0x2007, 0x3007, 0x4007, 0x5037}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"type 7", FULL, {0x2007, 0x3007, 0x4007, 0x503f}, 'r', BAD, .shift = 12},
	{"type 2 at 2m", FULL, {0x2007, 0x3007, 0x400097}, 'r', BAD, .shift = 21},
	{"type 3 at 1g", FULL, {0x2007, 0x4000009f}, 'r', BAD, .shift = 30},
	{"type 7 at 1g", FULL, {0x2007, 0x400000bf}, 'r', BAD, .shift = 30},
	{"type 6 ipat", FULL, {0x2007, 0x3007, 0x4007, 0x5077}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB},
	/* Bits 2:0 of the last entry. */
	{"pte 1 read", FULL, {0x2007, 0x3007, 0x4007, 0x5031}, 'r', .pa = 0x5abc, .perm = "r", .memtype = ORACLE_WB},
	{"pte 1 write", FULL, {0x2007, 0x3007, 0x4007, 0x5031}, 'w', ORACLE_PERMISSION, 48, 0x0a, 12, .perm = "r"},
	{"pte 1 fetch", FULL, {0x2007, 0x3007, 0x4007, 0x5031}, 'x', ORACLE_PERMISSION, 48, 0x0c, 12, .perm = "r"},
	{"pte 2", FULL, {0x2007, 0x3007, 0x4007, 0x5032}, 'w', BAD, .shift = 12},
	{"pte 3 read", FULL, {0x2007, 0x3007, 0x4007, 0x5033}, 'r', .pa = 0x5abc, .perm = "rw", .memtype = ORACLE_WB},
	{"pte 3 write", FULL, {0x2007, 0x3007, 0x4007, 0x5033}, 'w', .pa = 0x5abc, .perm = "rw", .memtype = ORACLE_WB},
	{"pte 3 fetch", FULL, {0x2007, 0x3007, 0x4007, 0x5033}, 'x', ORACLE_PERMISSION, 48, 0x1c, 12, .perm = "rw"},
	{"pte 4 read", FULL, {0x2007, 0x3007, 0x4007, 0x5034}, 'r', ORACLE_PERMISSION, 48, 0x21, 12, .perm = "x"},
	{"pte 4 write", FULL, {0x2007, 0x3007, 0x4007, 0x5034}, 'w', ORACLE_PERMISSION, 48, 0x22, 12, .perm = "x"},
	{"pte 4 fetch", FULL, {0x2007, 0x3007, 0x4007, 0x5034}, 'x', .pa = 0x5abc, .perm = "x", .memtype = ORACLE_WB},
	{"pte 5 write", FULL, {0x2007, 0x3007, 0x4007, 0x5035}, 'w', ORACLE_PERMISSION, 48, 0x2a, 12, .perm = "rx"},
	{"pte 5 fetch", FULL, {0x2007, 0x3007, 0x4007, 0x5035}, 'x', .pa = 0x5abc, .perm = "rx", .memtype = ORACLE_WB},
	{"pte 6", FULL, {0x2007, 0x3007, 0x4007, 0x5036}, 'x', BAD, .shift = 12},
	{"pte 7 fetch", FULL, {0x2007, 0x3007, 0x4007, 0x5037}, 'x', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB},
	/* Bits 2:0 of entries above: the AND counts. */
	{"pde 1 write", FULL, {0x2007, 0x3007, 0x4001, 0x5037}, 'w', ORACLE_PERMISSION, 48, 0x0a, 12, .perm = "r"},
	{"pdpte 3 fetch", FULL, {0x2007, 0x3003, 0x4007, 0x5037}, 'x', ORACLE_PERMISSION, 48, 0x1c, 12, .perm = "rw"},
	{"pml4e 5 write", FULL, {0x2005, 0x3007, 0x4007, 0x5037}, 'w', ORACLE_PERMISSION, 48, 0x2a, 12, .perm = "rx"},
	{"pml4e 4 read", FULL, {0x2004, 0x3007, 0x4007, 0x5037}, 'r', ORACLE_PERMISSION, 48, 0x21, 12, .perm = "x"},
	{"1 and 4 read", FULL, {0x2001, 0x3004, 0x4007, 0x5037}, 'r', ORACLE_PERMISSION, 48, 0x01, 12, .perm = ""},
	{"pml4e 2", FULL, {0x2002}, 'r', BAD, .shift = 39},
	{"pml4e 6", FULL, {0x2006}, 'r', BAD, .shift = 39},
	{"pdpte 2", FULL, {0x2007, 0x3002}, 'r', BAD, .shift = 30},
	{"pdpte 6", FULL, {0x2007, 0x3006}, 'r', BAD, .shift = 30},
	{"pde 2", FULL, {0x2007, 0x3007, 0x4002}, 'r', BAD, .shift = 21},
	{"pde 6", FULL, {0x2007, 0x3007, 0x4006}, 'r', BAD, .shift = 21},
	{"2m 2", FULL, {0x2007, 0x3007, 0x4000b2}, 'r', BAD, .shift = 21},
	{"1g 6", FULL, {0x2007, 0x400000b6}, 'r', BAD, .shift = 30},
	/* Execute-only without the capability. */
	{"old pte 4", OLD, {0x2007, 0x3007, 0x4007, 0x5034}, 'x', BAD, .shift = 12},
	{"old pde 4", OLD, {0x2007, 0x3007, 0x4004}, 'x', BAD, .shift = 21},
	{"old pdpte 4", OLD, {0x2007, 0x3004}, 'x', BAD, .shift = 30},
	{"old pml4e 4", OLD, {0x2004}, 'x', BAD, .shift = 39},
	{"old pte 5", OLD, {0x2007, 0x3007, 0x4007, 0x5035}, 'x', .pa = 0x5abc, .perm = "rx", .memtype = ORACLE_WB},
	/* Pages without the capability. */
	{"old 2m", OLD, {0x2007, 0x3007, 0x4000b7}, 'r', BAD, .shift = 21},
	{"old 1g", OLD, {0x2007, 0x400000b7}, 'r', BAD, .shift = 30},
	/* Absent: bits 2:0 are 0, whatever the rest is. */
	{"no pml4e", FULL, {0}, 'r', NONE, 0x01, 39},
	{"no pml4e, rest set", FULL, {0xfffffffffffffff8}, 'w', NONE, 0x02, 39},
	{"no pdpte", FULL, {0x2007, 0xfffffffffffffff8}, 'x', NONE, 0x04, 30},
	{"no pde", FULL, {0x2007, 0x3007, 0xfffffffffffffff8}, 'r', NONE, 0x01, 21},
	{"no pte", FULL, {0x2007, 0x3007, 0x4007, 0xfffffffffffffff8}, 'w', NONE, 0x02, 12},
	/* A misconfiguration comes before a violation of an entry above. */
	{"write denied above type 2", FULL, {0x2001, 0x3007, 0x4007, 0x5017}, 'w', BAD, .shift = 12},
	/* A and D: bits 8 and 9. */
	{"ad read", FLAGS, {0x2007, 0x3007, 0x4007, 0x5037}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0x2107, 0x3107, 0x4107, 0x5137}},
	{"ad write", FLAGS, {0x2007, 0x3007, 0x4007, 0x5037}, 'w', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0x2107, 0x3107, 0x4107, 0x5337}},
	{"ad fetch", FLAGS, {0x2107, 0x3007, 0x4107, 0x5037}, 'x', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0, 0x3107, 0, 0x5137}},
	{"ad write 2m", FLAGS, {0x2107, 0x3107, 0x4001b7}, 'w', .shift = 21, .pa = 0x404abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0, 0, 0x4003b7}},
	{"ad write 1g", FLAGS, {0x2107, 0x400000b7}, 'w', .shift = 30, .pa = 0x40604abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0, 0x400003b7}},
	{"ad set", FLAGS, {0x2107, 0x3107, 0x4107, 0x5337}, 'w', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"ad off", FULL, {0x2007, 0x3007, 0x4007, 0x5037}, 'w', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"ad fault", FLAGS, {0x2007, 0x3007, 0x4007, 0x5031}, 'w', ORACLE_PERMISSION, 48, 0x0a, 12, .perm = "r"},
};

static const struct golden rows5[] = {
	{"5 levels", FIVE, {0x1007, 0x2007, 0x3007, 0x4007, 0xfedcba9876037}, 'w', .shift = 12, .pa = 0xfedcba9876abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0x1107, 0x2107, 0x3107, 0x4107, 0xfedcba9876337}},
	{"no pml5e", FIVE, {0xfffffffffffffff8}, 'w', NONE, 0x02, 48},
	{"pml5e 2", FIVE, {0x1002}, 'w', BAD, .shift = 48},
	{"pml5e 6", FIVE, {0x1006}, 'w', BAD, .shift = 48},
	{"pml5e bit 7", FIVE, {0x1087}, 'r', BAD, .shift = 48},
	{"pml5e 1", FIVE, {0x1001, 0x2007, 0x3007, 0x4007, 0x5037}, 'x', ORACLE_PERMISSION, 48, 0x0c, 12, .perm = "r"},
};

static const struct golden_bits bits4[] = {
	{"pml4e", {"", FULL, {0x2007, 0x3007, 0x4007, 0x5037}, 'r'}, 0, 0x000fc000000000f8, ORACLE_RESERVED, 0xfff0000000000f00, 0, 0},
	{"pdpte", {"", FULL, {0x2007, 0x3007, 0x4007, 0x5037}, 'r'}, 1, 0x000fc00000000078, ORACLE_RESERVED, 0xfff0000000000f00, 0, 0},
	{"pde", {"", FULL, {0x2007, 0x3007, 0x4007, 0x5037}, 'r'}, 2, 0x000fc00000000078, ORACLE_RESERVED, 0xfff0000000000f00, 0, 0},
	{"pte", {"", FULL, {0x2007, 0x3007, 0x4007, 0x0037}, 'r'}, 3, 0x000fc00000000000, ORACLE_RESERVED, 0xfff0000000000fc0, 0, 0x00003ffffffff000},
	{"2m", {"", FULL, {0x2007, 0x3007, 0x00b7}, 'r'}, 2, 0x000fc000001ff000, ORACLE_RESERVED, 0xfff0000000000f40, 0, 0x00003fffffe00000},
	{"1g", {"", FULL, {0x2007, 0x00b7}, 'r'}, 1, 0x000fc0003ffff000, ORACLE_RESERVED, 0xfff0000000000f40, 0, 0x00003fffc0000000},
	{"old pml4e", {"", OLD, {0x2007, 0x3007, 0x4007, 0x5037}, 'r'}, 0, 0x000fff00000000f8, ORACLE_RESERVED, 0xfff0000000000f00, 0, 0},
	{"old pdpte", {"", OLD, {0x2007, 0x3007, 0x4007, 0x5037}, 'r'}, 1, 0x000fff00000000f8, ORACLE_RESERVED, 0xfff0000000000f00, 0, 0},
	{"old pde", {"", OLD, {0x2007, 0x3007, 0x4007, 0x5037}, 'r'}, 2, 0x000fff00000000f8, ORACLE_RESERVED, 0xfff0000000000f00, 0, 0},
	{"old pte", {"", OLD, {0x2007, 0x3007, 0x4007, 0x0037}, 'r'}, 3, 0x000fff0000000000, ORACLE_RESERVED, 0xfff0000000000fc0, 0, 0x000000fffffff000},
};

static const struct golden_bits bits5[] = {
	{"pml5e", {"", FIVE, {0x1007, 0x2007, 0x3007, 0x4007, 0x5037}, 'r'}, 0, 0xf8, ORACLE_RESERVED, 0xfff0000000000f00, 0, 0},
	{"pte", {"", FIVE, {0x1007, 0x2007, 0x3007, 0x4007, 0x0037}, 'r'}, 4, 0, ORACLE_RESERVED, 0xfff0000000000fc0, 0, 0x000ffffffffff000},
};

/* EPTP (27.2.1.1) and the width of addresses (29.3.2). */
static const struct {
	uint64_t eptp;
	bool five, flags;
	uint64_t gpa;
	enum oracle_fault fault;
} roots[] = {
	{0x101e, false, false, 0, ORACLE_ABSENT},  /* WB, 4 levels */
	{0x1018, false, false, 0, ORACLE_ABSENT},  /* UC */
	{0x1019, false, false, 0, ORACLE_BAD_ROOT}, /* type 1 */
	{0x101c, false, false, 0, ORACLE_BAD_ROOT}, /* type 4 */
	{0x1016, false, false, 0, ORACLE_BAD_ROOT}, /* 3 levels */
	{0x1026, false, false, 0, ORACLE_BAD_ROOT}, /* 5 levels, not supported */
	{0x1026, true, false, 0, ORACLE_ABSENT},
	{0x105e, false, false, 0, ORACLE_BAD_ROOT}, /* A/D, not supported */
	{0x105e, false, true, 0, ORACLE_ABSENT},
	{0x111e, false, false, 0, ORACLE_BAD_ROOT}, /* bit 8 */
	{0x181e, false, false, 0, ORACLE_BAD_ROOT}, /* bit 11 */
	{0x40000000101e, false, false, 0, ORACLE_BAD_ROOT}, /* bit 46 of 46 */
	{0x20000000101e, false, false, 0, ORACLE_ABSENT},
	{0x101e, false, false, 0x0000ffffffffffff, ORACLE_ABSENT},
	{0x101e, false, false, 0x0001000000000000, ORACLE_WIDTH},
	{0x101e, false, false, 0x8000000000000000, ORACLE_WIDTH},
	{0x1026, true, false, 0x01ffffffffffffff, ORACLE_ABSENT},
	{0x1026, true, false, 0x0200000000000000, ORACLE_WIDTH},
};
/* clang-format on */

static bool read_zero(void *ctx, uint64_t pa, uint64_t *word)
{
	(void)ctx;
	(void)pa;
	*word = 0;
	return true;
}

static void rows(void **state)
{
	(void)state;
	golden_run(rows4, GOLDEN_COUNT(rows4), &path4, walk);
	golden_run(rows5, GOLDEN_COUNT(rows5), &path5, walk);
}

static void each_bit(void **state)
{
	(void)state;
	golden_run_bits(bits4, GOLDEN_COUNT(bits4), &path4, walk);
	golden_run_bits(bits5, GOLDEN_COUNT(bits5), &path5, walk);
}

static void root_and_width(void **state)
{
	const struct oracle_memory memory = {read_zero, NULL};

	(void)state;
	for (size_t i = 0; i < GOLDEN_COUNT(roots); i++) {
		struct oracle_ept regs = {.eptp = roots[i].eptp,
		                          .maxphyaddr = 46,
		                          .five_level = roots[i].five,
		                          .accessed_dirty = roots[i].flags};
		struct oracle_walk w = oracle_ept_walk(&regs, &memory, roots[i].gpa, ORACLE_READ);

		check_context("root=%zu", i);
		CHECK_TEXT(oracle_fault_name(w.fault), oracle_fault_name(roots[i].fault));
	}
}

/* 29.3.7.2: bit 6 of the last entry is IPAT; in a table's entry it is reserved. */
static void ipat(void **state)
{
	static const uint64_t words[][4] = {
		{0x2007, 0x3007, 0x4007, 0x5037},
		{0x2007, 0x3007, 0x4007, 0x5077},
		{0x2007, 0x3007, 0x4000b7},
		{0x2007, 0x3007, 0x4000f7},
		{0x2007, 0x400000b7},
		{0x2007, 0x400000f7},
	};

	(void)state;
	for (size_t i = 0; i < GOLDEN_COUNT(words); i++) {
		struct golden_memory entries = {&path4, words[i]};
		const struct oracle_memory memory = {golden_read, &entries};
		struct oracle_walk w = walk(FULL, &memory, path4.gpa, ORACLE_READ);

		check_context("ipat=%zu", i);
		CHECK_EQ(w.fault, ORACLE_OK);
		CHECK_EQ(w.ignore_pat, i % 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(each_bit),
		cmocka_unit_test(root_and_width),
		cmocka_unit_test(ipat),
	};
	return cmocka_run_group_tests_name("oracle_ept", tests, NULL, NULL);
}
