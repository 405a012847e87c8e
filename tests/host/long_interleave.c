/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another CPU between any two instructions of a call. Where the call is shared, the other CPU's
 * guest accesses memory and its fault is resolved there and then; where it is exclusive, its
 * hardware goes on alone, and the fault waits until the call has returned.
 *
 * Afterwards the table is well formed, nobody is granted more than the areas permit, every page
 * that may be accessed can be, no write is lost or goes unreported, and every frame is accounted
 * for. test_interleave.c does the same at HAL calls alone.
 */
#include "guest.h"
#include "pairs.h"
#include "step.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mm/compiler.h"
#include "mm/dirty.h"
#include "mm/npt/entry.h"
#include "mm/snapshot.h"

#define SMALL 500  /* single pages from here, 8 of them */
#define LARGE 512  /* a block */
#define HOST  1024 /* a linear block */
#define END   1536
#define VALUE 0x5a
#define LONG  500 /* calls of 100,000 instructions: on one geometry alone */

struct scene;

/* What a call is tried with: pages of each kind, and what the other CPU does. */
struct stage {
	struct guest *g;
	const struct scene *scene;
	struct mm_snapshot snapshot;
	mm_gpa_t other;      /* what the other CPU accesses */
	enum mm_perm access; /* and how */
	bool waits, hit;     /* its fault is still to be resolved; its access went through */
	bool reported;       /* by a log or a harvest, the page that it wrote to */
	mm_hpa_t host;
};

struct scene {
	const char *name;
	uint32_t features;
	void (*prepare)(struct stage *s); /* beyond the pages; may be NULL */
	void (*run)(struct stage *s);
	uint64_t other;      /* page that the other CPU accesses */
	enum mm_perm access; /* and how */
	bool moves;          /* the other's write may be lost: the page gets other memory */
	bool marks;          /* needs hardware A/D */
	unsigned stride;     /* 0: every instruction */
};

/* --- the other CPU --- */

static void *memory(void *ctx, mm_hpa_t pa)
{
	return hal_test_ptr(ctx, pa);
}

static struct hw_result hardware(struct stage *s, mm_gpa_t gpa, enum mm_perm access)
{
	const struct hw_mmu mmu = {s->g->geo->format, s->g->geo->config, mm_aspace_root(&s->g->as),
	                           memory, s->g->hal};
	struct hw_result r = hw_walk(&mmu, gpa, access, true);

	if (r.outcome == HW_MISCONFIG || r.outcome == HW_ACCESS_FLAG)
		check_failed(__FILE__, __LINE__, "%s: gpa 0x%llx: %s, entry 0x%llx", s->scene->name,
		             (unsigned long long)gpa.raw, hw_outcome_name(r.outcome),
		             (unsigned long long)r.entry);
	return r;
}

static void access_once(struct stage *s)
{
	struct hw_result r = hardware(s, s->other, s->access);

	s->hit = r.outcome == HW_OK;
	if (s->hit && s->access == MM_W)
		*(uint8_t *)hal_test_ptr(s->g->hal, r.hpa) = VALUE;
}

/* The access with its fault, until it goes through or is refused. */
static void access_with_faults(struct stage *s)
{
	for (unsigned tries = 0; tries < 4; tries++) {
		access_once(s);
		if (s->hit)
			return;
		enum mm_fault fault = mm_aspace_fault(&s->g->as, s->other, s->access);
		if (fault != MM_FAULT_MAPPED && fault != MM_FAULT_SPURIOUS &&
		    fault != MM_FAULT_UNSHARED)
			return;
	}
	check_failed(__FILE__, __LINE__, "%s: gpa 0x%llx faults for ever", s->scene->name,
	             (unsigned long long)s->other.raw);
}

static void other_cpu(void *arg)
{
	struct stage *s = arg;
	uint64_t entry = guest_walk(s->g, s->other, MM_R).entry;
	bool alone = atomic_load(&s->g->as.lock.writer) != 0 ||
	             mm_npt_is_frozen(s->g->geo->format, entry);

	hal_test_set_cpu(1);
	if (alone) {
		access_once(s);
		s->waits = !s->hit;
	} else {
		access_with_faults(s);
	}
	hal_test_set_cpu(0);
}

/* --- afterwards --- */

static void check_page(struct stage *s, uint64_t number)
{
	const struct mm_area *area = mm_area_find(&s->g->as.areas, page(number));
	unsigned allowed = area && area->backend != MM_AREA_DEVICE ? area->perm : 0U;

	for (unsigned access = MM_R; access <= MM_X; access *= 2) {
		if (hardware(s, page(number), (enum mm_perm)access).outcome == HW_OK &&
		    (access & ~allowed) != 0)
			check_failed(__FILE__, __LINE__, "%s: page %llu is granted %s",
			             s->scene->name, (unsigned long long)number,
			             mm_perm_name((enum mm_perm)access));
	}
	if ((allowed & MM_R) != 0 && s->g->hal->fail_at == 0 && s->g->as.npt.quota == UINT64_MAX)
		(void)guest_load(s->g, page(number));
}

static void check_write(struct stage *s)
{
	if (s->access == MM_W && s->hit && !s->scene->moves)
		CHECK_EQ(guest_load(s->g, s->other), VALUE);
}

static bool see_leaf(void *ctx, const struct mm_npt_leaf *leaf)
{
	struct stage *s = ctx;

	if (leaf->dirty &&
	    mm_gpa_range_contains(mm_gpa_range(leaf->gpa, MM_LEVEL_SIZE(leaf->level)), s->other))
		s->reported = true;
	return true;
}

static void look_at_log(struct stage *s)
{
	uint64_t bitmap[(END - SMALL) / 64 + 1] = {0};
	uint64_t at = s->other.raw / MM_PAGE_SIZE - SMALL;

	CHECK_OK(mm_aspace_dirty_collect(&s->g->as, pages(SMALL, END - SMALL), bitmap));
	s->reported |= bitmap[at / 64] >> (at % 64) & 1;
}

static void check_report(struct stage *s)
{
	bool written = s->access == MM_W && s->hit;
	bool harvest = (s->scene->features & FEATURE(F_HARVEST)) != 0;

	if (s->g->as.log.active)
		look_at_log(s);
	else if (harvest)
		CHECK_OK(mm_aspace_harvest(&s->g->as, pages(SMALL, END - SMALL), see_leaf, s));
	else
		return;
	/* What was written while the log began may be from before it. */
	if (written && !s->reported && strstr(s->scene->name, "start") == NULL)
		check_failed(__FILE__, __LINE__, "%s: the other CPU's write is reported nowhere",
		             s->scene->name);
}

static void check_stage(void *arg)
{
	struct stage *s = arg;
	struct guest *g = s->g;

	if (s->waits) {
		hal_test_set_cpu(1);
		access_with_faults(s);
		hal_test_set_cpu(0);
	}
	check_write(s);
	check_report(s);
	for (uint64_t number = SMALL; number < END; number += number < LARGE ? 1 : 43)
		check_page(s, number);
	check_page(s, s->other.raw / MM_PAGE_SIZE);

	struct mm_aspace_stats stats = guest_stats(g);
	CHECK_EQ(stats.frames + stats.tables + stats.area_frames + 512, g->hal->in_use);
	CHECK(g->as.npt.quota == UINT64_MAX || stats.frames + stats.tables <= g->as.npt.quota);
}

/* --- what is prepared --- */

static void log_split(struct stage *s)
{
	CHECK_OK(mm_aspace_dirty_start(&s->g->as, MM_DIRTY_WRITE_PROTECT, true));
}

static void log_pages(struct stage *s)
{
	CHECK_OK(mm_aspace_dirty_start(&s->g->as, MM_DIRTY_WRITE_PROTECT, false));
}

static void log_hardware(struct stage *s)
{
	CHECK_OK(mm_aspace_dirty_start(&s->g->as, MM_DIRTY_HARDWARE, false));
}

static void share(struct stage *s)
{
	CHECK_OK(mm_aspace_snapshot_take(&s->g->as, &s->snapshot));
}

static void share_and_drop(struct stage *s)
{
	share(s);
	mm_aspace_snapshot_drop(&s->g->as, &s->snapshot);
}

static void protect_some(struct stage *s)
{
	CHECK_OK(mm_aspace_protect(&s->g->as, pages(SMALL, 2), MM_R));
	CHECK_OK(mm_aspace_protect(&s->g->as, pages(LARGE + 300, 50), MM_R));
}

static void hal_is_dry(struct stage *s)
{
	hal_test_fail_after(s->g->hal, 1);
}

/* --- calls --- */

static void read_small(struct stage *s)
{
	uint8_t byte;
	CHECK_OK(mm_aspace_read(&s->g->as, page(SMALL + 1), &byte, 1));
}

static void read_large(struct stage *s)
{
	uint8_t byte;
	CHECK_OK(mm_aspace_read(&s->g->as, page(LARGE + 88), &byte, 1));
}

static void read_linear(struct stage *s)
{
	uint8_t byte;
	CHECK_OK(mm_aspace_read(&s->g->as, page(HOST + 88), &byte, 1));
}

static void write_small(struct stage *s)
{
	CHECK_OK(mm_aspace_store(&s->g->as, mm_gpa_plus(page(SMALL + 1), 8), 1, 3));
}

static void write_large(struct stage *s)
{
	CHECK_OK(mm_aspace_store(&s->g->as, mm_gpa_plus(page(LARGE + 88), 8), 1, 3));
}

static void fault_absent(struct stage *s)
{
	(void)!mm_aspace_fault(&s->g->as, page(SMALL + 5), MM_W);
}

static void fault_small(struct stage *s)
{
	(void)!mm_aspace_fault(&s->g->as, page(SMALL + 1), MM_W);
}

static void fault_large(struct stage *s)
{
	(void)!mm_aspace_fault(&s->g->as, page(LARGE + 88), MM_W);
}

static void fault_device(struct stage *s)
{
	CHECK_EQ(mm_aspace_fault(&s->g->as, page(END), MM_R), MM_FAULT_IS_DEVICE);
}

static void protect(struct stage *s)
{
	CHECK_OK(mm_aspace_protect(&s->g->as, pages(SMALL, 4), MM_R));
}

static void protect_large(struct stage *s)
{
	CHECK_OK(mm_aspace_protect(&s->g->as, pages(LARGE + 80, 4), MM_R));
}

static void replace_part(struct stage *s)
{
	CHECK_OK(mm_aspace_replace_alloc(&s->g->as, pages(LARGE + 80, 16), MM_RW,
	                                 (struct mm_aspace_backing){0}));
}

static void replace_device(struct stage *s)
{
	CHECK_OK(mm_aspace_replace_device(&s->g->as, pages(LARGE + 80, 4)));
}

static void remap_part(struct stage *s)
{
	CHECK_OK(mm_aspace_remap(&s->g->as, pages(HOST + 80, 16), s->host));
}

static void harvest(struct stage *s)
{
	CHECK_OK(mm_aspace_harvest(&s->g->as, pages(SMALL, END - SMALL), see_leaf, s));
}

static void start_split(struct stage *s)
{
	log_split(s);
}

static void start_hardware(struct stage *s)
{
	log_hardware(s);
}

static void collect(struct stage *s)
{
	look_at_log(s);
}

static void stop(struct stage *s)
{
	mm_aspace_dirty_stop(&s->g->as);
}

static void take(struct stage *s)
{
	share(s);
}

#define F(a) FEATURE(F_##a)

/* The block's first write is what splits it; 600 is read while 601 is written, and the like. */
static const struct scene scenes[] = {
	{"read beside a split", F(LOG_PERM) | F(LARGE) | F(AD), log_split, read_large, LARGE + 89,
         MM_W, .marks = true},
	{"write beside a split", F(LOG_PERM) | F(LARGE), log_split, write_large, LARGE + 89, MM_W,
         .stride = 61},
	{"split beside a read", F(LOG_PERM) | F(LARGE), log_split, fault_large, LARGE + 89, MM_R,
         .stride = 61},
	{"split beside a split", F(LOG_PERM) | F(LARGE), log_split, fault_large, LARGE + 88, MM_W,
         .stride = 61},
	{"logged write", F(LOG_PERM), log_pages, write_small, SMALL + 1, MM_W, .stride = 17},
	{"logged write by hardware", F(LOG_HW) | F(AD), log_hardware, write_small, SMALL + 1, MM_W,
         .marks = true, .stride = 7},
	{"absent", 0, NULL, fault_absent, SMALL + 5, MM_W, .stride = 11},
	{"absent beside a read", 0, NULL, fault_absent, SMALL + 6, MM_R, .stride = 11},
	{"copy", F(SNAPSHOT), share, fault_small, SMALL + 1, MM_W, .stride = 53},
	{"copy beside a read", F(SNAPSHOT), share, fault_small, SMALL + 1, MM_R, .stride = 53},
	{"read beside a copy", F(SNAPSHOT) | F(AD), share, read_small, SMALL + 1, MM_W,
         .stride = 7},
	{"write beside a copy", F(SNAPSHOT), share, write_small, SMALL + 1, MM_W, .stride = 53},
	{"large copy", F(SNAPSHOT) | F(LARGE), share, fault_large, LARGE + 89, MM_W, .stride = 127},
	{"read beside a large copy", F(SNAPSHOT) | F(LARGE) | F(AD), share, read_large, LARGE + 88,
         MM_W, .stride = 7},
	{"after a drop", F(DROPPED) | F(LARGE), share_and_drop, fault_large, LARGE + 89, MM_W,
         .stride = 11},
	{"read after a drop", F(DROPPED) | F(LARGE), share_and_drop, read_large, LARGE + 88, MM_W,
         .stride = 11},
	{"linear read", F(LINEAR) | F(LARGE), NULL, read_linear, HOST + 89, MM_W, .stride = 11},
	{"device", F(DEVICE), NULL, fault_device, SMALL + 5, MM_W, .stride = 11},
	{"quota", F(QUOTA), NULL, fault_absent, SMALL + 6, MM_W, .stride = 11},
	{"no memory", F(NO_MEMORY), hal_is_dry, fault_absent, SMALL + 6, MM_W, .stride = 17},
	{"protect", F(PROTECT), NULL, protect, SMALL + 1, MM_W, .stride = 37},
	{"protect part", F(PROTECT) | F(LARGE), NULL, protect_large, LARGE + 81, MM_W,
         .stride = 127},
	{"fault after protect", F(PROTECT), protect_some, fault_absent, SMALL + 1, MM_W,
         .stride = 17},
	{"replace", F(REPLACE) | F(LARGE), NULL, replace_part, LARGE + 81, MM_R, .moves = true,
         .stride = 127},
	{"replace by a device", F(REPLACE) | F(DEVICE), NULL, replace_device, LARGE + 81, MM_R,
         .moves = true, .stride = 127},
	{"remap", F(REMAP) | F(LINEAR), NULL, remap_part, HOST + 81, MM_W, .moves = true,
         .stride = 997},
	{"harvest", F(HARVEST) | F(AD), NULL, harvest, SMALL + 1, MM_W, .marks = true,
         .stride = 37},
	{"harvest of a block", F(HARVEST) | F(AD) | F(LARGE), NULL, harvest, LARGE + 89, MM_W,
         .marks = true, .stride = 17},
	{"start of a log", F(LOG_PERM), NULL, start_split, SMALL + 1, MM_W, .stride = 997},
	{"start of a log by hardware", F(LOG_HW), NULL, start_hardware, SMALL + 1, MM_W,
         .marks = true, .stride = 997},
	{"collect", F(LOG_PERM), log_pages, collect, SMALL + 1, MM_W, .stride = 37},
	{"collect by hardware", F(LOG_HW), log_hardware, collect, LARGE + 89, MM_W, .marks = true,
         .stride = 37},
	{"end of a log", F(LOG_PERM), log_pages, stop, SMALL + 1, MM_W, .stride = 37},
	{"take", F(SNAPSHOT), NULL, take, SMALL + 1, MM_W, .stride = 997},
};

static struct feature_table counts;

static void run_scene(void *arg)
{
	struct stage *s = arg;
	s->scene->run(s);
}

/* 8 single pages of which 4 are there, a block, a linear block, and a device. */
static void set_stage(struct stage *s, const struct geometry *geo, uint64_t quota)
{
	const struct hal_test_options options = {
		.frames = 4096, .sparse = true, .root_order = mm_npt_root_order(&geo->config)};
	struct hal_test *hal = hal_test_open(options);
	struct mm_aspace_config config = guest_config(geo, hal);
	config.quota = quota;
	s->g = guest_open_with(geo, hal, &config);
	CHECK_EQ(hal->hal.alloc(hal, 9, 1, &s->host), 1);
	struct mm_aspace *as = &s->g->as;
	CHECK_OK(mm_aspace_map_alloc(as, pages(SMALL, 8), MM_RW, (struct mm_aspace_backing){0}));
	CHECK_OK(mm_aspace_map_alloc(as, pages(LARGE, 512), MM_RW,
	                             (struct mm_aspace_backing){.populate = true, .max_leaf = 1}));
	CHECK_OK(mm_aspace_map_linear(as, pages(HOST, 512), s->host, MM_RW, MM_NORMAL, 1));
	CHECK_OK(mm_aspace_map_device(as, pages(END, 1)));
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(mm_aspace_fault(as, page(SMALL + i), MM_W), MM_FAULT_MAPPED);
	s->other = page(s->scene->other);
	s->access = s->scene->access;
}

/* With a quota, there is one frame left for each CPU. A CPU that finds none waits until the others
 * have left the address space, to take their credit back (test_quota.c, race_aspace.c): here it
 * would wait for ever. */
static void set_scene(struct stage *s, const struct geometry *geo)
{
	uint64_t quota = UINT64_MAX;

	if ((s->scene->features & FEATURE(F_QUOTA)) != 0) {
		set_stage(s, geo, UINT64_MAX - 1);
		struct mm_aspace_stats stats = guest_stats(s->g);
		quota = stats.frames + stats.tables + 2;
		guest_abandon(s->g);
	}
	set_stage(s, geo, quota);
	if (s->scene->prepare)
		s->scene->prepare(s);
}

static void another_cpu_at_every_instruction(const struct geometry *geo)
{
	uint64_t copies = 0;

	for (size_t i = 0; i < MM_ARRAY_SIZE(scenes); i++) {
		const struct scene *scene = &scenes[i];
		struct stage stage = {.scene = scene};
		if (scene->marks && !geo->config.accessed_dirty)
			continue;
		if (scene->stride > LONG && strcmp(geo->name, "ipa48") != 0)
			continue;
		check_context("format=%s scene=%s", geo->name, scene->name);
		set_scene(&stage, geo);
		copies += step_branch(run_scene, other_cpu, check_stage, &stage,
		                      scene->stride ? scene->stride : 1);
		features_count(&counts, FEATURE(F_CONCURRENT), scene->features, false);
		guest_abandon(stage.g);
	}
	printf("# %s: another CPU at %llu instructions\n", geo->name, (unsigned long long)copies);
}

/* With and without break-before-make, and one that sets A in what may be a table by then. */
static bool is_typical(const struct geometry *geo)
{
	static const char *const names[] = {"ept4", "ipa48", "sv39x4"};
	for (size_t i = 0; i < MM_ARRAY_SIZE(names); i++) {
		if (strcmp(geo->name, names[i]) == 0)
			return true;
	}
	return false;
}

static bool is_last(const struct geometry *geo)
{
	return geo == &geometries[geometry_count - 1];
}

static void every_feature_beside_another_cpu(const struct geometry *geo)
{
	(void)geo;
	CHECK_EQ(features_report(&counts, FEATURE(F_CONCURRENT), NULL, 0), 0);
}

/* The first call of each function of libc's would be thousands of instructions. */
static void bind_now(char **argv)
{
	if (getenv("LD_BIND_NOW"))
		return;
	setenv("LD_BIND_NOW", "1", 1);
	execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
	(void)argc;
	bind_now(argv);
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST_IF(another_cpu_at_every_instruction, is_typical),
		GEOMETRY_TEST_IF(every_feature_beside_another_cpu, is_last),
	};
	return run_geometry_tests("interleave", tests, MM_ARRAY_SIZE(tests));
}
