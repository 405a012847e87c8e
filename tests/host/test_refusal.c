/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a call refuses before it does anything: addresses beyond the guest's space, accesses that
 * are none, permissions and types that do not exist, hooks that are missing, a CPU number too
 * high. test_boundary.c does the same by generation; here each case has its own story.
 */
#include "guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mm/compiler.h"
#include "mm/dirty.h"
#include "mm/snapshot.h"

#define GIB UINT64_C(0x40000000)

static const struct hal_test_options plain = {0};
static const struct mm_aspace_backing lazy = {0};

/* --- addresses --- */

static bool never(void *ctx, mm_gpa_t gpa, struct mm_aspace_span span)
{
	(void)ctx, (void)gpa, (void)span;
	check_failed(__FILE__, __LINE__, "a span was visited");
}

/* Every call that takes the address of a byte. */
static void expect_out_of_range(struct guest *g, mm_gpa_t gpa)
{
	struct mm_aspace_translation t;
	struct mm_npt_step steps[MM_NPT_MAX_LEVELS];
	uint64_t value = 0;
	int order;

	CHECK_EQ(mm_aspace_fault(&g->as, gpa, MM_R), MM_FAULT_OUT_OF_RANGE);
	CHECK_EQ(mm_aspace_fault(&g->as, gpa, MM_W), MM_FAULT_OUT_OF_RANGE);
	CHECK_EQ(mm_aspace_fault(&g->as, gpa, MM_X), MM_FAULT_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_translate(&g->as, gpa, &t), MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_read(&g->as, gpa, &value, 8), MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_fetch(&g->as, gpa, &value, 8), MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_write(&g->as, gpa, &value, 8), MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_fill(&g->as, gpa, 1, 8), MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_compare(&g->as, gpa, &value, 8, &order), MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_load(&g->as, gpa, 8, &value), MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_store(&g->as, gpa, 8, value), MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_for_each_span(&g->as, mm_gpa_range(gpa, 8), MM_R, never, NULL),
	          MM_OUT_OF_RANGE);
	CHECK_EQ(mm_aspace_steps(&g->as, gpa, steps), 0);
	CHECK_EQ(value, 0);
}

/*
 * The translation cache is looked up by GiB. Of each of its slots: addresses beyond the space
 * whose GiB agrees with the slot's key in its low bits, while the slot is empty and its last
 * table has gone back, and while it is in use.
 */
static void an_address_beyond_the_limits_finds_no_table(const struct geometry *geo)
{
	static const uint64_t keys[] = {
		UINT32_MAX - 3, UINT32_MAX - 2, UINT32_MAX - 1, UINT32_MAX, 0, 1, 2, 3};
	struct guest *g = guest_open(geo, plain);

	CHECK_OK(mm_aspace_map_alloc(&g->as, mm_gpa_range(mm_gpa_at(0), 4 * GIB), MM_RWX, lazy));
	for (unsigned round = 0; round < 3; round++) {
		for (uint64_t gib = 0; gib < 4 && round != 1; gib++)
			guest_store(g, mm_gpa_at(gib * GIB), 1);
		for (size_t i = 0; i < MM_ARRAY_SIZE(keys); i++) {
			for (uint64_t high = 0; high < 4; high++) {
				mm_gpa_t gpa = mm_gpa_at((high << 32 | keys[i]) << 30);

				if (!mm_gpa_range_contains(g->as.limits, gpa))
					expect_out_of_range(g, gpa);
			}
		}
		if (round == 0) { /* the tables go, and with them all that a CPU knows */
			CHECK_OK(mm_aspace_unmap(&g->as, mm_gpa_range(mm_gpa_at(0), 4 * GIB)));
			CHECK_OK(mm_aspace_map_alloc(&g->as, mm_gpa_range(mm_gpa_at(0), 4 * GIB),
			                             MM_RWX, lazy));
		}
	}
	guest_close(g);
}

/* Limits within what the format spans: nothing beyond them, though tables reach further. */
static void limits_inside_a_table(const struct geometry *geo)
{
	struct hal_test *hal = hal_test_open(
		(struct hal_test_options){.root_order = mm_npt_root_order(&geo->config)});
	struct mm_aspace_config config = guest_config(geo, hal);
	uint8_t bytes[8] = {0};

	config.limits = pages(512, 16);
	struct guest *g = guest_open_with(geo, hal, &config);

	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(512, 16), MM_RWX, lazy));
	guest_store(g, page(512), 1);
	guest_store(g, page(527), 1);
	expect_out_of_range(g, page(511));
	expect_out_of_range(g, page(528));
	expect_out_of_range(g, mm_gpa_plus(page(511), 4095));
	/* The last byte is the first one outside. */
	CHECK_ERR(mm_aspace_read(&g->as, mm_gpa_plus(page(527), 4089), bytes, 8), MM_OUT_OF_RANGE);
	CHECK_ERR(mm_aspace_write(&g->as, mm_gpa_plus(page(527), 4089), bytes, 8), MM_OUT_OF_RANGE);
	CHECK_OK(mm_aspace_read(&g->as, mm_gpa_plus(page(527), 4088), bytes, 8));
	guest_close(g);
}

/* --- accesses --- */

static const unsigned no_accesses[] = {0,    3,    5,     6,     7,          8,         9,
                                       0x11, 0x22, 0x101, 0x102, 0x103,      0x10001,   0x80000001,
                                       33,   34,   36,    65,    (1U << 31), UINT32_MAX};

static void expect_no_access(struct guest *g, mm_gpa_t gpa)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(no_accesses); i++) {
		enum mm_perm access = (enum mm_perm)no_accesses[i];
		uint64_t before = guest_fingerprint(g);
		uint64_t requests = g->hal->requests;
		uint64_t counted = guest_stats(g).faults[MM_FAULT_INVALID];

		check_context("format=%s access=0x%x", g->geo->name, no_accesses[i]);
		CHECK_EQ(mm_aspace_fault(&g->as, gpa, access), MM_FAULT_INVALID);
		CHECK_ERR(
			mm_aspace_for_each_span(&g->as, mm_gpa_range(gpa, 8), access, never, NULL),
			MM_INVALID);
		CHECK_ERR(
			mm_aspace_for_each_span(&g->as, mm_gpa_range(gpa, 0), access, never, NULL),
			MM_INVALID);
		CHECK_EQ(guest_fingerprint(g), before);
		CHECK_EQ(g->hal->requests, requests);
		CHECK_EQ(guest_stats(g).faults[MM_FAULT_INVALID], counted + 1);
	}
	check_context("format=%s", g->geo->name);
}

static void an_access_is_one_of_r_w_x(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_snapshot s;

	expect_no_access(g, page(500));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(500, 8), MM_RWX, lazy));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(600, 8), MM_R, lazy));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(700, 8), MM_NONE, lazy));
	CHECK_OK(mm_aspace_map_device(&g->as, pages(800, 8)));
	expect_no_access(g, page(501)); /* no table yet */
	guest_store(g, page(500), 1);
	guest_store(g, page(502), 1);
	expect_no_access(g, page(500)); /* there */
	expect_no_access(g, page(501)); /* between pages of a table that this CPU knows */
	expect_no_access(g, page(600));
	expect_no_access(g, page(700)); /* reserved: MM_NONE takes no frame */
	CHECK_EQ(mm_aspace_fault(&g->as, page(800), MM_R), MM_FAULT_IS_DEVICE);
	expect_no_access(g, page(800));
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
	expect_no_access(g, page(500)); /* shared: not written to by R and W together */
	mm_aspace_snapshot_drop(&g->as, &s);
	guest_close(g);
}

/* --- what a request is made of --- */

static void parts_that_do_not_exist(const struct geometry *geo)
{
	static const unsigned perms[] = {8, 9, 0x100, 0x103, 0x107, 0x10007, UINT32_MAX};
	static const unsigned types[] = {MM_MEMTYPES, 0x100, 0x101, 0x10000, UINT32_MAX};
	static const unsigned leaves[] = {MM_NPT_MAX_LEVELS, 9, 0x100, 0x101, UINT32_MAX};
	static const unsigned modes[] = {2, 0x100, 0x101, UINT32_MAX};
	struct guest *g = guest_open(geo, plain);
	struct mm_aspace *as = &g->as;
	const mm_hpa_t host = mm_hpa_at(0);

	CHECK_OK(mm_aspace_map_alloc(as, pages(0, 8), MM_RW, lazy));
	uint64_t before = guest_fingerprint(g);

	for (size_t i = 0; i < MM_ARRAY_SIZE(perms); i++) {
		enum mm_perm perm = (enum mm_perm)perms[i];

		check_context("format=%s perm=0x%x", geo->name, perms[i]);
		CHECK_ERR(mm_aspace_map_alloc(as, pages(8, 1), perm, lazy), MM_INVALID);
		CHECK_ERR(mm_aspace_map_linear(as, pages(8, 1), host, perm, MM_NORMAL, 0),
		          MM_INVALID);
		CHECK_ERR(mm_aspace_replace_alloc(as, pages(0, 1), perm, lazy), MM_INVALID);
		CHECK_ERR(mm_aspace_replace_linear(as, pages(0, 1), host, perm, MM_NORMAL, 0),
		          MM_INVALID);
		CHECK_ERR(mm_aspace_protect(as, pages(0, 1), perm), MM_INVALID);
	}
	for (size_t i = 0; i < MM_ARRAY_SIZE(types); i++) {
		enum mm_memtype type = (enum mm_memtype)types[i];

		check_context("format=%s type=0x%x", geo->name, types[i]);
		CHECK_ERR(mm_aspace_map_linear(as, pages(8, 1), host, MM_R, type, 0), MM_INVALID);
		CHECK_ERR(mm_aspace_replace_linear(as, pages(0, 1), host, MM_R, type, 0),
		          MM_INVALID);
	}
	for (size_t i = 0; i < MM_ARRAY_SIZE(leaves); i++) {
		const struct mm_aspace_backing backing = {.max_leaf = leaves[i]};

		check_context("format=%s max_leaf=0x%x", geo->name, leaves[i]);
		CHECK_ERR(mm_aspace_map_alloc(as, pages(8, 1), MM_RW, backing), MM_INVALID);
		CHECK_ERR(mm_aspace_replace_alloc(as, pages(0, 1), MM_RW, backing), MM_INVALID);
		CHECK_ERR(mm_aspace_map_linear(as, pages(8, 1), host, MM_R, MM_NORMAL, leaves[i]),
		          MM_INVALID);
		CHECK_ERR(
			mm_aspace_replace_linear(as, pages(0, 1), host, MM_R, MM_NORMAL, leaves[i]),
			MM_INVALID);
	}
	for (size_t i = 0; i < MM_ARRAY_SIZE(modes); i++) {
		check_context("format=%s mode=0x%x", geo->name, modes[i]);
		CHECK_ERR(mm_aspace_dirty_start(as, (enum mm_dirty_mode)modes[i], false),
		          MM_INVALID);
	}
	CHECK_EQ(guest_fingerprint(g), before);
	guest_close(g);
}

/* A snapshot that is none of this address space's, or none any more. */
static void snapshots_that_are_not_there(const struct geometry *geo)
{
	struct guest *g = guest_open(geo, plain);
	struct mm_snapshot s, other;

	memset(&s, 0xdd, sizeof(s));
	memset(&other, 0xdd, sizeof(other));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(0, 8), MM_RW, lazy));
	guest_store(g, page(1), 1);
	CHECK_ERR(mm_aspace_snapshot_restore(&g->as, &s), MM_INVALID);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &s));
	uint64_t before = guest_fingerprint(g);
	CHECK_ERR(mm_aspace_snapshot_take(&g->as, &s), MM_INVALID);
	CHECK_ERR(mm_aspace_snapshot_restore(&g->as, &other), MM_INVALID);
	mm_aspace_snapshot_drop(&g->as, &other);
	CHECK_EQ(guest_fingerprint(g), before);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &s));
	mm_aspace_snapshot_drop(&g->as, &s);
	mm_aspace_snapshot_drop(&g->as, &s);
	CHECK_ERR(mm_aspace_snapshot_restore(&g->as, &s), MM_INVALID);
	guest_close(g);
}

/* --- configurations --- */

static void init_wants_its_hooks(const struct geometry *geo)
{
	struct hal_test *hal = hal_test_open(
		(struct hal_test_options){.root_order = mm_npt_root_order(&geo->config)});
	const struct mm_aspace_config good = guest_config(geo, hal);
	struct mm_aspace_config bad;
	struct mm_aspace *as = aligned_alloc(256, sizeof(*as));

#define REFUSED(member, value)                                                                     \
	(bad = good, bad.member = (value), CHECK_ERR(mm_aspace_init(as, &bad), MM_INVALID))
	REFUSED(format, NULL);
	REFUSED(hal.alloc, NULL);
	REFUSED(hal.free, NULL);
	REFUSED(hal.flush, NULL);
#undef REFUSED
	CHECK_ERR(mm_aspace_init(as, NULL), MM_INVALID);
	CHECK_ERR(mm_aspace_init(NULL, &good), MM_INVALID);
	bad = good;
	bad.npt.max_leaf = 9;
	CHECK_ERR(mm_aspace_init(as, &bad), MM_UNSUPPORTED);
	CHECK_EQ(hal->requests, 0);
	hal_test_close(hal);
	free(as);
}

/* As a caller would that thinks there is no limit: every call that asks for the number. What lies
 * behind the struct is ours, so that only the library can stop it. */
static unsigned long wrong_cpu;

static unsigned far_cpu(void *ctx)
{
	(void)ctx;
	return (unsigned)wrong_cpu;
}

static void survives(const struct geometry *geo, unsigned call)
{
	struct {
		struct mm_aspace as;
		uint8_t behind[0x10000];
	} *room = aligned_alloc(256, (sizeof(*room) + 255) & ~(size_t)255);
	struct hal_test *hal = hal_test_open(
		(struct hal_test_options){.root_order = mm_npt_root_order(&geo->config)});
	struct mm_aspace_config config = guest_config(geo, hal);
	struct mm_aspace_translation t;
	struct mm_aspace_stats stats;
	uint64_t value;

	config.hal.cpu_index = far_cpu;
	memset(room, 1,
	       sizeof(*room)); /* each line behind looks like that of a CPU that is known */
	CHECK_OK(mm_aspace_init(&room->as, &config));
	switch (call) {
	case 0:
		(void)!mm_aspace_fault(&room->as, page(0), MM_R);
		break;
	case 1:
		(void)!mm_aspace_translate(&room->as, page(0), &t);
		break;
	case 2:
		(void)!mm_aspace_load(&room->as, page(0), 8, &value);
		break;
	default:
		mm_aspace_get_stats(&room->as, &stats);
	}
}

static void a_cpu_number_too_high_stops(const struct geometry *geo)
{
	static const unsigned numbers[] = {MM_MAX_CPUS, MM_MAX_CPUS + 1, 2 * MM_MAX_CPUS,
	                                   UINT16_MAX};

	for (unsigned i = 0; i < 4 * MM_ARRAY_SIZE(numbers); i++) {
		int status;
		pid_t child;

		wrong_cpu = numbers[i / 4];
		child = fork();
		CHECK(child >= 0);
		if (child == 0) {
			check_in_child();
			(void)!freopen("/dev/null", "w", stderr);
			survives(geo, i % 4);
			_exit(0);
		}
		CHECK(waitpid(child, &status, 0) == child);
		check_context("format=%s cpu=%lu call=%u", geo->name, wrong_cpu, i % 4);
		CHECK(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
	}
}

static bool is_first(const struct geometry *geo)
{
	return geo == &geometries[0];
}

int main(void)
{
	const struct geometry_test tests[] = {
		GEOMETRY_TEST(an_address_beyond_the_limits_finds_no_table),
		GEOMETRY_TEST(limits_inside_a_table),
		GEOMETRY_TEST(an_access_is_one_of_r_w_x),
		GEOMETRY_TEST(parts_that_do_not_exist),
		GEOMETRY_TEST(snapshots_that_are_not_there),
		GEOMETRY_TEST(init_wants_its_hooks),
		GEOMETRY_TEST_IF(a_cpu_number_too_high_stops, is_first),
	};

	return run_geometry_tests("refusal", tests, MM_ARRAY_SIZE(tests));
}
