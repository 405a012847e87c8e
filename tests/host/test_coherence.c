/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three CPUs of one guest, a TLB each. While one of them, or the hypervisor, is inside a call that
 * changes the tables, the others go on using the guest's memory. At no moment may two of them, or
 * one of them and the table, lead to different frames for one page; and when the call has returned,
 * no TLB grants what the table does not, and no write goes without a dirty mark (ghost_tlb.h).
 *
 * And on EPT, no entry that is not present may hold an address of cacheable memory (L1TF): all of
 * it lies below 2^(hpa_bits - 1).
 *
 * Each story runs once for every moment at which the others can act: at each hook, and between
 * the flush of one CPU and that of the next.
 */
#include "guest.h"

#include <string.h>

#include "mm/compiler.h"
#include "mm/dirty.h"
#include "mm/snapshot.h"

#define CPUS 3U

/* Small pages with frames of the library's own; large leaves of its own; a linear area. */
enum {
	SMALL = 500,
	SMALL_COUNT = 24,
	LARGE = 1024,
	LARGE_COUNT = 512,
	LINEAR = 3072,
	LINEAR_COUNT = 1024,
};

static const uint64_t watched[] = {SMALL,       SMALL + 1,   SMALL + 12, LARGE,       LARGE + 100,
                                   LARGE + 400, LARGE + 511, LINEAR,     LINEAR + 700};

static struct mm_snapshot snapshots[2];

struct story {
	const char *name;
	void (*prepare)(struct guest *g);
	void (*run)(struct guest *g);
	bool (*applies)(const struct geometry *geo);
};

/* --- the CPUs --- */

/* Each access of a CPU that does not fault; one that does would wait for the library. */
static void use_memory(struct guest *g, unsigned cpu)
{
	static const enum mm_perm accesses[] = {MM_R, MM_W};
	for (size_t i = 0; i < MM_ARRAY_SIZE(watched); i++) {
		for (size_t a = 0; a < MM_ARRAY_SIZE(accesses); a++)
			(void)ghost_tlb_access(&g->hal->tlb, cpu, mm_aspace_tag(&g->as),
			                       page(watched[i]), accesses[a]);
	}
}

/* Every entry of every table that the hardware can reach. */
static void check_absent_entries(struct guest *g, mm_hpa_t table, unsigned level)
{
	unsigned entries =
		level + 1 == g->geo->config.levels ? 1U << g->geo->config.root_bits : 512;
	for (unsigned i = 0; i < entries; i++) {
		uint64_t entry = *(uint64_t *)hal_test_ptr(g->hal, mm_hpa_plus(table, i * 8));
		uint64_t address = entry & UINT64_C(0xffffffffff000);
		mm_hpa_t next;
		if (level > 0 && hw_entry_is_table(g->geo->format, entry, level, &next))
			check_absent_entries(g, next, level - 1);
		else if (entry != 0 && (entry & 7) == 0)
			CHECK(address >> (g->geo->config.hpa_bits - 1) != 0);
	}
}

static void check_l1tf(struct guest *g)
{
	if (is_ept(g->geo))
		check_absent_entries(g, mm_aspace_root(&g->as), g->geo->config.levels - 1);
}

static unsigned acted;

static void others_use_memory(void *ctx)
{
	use_memory(ctx, 1);
	use_memory(ctx, 2);
	check_l1tf(ctx);
	acted++;
}

/* Every CPU touches every page, and its faults are served. */
static void all_touch(struct guest *g, enum mm_perm access)
{
	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		hal_test_set_cpu(cpu);
		for (size_t i = 0; i < MM_ARRAY_SIZE(watched); i++)
			(void)guest_touch(g, page(watched[i]), access);
	}
	hal_test_set_cpu(0);
}

static void check(struct guest *g)
{
	ghost_tlb_check_coherent(&g->hal->tlb);
	ghost_tlb_check_at_rest(&g->hal->tlb);
	check_l1tf(g);
}

/* --- the stories --- */

static void take(struct guest *g)
{
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &snapshots[0]));
	all_touch(g, MM_R);
}

static void take_and_drop(struct guest *g)
{
	take(g);
	mm_aspace_snapshot_drop(&g->as, &snapshots[0]);
}

static void take_and_write(struct guest *g)
{
	take(g);
	all_touch(g, MM_W);
}

static void take_twice(struct guest *g)
{
	take_and_write(g);
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &snapshots[1]));
	all_touch(g, MM_W);
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &snapshots[0]));
	all_touch(g, MM_R);
}

static void split_some(struct guest *g)
{
	CHECK_OK(mm_aspace_protect(&g->as, pages(LARGE + 100, 10), MM_R));
	all_touch(g, MM_R);
}

static void log_writes(struct guest *g)
{
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, false));
	all_touch(g, MM_W);
}

static void log_split(struct guest *g)
{
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_WRITE_PROTECT, true));
	all_touch(g, MM_R);
}

static void log_marks(struct guest *g)
{
	CHECK_OK(mm_aspace_dirty_start(&g->as, MM_DIRTY_HARDWARE, false));
	all_touch(g, MM_W);
}

static void nothing(struct guest *g)
{
	(void)g;
}

static void write_small(struct guest *g)
{
	CHECK_EQ(mm_aspace_fault(&g->as, page(SMALL + 1), MM_W), MM_FAULT_UNSHARED);
}

static void write_large(struct guest *g)
{
	CHECK_EQ(mm_aspace_fault(&g->as, page(LARGE + 100), MM_W), MM_FAULT_UNSHARED);
}

static void store_small(struct guest *g)
{
	CHECK_OK(mm_aspace_store(&g->as, page(SMALL + 1), 8, 1));
}

static void take_one(struct guest *g)
{
	CHECK_OK(mm_aspace_snapshot_take(&g->as, &snapshots[0]));
}

static void restore_first(struct guest *g)
{
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &snapshots[0]));
}

static void restore_second(struct guest *g)
{
	CHECK_OK(mm_aspace_snapshot_restore(&g->as, &snapshots[1]));
}

static void drop_first(struct guest *g)
{
	mm_aspace_snapshot_drop(&g->as, &snapshots[0]);
}

static void remap(struct guest *g)
{
	CHECK_OK(mm_aspace_remap(&g->as, pages(LINEAR, 800), mm_hpa_at(0x80000000)));
}

static void replace_by_linear(struct guest *g)
{
	CHECK_OK(mm_aspace_replace_linear(&g->as, pages(SMALL, 700), mm_hpa_at(0x80000000), MM_RW,
	                                  MM_NORMAL, 1));
}

static void replace_by_alloc(struct guest *g)
{
	CHECK_OK(mm_aspace_replace_alloc(
		&g->as, pages(LARGE, LARGE_COUNT), MM_RW,
		(struct mm_aspace_backing){.populate = true, .max_leaf = 1}));
}

static void unmap_all(struct guest *g)
{
	CHECK_OK(mm_aspace_unmap(&g->as, pages(0, 4096)));
}

static void unmap_part(struct guest *g)
{
	CHECK_OK(mm_aspace_unmap(&g->as, pages(SMALL + 1, 800)));
}

static void protect_part(struct guest *g)
{
	CHECK_OK(mm_aspace_protect(&g->as, pages(LARGE + 100, 301), MM_R));
}

static void protect_none(struct guest *g)
{
	CHECK_OK(mm_aspace_protect(&g->as, pages(LINEAR, LINEAR_COUNT), MM_NONE));
}

static void protect_back(struct guest *g)
{
	CHECK_OK(mm_aspace_protect(&g->as, pages(LARGE + 100, 10), MM_RW));
	CHECK_EQ(guest_stats(g).leaves[1], 3); /* merged */
}

static void collect_all(struct guest *g)
{
	static uint64_t bitmap[64];
	CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(0, 4096), bitmap));
}

static void collect_part(struct guest *g)
{
	static uint64_t bitmap[64];
	CHECK_OK(mm_aspace_dirty_collect(&g->as, pages(SMALL + 1, 1200), bitmap));
}

static void stop_log(struct guest *g)
{
	mm_aspace_dirty_stop(&g->as);
}

static bool ignore_leaf(void *ctx, const struct mm_npt_leaf *leaf)
{
	(void)ctx;
	(void)leaf;
	return true;
}

/* From the middle of a large leaf to the middle of the next. */
static void harvest_middle(struct guest *g)
{
	CHECK_OK(mm_aspace_harvest(&g->as, pages(LINEAR + 256, 512), ignore_leaf, NULL));
}

static void harvest_all(struct guest *g)
{
	CHECK_OK(mm_aspace_harvest(&g->as, pages(0, 4096), ignore_leaf, NULL));
}

static void clear(struct guest *g)
{
	mm_aspace_clear(&g->as);
}

static bool has_marks(const struct geometry *geo)
{
	return geo->config.accessed_dirty;
}

static const struct story stories[] = {
	{"copy on write", take, write_small, NULL},
	{"copy on write of a large leaf", take, write_large, NULL},
	{"copy on write by the hypervisor", take, store_small, NULL},
	{"write by the last holder", take_and_drop, write_small, NULL},
	{"take", nothing, take_one, NULL},
	{"restore", take_and_write, restore_first, NULL},
	{"restore another", take_twice, restore_second, NULL},
	{"drop", take_and_write, drop_first, NULL},
	{"remap", nothing, remap, NULL},
	{"replace by linear", nothing, replace_by_linear, NULL},
	{"replace by alloc", nothing, replace_by_alloc, NULL},
	{"unmap all", nothing, unmap_all, NULL},
	{"unmap part", nothing, unmap_part, NULL},
	{"protect part", nothing, protect_part, NULL},
	{"protect none", nothing, protect_none, NULL},
	{"merge", split_some, protect_back, NULL},
	{"log writes", nothing, log_writes, NULL},
	{"log splits", log_split, write_large, NULL},
	{"collect writable", log_writes, collect_all, NULL},
	{"collect writable in part", log_writes, collect_part, NULL},
	{"collect dirty", log_marks, collect_all, has_marks},
	{"collect dirty in part", log_marks, collect_part, has_marks},
	{"stop", log_writes, stop_log, NULL},
	{"harvest from middle to middle", nothing, harvest_middle, has_marks},
	{"harvest", nothing, harvest_all, has_marks},
	{"clear", nothing, clear, NULL},
};

static void play(const struct geometry *geo, const struct story *story, unsigned moment)
{
	struct guest *g = guest_open(geo, (struct hal_test_options){.frames = 2048, .cpus = CPUS});
	check_context("format=%s story=\"%s\" moment=%u", geo->name, story->name, moment);
	g->hal->flush_first = moment % CPUS;
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(SMALL, SMALL_COUNT), MM_RW,
	                             (struct mm_aspace_backing){0}));
	CHECK_OK(mm_aspace_map_alloc(&g->as, pages(LARGE, LARGE_COUNT), MM_RW,
	                             (struct mm_aspace_backing){.populate = true, .max_leaf = 1}));
	CHECK_OK(mm_aspace_map_linear(&g->as, pages(LINEAR, LINEAR_COUNT), mm_hpa_at(0x40000000),
	                              MM_RW, MM_NORMAL, 1));
	all_touch(g, MM_W);
	story->prepare(g);
	check(g);
	hal_test_interlude(g->hal, moment, others_use_memory, g);
	story->run(g);
	hal_test_interlude(g->hal, 0, NULL, NULL);
	check(g);
	all_touch(g, MM_W);
	check(g);
	guest_close(g);
}

static void coherent_at_every_moment(const struct geometry *geo)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(stories); i++) {
		if (stories[i].applies && !stories[i].applies(geo))
			continue;
		unsigned moment = 0;
		do {
			acted = 0;
			play(geo, &stories[i], ++moment);
		} while (acted != 0);
	}
}

/* Each format, with and without marks that hardware sets. */
static bool is_typical(const struct geometry *geo)
{
	static const char *const names[] = {"ept4",  "ept4-old", "amd4",   "amd5",  "ipa40",
	                                    "ipa48", "ipa52c",   "sv39x4", "sv48x4"};
	for (size_t i = 0; i < MM_ARRAY_SIZE(names); i++) {
		if (strcmp(geo->name, names[i]) == 0)
			return true;
	}
	return false;
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST_IF(coherent_at_every_moment, is_typical),
	};
	return run_geometry_tests("coherence", tests, MM_ARRAY_SIZE(tests));
}
