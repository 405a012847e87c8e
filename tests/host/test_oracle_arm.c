/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/oracle/arm.c against golden rows: Arm ARM D8, stage 2 with the 4 KiB granule. Codes are
 * fault status codes: 0b0000LL address size, 0b0001LL translation, 0b0010LL access flag, 0b0011LL
 * permission; 0x29 and 0x2b for level -1.
 */
#include "oracle_golden.h"

/* Indices: level 0 1, level 1 2, level 2 3, level 3 4; offset 0xabc. */
static const struct golden_path path48 = {0x008080604abc, 4, {0x1008, 0x2010, 0x3018, 0x4020}};
/* 40 bits: level 1 with two concatenated tables; index 0x202. */
static const struct golden_path path40 = {0x8080604abc, 3, {0x13010, 0x3018, 0x4020}};
/* 32 bits: a root of four entries at level 1, 0x9080; index 2. */
static const struct golden_path path32 = {0x80604abc, 3, {0x9090, 0x3018, 0x4020}};
/* 32 bits: four concatenated tables at level 2; index 0x403. */
static const struct golden_path path32c = {0x80604abc, 2, {0x16018, 0x4020}};
/* 52 bits: 16 entries at level -1; index 5. */
static const struct golden_path path52 = {
	0x5008080604abc, 5, {0x90a8, 0x1008, 0x2010, 0x3018, 0x4020}};
/* 52 bits: 16 concatenated tables at level 0; index 0xa01. */
static const struct golden_path path52c = {
	0x5008080604abc, 4, {0xf000000015008, 0x2010, 0x3018, 0x4020}};

enum {
	PLAIN,   /* AF and dirty state by software, 44 bits of output */
	UPDATES, /* VTCR.HA, HD */
	HA_ONLY,
	XNX,
	FWB,
	MACHINES,
};

static struct oracle_walk walk_vtcr(unsigned machine, uint64_t vtcr, uint64_t vttbr, unsigned pamax,
                                    const struct oracle_memory *memory, uint64_t ipa,
                                    enum oracle_access access)
{
	static const uint64_t updates[MACHINES] = {[UPDATES] = 0x600000, [HA_ONLY] = 0x200000};
	const struct oracle_arm regs = {
		.vttbr = vttbr,
		.vtcr = vtcr | updates[machine],
		.pamax = pamax,
		.xnx = machine == XNX,
		.fwb = machine == FWB,
	};

	return oracle_arm_walk(&regs, memory, ipa, access);
}

/* T0SZ 16, SL0 2 (level 0), PS 4 (44 bits). */
static struct oracle_walk walk48(unsigned machine, const struct oracle_memory *memory, uint64_t ipa,
                                 enum oracle_access access)
{
	return walk_vtcr(machine, 0x80043590, 0x0001000000001000, 48, memory, ipa, access);
}

/* T0SZ 24, SL0 1 (level 1), PS 4. */
static struct oracle_walk walk40(unsigned machine, const struct oracle_memory *memory, uint64_t ipa,
                                 enum oracle_access access)
{
	return walk_vtcr(machine, 0x80043558, 0x12000, 48, memory, ipa, access);
}

/* T0SZ 32, SL0 1, PS 2 (40 bits). */
static struct oracle_walk walk32(unsigned machine, const struct oracle_memory *memory, uint64_t ipa,
                                 enum oracle_access access)
{
	return walk_vtcr(machine, 0x80023560, 0x9080, 48, memory, ipa, access);
}

/* T0SZ 32, SL0 0 (level 2), PS 2. */
static struct oracle_walk walk32c(unsigned machine, const struct oracle_memory *memory,
                                  uint64_t ipa, enum oracle_access access)
{
	return walk_vtcr(machine, 0x80023520, 0x14000, 48, memory, ipa, access);
}

/* T0SZ 12, SL2 1 (level -1), DS, PS 6 (52 bits), SH0 3. */
static struct oracle_walk walk52(unsigned machine, const struct oracle_memory *memory, uint64_t ipa,
                                 enum oracle_access access)
{
	return walk_vtcr(machine, 0x38006350c, 0x9080, 52, memory, ipa, access);
}

/* T0SZ 12, SL0 2 (level 0), DS, PS 6; bits 51:48 of the root are in VTTBR[5:2]. */
static struct oracle_walk walk52c(unsigned machine, const struct oracle_memory *memory,
                                  uint64_t ipa, enum oracle_access access)
{
	return walk_vtcr(machine, 0x18006358c, 0x1003c, 52, memory, ipa, access);
}

#define NONE   ORACLE_ABSENT
#define DENIED ORACLE_PERMISSION
#define SIZE   ORACLE_ADDRESS_SIZE
#define AF     ORACLE_ACCESS_FLAG

/* clang-format off */
/* 0x7fd is a block: AF, SH 3, S2AP rw, Normal WB; 0x7ff a page. XN is bit 54, DBM 51. */
static const struct golden rows48[] = {
	{"4k", PLAIN, {0x2003, 0x3003, 0x4003, 0x0abcdef127ff}, 'w', .shift = 12, .pa = 0x0abcdef12abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"2m", PLAIN, {0x2003, 0x3003, 0x0abcdee007fd}, 'w', .shift = 21, .pa = 0x0abcdee04abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"1g", PLAIN, {0x2003, 0x0abcc00007fd}, 'w', .shift = 30, .pa = 0x0abcc0604abc, .perm = "rwx", .memtype = ORACLE_WB},
	/* A block at level 0 needs DS; a page has bit 1 set. */
	{"512g without ds", PLAIN, {0x080000007fd}, 'r', NONE, 0x04, 0, 39},
	{"level 3 with 01", PLAIN, {0x2003, 0x3003, 0x4003, 0x57fd}, 'r', NONE, 0x07, 0, 12},
	/* Bit 0 is clear: whatever the rest is. */
	{"level 0 00", PLAIN, {0}, 'r', NONE, 0x04, 0, 39},
	{"level 0 10", PLAIN, {0xfffffffffffffffe}, 'r', NONE, 0x04, 0, 39},
	{"level 1 10", PLAIN, {0x2003, 0xfffffffffffffffe}, 'w', NONE, 0x05, 0, 30},
	{"level 2 10", PLAIN, {0x2003, 0x3003, 0xfffffffffffffffe}, 'x', NONE, 0x06, 0, 21},
	{"level 3 10", PLAIN, {0x2003, 0x3003, 0x4003, 0xfffffffffffffffe}, 'r', NONE, 0x07, 0, 12},
	{"level 3 00", PLAIN, {0x2003, 0x3003, 0x4003, 0x57fc}, 'r', NONE, 0x07, 0, 12},
	/* S2AP (7:6). */
	{"s2ap 0, read", PLAIN, {0x2003, 0x3003, 0x4003, 0x573f}, 'r', DENIED, 0x0f, 0, 12, .perm = "x"},
	{"s2ap 0, write", PLAIN, {0x2003, 0x3003, 0x4003, 0x573f}, 'w', DENIED, 0x0f, 0, 12, .perm = "x"},
	{"s2ap 0, fetch", PLAIN, {0x2003, 0x3003, 0x4003, 0x573f}, 'x', .pa = 0x5abc, .perm = "x", .memtype = ORACLE_WB},
	{"s2ap 1, read", PLAIN, {0x2003, 0x3003, 0x4003, 0x577f}, 'r', .pa = 0x5abc, .perm = "rx", .memtype = ORACLE_WB},
	{"s2ap 1, write", PLAIN, {0x2003, 0x3003, 0x4003, 0x577f}, 'w', DENIED, 0x0f, 0, 12, .perm = "rx"},
	{"s2ap 2, read", PLAIN, {0x2003, 0x3003, 0x4003, 0x57bf}, 'r', DENIED, 0x0f, 0, 12, .perm = "wx"},
	{"s2ap 2, write", PLAIN, {0x2003, 0x3003, 0x4003, 0x57bf}, 'w', .pa = 0x5abc, .perm = "wx", .memtype = ORACLE_WB},
	{"s2ap 3, write", PLAIN, {0x2003, 0x3003, 0x4003, 0x57ff}, 'w', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"2m s2ap 1, write", PLAIN, {0x2003, 0x3003, 0x40077d}, 'w', DENIED, 0x0e, 0, 21, .perm = "rx"},
	{"1g s2ap 1, write", PLAIN, {0x2003, 0x4000077d}, 'w', DENIED, 0x0d, 0, 30, .perm = "rx"},
	/* XN: bit 54; with FEAT_XNX 54:53, for EL1: 00 and 11 execute. */
	{"xn, fetch", PLAIN, {0x2003, 0x3003, 0x4003, 0x400000000057ff}, 'x', DENIED, 0x0f, 0, 12, .perm = "rw"},
	{"xn, read", PLAIN, {0x2003, 0x3003, 0x4003, 0x400000000057ff}, 'r', .pa = 0x5abc, .perm = "rw", .memtype = ORACLE_WB},
	{"xn, none", PLAIN, {0x2003, 0x3003, 0x4003, 0x4000000000573f}, 'x', DENIED, 0x0f, 0, 12, .perm = ""},
	{"xnx 0", XNX, {0x2003, 0x3003, 0x4003, 0x57ff}, 'x', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"xnx 1", XNX, {0x2003, 0x3003, 0x4003, 0x200000000057ff}, 'x', DENIED, 0x0f, 0, 12, .perm = "rw"},
	{"xnx 2", XNX, {0x2003, 0x3003, 0x4003, 0x400000000057ff}, 'x', DENIED, 0x0f, 0, 12, .perm = "rw"},
	{"xnx 3", XNX, {0x2003, 0x3003, 0x4003, 0x600000000057ff}, 'x', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"2m xn", PLAIN, {0x2003, 0x3003, 0x400000004007fd}, 'x', DENIED, 0x0e, 0, 21, .perm = "rw"},
	/* Access flag, bit 10; it comes before permission. */
	{"no af, read", PLAIN, {0x2003, 0x3003, 0x4003, 0x53ff}, 'r', AF, 0x0b, 0, 12},
	{"no af, write refused", PLAIN, {0x2003, 0x3003, 0x4003, 0x537f}, 'w', AF, 0x0b, 0, 12},
	{"no af, 2m", PLAIN, {0x2003, 0x3003, 0x4003fd}, 'x', AF, 0x0a, 0, 21},
	{"no af, 1g", PLAIN, {0x2003, 0x400003fd}, 'r', AF, 0x09, 0, 30},
	{"ha sets af", HA_ONLY, {0x2003, 0x3003, 0x4003, 0x53ff}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0, 0, 0, 0x57ff}},
	{"ha sets af, 2m", HA_ONLY, {0x2003, 0x3003, 0x4003fd}, 'x', .shift = 21, .pa = 0x404abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0, 0, 0x4007fd}},
	{"ha, write refused", HA_ONLY, {0x2003, 0x3003, 0x4003, 0x537f}, 'w', DENIED, 0x0f, 0, 12, .perm = "rx"},
	/* DBM, bit 51. */
	{"dbm without hd", HA_ONLY, {0x2003, 0x3003, 0x4003, 0x800000000577f}, 'w', DENIED, 0x0f, 0, 12, .perm = "rx"},
	{"dbm without ha", PLAIN, {0x2003, 0x3003, 0x4003, 0x800000000577f}, 'w', DENIED, 0x0f, 0, 12, .perm = "rx"},
	{"dbm write", UPDATES, {0x2003, 0x3003, 0x4003, 0x800000000577f}, 'w', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0, 0, 0, 0x80000000057ff}},
	{"dbm read", UPDATES, {0x2003, 0x3003, 0x4003, 0x800000000577f}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"dbm write, no af", UPDATES, {0x2003, 0x3003, 0x4003, 0x800000000537f}, 'w', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0, 0, 0, 0x80000000057ff}},
	{"dbm write, 2m", UPDATES, {0x2003, 0x3003, 0x800000040077d}, 'w', .shift = 21, .pa = 0x404abc, .perm = "rwx", .memtype = ORACLE_WB, .after = {0, 0, 0x80000004007fd}},
	{"no dbm, write", UPDATES, {0x2003, 0x3003, 0x4003, 0x577f}, 'w', DENIED, 0x0f, 0, 12, .perm = "rx"},
	/* MemAttr (5:2). */
	{"nGnRnE", PLAIN, {0x2003, 0x3003, 0x4003, 0x57c3}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_UC},
	{"nGnRE", PLAIN, {0x2003, 0x3003, 0x4003, 0x57c7}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_UC},
	{"GRE", PLAIN, {0x2003, 0x3003, 0x4003, 0x57cf}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_UC},
	{"NC", PLAIN, {0x2003, 0x3003, 0x4003, 0x57d7}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WC},
	{"WT", PLAIN, {0x2003, 0x3003, 0x4003, 0x57eb}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WT},
	{"outer WB, inner NC", PLAIN, {0x2003, 0x3003, 0x4003, 0x57f7}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_MIXED},
	{"FWB device", FWB, {0x2003, 0x3003, 0x4003, 0x57c7}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_UC},
	{"FWB NC", FWB, {0x2003, 0x3003, 0x4003, 0x57d7}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WC},
	{"FWB WB", FWB, {0x2003, 0x3003, 0x4003, 0x57db}, 'r', .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB},
	/* Addresses beyond 44 bits, in tables and in leaves; they come before the access flag. */
	{"size, level 0", PLAIN, {0x100000002003}, 'r', SIZE, 0x00, 0, 39},
	{"size, level 1", PLAIN, {0x2003, 0x800000003003}, 'r', SIZE, 0x01, 0, 30},
	{"size, level 2", PLAIN, {0x2003, 0x3003, 0x200000004003}, 'r', SIZE, 0x02, 0, 21},
	{"size, page", PLAIN, {0x2003, 0x3003, 0x4003, 0x1000000057ff}, 'r', SIZE, 0x03, 0, 12},
	{"size, page without af", PLAIN, {0x2003, 0x3003, 0x4003, 0x10000000533f}, 'w', SIZE, 0x03, 0, 12},
	{"size, 2m", PLAIN, {0x2003, 0x3003, 0x4000004007fd}, 'r', SIZE, 0x02, 0, 21},
	{"size, 1g", PLAIN, {0x2003, 0x1000400007fd}, 'r', SIZE, 0x01, 0, 30},
};

static const struct golden rows40[] = {
	{"4k", PLAIN, {0x3003, 0x4003, 0x57ff}, 'w', .shift = 12, .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"1g", PLAIN, {0x400007fd}, 'w', .shift = 30, .pa = 0x40604abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"absent", PLAIN, {0}, 'r', NONE, 0x05, 0, 30},
};
static const struct golden rows32[] = {
	{"4k", PLAIN, {0x3003, 0x4003, 0x57ff}, 'w', .shift = 12, .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"size 40", PLAIN, {0x3003, 0x4003, 0x100000057ff}, 'w', SIZE, 0x03, 0, 12},
	{"absent", PLAIN, {0}, 'r', NONE, 0x05, 0, 30},
};
static const struct golden rows32c[] = {
	{"4k", PLAIN, {0x4003, 0x57ff}, 'w', .shift = 12, .pa = 0x5abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"2m", PLAIN, {0x4007fd}, 'w', .shift = 21, .pa = 0x404abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"absent", PLAIN, {0}, 'r', NONE, 0x06, 0, 21},
};
/* With DS, bits 9:8 are address bits 51:50, and SH is VTCR's. */
static const struct golden rows52[] = {
	{"4k", PLAIN, {0x1003, 0x2003, 0x3003, 0x4003, 0x3fedcba9876ff}, 'w', .shift = 12, .pa = 0xbfedcba987abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"4k bit 51", PLAIN, {0x1003, 0x2003, 0x3003, 0x4003, 0x56ff}, 'r', .shift = 12, .pa = 0x8000000005abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"4k bit 50", PLAIN, {0x1003, 0x2003, 0x3003, 0x4003, 0x55ff}, 'r', .shift = 12, .pa = 0x4000000005abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"4k bit 49", PLAIN, {0x1003, 0x2003, 0x3003, 0x4003, 0x20000000054ff}, 'r', .shift = 12, .pa = 0x2000000005abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"512g", PLAIN, {0x1003, 0x80000004fd}, 'w', .shift = 39, .pa = 0x8080604abc, .perm = "rwx", .memtype = ORACLE_WB},
	{"block at -1", PLAIN, {0x80000004fd}, 'w', NONE, 0x2b, 0, 48},
	{"absent at -1", PLAIN, {0}, 'w', NONE, 0x2b, 0, 48},
	{"absent at 0", PLAIN, {0x1003, 0}, 'w', NONE, 0x04, 0, 39},
	{"no af at 0", PLAIN, {0x1003, 0x80000000fd}, 'w', AF, 0x08, 0, 39},
	{"denied at 0", PLAIN, {0x1003, 0x800000047d}, 'w', DENIED, 0x0c, 0, 39, .perm = "rx"},
};
static const struct golden rows52c[] = {
	{"4k", PLAIN, {0x2003, 0x3003, 0x4003, 0x57ff}, 'w', .shift = 12, .pa = 0xc000000005abc, .perm = "rwx", .memtype = ORACLE_WB},
};

/* Machine of 44 bits: 47:44 of an address are an address size fault, 50:48 RES0. */
static const struct golden_bits bits48[] = {
	{"level 0 table", {"", PLAIN, {0x2003, 0x3003, 0x4003, 0x57ff}, 'r'}, 0, 0x0000f00000000000, SIZE, 0x07f0000000000ffc, 0xf80f000000000000, 0, 0},
	{"level 1 table", {"", PLAIN, {0x2003, 0x3003, 0x4003, 0x57ff}, 'r'}, 1, 0x0000f00000000000, SIZE, 0x07f0000000000ffc, 0xf80f000000000000, 0, 0},
	{"level 2 table", {"", PLAIN, {0x2003, 0x3003, 0x4003, 0x57ff}, 'r'}, 2, 0x0000f00000000000, SIZE, 0x07f0000000000ffc, 0xf80f000000000000, 0, 0},
	{"page", {"", PLAIN, {0x2003, 0x3003, 0x4003, 0x04ff}, 'r'}, 3, 0x0000f00000000000, SIZE, 0xff98000000000300, 0x0027000000000800, 0x00000ffffffff000, 0},
	{"2m", {"", PLAIN, {0x2003, 0x3003, 0x04fd}, 'r'}, 2, 0x0000f00000000000, SIZE, 0xff98000000000300, 0x00270000001ff800, 0x00000fffffe00000, 0},
	{"1g", {"", PLAIN, {0x2003, 0x04fd}, 'r'}, 1, 0x0000f00000000000, SIZE, 0xff98000000000300, 0x002700003ffff800, 0x00000fffc0000000, 0},
};
static const struct golden_bits bits52[] = {
	{"level -1 table", {"", PLAIN, {0x1003, 0x2003, 0x3003, 0x4003, 0x54ff}, 'r'}, 0, 0, SIZE, 0x07fc000000000cfc, 0xf800000000000000, 0, 0},
	{"page", {"", PLAIN, {0x1003, 0x2003, 0x3003, 0x4003, 0x04ff}, 'r'}, 4, 0, SIZE, 0xff98000000000000, 0x0024000000000800, 0x0003fffffffff000, 0},
	{"512g", {"", PLAIN, {0x1003, 0x04fd}, 'r'}, 1, 0, SIZE, 0xff98000000000000, 0x0024007ffffff800, 0x0003ff8000000000, 0},
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
	golden_run(rows48, GOLDEN_COUNT(rows48), &path48, walk48);
	golden_run(rows40, GOLDEN_COUNT(rows40), &path40, walk40);
	golden_run(rows32, GOLDEN_COUNT(rows32), &path32, walk32);
	golden_run(rows32c, GOLDEN_COUNT(rows32c), &path32c, walk32c);
	golden_run(rows52, GOLDEN_COUNT(rows52), &path52, walk52);
	golden_run(rows52c, GOLDEN_COUNT(rows52c), &path52c, walk52c);
}

static void each_bit(void **state)
{
	(void)state;
	golden_run_bits(bits48, GOLDEN_COUNT(bits48), &path48, walk48);
	golden_run_bits(bits52, GOLDEN_COUNT(bits52), &path52, walk52);
}

/* T0SZ against SL0 (AArch64.S2InconsistentSL), the width of addresses, roots out of range. */
static void root_and_width(void **state)
{
	static const struct {
		uint64_t vtcr, vttbr, ipa;
		enum oracle_fault fault;
		unsigned code;
	} roots[] = {
		{0x80043590, 0x1000, 0x0000ffffffffffff, ORACLE_ABSENT, 0x04},
		{0x80043590, 0x1000, 0x0001000000000000, ORACLE_WIDTH, 0x04},
		{0x80043590, 0x1000, 0x8000000000000000, ORACLE_WIDTH, 0x04},
		{0x80043558, 0x2000, 0x000000ffffffffff, ORACLE_ABSENT, 0x05}, /* 40 bits */
		{0x80043558, 0x2000, 0x0000010000000000, ORACLE_WIDTH, 0x04},
		{0x80043555, 0x10000, 0, ORACLE_ABSENT, 0x05},   /* SL0 1, 43 bits: 16 tables */
		{0x80043554, 0x10000, 0, ORACLE_BAD_ROOT, 0x04}, /* 44 bits: too many */
		{0x80043561, 0x1000, 0, ORACLE_ABSENT, 0x05},    /* SL0 1, 31 bits: 2 entries */
		{0x80043562, 0x1000, 0, ORACLE_BAD_ROOT, 0x04},  /* 30 bits: 1 entry */
		{0x80043598, 0x1000, 0, ORACLE_ABSENT, 0x04},    /* SL0 2, 40 bits: 2 entries */
		{0x80043599, 0x1000, 0, ORACLE_BAD_ROOT, 0x04},  /* 39 bits */
		{0x8004358f, 0x1000, 0, ORACLE_BAD_ROOT, 0x04},  /* 49 bits without DS */
		{0x800435d0, 0x1000, 0, ORACLE_BAD_ROOT, 0x04},  /* SL0 3 */
		{0x80047590, 0x1000, 0, ORACLE_BAD_ROOT, 0x04},  /* TG0 64 KiB: not modelled */
		{0x80043590, 0x100000000000, 0, ORACLE_ADDRESS_SIZE, 0x00}, /* root at 2^44 */
		{0x38006350c, 0x1000, 0x000fffffffffffff, ORACLE_ABSENT, 0x2b},
		{0x38006350c, 0x1000, 0x0010000000000000, ORACLE_WIDTH, 0x04},
		{0x38006350b, 0x1000, 0, ORACLE_BAD_ROOT, 0x04}, /* 53 bits */
		{0x38006354c, 0x1000, 0, ORACLE_BAD_ROOT, 0x04}, /* SL2 1, SL0 1: reserved */
	};
	const struct oracle_memory memory = {read_zero, NULL};

	(void)state;
	for (size_t i = 0; i < GOLDEN_COUNT(roots); i++) {
		struct oracle_walk w = walk_vtcr(PLAIN, roots[i].vtcr, roots[i].vttbr, 52, &memory,
		                                 roots[i].ipa, ORACLE_READ);

		check_context("root=%zu", i);
		CHECK_TEXT(oracle_fault_name(w.fault), oracle_fault_name(roots[i].fault));
		CHECK_EQ(w.code, roots[i].code);
	}
}

/* D8.6.2: SH is bits 9:8 of the leaf; with DS it is VTCR_EL2.SH0 (3 in walk52()). */
static void shareability(void **state)
{
	static const uint64_t without_ds[4][5] = {{0x2003, 0x3003, 0x4003, 0x54ff},
	                                          {0x2003, 0x3003, 0x4003, 0x55ff},
	                                          {0x2003, 0x3003, 0x4003, 0x56ff},
	                                          {0x2003, 0x3003, 0x4003, 0x57ff}};
	static const uint64_t with_ds[] = {0x1003, 0x2003, 0x3003, 0x4003, 0x54ff};
	struct golden_memory entries = {&path52, with_ds};
	const struct oracle_memory memory = {golden_read, &entries};

	(void)state;
	CHECK_EQ(walk52(PLAIN, &memory, path52.gpa, ORACLE_READ).shareability, 3);
	entries.path = &path48;
	for (unsigned sh = 0; sh < 4; sh++) {
		entries.words = without_ds[sh];
		CHECK_EQ(walk48(PLAIN, &memory, path48.gpa, ORACLE_READ).shareability, sh);
	}
}

/* D19.2, VTCR_EL2.PS: the widths that it can state, and ID_AA64MMFR0_EL1.PARange below them. */
static void output_sizes(void **state)
{
	static const struct {
		uint64_t vtcr;
		unsigned pamax;
		uint64_t last; /* the highest page of that width, as a descriptor */
		uint64_t next; /* the one after it */
	} sizes[] = {
		{0x80003590, 48, 0x00000000fffff7ff, 0x00000001000007ff}, /* 32 */
		{0x80013590, 48, 0x0000000ffffff7ff, 0x00000010000007ff}, /* 36 */
		{0x80023590, 48, 0x000000fffffff7ff, 0x00000100000007ff}, /* 40 */
		{0x80033590, 48, 0x000003fffffff7ff, 0x00000400000007ff}, /* 42 */
		{0x80043590, 48, 0x00000ffffffff7ff, 0x00001000000007ff}, /* 44 */
		{0x80053590, 40, 0x000000fffffff7ff, 0x00000100000007ff}, /* 48, of 40 */
	};

	(void)state;
	for (size_t i = 0; i < GOLDEN_COUNT(sizes); i++) {
		uint64_t words[] = {0x2003, 0x3003, 0x4003, sizes[i].last};
		struct golden_memory entries = {&path48, words};
		const struct oracle_memory memory = {golden_read, &entries};
		struct oracle_walk w;

		check_context("size=%zu", i);
		w = walk_vtcr(PLAIN, sizes[i].vtcr, 0x1000, sizes[i].pamax, &memory, path48.gpa,
		              ORACLE_READ);
		CHECK_EQ(w.fault, ORACLE_OK);
		words[3] = sizes[i].next;
		w = walk_vtcr(PLAIN, sizes[i].vtcr, 0x1000, sizes[i].pamax, &memory, path48.gpa,
		              ORACLE_READ);
		CHECK_EQ(w.fault, ORACLE_ADDRESS_SIZE);
		CHECK_EQ(w.code, 0x03);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),           cmocka_unit_test(each_bit),
		cmocka_unit_test(root_and_width), cmocka_unit_test(shareability),
		cmocka_unit_test(output_sizes),
	};
	return cmocka_run_group_tests_name("oracle_arm", tests, NULL, NULL);
}
