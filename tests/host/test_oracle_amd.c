/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/oracle/amd.c against golden rows: AMD APM vol. 2, 5.3 (tables), 5.6 (protection), 15.25.
 * EXITINFO1 always has U (4) and bit 32 (the final address).
 */
#include "oracle_golden.h"

/* Indices: PML5 5, PML4 1, PDP 2, PD 3, PT 4; offset 0xabc. */
static const struct golden_path path4 = {0x0000008080604abc, 4, {0x1008, 0x2010, 0x3018, 0x4020}};
static const struct golden_path path5 = {
	0x0005008080604abc, 5, {0x9028, 0x1008, 0x2010, 0x3018, 0x4020}};

enum {
	LONG,   /* 4 levels, NX, 1 GiB pages, 48 bits, PAT after reset */
	OLD,    /* no NX, no 1 GiB pages, 40 bits */
	WC_PAT, /* PA4 is WC, PA5 is WP */
	FIVE,   /* 5 levels, 52 bits */
};

static const struct oracle_amd machines[] = {
	[LONG] = {0x1000, false, true, true, 48, 0x0007040600070406},
	[OLD] = {0x1018, false, false, false, 40, 0x0007040600070406},
	[WC_PAT] = {0x1000, false, true, true, 48, 0x0007050100070406},
	[FIVE] = {0x9000, true, true, true, 52, 0x0007040600070406},
};

static struct oracle_walk walk(unsigned machine, const struct oracle_memory *memory, uint64_t gpa,
                               enum oracle_access access)
{
	return oracle_amd_walk(&machines[machine], memory, gpa, access);
}

#define DENIED ORACLE_PERMISSION, 0x400
#define NONE   ORACLE_ABSENT, 0x400
#define BAD    ORACLE_RESERVED, 0x400

/* clang-format off */
static const struct golden rows4[] = {
	/* Pages of three sizes; all A and D are set already. */
	{"4k", LONG, {0x2027, 0x3027, 0x4027, 0x123456789067}, 'w', .shift = 12, .pa = 0x123456789abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"2m", LONG, {0x2027, 0x3027, 0x1234566000e7}, 'w', .shift = 21, .pa = 0x123456604abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"1g", LONG, {0x2027, 0x1234400000e7}, 'w', .shift = 30, .pa = 0x123440604abc, .perm = "rwx", .memtype = ORACLE_WB},
	/* R/W, U/S and NX of the last entry. */
	{"pte read-only, read", LONG, {0x2027, 0x3027, 0x4027, 0x5065}, 'r', .pa = 0x5abc, .perm = "rx", .memtype = ORACLE_WB},
	{"pte read-only, write", LONG, {0x2027, 0x3027, 0x4027, 0x5065}, 'w', DENIED, 0x100000007, 12, .perm = "rx"},
	{"pte nx, read", LONG, {0x2027, 0x3027, 0x4027, 0x8000000000005067}, 'r', .pa = 0x5abc, .perm = "rw", .memtype = ORACLE_WB},
	{"pte nx, write", LONG, {0x2027, 0x3027, 0x4027, 0x8000000000005067}, 'w', .pa = 0x5abc, .perm = "rw", .memtype = ORACLE_WB},
	{"pte nx, fetch", LONG, {0x2027, 0x3027, 0x4027, 0x8000000000005067}, 'x', DENIED, 0x100000015, 12, .perm = "rw"},
	{"pte nx read-only", LONG, {0x2027, 0x3027, 0x4027, 0x8000000000005065}, 'r', .pa = 0x5abc, .perm = "r", .memtype = ORACLE_WB},
	{"pte supervisor, read", LONG, {0x2027, 0x3027, 0x4027, 0x5063}, 'r', DENIED, 0x100000005, 12, .perm = ""},
	{"pte supervisor, write", LONG, {0x2027, 0x3027, 0x4027, 0x5063}, 'w', DENIED, 0x100000007, 12, .perm = ""},
	{"pte supervisor, fetch", LONG, {0x2027, 0x3027, 0x4027, 0x5063}, 'x', DENIED, 0x100000015, 12, .perm = ""},
	{"2m nx", LONG, {0x2027, 0x3027, 0x80000000004000e7}, 'x', DENIED, 0x100000015, 21, .perm = "rw"},
	{"1g read-only", LONG, {0x2027, 0x400000e5}, 'w', DENIED, 0x100000007, 30, .perm = "rx"},
	/* Of entries above. */
	{"pde read-only", LONG, {0x2027, 0x3027, 0x4025, 0x5067}, 'w', DENIED, 0x100000007, 12, .perm = "rx"},
	{"pdpe read-only", LONG, {0x2027, 0x3025, 0x4027, 0x5067}, 'w', DENIED, 0x100000007, 12, .perm = "rx"},
	{"pml4e read-only", LONG, {0x2025, 0x3027, 0x4027, 0x5067}, 'w', DENIED, 0x100000007, 12, .perm = "rx"},
	{"pde nx", LONG, {0x2027, 0x3027, 0x8000000000004027, 0x5067}, 'x', DENIED, 0x100000015, 12, .perm = "rw"},
	{"pdpe nx", LONG, {0x2027, 0x8000000000003027, 0x4027, 0x5067}, 'x', DENIED, 0x100000015, 12, .perm = "rw"},
	{"pml4e nx", LONG, {0x8000000000002027, 0x3027, 0x4027, 0x5067}, 'x', DENIED, 0x100000015, 12, .perm = "rw"},
	{"pde supervisor", LONG, {0x2027, 0x3027, 0x4023, 0x5067}, 'r', DENIED, 0x100000005, 12, .perm = ""},
	{"pdpe supervisor", LONG, {0x2027, 0x3023, 0x4027, 0x5067}, 'r', DENIED, 0x100000005, 12, .perm = ""},
	{"pml4e supervisor", LONG, {0x2023, 0x3027, 0x4027, 0x5067}, 'r', DENIED, 0x100000005, 12, .perm = ""},
	/* PWT (3), PCD (4), PAT (7, or 12 in large pages): an index into the PAT after reset. */
	{"pat 1", LONG, {0x2027, 0x3027, 0x4027, 0x506f}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WT},
	{"pat 2", LONG, {0x2027, 0x3027, 0x4027, 0x5077}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_UC_MINUS},
	{"pat 3", LONG, {0x2027, 0x3027, 0x4027, 0x507f}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_UC},
	{"pat 4", LONG, {0x2027, 0x3027, 0x4027, 0x50e7}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"pat 5", LONG, {0x2027, 0x3027, 0x4027, 0x50ef}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WT},
	{"pat 6", LONG, {0x2027, 0x3027, 0x4027, 0x50f7}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_UC_MINUS},
	{"pat 7", LONG, {0x2027, 0x3027, 0x4027, 0x50ff}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_UC},
	{"2m pat 3", LONG, {0x2027, 0x3027, 0x4000ff}, 'r', .shift = 21, .pa = 0x404abc, .perm = "rwx", .memtype = ORACLE_UC},
	{"wc pat 4", WC_PAT, {0x2027, 0x3027, 0x4027, 0x50e7}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WC},
	{"wc pat 5", WC_PAT, {0x2027, 0x3027, 0x4027, 0x50ef}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WP},
	{"wc 2m pat 4", WC_PAT, {0x2027, 0x3027, 0x4010e7}, 'r', .shift = 21, .pa = 0x404abc, .perm = "rwx", .memtype = ORACLE_WC},
	{"wc 1g pat 4", WC_PAT, {0x2027, 0x400010e7}, 'r', .shift = 30, .pa = 0x40604abc, .perm = "rwx", .memtype = ORACLE_WC},
	/* Absent: P is 0, whatever the rest is. */
	{"no pml4e", LONG, {0xfffffffffffffffe}, 'r', NONE, 0x100000004, 39},
	{"no pdpe", LONG, {0x2027, 0xfffffffffffffffe}, 'w', NONE, 0x100000006, 30},
	{"no pde", LONG, {0x2027, 0x3027, 0xfffffffffffffffe}, 'x', NONE, 0x100000014, 21},
	{"no pte", LONG, {0x2027, 0x3027, 0x4027, 0xfffffffffffffffe}, 'r', NONE, 0x100000004, 12},
	{"no pte, 0", LONG, {0x2027, 0x3027, 0x4027, 0}, 'w', NONE, 0x100000006, 12},
	/* Reserved bits, and their error code. */
	{"pml4e ps", LONG, {0x20a7}, 'r', BAD, 0x10000000d, 39},
	{"pml4e bit 8", LONG, {0x2127}, 'w', BAD, 0x10000000f, 39},
	{"1g bit 13", LONG, {0x2027, 0x400020e7}, 'x', BAD, 0x10000001d, 30},
	{"2m bit 13", LONG, {0x2027, 0x3027, 0x4020e7}, 'r', BAD, 0x10000000d, 21},
	{"2m bit 20", LONG, {0x2027, 0x3027, 0x5000e7}, 'r', BAD, 0x10000000d, 21},
	{"pte bit 48", LONG, {0x2027, 0x3027, 0x4027, 0x1000000005067}, 'w', BAD, 0x10000000f, 12},
	{"old 1g", OLD, {0x2027, 0x400000e7}, 'r', BAD, 0x10000000d, 30},
	{"old 2m", OLD, {0x2027, 0x3027, 0x4000e7}, 'r', .shift = 21, .pa = 0x404abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"old pte nx", OLD, {0x2027, 0x3027, 0x4027, 0x8000000000005067}, 'r', BAD, 0x10000000d, 12},
	{"old pml4e nx", OLD, {0x8000000000002027}, 'r', BAD, 0x10000000d, 39},
	/* A (5) and D (6). */
	{"ad read", LONG, {0x2007, 0x3007, 0x4007, 0x5007}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0x2027, 0x3027, 0x4027, 0x5027}},
	{"ad write", LONG, {0x2007, 0x3007, 0x4007, 0x5007}, 'w', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0x2027, 0x3027, 0x4027, 0x5067}},
	{"ad fetch", LONG, {0x2027, 0x3007, 0x4027, 0x5007}, 'x', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0, 0x3027, 0, 0x5027}},
	{"ad write 2m", LONG, {0x2027, 0x3027, 0x400087}, 'w', .shift = 21, .pa = 0x404abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0, 0, 0x4000e7}},
	{"ad write 1g", LONG, {0x2027, 0x400000a7}, 'w', .shift = 30, .pa = 0x40604abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0, 0x400000e7}},
	{"ad fault", LONG, {0x2007, 0x3007, 0x4007, 0x5005}, 'w', DENIED, 0x100000007, 12, .perm = "rx"},
};

static const struct golden rows5[] = {
	{"5 levels", FIVE, {0x1007, 0x2027, 0x3027, 0x4027, 0xfedcba9876067}, 'w', .shift = 12, .pa = 0xfedcba9876abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0x1027}},
	{"no pml5e", FIVE, {0xfffffffffffffffe}, 'r', NONE, 0x100000004, 48},
	{"pml5e ps", FIVE, {0x10a7}, 'r', BAD, 0x10000000d, 48},
	{"pml5e read-only", FIVE, {0x1025, 0x2027, 0x3027, 0x4027, 0x5067}, 'w', DENIED, 0x100000007, 12, .perm = "rx"},
	{"pml5e nx", FIVE, {0x8000000000001027, 0x2027, 0x3027, 0x4027, 0x5067}, 'x', DENIED, 0x100000015, 12, .perm = "rw"},
	{"pml5e supervisor", FIVE, {0x1023, 0x2027, 0x3027, 0x4027, 0x5067}, 'r', DENIED, 0x100000005, 12, .perm = ""},
};

static const struct golden_bits bits4[] = {
	{"pml4e", {"", LONG, {0x2027, 0x3027, 0x4027, 0x5067}, 'r'}, 0, 0x000f000000000180, ORACLE_RESERVED, 0x7ff0000000000e58, 0, 0},
	{"pdpe", {"", LONG, {0x2027, 0x3027, 0x4027, 0x5067}, 'r'}, 1, 0x000f000000000000, ORACLE_RESERVED, 0x7ff0000000000f58, 0, 0},
	{"pde", {"", LONG, {0x2027, 0x3027, 0x4027, 0x5067}, 'r'}, 2, 0x000f000000000000, ORACLE_RESERVED, 0x7ff0000000000f58, 0, 0},
	{"pte", {"", LONG, {0x2027, 0x3027, 0x4027, 0x0027}, 'r'}, 3, 0x000f000000000000, ORACLE_RESERVED, 0x7ff0000000000f40, 0, 0x0000fffffffff000},
	{"2m", {"", LONG, {0x2027, 0x3027, 0x00a7}, 'r'}, 2, 0x000f0000001fe000, ORACLE_RESERVED, 0x7ff0000000000f40, 0, 0x0000ffffffe00000},
	{"1g", {"", LONG, {0x2027, 0x00a7}, 'r'}, 1, 0x000f00003fffe000, ORACLE_RESERVED, 0x7ff0000000000f40, 0, 0x0000ffffc0000000},
	{"old pml4e", {"", OLD, {0x2027, 0x3027, 0x4027, 0x5067}, 'r'}, 0, 0x800fff0000000180, ORACLE_RESERVED, 0x7ff0000000000e58, 0, 0},
	{"old pdpe", {"", OLD, {0x2027, 0x3027, 0x4027, 0x5067}, 'r'}, 1, 0x800fff0000000080, ORACLE_RESERVED, 0x7ff0000000000f58, 0, 0},
	{"old pde", {"", OLD, {0x2027, 0x3027, 0x4027, 0x5067}, 'r'}, 2, 0x800fff0000000000, ORACLE_RESERVED, 0x7ff0000000000f58, 0, 0},
	{"old pte", {"", OLD, {0x2027, 0x3027, 0x4027, 0x0027}, 'r'}, 3, 0x800fff0000000000, ORACLE_RESERVED, 0x7ff0000000000f40, 0, 0x000000fffffff000},
};

static const struct golden_bits bits5[] = {
	{"pml5e", {"", FIVE, {0x1027, 0x2027, 0x3027, 0x4027, 0x5067}, 'r'}, 0, 0x180, ORACLE_RESERVED, 0x7ff0000000000e58, 0, 0},
	{"pte", {"", FIVE, {0x1027, 0x2027, 0x3027, 0x4027, 0x0027}, 'r'}, 4, 0, ORACLE_RESERVED, 0x7ff0000000000f40, 0, 0x000ffffffffff000},
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
	static const struct {
		unsigned machine;
		uint64_t gpa;
		enum oracle_fault fault;
	} widths[] = {
		{LONG, 0x0000ffffffffffff, ORACLE_ABSENT}, {LONG, 0x0001000000000000, ORACLE_WIDTH},
		{LONG, 0x8000000000000000, ORACLE_WIDTH},  {LONG, 0xffff800000000000, ORACLE_WIDTH},
		{FIVE, 0x01ffffffffffffff, ORACLE_ABSENT}, {FIVE, 0x0200000000000000, ORACLE_WIDTH},
	};
	const struct oracle_memory memory = {read_zero, NULL};
	struct oracle_amd wide = machines[LONG];

	(void)state;
	for (size_t i = 0; i < GOLDEN_COUNT(widths); i++) {
		struct oracle_walk w = walk(widths[i].machine, &memory, widths[i].gpa, ORACLE_READ);

		check_context("width=%zu", i);
		CHECK_TEXT(oracle_fault_name(w.fault), oracle_fault_name(widths[i].fault));
	}
	wide.ncr3 = UINT64_C(1) << 48;
	CHECK_EQ(oracle_amd_walk(&wide, &memory, 0, ORACLE_READ).fault, ORACLE_BAD_ROOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(each_bit),
		cmocka_unit_test(root_and_width),
	};
	return cmocka_run_group_tests_name("oracle_amd", tests, NULL, NULL);
}
