/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest.h"

#include "fault_agree.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct mm_gpa_range pages(uint64_t first, uint64_t n)
{
	return mm_gpa_range(mm_gpa_at(first * MM_PAGE_SIZE), n * MM_PAGE_SIZE);
}

mm_gpa_t page(uint64_t number)
{
	return mm_gpa_at(number * MM_PAGE_SIZE);
}

static void *physical_memory(void *ctx, mm_hpa_t pa)
{
	struct hal_test *hal = ctx;
	/* A linear mapping may lead outside the pool, a table never. */
	return hal_test_ptr(hal, pa);
}

struct mm_aspace_config guest_config(const struct geometry *geo, struct hal_test *hal)
{
	return (struct mm_aspace_config){
		.format = geo->format,
		.npt = geo->config,
		.hal = hal->hal,
		.limits = mm_gpa_range(mm_gpa_at(0), UINT64_C(1) << mm_npt_gpa_bits(&geo->config)),
		.quota = UINT64_MAX,
		.tag = 1,
	};
}

void watch_aspace(struct mm_aspace *as, const struct geometry *geo, struct hal_test *hal)
{
	const struct hw_mmu mmu = {geo->format, as->npt.config, mm_aspace_root(as), physical_memory,
	                           hal};
	ghost_tlb_watch(&hal->tlb, mm_aspace_tag(as), &mmu);
}

struct guest *guest_open_with(const struct geometry *geo, struct hal_test *hal,
                              const struct mm_aspace_config *config)
{
	struct guest *g = aligned_alloc(_Alignof(struct guest), sizeof(*g));
	CHECK(g != NULL);
	/* Whatever was there before init must not matter. */
	memset(g, 0xdd, sizeof(*g));
	g->geo = geo;
	g->hal = hal;
	g->faults = 0;
	g->both_layers = false;
	CHECK_OK(mm_aspace_init(&g->as, config));
	watch_aspace(&g->as, geo, hal);
	return g;
}

struct guest *guest_open(const struct geometry *geo, struct hal_test_options options)
{
	options.root_order = mm_npt_root_order(&geo->config);
	struct hal_test *hal = hal_test_open(options);
	const struct mm_aspace_config config = guest_config(geo, hal);
	return guest_open_with(geo, hal, &config);
}

void guest_close(struct guest *g)
{
	uint32_t tag = mm_aspace_tag(&g->as);
	struct hal_test *hal = g->hal;
	mm_aspace_destroy(&g->as);
	ghost_tlb_unwatch(&hal->tlb, tag);
	if (hal->tlb.space_count == 0)
		hal_test_close(hal);
	free(g);
}

void guest_abandon(struct guest *g)
{
	g->hal->in_use = 0;
	hal_test_close(g->hal);
	free(g);
}

static enum mm_fault compared_fault(struct guest *g, mm_gpa_t gpa, enum mm_perm access)
{
	const struct fault_forecast forecast = fault_forecast(g, gpa, access);
	enum mm_fault fault = mm_aspace_fault(&g->as, gpa, access);

	fault_check(g, gpa, access, &forecast, fault);
	return fault;
}

struct touched guest_touch(struct guest *g, mm_gpa_t gpa, enum mm_perm access)
{
	struct touched t = {.outcome = TOUCH_HIT};
	for (unsigned tries = 0; tries < 3; tries++) {
		struct hw_result r = ghost_tlb_access(&g->hal->tlb, hal_test_tlb_cpu(g->hal),
		                                      mm_aspace_tag(&g->as), gpa, access);
		if (r.outcome == HW_MISCONFIG)
			check_failed(__FILE__, __LINE__,
			             "misconfigured entry 0x%llx at level %u for gpa 0x%llx",
			             (unsigned long long)r.entry, r.level,
			             (unsigned long long)gpa.raw);
		if (r.outcome == HW_OK) {
			t.hpa = r.hpa;
			t.level = r.level;
			return t;
		}
		g->faults++;
		t.outcome = TOUCH_SERVED;
		t.fault = g->both_layers ? compared_fault(g, gpa, access)
		                         : mm_aspace_fault(&g->as, gpa, access);
		if (t.fault != MM_FAULT_MAPPED && t.fault != MM_FAULT_SPURIOUS &&
		    t.fault != MM_FAULT_UNSHARED) {
			t.outcome = TOUCH_REFUSED;
			return t;
		}
	}
	check_failed(__FILE__, __LINE__, "gpa 0x%llx, access %s: faults for ever",
	             (unsigned long long)gpa.raw, mm_perm_name(access));
}

void guest_expect(struct guest *g, mm_gpa_t gpa, enum mm_perm access, enum touch outcome,
                  const char *file, int line)
{
	static const char *const names[] = {"a hit", "a fault served", "a fault refused"};
	struct touched t = guest_touch(g, gpa, access);
	if (t.outcome != outcome)
		check_failed(file, line, "gpa 0x%llx, access %s: expected %s, got %s (%s)",
		             (unsigned long long)gpa.raw, mm_perm_name(access), names[outcome],
		             names[t.outcome],
		             t.outcome == TOUCH_HIT ? "-" : mm_fault_name(t.fault));
}

void guest_expect_fault(struct guest *g, mm_gpa_t gpa, enum mm_perm access, enum mm_fault fault,
                        const char *file, int line)
{
	struct touched t = guest_touch(g, gpa, access);
	const char *got = t.outcome == TOUCH_HIT ? "no fault" : mm_fault_name(t.fault);
	if (t.outcome == TOUCH_HIT || t.fault != fault)
		check_failed(file, line, "gpa 0x%llx, access %s: expected %s, got %s",
		             (unsigned long long)gpa.raw, mm_perm_name(access),
		             mm_fault_name(fault), got);
}

uint8_t guest_load(struct guest *g, mm_gpa_t gpa)
{
	struct touched t = guest_touch(g, gpa, MM_R);
	CHECK(t.outcome != TOUCH_REFUSED);
	return *(uint8_t *)hal_test_ptr(g->hal, t.hpa);
}

void guest_store(struct guest *g, mm_gpa_t gpa, uint8_t value)
{
	struct touched t = guest_touch(g, gpa, MM_W);
	CHECK(t.outcome != TOUCH_REFUSED);
	*(uint8_t *)hal_test_ptr(g->hal, t.hpa) = value;
}

struct hw_result guest_walk(struct guest *g, mm_gpa_t gpa, enum mm_perm access)
{
	return walk_aspace(&g->as, g->geo, g->hal, gpa, access);
}

struct mm_aspace_stats guest_stats(struct guest *g)
{
	struct mm_aspace_stats stats;
	mm_aspace_get_stats(&g->as, &stats);
	return stats;
}

struct hw_result walk_aspace(const struct mm_aspace *as, const struct geometry *geo,
                             struct hal_test *hal, mm_gpa_t gpa, enum mm_perm access)
{
	const struct hw_mmu mmu = {geo->format, as->npt.config, mm_aspace_root(as), physical_memory,
	                           hal};
	return hw_walk(&mmu, gpa, access, false);
}

/* --- fingerprints --- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ (hash >> 29);
}

/* Every entry of every table, by recursion over what the hardware would follow. */
static uint64_t hash_table(const struct hw_mmu *mmu, mm_hpa_t table, unsigned level, uint64_t hash)
{
	const struct mm_npt_config *config = &mmu->config;
	unsigned bits = level + 1 == config->levels ? config->root_bits : MM_NPT_INDEX_BITS;
	for (unsigned i = 0; i < 1U << bits; i++) {
		const uint64_t *entry = hal_test_ptr(mmu->ctx, mm_hpa_plus(table, i * 8));
		if (*entry == 0)
			continue;
		hash = mix(mix(hash, i), *entry);
		mm_hpa_t next;
		if (level > 0 && hw_entry_is_table(mmu->format, *entry, level, &next))
			hash = hash_table(mmu, next, level - 1, hash);
	}
	return hash;
}

uint64_t guest_fingerprint(struct guest *g)
{
	return fingerprint_of(&g->as, g->geo, g->hal);
}

uint64_t fingerprint_of(struct mm_aspace *as, const struct geometry *geo, struct hal_test *hal)
{
	const struct hw_mmu mmu = {geo->format, as->npt.config, mm_aspace_root(as), physical_memory,
	                           hal};
	uint64_t hash = hash_table(&mmu, mm_aspace_root(as), as->npt.config.levels - 1, 1);
	const struct mm_area *area;
	uint64_t at = 0;

	while ((area = mm_area_first_from(&as->areas, mm_gpa_at(at))) != NULL) {
		hash = mix(mix(hash, area->range.start.raw), area->range.size);
		hash = mix(mix(hash, (uint64_t)area->backend << 32 | (uint64_t)area->perm << 16 |
		                             (uint64_t)area->memtype << 8 | area->max_leaf),
		           area->host.raw);
		at = mm_gpa_range_last(area->range).raw + 1;
		if (at == 0)
			break;
	}
	struct mm_aspace_stats stats;
	mm_aspace_get_stats(as, &stats);
	hash = mix(mix(mix(hash, stats.frames), stats.tables), stats.area_frames);
	for (unsigned level = 0; level < MM_NPT_MAX_LEVELS; level++)
		hash = mix(hash, stats.leaves[level]);
	return mix(mix(hash, hal->in_use), atomic_load(&as->lock.writer));
}

bool guest_can(const struct guest *g, enum mm_perm perm)
{
	return mm_npt_can_express(g->geo->format, &g->geo->config, 0, perm, MM_NORMAL) == MM_OK;
}
