/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/oracle/riscv.c against golden rows: RISC-V privileged manual, "Two-Stage Address
 * Translation", Svnapot, Svpbmt, Svade, Svadu. Codes: 20, 21, 23 for guest-page faults of a fetch,
 * a load, a store; 1, 5, 7 for access faults.
 */
#include "oracle_golden.h"

/* Indices: the root's has 11 bits; VPN[3] 1, VPN[2] 2, VPN[1] 3, VPN[0] 4; offset 0xabc. */
static const struct golden_path path39 = {0x018080604abc, 3, {0x13010, 0x3018, 0x4020}};
static const struct golden_path path48 = {0x3008080604abc, 4, {0x13008, 0x2010, 0x3018, 0x4020}};
static const struct golden_path path57 = {
	0x605008080604abc, 5, {0x13028, 0x1008, 0x2010, 0x3018, 0x4020}};

enum {
	PLAIN,   /* Svade, 56 bits */
	UPDATES, /* Svadu */
	TYPES,   /* Svpbmt */
	NAPOT,   /* Svnapot */
	NARROW,  /* 40 bits */
	MXR,
};

static struct oracle_walk walk_mode(unsigned machine, uint64_t hgatp,
                                    const struct oracle_memory *memory, uint64_t gpa,
                                    enum oracle_access access)
{
	const struct oracle_riscv regs = {
		.hgatp = hgatp,
		.physical_width = machine == NARROW ? 40 : 56,
		.svadu = machine == UPDATES,
		.svpbmt = machine == TYPES,
		.svnapot = machine == NAPOT,
		.mxr = machine == MXR,
	};

	return oracle_riscv_walk(&regs, memory, gpa, access);
}

static struct oracle_walk walk39(unsigned machine, const struct oracle_memory *memory, uint64_t gpa,
                                 enum oracle_access access)
{
	return walk_mode(machine, 0x8000000000000010, memory, gpa, access);
}

static struct oracle_walk walk48(unsigned machine, const struct oracle_memory *memory, uint64_t gpa,
                                 enum oracle_access access)
{
	return walk_mode(machine, 0x9abc000000000010, memory, gpa, access);
}

static struct oracle_walk walk57(unsigned machine, const struct oracle_memory *memory, uint64_t gpa,
                                 enum oracle_access access)
{
	return walk_mode(machine, 0xa000000000000010, memory, gpa, access);
}

#define BAD    ORACLE_RESERVED
#define DENIED ORACLE_PERMISSION
#define SOFT   ORACLE_ACCESS_FLAG

/* clang-format off */
/* A pointer to 0x3000 is 0xc01, to 0x4000 0x1001; a leaf for 0x5000 with U, A and D 0x14d1. */
static const struct golden rows39[] = {
	{"4k", PLAIN, {0xc01, 0x1001, 0x3fedcba98764df}, 'w', .shift = 12, .pa = 0xffb72ea61d9abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"2m", PLAIN, {0xc01, 0x3fedcba98000df}, 'w', .shift = 21, .pa = 0xffb72ea6004abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"1g", PLAIN, {0x3fedcba00000df}, 'w', .shift = 30, .pa = 0xffb72e80604abc, .perm = "rwx", .memtype = ORACLE_WB},
	/* R, W, X (bits 1 to 3): each set, each access. */
	{"r--, load", PLAIN, {0xc01, 0x1001, 0x14d3}, 'r', .pa = 0x5abc, .perm = "r", .memtype = ORACLE_WB},
	{"r--, store", PLAIN, {0xc01, 0x1001, 0x14d3}, 'w', DENIED, 23, 0, 12, .perm = "r"},
	{"r--, fetch", PLAIN, {0xc01, 0x1001, 0x14d3}, 'x', DENIED, 20, 0, 12, .perm = "r"},
	{"-w-", PLAIN, {0xc01, 0x1001, 0x14d5}, 'w', BAD, 23, 0, 12},
	{"rw-, load", PLAIN, {0xc01, 0x1001, 0x14d7}, 'r', .pa = 0x5abc, .perm = "rw", .memtype = ORACLE_WB},
	{"rw-, store", PLAIN, {0xc01, 0x1001, 0x14d7}, 'w', .pa = 0x5abc, .perm = "rw", .memtype = ORACLE_WB},
	{"rw-, fetch", PLAIN, {0xc01, 0x1001, 0x14d7}, 'x', DENIED, 20, 0, 12, .perm = "rw"},
	{"--x, load", PLAIN, {0xc01, 0x1001, 0x14d9}, 'r', DENIED, 21, 0, 12, .perm = "x"},
	{"--x, store", PLAIN, {0xc01, 0x1001, 0x14d9}, 'w', DENIED, 23, 0, 12, .perm = "x"},
	{"--x, fetch", PLAIN, {0xc01, 0x1001, 0x14d9}, 'x', .pa = 0x5abc, .perm = "x", .memtype = ORACLE_WB},
	{"--x, load, mxr", MXR, {0xc01, 0x1001, 0x14d9}, 'r', .pa = 0x5abc, .perm = "rx", .memtype = ORACLE_WB},
	{"r-x, store", PLAIN, {0xc01, 0x1001, 0x14db}, 'w', DENIED, 23, 0, 12, .perm = "rx"},
	{"r-x, fetch", PLAIN, {0xc01, 0x1001, 0x14db}, 'x', .pa = 0x5abc, .perm = "rx", .memtype = ORACLE_WB},
	{"-wx", PLAIN, {0xc01, 0x1001, 0x14dd}, 'x', BAD, 20, 0, 12},
	{"rwx, fetch", PLAIN, {0xc01, 0x1001, 0x14df}, 'x', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"2m r--, store", PLAIN, {0xc01, 0x1000d3}, 'w', DENIED, 23, 0, 21, .perm = "r"},
	{"1g r--, store", PLAIN, {0x100000d3}, 'w', DENIED, 23, 0, 30, .perm = "r"},
	{"2m -w-", PLAIN, {0xc01, 0x1000d5}, 'w', BAD, 23, 0, 21},
	{"1g -wx", PLAIN, {0x100000dd}, 'x', BAD, 20, 0, 30},
	/* U is 0: an access from U-mode is refused. */
	{"no u, load", PLAIN, {0xc01, 0x1001, 0x14cf}, 'r', DENIED, 21, 0, 12, .perm = ""},
	{"no u, store", PLAIN, {0xc01, 0x1001, 0x14cf}, 'w', DENIED, 23, 0, 12, .perm = ""},
	{"no u, fetch", PLAIN, {0xc01, 0x1001, 0x14cf}, 'x', DENIED, 20, 0, 12, .perm = ""},
	{"2m no u", PLAIN, {0xc01, 0x1000cf}, 'r', DENIED, 21, 0, 21, .perm = ""},
	{"1g no u", PLAIN, {0x100000cf}, 'r', DENIED, 21, 0, 30, .perm = ""},
	/* V is 0: whatever the rest is. */
	{"root invalid", PLAIN, {0xfffffffffffffffe}, 'r', ORACLE_ABSENT, 21, 0, 30},
	{"middle invalid", PLAIN, {0xc01, 0xfffffffffffffffe}, 'w', ORACLE_ABSENT, 23, 0, 21},
	{"last invalid", PLAIN, {0xc01, 0x1001, 0xfffffffffffffffe}, 'x', ORACLE_ABSENT, 20, 0, 12},
	{"last 0", PLAIN, {0xc01, 0x1001, 0}, 'r', ORACLE_ABSENT, 21, 0, 12},
	/* A pointer on the last level. */
	{"no level left", PLAIN, {0xc01, 0x1001, 0x1401}, 'r', BAD, 21, 0, 12},
	/* Svade: A or D is clear. */
	{"no a, load", PLAIN, {0xc01, 0x1001, 0x149f}, 'r', SOFT, 21, 0, 12},
	{"no a, fetch", PLAIN, {0xc01, 0x1001, 0x149f}, 'x', SOFT, 20, 0, 12},
	{"no d, store", PLAIN, {0xc01, 0x1001, 0x145f}, 'w', SOFT, 23, 0, 12},
	{"no d, load", PLAIN, {0xc01, 0x1001, 0x145f}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"neither, store", PLAIN, {0xc01, 0x1001, 0x141f}, 'w', SOFT, 23, 0, 12},
	{"2m no a", PLAIN, {0xc01, 0x10009f}, 'r', SOFT, 21, 0, 21},
	{"1g no d", PLAIN, {0x1000005f}, 'w', SOFT, 23, 0, 30},
	{"no a, not permitted", PLAIN, {0xc01, 0x1001, 0x1413}, 'w', DENIED, 23, 0, 12, .perm = "r"},
	/* Svadu. */
	{"sets a", UPDATES, {0xc01, 0x1001, 0x141f}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0, 0, 0x145f}},
	{"sets a, fetch", UPDATES, {0xc01, 0x1001, 0x149f}, 'x', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0, 0, 0x14df}},
	{"sets d", UPDATES, {0xc01, 0x1001, 0x145f}, 'w', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0, 0, 0x14df}},
	{"sets both", UPDATES, {0xc01, 0x1001, 0x141f}, 'w', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0, 0, 0x14df}},
	{"sets both, 2m", UPDATES, {0xc01, 0x10001f}, 'w', .shift = 21, .pa = 0x404abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0, 0x1000df}},
	{"sets both, 1g", UPDATES, {0x1000001f}, 'w', .shift = 30, .pa = 0x40604abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0x100000df}},
	{"sets none if refused", UPDATES, {0xc01, 0x1001, 0x1413}, 'w', DENIED, 23, 0, 12, .perm = "r"},
	/* Misaligned superpages. */
	{"2m misaligned", PLAIN, {0xc01, 0x1004df}, 'r', BAD, 21, 0, 21},
	{"2m misaligned, top bit", PLAIN, {0xc01, 0x1400df}, 'r', BAD, 21, 0, 21},
	{"1g misaligned", PLAIN, {0x100004df}, 'w', BAD, 23, 0, 30},
	{"1g misaligned, top bit", PLAIN, {0x180000df}, 'x', BAD, 20, 0, 30},
	/* Svpbmt: bits 62:61. */
	{"pbmt 1", TYPES, {0xc01, 0x1001, 0x20000000000014df}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WC},
	{"pbmt 2", TYPES, {0xc01, 0x1001, 0x40000000000014df}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_UC},
	{"pbmt 3", TYPES, {0xc01, 0x1001, 0x60000000000014df}, 'r', BAD, 21, 0, 12},
	{"pbmt 2, 1g", TYPES, {0x40000000100000df}, 'r', .shift = 30, .pa = 0x40604abc, .perm = "rwx", .memtype = ORACLE_UC},
	{"pbmt 1 in a pointer", TYPES, {0x2000000000000c01}, 'r', BAD, 21, 0, 30},
	{"pbmt 2 in a pointer", TYPES, {0xc01, 0x4000000000001001}, 'r', BAD, 21, 0, 21},
	/* Svnapot: bit 63, and ppn[3:0] = 1000. */
	{"napot 64k", NAPOT, {0xc01, 0x1001, 0x80000000000060df}, 'r', .shift = 16, .pa = 0x14abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"napot ppn 0", NAPOT, {0xc01, 0x1001, 0x80000000000040df}, 'r', BAD, 21, 0, 12},
	{"napot ppn 4", NAPOT, {0xc01, 0x1001, 0x80000000000050df}, 'r', BAD, 21, 0, 12},
	{"napot ppn c", NAPOT, {0xc01, 0x1001, 0x80000000000070df}, 'r', BAD, 21, 0, 12},
	{"napot 2m", NAPOT, {0xc01, 0x80000000001000df}, 'r', BAD, 21, 0, 21},
	{"napot in a pointer", NAPOT, {0x8000000000000c01}, 'r', BAD, 21, 0, 30},
	/* Physical memory ends at 2^40. */
	{"leaf beyond", NARROW, {0xc01, 0x1001, 0x40000000df}, 'r', ORACLE_BUS, 5, 0, 12},
	{"leaf beyond, store", NARROW, {0xc01, 0x1001, 0x40000000df}, 'w', ORACLE_BUS, 7, 0, 12},
	{"table beyond", NARROW, {0x4000000001}, 'x', ORACLE_BUS, 1, 0, 21},
	{"last leaf", NARROW, {0xc01, 0x1001, 0x3ffffffcdf}, 'r', .shift = 12, .pa = 0xfffffffabc, .perm = "rwx", .memtype = ORACLE_WB},
};

static const struct golden rows48[] = {
	{"4k", PLAIN, {0x801, 0xc01, 0x1001, 0x14df}, 'x', .shift = 12, .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"512g", PLAIN, {0x20000000df}, 'x', .shift = 39, .pa = 0x8080604abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"512g misaligned", PLAIN, {0x30000000df}, 'r', BAD, 21, 0, 39},
	{"512g misaligned, bit 0", PLAIN, {0x20000004df}, 'r', BAD, 21, 0, 39},
	{"root invalid", PLAIN, {0}, 'r', ORACLE_ABSENT, 21, 0, 39},
};

static const struct golden rows57[] = {
	{"4k", PLAIN, {0x401, 0x801, 0xc01, 0x1001, 0x14df}, 'w', .shift = 12, .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"256t", PLAIN, {0x400000000000df}, 'r', BAD, 21, 0, 48}, /* PPN bit 44 is bit 54: reserved */
	{"256t at 2^48", PLAIN, {0x4000000000df}, 'r', .shift = 48, .pa = 0x1008080604abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"256t misaligned", PLAIN, {0x6000000000df}, 'r', BAD, 21, 0, 48},
	{"root invalid", PLAIN, {0}, 'w', ORACLE_ABSENT, 23, 0, 48},
};

/* Pointers: D, A, U (7, 6, 4) and 63:54 are reserved; RSW is ignored; G is to be zero. */
static const struct golden_bits bits39[] = {
	{"root", {"", PLAIN, {0xc01, 0x1001, 0x14df}, 'r'}, 0, 0xffc00000000000d4, ORACLE_RESERVED, 0x300, 0x20, 0},
	{"middle", {"", PLAIN, {0xc01, 0x1001, 0x14df}, 'r'}, 1, 0xffc00000000000d4, ORACLE_RESERVED, 0x300, 0x20, 0},
	{"4k", {"", PLAIN, {0xc01, 0x1001, 0x00df}, 'r'}, 2, 0xffc0000000000000, ORACLE_RESERVED, 0x300, 0x20, 0x003ffffffffffc00, 2},
	{"2m", {"", PLAIN, {0xc01, 0x00df}, 'r'}, 1, 0xffc000000007fc00, ORACLE_RESERVED, 0x300, 0x20, 0x003ffffffff80000, 2},
	{"1g", {"", PLAIN, {0x00df}, 'r'}, 0, 0xffc000000ffffc00, ORACLE_RESERVED, 0x300, 0x20, 0x003ffffff0000000, 2},
	{"4k, svpbmt", {"", TYPES, {0xc01, 0x1001, 0x14df}, 'r'}, 2, 0x9fc0000000000000, ORACLE_RESERVED, 0x300, 0x20, 0},
	{"root, svpbmt", {"", TYPES, {0xc01, 0x1001, 0x14df}, 'r'}, 0, 0xffc00000000000d4, ORACLE_RESERVED, 0x300, 0x20, 0},
	{"middle, svnapot", {"", NAPOT, {0xc01, 0x1001, 0x14df}, 'r'}, 1, 0xffc00000000000d4, ORACLE_RESERVED, 0x300, 0x20, 0},
	{"2m, svnapot", {"", NAPOT, {0xc01, 0x00df}, 'r'}, 1, 0xffc000000007fc00, ORACLE_RESERVED, 0x300, 0x20, 0},
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
	golden_run(rows39, GOLDEN_COUNT(rows39), &path39, walk39);
	golden_run(rows48, GOLDEN_COUNT(rows48), &path48, walk48);
	golden_run(rows57, GOLDEN_COUNT(rows57), &path57, walk57);
}

static void each_bit(void **state)
{
	(void)state;
	golden_run_bits(bits39, GOLDEN_COUNT(bits39), &path39, walk39);
}

static void root_and_width(void **state)
{
	static const struct {
		uint64_t hgatp, gpa;
		enum oracle_fault fault;
		unsigned code;
	} roots[] = {
		{0x0000000000000010, 0, ORACLE_BAD_ROOT, 0}, /* Bare */
		{0x1000000000000010, 0, ORACLE_BAD_ROOT, 0}, /* reserved modes */
		{0x7000000000000010, 0, ORACLE_BAD_ROOT, 0},
		{0xb000000000000010, 0, ORACLE_BAD_ROOT, 0},
		{0xf000000000000010, 0, ORACLE_BAD_ROOT, 0},
		{0x8000000000000011, 0, ORACLE_BAD_ROOT, 0}, /* not 16 KiB aligned */
		{0x8000000000000012, 0, ORACLE_BAD_ROOT, 0},
		{0x8000000000000010, 0x000001ffffffffff, ORACLE_ABSENT, 21}, /* 41 bits */
		{0x8000000000000010, 0x0000020000000000, ORACLE_WIDTH, 21},
		{0x9000000000000010, 0x0003ffffffffffff, ORACLE_ABSENT, 21}, /* 50 bits */
		{0x9000000000000010, 0x0004000000000000, ORACLE_WIDTH, 21},
		{0xa000000000000010, 0x07ffffffffffffff, ORACLE_ABSENT, 21}, /* 59 bits */
		{0xa000000000000010, 0x0800000000000000, ORACLE_WIDTH, 21},
		{0xa000000000000010, 0x8000000000000000, ORACLE_WIDTH, 21},
	};
	const struct oracle_memory memory = {read_zero, NULL};

	(void)state;
	for (size_t i = 0; i < GOLDEN_COUNT(roots); i++) {
		struct oracle_walk w =
			walk_mode(PLAIN, roots[i].hgatp, &memory, roots[i].gpa, ORACLE_READ);

		check_context("root=%zu", i);
		CHECK_TEXT(oracle_fault_name(w.fault), oracle_fault_name(roots[i].fault));
		CHECK_EQ(w.code, roots[i].code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(each_bit),
		cmocka_unit_test(root_and_width),
	};
	return cmocka_run_group_tests_name("oracle_riscv", tests, NULL, NULL);
}
