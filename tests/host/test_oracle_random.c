/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two walkers on random tables: hw_walk() and tests/oracle agree on every walk. Entries are
 * mostly valid, then one or two bits are flipped in some. The geometries are those of geometry.c,
 * with their optional features drawn at random.
 */
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

#include "geometry.h"

/* Physical memory: 64 frames, repeated over all addresses. Frames 0 to 15 are the root; then
 * eight for each level of tables. */
#define FRAMES 64U
#define ROOT   UINT64_C(0x40000000)
#define EPOCHS 60U
#define WALKS  600U

struct machine {
	struct hw_mmu mmu;
	_Atomic uint64_t frames[FRAMES][512];
	struct rng rng;
};

static void *memory(void *ctx, mm_hpa_t pa)
{
	struct machine *m = ctx;

	return &m->frames[(pa.raw >> 12) % FRAMES][pa.raw / 8 % 512];
}

static uint64_t random_bits(struct machine *m, uint64_t mask)
{
	return rng_next(&m->rng) & mask;
}

static bool one_in(struct machine *m, unsigned n)
{
	return rng_below(&m->rng, n) == 0;
}

/* An output address of so many low zero bits, within the machine's width. */
static uint64_t random_address(struct machine *m, unsigned shift)
{
	uint64_t mask = (UINT64_C(1) << m->mmu.config.hpa_bits) - 1;

	return random_bits(m, mask) >> shift << shift;
}

/* Where a table of this level lies: in one of its eight frames. */
static uint64_t random_table(struct machine *m, unsigned level)
{
	uint64_t frame = 16 + 8 * level + rng_below(&m->rng, 8);

	return random_address(m, 18) | frame << 12;
}

static uint64_t ept_entry(struct machine *m, unsigned level, bool leaf)
{
	static const uint8_t perms[] = {7, 7, 7, 3, 5, 1, 4, 0};
	static const uint8_t types[] = {6, 6, 0, 1, 4, 5};
	uint64_t perm = leaf ? perms[rng_below(&m->rng, 8)] : 7;

	if (!leaf)
		return random_table(m, level - 1) | perm | random_bits(m, 0x900);
	return random_address(m, 12 + 9 * level) | perm | (level ? 0x80 : 0) |
	       (uint64_t)types[rng_below(&m->rng, 6)] << 3 | random_bits(m, 0x340);
}

static uint64_t amd_entry(struct machine *m, unsigned level, bool leaf)
{
	if (!leaf)
		return random_table(m, level - 1) | 7 | random_bits(m, 0xe38);
	return random_address(m, 12 + 9 * level) | 1 | (one_in(m, 8) ? 0 : 4) |
	       (level ? 0x80 : random_bits(m, 0x80)) | (level ? random_bits(m, 0x1000) : 0) |
	       random_bits(m, UINT64_C(0x8000000000000f7a));
}

static uint64_t arm_address(struct machine *m, uint64_t address)
{
	if (m->mmu.format == &mm_npt_stage2)
		return address & UINT64_C(0x0000ffffffffffff);
	return (address & UINT64_C(0x0003ffffffffffff)) | address >> 50 << 8;
}

static uint64_t arm_entry(struct machine *m, unsigned level, bool leaf)
{
	static const uint8_t types[] = {0xf, 0xf, 0xf, 5, 1, 0, 2, 3};
	uint64_t share = m->mmu.format == &mm_npt_stage2 ? 0x300 : 0;

	if (!leaf)
		return arm_address(m, random_table(m, level - 1)) | 3;
	return arm_address(m, random_address(m, 12 + 9 * level)) | (level ? 1 : 3) | share |
	       (uint64_t)types[rng_below(&m->rng, 8)] << 2 | (one_in(m, 4) ? 0 : UINT64_C(0x400)) |
	       random_bits(m, UINT64_C(0x00480000000000c0)); /* XN[1], DBM, S2AP */
}

static uint64_t riscv_entry(struct machine *m, unsigned level, bool leaf)
{
	static const uint8_t perms[] = {2, 6, 10, 14, 8, 14, 6, 2};

	if (!leaf)
		return random_table(m, level - 1) >> 2 | 1;
	return random_address(m, 12 + 9 * level) >> 2 | 1 | perms[rng_below(&m->rng, 8)] |
	       (one_in(m, 8) ? 0 : 16) | random_bits(m, 0x3c0);
}

static uint64_t random_entry(struct machine *m, const struct geometry *geo, unsigned level)
{
	CHECK(is_ept(geo) || is_amd(geo) || is_arm(geo) || is_riscv(geo));

	bool leaf = level == 0 || one_in(m, 3);
	uint64_t entry = is_ept(geo)   ? ept_entry(m, level, leaf)
	                 : is_amd(geo) ? amd_entry(m, level, leaf)
	                 : is_arm(geo) ? arm_entry(m, level, leaf)
	                               : riscv_entry(m, level, leaf);

	if (one_in(m, 32))
		return rng_next(&m->rng);
	for (unsigned flips = one_in(m, 5) ? 1 + (unsigned)rng_below(&m->rng, 2) : 0; flips;
	     flips--)
		entry ^= UINT64_C(1) << rng_below(&m->rng, 64);
	return entry;
}

static void fill(struct machine *m, const struct geometry *geo)
{
	unsigned levels = m->mmu.config.levels;

	for (unsigned f = 0; f < FRAMES; f++) {
		unsigned level = f < 16 ? levels - 1 : (f - 16) / 8;

		for (unsigned i = 0; level < levels && i < 512; i++)
			m->frames[f][i] = random_entry(m, geo, level);
	}
}

/* The geometry, with what a machine may have or not drawn at random. */
static struct mm_npt_config random_config(struct machine *m, const struct geometry *geo)
{
	static const uint8_t widths[] = {32, 36, 38, 40, 42, 44, 46, 48, 50, 52, 56};

	for (unsigned tries = 0; tries < 50; tries++) {
		struct mm_npt_config c = geo->config;

		c.hpa_bits = widths[rng_below(&m->rng, sizeof(widths))];
		/* Arm and RISC-V have every size of leaf, and execute-only entries. */
		if (is_ept(geo))
			c.max_leaf = (unsigned)rng_below(&m->rng, 3);
		if (is_ept(geo))
			c.execute_only = one_in(m, 2);
		if (is_amd(geo))
			c.max_leaf = 1 + (unsigned)rng_below(&m->rng, 2);
		c.accessed_dirty = one_in(m, 2);
		c.fixed_memtype = one_in(m, 2);
		/* The hardware has leaves larger than physical memory, the library has not. */
		struct mm_npt_config narrow = c;
		narrow.max_leaf = 0;
		if (mm_npt_config_check(geo->format, &narrow) == MM_OK)
			return c;
	}
	return geo->config;
}

static mm_gpa_t random_gpa(struct machine *m)
{
	unsigned bits = mm_npt_gpa_bits(&m->mmu.config);
	uint64_t gpa = random_bits(m, (UINT64_C(1) << bits) - 1);

	if (one_in(m, 64))
		gpa |= UINT64_C(1) << (bits + rng_below(&m->rng, 64 - bits));
	return mm_gpa_at(gpa);
}

/* Does the walk read one word of our small memory twice? Then A bits make the second reading
 * depend on when they are written, and the manuals do not say when. */
static bool reads_twice(struct machine *m, const struct oracle_walk *walk)
{
	for (unsigned i = 0; i < walk->step_count; i++) {
		for (unsigned j = 0; j < i; j++) {
			if (memory(m, mm_hpa_at(walk->steps[i].pa)) ==
			    memory(m, mm_hpa_at(walk->steps[j].pa)))
				return true;
		}
	}
	return false;
}

static void walkers_agree(const struct geometry *geo)
{
	static const enum mm_perm accesses[] = {MM_R, MM_W, MM_X};
	struct machine *m = calloc(1, sizeof(*m));
	unsigned count[ORACLE_FAULTS] = {0}, oversize = 0;

	CHECK(m != NULL);
	m->rng = rng_seeded(UINT64_C(0x0ac1e) + (uint64_t)(geo - geometries));
	for (unsigned epoch = 0; epoch < EPOCHS; epoch++) {
		m->mmu = (struct hw_mmu){geo->format, geo->config, mm_hpa_at(ROOT), memory, m};
		if (epoch % 2)
			m->mmu.config = random_config(m, geo);
		fill(m, geo);
		for (unsigned n = 0; n < WALKS; n++) {
			mm_gpa_t gpa = random_gpa(m);
			enum mm_perm access = accesses[rng_below(&m->rng, 3)];
			struct oracle_walk walk = oracle_walk_mmu(&m->mmu, gpa, access);
			struct hw_result result;
			char text[1024];

			if (reads_twice(m, &walk))
				continue;
			count[walk.fault]++;
			if (!oracle_compare(&m->mmu, gpa, access, !one_in(m, 4), &result, text,
			                    sizeof(text)))
				check_failed(__FILE__, __LINE__, "epoch %u, walk %u:%s", epoch, n,
				             text);
			/* A leaf larger than physical memory, with and without a fault. */
			if (walk.shift > m->mmu.config.hpa_bits && walk.reserved_encoding) {
				CHECK_EQ(result.outcome, HW_MISCONFIG);
				oversize++;
			}
		}
	}
	/* The tables were of some use: every outcome of a walk occurs. */
	CHECK(count[ORACLE_OK] > EPOCHS * WALKS / 20);
	CHECK(count[ORACLE_ABSENT] && count[ORACLE_PERMISSION] && count[ORACLE_WIDTH]);
	CHECK(count[ORACLE_RESERVED] || count[ORACLE_ADDRESS_SIZE]);
	CHECK(!is_riscv(geo) || (count[ORACLE_ACCESS_FLAG] && count[ORACLE_BUS]));
	CHECK(geo->config.max_leaf < 3 || oversize);
	free(m);
}

static bool has_oracle(const struct geometry *geo)
{
	return oracle_knows(geo->format);
}

static const struct geometry_test tests[] = {
	GEOMETRY_TEST_IF(walkers_agree, has_oracle),
};

int main(void)
{
	return run_geometry_tests("oracle_random", tests, sizeof(tests) / sizeof(tests[0]));
}
